"""Chapters 3.8 and 3.9: SUBSCRIBE and SUBACK."""

import threading

import pytest
from statements import statement
from v311.packets import FAILURE, kind, puback, publish, suback, subscribe


@statement("MQTT-3.8.3-2")
@pytest.mark.parametrize(
    ("end", "topic"),
    [(b"/#", b"/a/b"), (b"/+/b", b"/a/b"), (b"/+/+", b"/a/b"), (b"/+/#", b"/a"), (b"/a/+", b"/a/")],
)
def test_wildcards_are_supported(join, names, end, topic):
    root, peer = names.topic(), join()
    peer.subscribe(root + end, 1)
    peer.publish(root + topic, b"matched", 1)
    peer.expect_message(root + topic, b"matched", 1)


@statement("MQTT-3.8.4-1", "MQTT-3.8.4-2")
def test_a_publish_right_after_suback_is_not_missed(join, names):
    publisher = join()
    for _ in range(20):
        topic, peer = names.topic(), join()
        peer.send(subscribe(77, (topic, 0)))
        peer.expect(suback(77, 0))
        publisher.send(publish(topic, b"at once"))
        peer.expect_message(topic, b"at once")


@statement("MQTT-3.8.4-3")
def test_the_same_filter_again_replaces_the_subscription(join, names):
    """The QoS is the last one's, there is one copy of a message, and retained messages are sent again."""
    root, peer, publisher = names.topic(), join(), join()
    publisher.publish(root + b"/kept", b"stored", 2, retain=True)
    for qos in (0, 2, 1):
        peer.subscribe(root + b"/+", qos)
        peer.expect_message(root + b"/kept", b"stored", qos, retain=True)
        publisher.publish(root + b"/live", b"passing", 2)
        peer.expect_message(root + b"/live", b"passing", qos)
        peer.expect_silence()


@statement("MQTT-3.8.4-3")
def test_subscribing_again_does_not_interrupt_the_flow(join, names):
    topic, peer, publisher, count = names.topic(), join(), join(), 300
    peer.subscribe(topic, 1)

    def stream() -> None:
        for number in range(count):
            publisher.publish(topic, b"%d" % number, 1)

    streaming = threading.Thread(target=stream)
    streaming.start()
    got = []
    while len(got) < count:
        got.append(peer.receive())
        if len(got) % 10 == 0:
            peer.subscribe(topic, 1)
    streaming.join()
    assert [message.payload for message in got] == [b"%d" % number for number in range(count)]
    peer.expect_silence()


@statement("MQTT-3.8.4-4", "MQTT-3.8.4-5", "MQTT-3.9.3-1")
def test_several_filters_have_one_suback_with_codes_in_order(join, names):
    topics, peer = [names.topic() for _ in range(3)], join()
    assert peer.subscribe_all((topics[0], 2), (topics[1], 0), (topics[2], 1)) == [2, 0, 1]
    publisher = join()
    for topic, qos in zip(topics, (2, 0, 1), strict=True):
        publisher.publish(topic, topic, 2)
        peer.expect_message(topic, topic, qos)


@statement("MQTT-3.8.4-4", "MQTT-3.8.4-3")
def test_the_same_filter_twice_in_one_subscribe(join, names):
    """As two SUBSCRIBEs one after the other: two codes, and the last one holds."""
    topic, peer = names.topic(), join()
    assert peer.subscribe_all((topic, 0), (topic, 1)) == [0, 1]
    join().publish(topic, b"once", 2)
    peer.expect_message(topic, b"once", 1)
    peer.expect_silence()


@statement("MQTT-3.8.4-5", "MQTT-3.9.3-2")
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_a_code_is_the_granted_qos(join, names, qos):
    peer = join()
    peer.send(subscribe(300, (names.topic(), qos)))
    peer.expect(suback(300, qos))


@statement("MQTT-3.9.3-1", "MQTT-3.9.3-2", "MQTT-4.7.1-2")
def test_a_filter_that_is_wrong_is_refused_in_its_place_or_ends_the_connection(join, names):
    peer = join()
    peer.send(subscribe(5, (names.topic(), 1), (names.topic(b"/a#"), 1), (names.topic(), 0)))
    assert peer.packets_until(suback(5, 1, FAILURE, 0)) in ([], [suback(5, 1, FAILURE, 0)])


@statement("MQTT-3.8.4-6")
@pytest.mark.parametrize("granted", [0, 1, 2])
@pytest.mark.parametrize("published", [0, 1, 2])
def test_a_message_comes_at_the_lower_of_both_qos(join, names, granted, published):
    topic, peer = names.topic(), join()
    peer.subscribe(topic, granted)
    join().publish(topic, b"lower", published)
    peer.expect_message(topic, b"lower", min(granted, published))
    peer.expect_silence()


@statement("MQTT-3.8.4-4")
def test_a_hundred_filters_in_one_packet(join, names):
    root, peer = names.topic(), join()
    assert peer.subscribe_all(*((root + b"/%d" % number, number % 2) for number in range(100))) == [0, 1] * 50
    join().publish(root + b"/99", b"last", 1)
    peer.expect_message(root + b"/99", b"last", 1)


@statement("MQTT-3.8.4-1")
def test_deliveries_may_come_before_the_suback_but_nothing_is_lost(join, names):
    """Retained messages and SUBACK in either order."""
    topic, peer = names.topic(), join()
    join().publish(topic, b"stored", 1, retain=True)
    peer.send(subscribe(9, (topic, 1)))
    packets = [peer.packet(), peer.packet()]
    assert sorted(map(kind, packets)) == [3, 9]
    delivery = packets[0] if kind(packets[0]) == 3 else packets[1]
    assert delivery.endswith(b"stored")
    peer.send(puback(int.from_bytes(delivery[4 + len(topic) : 6 + len(topic)], "big")))
    peer.fence()
