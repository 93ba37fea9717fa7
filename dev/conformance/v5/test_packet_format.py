"""The control packet's form (1.5.5, 2.1, 2.2): variable byte integers, reserved flags, packet identifiers, property lengths."""

import pytest
from statements import case, statement
from v5 import packets
from v5.packets import Puback, Publish, Pubrec, Suback, Unsuback
from v5.properties import (
    AUTH, CONNACK, CONNECT, DISCONNECT, PINGREQ, PINGRESP, PUBACK, PUBCOMP, PUBREC, PUBREL, SUBACK, SUBSCRIBE, UNSUBACK,
    UNSUBSCRIBE, P, string,
)  # fmt: skip
from v5.session import connect, refused_connect

ID = packets.u16(1)
NOT_MINIMAL = {
    "Remaining Length 0 in two bytes": bytes.fromhex("c0 80 00"),
    "Remaining Length 0 in four bytes": bytes.fromhex("c0 80 80 80 00"),
    "Remaining Length in five bytes": bytes.fromhex("c0 80 80 80 80 00"),
    "Remaining Length of five bytes, all bits": bytes.fromhex("30 ff ff ff ff 7f"),
    "property length 0 in two bytes": packets.frame(3, 2, string(b"t"), ID, b"\x80\x00", b"x"),
    "property length 2 in two bytes": packets.frame(3, 2, string(b"t"), ID, b"\x82\x00", b"\x01\x00", b"x"),
    "property length in five bytes": packets.frame(3, 2, string(b"t"), ID, b"\x80\x80\x80\x80\x00", b"x"),
    "property identifier in two bytes": packets.frame(3, 2, string(b"t"), ID, b"\x03", b"\x81\x00\x00", b"x"),
    "subscription identifier 1 in two bytes": packets.frame(SUBSCRIBE, 2, ID, b"\x03", b"\x0b\x81\x00", string(b"t"), b"\x00"),
    "subscription identifier in five bytes": packets.frame(SUBSCRIBE, 2, ID, b"\x06", b"\x0b\x80\x80\x80\x80\x01", string(b"t"), b"\x00"),
    "property length of DISCONNECT in two bytes": packets.frame(DISCONNECT, 0, b"\x00\x80\x00"),
}


@statement("MQTT-1.5.5-1", "MQTT-4.13.1-1")
@pytest.mark.parametrize("integer", NOT_MINIMAL)
def test_a_variable_byte_integer_in_too_many_bytes_closes(address, names, integer):
    with connect(address, names.client_id()) as client:
        client.send(NOT_MINIMAL[integer])
        client.refused(0x81, 0x82)


@statement("MQTT-1.5.5-1", "MQTT-3.1.4-1")
def test_a_connect_whose_lengths_are_not_minimal_is_refused(address, names):
    whole = packets.connect(names.client_id())
    refused_connect(address, whole[:1] + bytes([whole[1] | 0x80, 0]) + whole[2:], 0x81, 0x82)
    head = string(b"MQTT") + b"\x05\x02\x00\x3c"
    refused_connect(address, packets.frame(CONNECT, 0, head, b"\x80\x00", string(names.client_id())), 0x81, 0x82)


@statement("MQTT-1.5.5-1")
@pytest.mark.parametrize("size", [127, 128, 16_383, 16_384, 70_000])
def test_lengths_around_each_step_of_the_variable_byte_integer_are_right(address, names, size):
    """The strict reader refuses a length from the server that is not minimal."""
    topic = names.topic()
    payload = bytes(size - len(packets.publish(topic, b"", 0)) + 2)
    with connect(address, names.client_id()) as client:
        client.subscribe(topic)
        for extra in range(3):
            client.publish(topic, payload + bytes(extra), 0)
            assert client.message().payload == payload + bytes(extra)


