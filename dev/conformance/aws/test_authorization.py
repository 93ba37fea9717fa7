"""What policies refuse, and how each version of MQTT hears of it [developer guide, mqtt and iot-policy-actions]."""

import json

from aws.account import IOT
from statements import statement
from v311.packets import FAILURE, Will, connect, publish
from v311.peer import Peer


@statement("MQTT-3.3.5-2")
def test_a_refused_publish_closes_without_puback(join, plain, names):
    for qos in (0, 1):
        topic, watcher = b"denied/" + names.topic(), plain()
        watcher.subscribe(topic, 1)
        join().expect_refusal(publish(topic, b"never", qos, 1 if qos else None))
        watcher.publish(topic, b"the watcher's own", 1)
        watcher.expect_message(topic, b"the watcher's own", 1)
        watcher.expect_silence()


def test_a_refused_subscribe_has_0x80_in_its_place(join, names):
    """Reports differ; a close was seen too. The server says which it is in its list of differences."""
    peer, topic = join(), names.topic()
    assert peer.subscribe_all((topic, 1), (b"denied/" + topic, 1), (topic + b"/a", 0)) == [1, FAILURE, 0]
    peer.publish(topic, b"granted", 1)
    peer.expect_message(topic, b"granted", 1)


def test_each_delivery_needs_receive(join, names):
    """Subscribing is allowed, hearing is not; other topics of the same filter come."""
    topic, peer, publisher = names.topic(), join(), join()
    peer.subscribe_all((b"unheard/" + topic, 1), (b"+/" + topic, 1))
    publisher.publish(b"unheard/" + topic, b"never", 1)
    publisher.publish(b"heard/" + topic, b"heard", 1)
    peer.expect_message(b"heard/" + topic, b"heard", 1)
    peer.expect_silence()


def test_a_retained_message_needs_receive(join, plain, names):
    """It is there, for whoever may receive it."""
    topic, peer, publisher, observer = names.topic(), join(), join(), plain()
    publisher.publish(b"unheard/" + topic, b"never", 1, retain=True)
    publisher.publish(b"heard/" + topic, b"heard", 1, retain=True)
    observer.subscribe(b"unheard/" + topic, 1)
    observer.expect_message(b"unheard/" + topic, b"never", 1, retain=True)
    peer.subscribe_all((b"unheard/" + topic, 1), (b"heard/" + topic, 1))
    peer.expect_message(b"heard/" + topic, b"heard", 1, retain=True)
    peer.expect_silence()


def test_a_will_on_a_topic_that_is_denied_refuses_the_connect(dial, plain, names, events):
    topic, client_id, watcher = b"denied/" + names.topic(), names.client_id(), plain()
    watcher.subscribe(topic, 1)
    connection = dial()
    connection.send(connect(client_id, will=Will(topic, b"never", 1)))
    assert connection.expect_closed() == []
    assert events.of("connect_failed", client_id)["connectFailureReason"] == "AUTHORIZATION_FAILED"
    plain(will=Will(topic, b"another's", 1)).abort()
    watcher.expect_message(topic, b"another's", 1)
    watcher.expect_silence()


def test_a_retained_will_needs_retain_publish(dial, join, names):
    topic = b"unretained/" + names.topic()
    connection = dial()
    connection.send(connect(names.client_id(), will=Will(topic, b"never", 1, retain=True)))
    assert connection.expect_closed() == []
    join(will=Will(topic, b"allowed", 1)).fence()


def test_a_policy_that_is_detached_counts_at_once(account, names, stack):
    """AWS takes minutes."""
    identifier, address = account.certificate()
    arn, topic = f"{IOT}:cert/{identifier}", names.topic()
    peer = stack.enter_context(Peer(address, names.client_id()))
    peer.subscribe(topic, 1)
    peer.publish(topic, b"allowed", 1)
    peer.expect_message(topic, b"allowed", 1)
    account.iot.detach_policy(policyName="devices", target=arn)
    peer.send(publish(topic, b"refused", 1, 77))
    peer.expect_gone()


def test_a_variable_stands_for_the_client_id(account, names, stack):
    own = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "iot:Connect", "Resource": "*"},
            {"Effect": "Allow", "Action": "iot:Publish", "Resource": f"{IOT}:topic/own/${{iot:ClientId}}/*"},
        ],
    }
    client_id, other = names.client_id(), names.client_id()
    name = f"own-{client_id.decode()}"
    account.iot.create_policy(policyName=name, policyDocument=json.dumps(own))
    address = account.certificate(policy=name)[1]
    peer = stack.enter_context(Peer(address, client_id))
    peer.publish(b"own/" + client_id + b"/a", b"allowed", 1)
    peer.expect_refusal(publish(b"own/" + other + b"/a", b"refused", 1, 9))
