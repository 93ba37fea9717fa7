"""Chapters 1.5 and 2: strings, flags, packet identifiers and remaining lengths that are right. Wrong ones are in `malformed`."""

import pytest
from statements import statement
from v311.packets import (
    PINGREQ,
    PINGRESP,
    connack,
    connect,
    puback,
    pubcomp,
    publish,
    pubrec,
    pubrel,
    suback,
    subscribe,
    text,
    unsuback,
    unsubscribe,
)

IDENTIFIERS = [1, 256, 65_535]
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@statement("MQTT-1.5.3-3")
def test_a_byte_order_mark_is_a_character_like_others(join, names):
    plain = names.topic()
    marked = BYTE_ORDER_MARK + plain
    subscriber, publisher = join(), join()
    subscriber.subscribe(marked)
    publisher.publish(plain, b"without")
    publisher.publish(marked, b"with")
    subscriber.expect_message(marked, b"with")
    subscriber.expect_silence()


@statement("MQTT-2.2.2-1")
@statement("MQTT-3.6.1-1")
def test_every_packet_of_the_server_has_the_flags_of_table_2_2(join, names):
    """`Checked` looks at each packet; here is one of every type that a server sends."""
    topic, peer = names.topic(), join()
    peer.subscribe(topic, 2)
    for qos in (0, 1, 2):
        peer.publish(topic, b"%d" % qos, qos)
        peer.expect_message(topic, b"%d" % qos, qos)
    peer.unsubscribe(topic)
    peer.fence()


@statement("MQTT-2.3.1-6")
@statement("MQTT-3.3.4-1")
@pytest.mark.parametrize("identifier", IDENTIFIERS)
def test_acknowledgements_repeat_the_identifier(join, names, identifier):
    topic, peer = names.topic(), join()
    peer.send(publish(topic, b"once", 1, identifier))
    peer.expect(puback(identifier))
    peer.send(publish(topic, b"twice", 2, identifier))
    peer.expect(pubrec(identifier))
    peer.send(pubrel(identifier))
    peer.expect(pubcomp(identifier))
    peer.send(publish(topic, b"none"))
    peer.fence()


@statement("MQTT-2.3.1-7")
@statement("MQTT-3.8.4-1", "MQTT-3.8.4-2", "MQTT-3.10.4-4")
@pytest.mark.parametrize("identifier", IDENTIFIERS)
def test_suback_and_unsuback_repeat_the_identifier(join, names, identifier):
    topic, peer = names.topic(), join()
    peer.send(subscribe(identifier, (topic, 1)))
    peer.expect(suback(identifier, 1))
    peer.send(unsubscribe(identifier, topic))
    peer.expect(unsuback(identifier))


@statement("MQTT-2.3.1-7")
def test_several_subscribes_may_be_outstanding(join, names):
    topic, peer = names.topic(), join()
    peer.send(*(subscribe(identifier, (topic, identifier % 3)) for identifier in (9, 7, 8)))
    answers = {peer.packet() for _ in range(3)}
    assert answers == {suback(9, 0), suback(7, 1), suback(8, 2)}


@statement("MQTT-2.3.1-4")
def test_identifiers_in_use_are_not_given_again(join, names):
    """Three deliveries stay unacknowledged while more others pass than there are identifiers."""
    topic, rounds, step = names.topic(), 164, 400
    subscriber, publisher = join(timeout=20), join(timeout=20)
    subscriber.subscribe(topic, 1)
    for index in range(3):
        publisher.publish(topic, b"held %d" % index, 1)
    held = {subscriber.receive(acknowledge=False).packet_id for _ in range(3)}
    assert len(held) == 3 and None not in held
    for _ in range(rounds):
        publisher.send(*(publish(topic, b"passing", 1, 1 + index) for index in range(step)))
        for index in range(step):
            message = subscriber.receive(acknowledge=False)
            assert message.packet_id not in held
            subscriber.send(puback(message.packet_id))
        for index in range(step):
            publisher.expect(puback(1 + index))
    assert rounds * step > 65_535


@statement("MQTT-2.3.1-4")
def test_the_two_directions_number_independently(join, names):
    """The client publishes at QoS 2 with the very identifier that the server has in flight to it."""
    topic, other, peer = names.topic(), names.topic(), join()
    peer.subscribe(topic, 1)
    join().publish(topic, b"theirs", 1)
    delivery = peer.receive(acknowledge=False)
    peer.send(publish(other, b"ours", 2, delivery.packet_id))
    peer.expect(pubrec(delivery.packet_id))
    peer.send(puback(delivery.packet_id), pubrel(delivery.packet_id))
    peer.expect(pubcomp(delivery.packet_id))
    peer.expect_silence()


@statement("MQTT-2.3.1-5")
@statement("MQTT-4.3.1-1")
def test_a_publish_at_qos_0_has_no_identifier(join, names):
    topic, peer = names.topic(), join()
    peer.subscribe(topic)
    peer.send(publish(topic, b"\x00\x01payload"))
    peer.expect(b"\x30" + bytes([2 + len(topic) + 9]) + text(topic) + b"\x00\x01payload")


@statement("MQTT-7.1.1-1")
def test_packets_may_come_byte_by_byte(dial, names):
    connection = dial()
    for byte in connect(names.client_id()) + PINGREQ:
        connection.send(bytes([byte]))
    connection.expect(connack())
    connection.expect(PINGRESP)


@statement("MQTT-7.1.1-1", "MQTT-7.0.0-2", "MQTT-3.1.4-5")
def test_many_packets_may_come_in_one_write(dial, names):
    """With the CONNECT itself: a client need not wait for CONNACK."""
    topic, connection = names.topic(), dial()
    connection.send(
        connect(names.client_id()), subscribe(3, (topic, 1)), publish(topic, b"early", 1, 4), PINGREQ, unsubscribe(5, topic)
    )
    connection.expect(connack())
    rest = {connection.packet()[0] for _ in range(5)}
    assert rest == {0x90, 0x32, 0x40, 0xD0, 0xB0}


@pytest.mark.parametrize("size", [0, 127, 128, 16_383, 16_384, 100_000])
def test_payloads_of_every_length_arrive_whole(join, names, size):
    """About each step of the remaining length's size."""
    topic, peer = names.topic(), join()
    payload = bytes(range(256)) * (size // 256 + 1)
    peer.subscribe(topic, 1)
    peer.publish(topic, payload[:size], 1)
    peer.expect_message(topic, payload[:size], 1)


def test_a_remaining_length_may_be_longer_than_need_be_or_is_refused(join, names):
    """3.1.1 does not ask for the shortest form, so that both are right; what is not right is to read it as another length."""
    peer = join()
    peer.send(b"\xc0\x80\x00", subscribe(7, (names.topic(), 0)))
    assert peer.packets_until(suback(7, 0)) in ([PINGRESP, suback(7, 0)], [])