WRONG_FLAGS = [
    case("PUBACK", packets.frame(PUBACK, 1, ID)),
    case("PUBREC", packets.frame(PUBREC, 1, ID)),
    case("PUBREC with PUBREL's", packets.frame(PUBREC, 2, ID)),
    case("PUBREL 0", packets.frame(PUBREL, 0, ID), shows="MQTT-3.6.1-1"),
    case("PUBREL 3", packets.frame(PUBREL, 3, ID), shows="MQTT-3.6.1-1"),
    case("PUBREL 6", packets.frame(PUBREL, 6, ID), shows="MQTT-3.6.1-1"),
    case("PUBREL 10", packets.frame(PUBREL, 10, ID), shows="MQTT-3.6.1-1"),
    case("PUBCOMP", packets.frame(PUBCOMP, 1, ID)),
    case("SUBSCRIBE 0", packets.frame(SUBSCRIBE, 0, ID, b"\0", string(b"t"), b"\0"), shows="MQTT-3.8.1-1"),
    case("SUBSCRIBE 3", packets.frame(SUBSCRIBE, 3, ID, b"\0", string(b"t"), b"\0"), shows="MQTT-3.8.1-1"),
    case("UNSUBSCRIBE 0", packets.frame(UNSUBSCRIBE, 0, ID, b"\0", string(b"t")), shows="MQTT-3.10.1-1"),
    case("UNSUBSCRIBE 10", packets.frame(UNSUBSCRIBE, 10, ID, b"\0", string(b"t")), shows="MQTT-3.10.1-1"),
    case("PINGREQ", packets.frame(PINGREQ, 1)),
    case("PINGREQ 8", packets.frame(PINGREQ, 8)),
    case("DISCONNECT", packets.frame(DISCONNECT, 1), shows="MQTT-3.14.1-1"),
    case("DISCONNECT 2", packets.frame(DISCONNECT, 2, b"\0"), shows="MQTT-3.14.1-1"),
    case("AUTH", packets.frame(AUTH, 1, b"\x18\x00"), shows="MQTT-3.15.1-1"),
]


@statement("MQTT-2.1.3-1", "MQTT-4.13.1-1")
@pytest.mark.parametrize("raw", WRONG_FLAGS)
def test_wrong_reserved_flags_close(address, names, raw):
    with connect(address, names.client_id()) as client:
        client.send(raw)
        client.refused(0x81, 0x82)


@statement("MQTT-2.1.3-1", "MQTT-3.1.4-1")
@pytest.mark.parametrize("flags", range(1, 16))
def test_a_connect_with_fixed_header_flags_is_refused(address, names, flags):
    whole = packets.connect(names.client_id())
    refused_connect(address, bytes([whole[0] | flags]) + whole[1:], 0x81, 0x82)


@statement("MQTT-2.1.3-1", "MQTT-4.13.1-1")
@pytest.mark.parametrize(
    "kind, body",
    [(0, b""), (0, ID), (CONNACK, b"\0\0\0"), (SUBACK, ID + b"\0\0"), (UNSUBACK, ID + b"\0\0"), (PINGRESP, b"")],
    ids=["type 0", "type 0 with a body", "CONNACK", "SUBACK", "UNSUBACK", "PINGRESP"],
)
def test_a_packet_type_that_no_client_sends_closes(address, names, kind, body):
    with connect(address, names.client_id()) as client:
        client.send(packets.frame(kind, 0, body))
        client.refused(0x81, 0x82)


@statement("MQTT-2.2.1-2", "MQTT-2.2.2-1")
def test_qos_0_carries_no_packet_identifier_and_an_absent_property_is_a_length_of_zero(address, names):
    topic = names.topic()
    with connect(address, names.client_id()) as client:
        client.subscribe((topic, 0))
        client.send(packets.publish(topic, b"x", 2, 5))
        client.take(Pubrec)
        client.release(5)
        assert client.receive(5).packet_id is None
        client.send(packets.publish(topic, b"y", 0))
        client.expect(packets.publish(topic, b"y", 0))


@statement("MQTT-2.2.1-3", "MQTT-4.13.1-1")
@pytest.mark.parametrize(
    "raw",
    [
        packets.publish(b"t", b"x", 1, 0),
        packets.publish(b"t", b"x", 2, 0),
        packets.subscribe(0, [(b"t", 0)]),
        packets.unsubscribe(0, [b"t"]),
    ],
    ids=["PUBLISH QoS 1", "PUBLISH QoS 2", "SUBSCRIBE", "UNSUBSCRIBE"],
)
def test_packet_identifier_zero_closes(address, names, raw):
    with connect(address, names.client_id()) as client:
        client.send(raw)
        client.refused(0x81, 0x82)


@statement("MQTT-2.2.1-5", "MQTT-3.3.4-1", "MQTT-4.3.2-4", "MQTT-4.3.3-8", "MQTT-4.3.3-11")
@pytest.mark.parametrize("packet_id", [1, 256, 65_535])
def test_acknowledgements_repeat_the_identifier(address, names, packet_id):
    with connect(address, names.client_id()) as client:
        assert client.publish(names.topic(), b"x", 1, packet_id=packet_id).packet_id == packet_id
        assert client.publish(names.topic(), b"x", 2, packet_id=packet_id).packet_id == packet_id
        client.send(packets.publish(names.topic(), b"x", 0))
        client.fence()


