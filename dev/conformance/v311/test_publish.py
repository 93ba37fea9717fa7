"""Chapter 3.3: PUBLISH. RETAIN has a file of its own."""

import pytest
from statements import statement
from v311.packets import parse_publish, puback, pubcomp, publish, pubrec, pubrel


@statement("MQTT-3.3.1-1", "MQTT-4.4.0-1")
@pytest.mark.parametrize("qos", [1, 2])
def test_a_redelivery_has_dup_and_the_same_identifier(join, names, qos):
    client_id, topic = names.client_id(), names.topic()
    first = join(client_id, clean=False)
    first.subscribe(topic, 2)
    join().publish(topic, b"again", qos)
    sent = first.receive(acknowledge=False)
    assert not sent.dup
    first.abort()
    second = join(client_id, clean=False)
    resent = second.receive(acknowledge=False)
    assert (resent.topic, resent.payload, resent.qos, resent.dup) == (topic, b"again", qos, True)
    assert resent.packet_id == sent.packet_id
    second.acknowledge(resent)
    second.expect_silence()


@statement("MQTT-3.3.1-1")
def test_what_was_queued_but_never_sent_has_no_dup(join, names):
    client_id, topic = names.client_id(), names.topic()
    first = join(client_id, clean=False)
    first.subscribe(topic, 1)
    first.disconnect()
    join().publish(topic, b"first time", 1)
    join(client_id, clean=False).expect_message(topic, b"first time", 1)


@statement("MQTT-3.3.1-3", "MQTT-3.3.1-2")
@pytest.mark.parametrize("qos", [1, 2])
def test_dup_is_not_passed_on(join, names, qos):
    topic, subscriber, publisher = names.topic(), join(), join()
    subscriber.subscribe(topic, qos)
    publisher.send(publish(topic, b"marked", qos, 11, dup=True))
    if qos == 1:
        publisher.expect(puback(11))
    else:
        publisher.expect(pubrec(11))
        publisher.send(pubrel(11))
        publisher.expect(pubcomp(11))
    subscriber.expect_message(topic, b"marked", qos)


@statement("MQTT-3.3.1-2")
def test_dup_at_qos_0_is_refused_or_not_passed_on(join, names):
    topic, subscriber, publisher = names.topic(), join(), join()
    subscriber.subscribe(topic, 1)
    publisher.send(publish(topic, b"marked", dup=True))
    for message in subscriber.receive_all():
        assert (message.payload, message.dup) == (b"marked", False)


@statement("MQTT-3.3.2-3")
def test_what_is_delivered_matches_the_filter(join, names):
    root, subscriber, publisher = names.topic(), join(), join()
    subscriber.subscribe(root + b"/+/c", 1)
    for name in (b"/a/c", b"/b/c", b"/a/b", b"/c", b"/a/c/d", b"//c"):
        publisher.publish(root + name, name, 1)
    got = {message.topic: message.payload for message in subscriber.receive_all()}
    assert got == {root + name: name for name in (b"/a/c", b"/b/c", b"//c")}


@statement("MQTT-3.3.4-1")
def test_each_qos_has_its_answer(join, names):
    topic, peer = names.topic(), join()
    peer.send(publish(topic, b"0"))
    peer.fence()
    peer.send(publish(topic, b"1", 1, 1))
    peer.expect(puback(1))
    peer.send(publish(topic, b"2", 2, 1))
    peer.expect(pubrec(1))
    peer.fence()
    peer.send(pubrel(1))
    peer.expect(pubcomp(1))
    peer.fence()


@statement("MQTT-3.3.5-1")
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_overlapping_subscriptions_deliver_at_the_highest_qos(join, names, qos):
    """Further copies are allowed, but none above its subscription's QoS; what is not allowed is a lower one alone."""
    root, subscriber = names.topic(), join()
    subscriber.subscribe(root + b"/#", 0)
    subscriber.subscribe(root + b"/+", 2)
    subscriber.subscribe(root + b"/x", 1)
    join().publish(root + b"/x", b"once", qos)
    copies = subscriber.receive_all()
    assert max(copy.qos for copy in copies) == qos
    assert 1 <= len(copies) <= 3
    assert all(copy.payload == b"once" for copy in copies)


def test_a_client_hears_itself(join, names):
    """3.1.1 has no No Local: a publisher that subscribes gets its own message, once."""
    topic, peer = names.topic(), join()
    peer.subscribe(topic, 1)
    peer.publish(topic, b"echo", 1)
    peer.expect_message(topic, b"echo", 1)
    peer.expect_silence()


def test_a_publish_to_nobody_is_acknowledged(join, names):
    peer = join()
    for qos in (1, 2):
        peer.publish(names.topic(), b"nobody", qos)


@statement("MQTT-3.3.4-1")
def test_bytes_of_every_value_arrive(join, names):
    topic, peer, payload = names.topic(), join(), bytes(range(256)) * 4
    peer.subscribe(topic)
    peer.send(publish(topic, payload))
    assert parse_publish(peer.packet()).payload == payload
