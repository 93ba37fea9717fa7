"""Chapters 3.12 to 3.14: PINGREQ, PINGRESP and DISCONNECT. DISCONNECT and the will stand in `test_will`."""

from statements import statement
from v311.packets import DISCONNECT, PINGREQ, PINGRESP, Will, publish, subscribe


@statement("MQTT-3.12.4-1")
def test_each_pingreq_has_a_pingresp(join):
    peer = join()
    peer.send(PINGREQ, PINGREQ, PINGREQ)
    for _ in range(3):
        peer.expect(PINGRESP)
    peer.nothing_for(0.2)


@statement("MQTT-3.12.4-1")
def test_pingresp_comes_while_deliveries_wait_for_their_acknowledgement(join, names):
    """The window of unacknowledged deliveries is full, and says nothing about pings."""
    topic, peer, publisher = names.topic(), join(), join()
    peer.subscribe(topic, 1)
    for number in range(150):
        publisher.publish(topic, b"%d" % number, 1)
    assert len(peer.until_fence()) >= 1
    peer.send(PINGREQ)
    assert peer.next_but_deliveries() == PINGRESP


@statement("MQTT-3.14.4-1")
def test_the_server_closes_after_disconnect(join):
    """It should, where the client does not. Nothing is sent before."""
    peer = join()
    peer.send(DISCONNECT)
    assert peer.expect_closed() == []


@statement("MQTT-3.14.4-2")
def test_what_follows_disconnect_is_ignored(join, names):
    topic, watcher = names.topic(), join()
    watcher.subscribe(topic)
    peer = join()
    peer.send(DISCONNECT, publish(topic, b"late"), publish(topic, b"late", retain=True), subscribe(1, (topic, 0)), PINGREQ)
    assert peer.expect_closed() == []
    watcher.expect_silence()
    later = join()
    later.subscribe(topic)
    later.expect_silence()


@statement("MQTT-3.14.1-1")
def test_disconnect_with_reserved_bits_is_no_disconnect(join, names):
    topic, watcher = names.topic(), join()
    watcher.subscribe(topic)
    peer = join(will=Will(topic, b"not a farewell"))
    peer.expect_refusal(b"\xe1\x00")
    watcher.expect_message(topic, b"not a farewell")


def test_disconnect_with_a_body_is_no_disconnect(join, names):
    """MQTT 5's reason code on a 3.1.1 connection: malformed, so the will is published [MQTT-4.8.0-1]."""
    topic, watcher = names.topic(), join()
    watcher.subscribe(topic)
    peer = join(will=Will(topic, b"not a farewell"))
    peer.expect_refusal(b"\xe0\x01\x00")
    watcher.expect_message(topic, b"not a farewell")