@statement("MQTT-2.2.1-6", "MQTT-3.8.4-1", "MQTT-3.8.4-2", "MQTT-3.10.4-4", "MQTT-3.10.4-5")
def test_subscription_acknowledgements_repeat_the_identifier(address, names):
    topic, ids = names.topic(), [1, 256, 65_535]
    with connect(address, names.client_id()) as client:
        client.send(*(packets.subscribe(packet_id, [(topic, 0)]) for packet_id in ids))
        assert sorted(client.take(Suback).packet_id for _ in ids) == ids
        client.send(*(packets.unsubscribe(packet_id, [topic]) for packet_id in ids))
        assert sorted(client.take(Unsuback).packet_id for _ in ids) == ids


@statement("MQTT-2.2.1-4", "MQTT-4.3.2-1", "MQTT-4.3.3-1")
def test_unacknowledged_messages_have_identifiers_of_their_own(address, names):
    topic = names.topic()
    with connect(address, names.client_id()) as subscriber, connect(address, names.client_id()) as publisher:
        subscriber.subscribe(topic)
        for number in range(16):
            publisher.publish(topic, b"%d" % number, 1 + number % 2)
        found = [subscriber.take(Publish) for _ in range(16)]
        assert len({message.packet_id for message in found}) == 16 and 0 not in {message.packet_id for message in found}


@statement("MQTT-2.2.1-4")
def test_an_identifier_in_flight_is_not_used_again_when_the_counter_wraps(address, names):
    """65,535 identifiers exist; three stay unacknowledged while more than that many others pass, several to a publication."""
    topic, total, shares = names.topic(), 65_600, 16
    with connect(address, names.client_id()) as subscriber, connect(address, names.client_id()) as publisher:
        if not publisher.server(P.SHARED_AVAILABLE, 1):
            pytest.skip("without shared subscriptions this takes too long")
        subscriber.subscribe((topic + b"/held", 1), *((b"$share/g%d/" % number + topic, 1) for number in range(shares)))
        for _ in range(3):
            publisher.publish(topic + b"/held", b"", 1)
        held = {subscriber.take(Publish).packet_id for _ in range(3)}
        assert len(held) == 3
        at_once = min(publisher.server(P.RECEIVE_MAXIMUM, 65_535), 16)
        for _ in range(total // (at_once * shares) + 1):
            publisher.send(*(packets.publish(topic, b"", 1, number + 1) for number in range(at_once)))
            for _ in range(at_once * shares):
                packet_id = subscriber.take(Publish).packet_id
                assert packet_id not in held, f"{packet_id} is in flight"
                subscriber.send(packets.puback(packet_id))
            for _ in range(at_once):
                publisher.take(Puback)


@statement("MQTT-2.2.1-4")
def test_the_same_identifier_may_be_in_use_in_both_directions(address, names):
    topic = names.topic()
    with connect(address, names.client_id()) as client, connect(address, names.client_id()) as publisher:
        client.subscribe(topic)
        for qos in (1, 2):
            publisher.publish(topic, b"to the client", qos)
            received = client.take(Publish)
            assert received.qos == qos
            client.send(packets.publish(topic, b"from the client", 2, received.packet_id))
            assert client.take(Pubrec).packet_id == received.packet_id
            client.acknowledge(received)
            assert client.release(received.packet_id).reason == 0
            assert client.message().payload == b"from the client"
        client.silent()


@statement("MQTT-4.2-1")
def test_packets_are_read_from_a_stream_whatever_its_segments(address, names):
    topic = names.topic()
    with connect(address, names.client_id()) as client:
        for byte in packets.subscribe(1, [(topic, 1)]) + packets.publish(topic, b"slowly", 1, 2):
            client.send(bytes([byte]))
        assert client.take(Suback).reasons == [1]
        assert client.message().payload == b"slowly"
        client.send(*(packets.publish(topic, b"%d" % number, 0) for number in range(20)), packets.publish(topic, b"last", 1, 3)[:-2])
        assert client.payloads(20) == [b"%d" % number for number in range(20)]
        client.send(b"st")
        assert client.message().payload == b"last"
