"""Chapters 3.10 and 3.11: UNSUBSCRIBE and UNSUBACK."""

import pytest
from statements import statement
from v311.packets import pubcomp, pubrec, pubrel, unsuback, unsubscribe


@statement("MQTT-3.10.4-1")
@pytest.mark.parametrize(
    ("subscribed", "removed"),
    [(b"/a/b", b"/a/+"), (b"/a/b", b"/a/#"), (b"/a/+", b"/a/b"), (b"/a/b", b"/A/b"), (b"/a/b", b"/a/b/"), (b"/#", b"/+")],
)
def test_another_filter_removes_nothing(join, names, subscribed, removed):
    root, peer = names.topic(), join()
    peer.subscribe(root + subscribed, 1)
    peer.unsubscribe(root + removed)
    join().publish(root + b"/a/b", b"still", 1)
    peer.expect_message(root + b"/a/b", b"still", 1)


@statement("MQTT-3.10.4-1", "MQTT-3.10.4-2", "MQTT-3.10.4-4")
@pytest.mark.parametrize("end", [b"", b"/#", b"/+/b", b"/a/b"])
def test_the_same_filter_is_removed(join, names, end):
    root, peer, publisher = names.topic(), join(), join()
    peer.subscribe(root + end, 1)
    peer.send(unsubscribe(513, root + end))
    peer.expect(unsuback(513))
    for name in (b"", b"/a/b"):
        publisher.publish(root + name, b"too late", 1)
    peer.expect_silence()


@statement("MQTT-3.10.4-2")
def test_an_overlapping_subscription_stays(join, names):
    root, peer = names.topic(), join()
    peer.subscribe(root + b"/#", 1)
    peer.subscribe(root + b"/a", 1)
    peer.unsubscribe(root + b"/a")
    join().publish(root + b"/a", b"by the other", 1)
    peer.expect_message(root + b"/a", b"by the other", 1)
    peer.expect_silence()


@statement("MQTT-3.10.4-2")
def test_a_resumed_session_has_no_subscription_that_was_removed(join, names):
    client_id, topic = names.client_id(), names.topic()
    first = join(client_id, clean=False)
    first.subscribe(topic, 1)
    first.unsubscribe(topic)
    first.disconnect()
    join().publish(topic, b"not for it", 1)
    again = join(client_id, clean=False)
    assert again.session_present
    again.expect_silence()


@statement("MQTT-3.10.4-3")
def test_a_qos_2_delivery_that_has_begun_is_finished(join, names):
    topic, peer = names.topic(), join()
    peer.subscribe(topic, 2)
    join().publish(topic, b"begun", 2)
    message = peer.receive(acknowledge=False)
    peer.send(pubrec(message.packet_id))
    peer.expect(pubrel(message.packet_id))
    peer.unsubscribe(topic)
    peer.send(pubcomp(message.packet_id))
    peer.expect_silence()


@statement("MQTT-3.10.4-3")
@pytest.mark.parametrize("qos", [1, 2])
def test_a_delivery_that_has_begun_is_sent_again_after_unsubscribe(join, names, qos):
    client_id, topic = names.client_id(), names.topic()
    first = join(client_id, clean=False)
    first.subscribe(topic, 2)
    join().publish(topic, b"begun", qos)
    sent = first.receive(acknowledge=False)
    first.unsubscribe(topic)
    first.abort()
    again = join(client_id, clean=False)
    resent = again.receive()
    assert (resent.payload, resent.packet_id, resent.dup) == (b"begun", sent.packet_id, True)
    again.expect_silence()


@statement("MQTT-3.10.4-5")
def test_an_unknown_filter_is_acknowledged(join, names):
    peer = join()
    peer.send(unsubscribe(8, names.topic()))
    peer.expect(unsuback(8))


@statement("MQTT-3.10.4-6")
def test_several_filters_have_one_unsuback(join, names):
    topics, peer, publisher = [names.topic() for _ in range(4)], join(), join()
    peer.subscribe_all(*((topic, 1) for topic in topics))
    peer.send(unsubscribe(8, topics[0], names.topic(), topics[2], topics[0]))
    peer.expect(unsuback(8))
    for topic in topics:
        publisher.publish(topic, topic, 1)
    assert [message.topic for message in peer.receive_all()] == [topics[1], topics[3]]
