"""What policies refuse, as MQTT 5 hears of it: with reason 0x87."""

from aws.endings import ended
from v5 import packets as five
from v5.packets import Connack, Puback, Will

NOT_AUTHORIZED = 0x87


def test_a_refused_publish_at_qos_1_has_0x87_and_the_connection_stays(join5, plain, names):
    """Inferred from AWS's list of PUBACK codes, and seen: the session lives on."""
    topic, watcher, peer = b"denied/" + names.topic(), plain(), join5()
    watcher.subscribe(topic, 1)
    peer.send(five.publish(topic, b"never", 1, 5))
    answer = peer.take(Puback)
    assert (answer.packet_id, answer.reason) == (5, NOT_AUTHORIZED)
    watcher.publish(topic, b"the watcher's own", 1)
    watcher.expect_message(topic, b"the watcher's own", 1)
    watcher.expect_silence()
    peer.publish(names.topic(), b"allowed", 1)


def test_a_refused_publish_at_qos_0_ends_with_0x87(join5, names):
    """Inferred: there is no acknowledgement to say it in."""
    peer = join5()
    peer.send(five.publish(b"denied/" + names.topic(), b"never"))
    assert ended(peer, NOT_AUTHORIZED) == []


def test_a_refused_subscribe_has_0x87_in_its_place(join5, names):
    topic, peer = names.topic(), join5()
    assert peer.subscribe((topic, 1), (b"denied/" + topic, 1), (topic + b"/a", 0)).reasons == [1, NOT_AUTHORIZED, 0]


def test_each_delivery_needs_receive(join5, names):
    topic, peer, publisher = names.topic(), join5(), join5()
    peer.subscribe((b"+/" + topic, 1))
    publisher.publish(b"unheard/" + topic, b"never", 1)
    publisher.publish(b"heard/" + topic, b"heard", 1)
    assert peer.message().payload == b"heard"
    peer.silent()


def test_a_will_on_a_topic_that_is_denied_refuses_the_connect(dial5, names, events):
    client_id, connection = names.client_id(), dial5()
    connection.send(five.connect(client_id, will=Will(b"denied/" + names.topic(), b"never")))
    answers = connection.refused()
    assert [(type(answer), answer.reason) for answer in answers] in ([], [(Connack, NOT_AUTHORIZED)])
    assert events.of("connect_failed", client_id)["connectFailureReason"] == "AUTHORIZATION_FAILED"
