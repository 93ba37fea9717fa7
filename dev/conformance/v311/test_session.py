"""Chapters 4.1, 4.4 and 4.5: what a session keeps, and what is sent again on reconnect."""

import pytest
from statements import statement
from v311.packets import connack, connect, puback, pubcomp, publish, pubrec, pubrel, subscribe


@statement("MQTT-4.1.0-1", "MQTT-3.1.2-4")
def test_all_parts_of_a_session_survive_the_connection(join, names):
    """Subscriptions, unacknowledged deliveries, queued messages, and a half of QoS 2 in both directions."""
    client_id, topic = names.client_id(), names.topic()
    first, publisher = join(client_id, clean=False), join()
    first.subscribe(topic, 2)
    publisher.publish(topic, b"one", 1)
    publisher.publish(topic, b"two", 2)
    one, two = first.receive(acknowledge=False), first.receive(acknowledge=False)
    first.send(pubrec(two.packet_id))
    first.expect(pubrel(two.packet_id))
    first.send(publish(names.topic(), b"ours", 2, 900))
    first.expect(pubrec(900))
    first.abort()
    publisher.publish(topic, b"three", 2)
    second = join(client_id, clean=False)
    assert second.session_present
    packets = [second.packet() for _ in range(3)]
    assert pubrel(two.packet_id) in packets
    assert publish(topic, b"one", 1, one.packet_id, dup=True) in packets
    second.send(pubrel(900))
    second.await_packet(pubcomp(900))
    publisher.publish(topic, b"live", 1)
    assert second.receive(acknowledge=False).payload == b"live"


@statement("MQTT-4.1.0-2")
def test_a_session_lives_as_long_as_its_connection(join, names):
    topic, peer = names.topic(), join(clean=False, keep_alive=0)
    peer.subscribe(topic, 1)
    peer.nothing_for(2)
    join().publish(topic, b"still", 1)
    peer.expect_message(topic, b"still", 1)


@statement("MQTT-4.4.0-1", "MQTT-2.3.1-3", "MQTT-4.3.2-1")
def test_unacknowledged_qos_1_is_sent_again_until_it_is_acknowledged(join, names):
    client_id, topic = names.client_id(), names.topic()
    peer, publisher = join(client_id, clean=False), join()
    peer.subscribe(topic, 1)
    for number in range(5):
        publisher.publish(topic, b"%d" % number, 1)
    sent = [peer.receive(acknowledge=False) for _ in range(5)]
    peer.send(puback(sent[1].packet_id))
    peer.fence()
    for _ in range(2):
        peer.abort()
        peer = join(client_id, clean=False)
        resent = [peer.receive(acknowledge=False) for _ in range(4)]
        assert [message.payload for message in resent] == [b"0", b"2", b"3", b"4"]
        assert [message.packet_id for message in resent] == [sent[number].packet_id for number in (0, 2, 3, 4)]
        assert all(message.dup for message in resent)
    for message in resent:
        peer.acknowledge(message)
    peer.fence()
    peer.abort()
    join(client_id, clean=False).expect_silence()


@statement("MQTT-4.4.0-1", "MQTT-4.3.3-1")
def test_qos_2_goes_on_where_it_was(join, names):
    """The receiver drops at each step. After PUBREC the PUBLISH never comes again; after PUBCOMP nothing does."""
    client_id, topic = names.client_id(), names.topic()
    peer = join(client_id, clean=False)
    peer.subscribe(topic, 2)
    join().publish(topic, b"exactly once", 2)
    sent = peer.receive(acknowledge=False)
    assert (sent.qos, sent.dup) == (2, False)
    peer.abort()
    for _ in range(2):
        peer = join(client_id, clean=False)
        peer.expect(publish(topic, b"exactly once", 2, sent.packet_id, dup=True))
        peer.abort()
    peer = join(client_id, clean=False)
    peer.expect(publish(topic, b"exactly once", 2, sent.packet_id, dup=True))
    peer.send(pubrec(sent.packet_id))
    peer.expect(pubrel(sent.packet_id))
    peer.abort()
    for _ in range(2):
        peer = join(client_id, clean=False)
        peer.expect(pubrel(sent.packet_id))
        peer.expect_silence()
        peer.abort()
    peer = join(client_id, clean=False)
    peer.expect(pubrel(sent.packet_id))
    peer.send(pubcomp(sent.packet_id))
    peer.expect_silence()
    peer.abort()
    join(client_id, clean=False).expect_silence()


@statement("MQTT-4.5.0-1")
def test_a_message_goes_to_every_session_that_matches(join, names):
    root, ids = names.topic(), [names.client_id() for _ in range(3)]
    for client_id, end in zip(ids, (b"/#", b"/+", b"/x"), strict=True):
        sleeper = join(client_id, clean=False)
        sleeper.subscribe(root + end, 1)
        sleeper.disconnect()
    join().publish(root + b"/x", b"to each", 1)
    for client_id in ids:
        again = join(client_id, clean=False)
        again.expect_message(root + b"/x", b"to each", 1)
        again.expect_silence()


@statement("MQTT-3.1.2-5", "MQTT-4.5.0-1")
def test_what_was_published_before_the_subscriber_vanished_is_not_lost(join, names):
    """Sent into a dead connection, or queued: at QoS 1 each message comes after the reconnect."""
    client_id, topic = names.client_id(), names.topic()
    peer, publisher = join(client_id, clean=False), join()
    peer.subscribe(topic, 1)
    for number in range(30):
        publisher.publish(topic, b"%d" % number, 1)
        if number == 15:
            peer.abort()
    again = join(client_id, clean=False)
    assert [message.payload for message in again.receive_all()] == [b"%d" % number for number in range(30)]


@statement("MQTT-4.1.0-1")
def test_the_granted_qos_is_part_of_the_session(join, names):
    client_id, topics = names.client_id(), [names.topic() for _ in range(3)]
    first = join(client_id, clean=False)
    first.subscribe_all(*((topic, qos) for qos, topic in enumerate(topics)))
    first.disconnect()
    second, publisher = join(client_id, clean=False), join()
    for qos, topic in enumerate(topics):
        publisher.publish(topic, topic, 2)
        second.expect_message(topic, topic, qos)


@statement("MQTT-3.1.4-2", "MQTT-4.4.0-1")
@pytest.mark.parametrize("qos", [1, 2])
def test_a_takeover_hands_over_what_was_in_flight(join, names, qos):
    client_id, topic = names.client_id(), names.topic()
    first = join(client_id, clean=False)
    first.subscribe(topic, qos)
    join().publish(topic, b"in flight", qos)
    sent = first.receive(acknowledge=False)
    second = join(client_id, clean=False)
    second.expect(publish(topic, b"in flight", qos, sent.packet_id, dup=True))


def test_a_session_is_not_seen_by_a_reconnect_in_the_same_write_as_its_end(dial, names):
    """DISCONNECT of a clean session, and at once the next CONNECT: no session may be present [MQTT-3.1.2-6]."""
    client_id = names.client_id()
    for _ in range(10):
        first, second = dial(), dial()
        first.send(connect(client_id), subscribe(1, (names.topic(), 1)))
        first.expect(connack())
        first.close()
        second.send(connect(client_id, clean=False))
        second.expect(connack())
        third = dial()
        third.send(connect(client_id), b"\xe0\x00")
        third.expect(connack())
        third.expect_closed()
