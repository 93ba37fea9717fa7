"""The client's Maximum Packet Size (3.1.2.11.4) and Request Problem Information (3.1.2.11.7): what a server leaves out for a client."""

import pytest
from statements import statement
from v5 import packets
from v5.packets import Pingresp, Pubcomp, Publish, Pubrec, Pubrel, Will
from v5.properties import P
from v5.session import Session, connect, resume

LIMIT = 100


def filler(topic: bytes, size: int, qos: int, properties=()) -> bytes:
    """The payload that makes a whole PUBLISH of `size` bytes, header and all."""
    empty = packets.publish(topic, b"", qos, 1 if qos else None, properties)
    return bytes(size - len(empty))


def limited(address, name: bytes, size: int = LIMIT, **more) -> Session:
    return connect(address, name, [(P.MAXIMUM_PACKET_SIZE, size)], **more)


@statement("MQTT-3.1.2-24", "MQTT-3.1.2-25")
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_a_message_of_exactly_the_maximum_arrives_and_of_a_byte_more_does_not(address, names, qos):
    topic, both = names.topic(), []
    with limited(address, names.client_id()) as small, connect(address, names.client_id()) as large:
        small.subscribe(topic)
        large.subscribe(topic)
        for size in (LIMIT, LIMIT + 1, LIMIT - 1, LIMIT + 2, LIMIT):
            both.append(filler(topic, size, qos))
            large.publish(topic, both[-1], qos)
        assert small.payloads(3) == [payload for payload in both if len(payload) <= len(both[0])]
        small.silent()
        assert large.payloads(5) == both


@statement("MQTT-3.1.2-24", "MQTT-3.1.2-25")
def test_properties_count_for_the_maximum(address, names):
    topic, properties = names.topic(), [(P.USER_PROPERTY, (b"k", b"v"))]
    with limited(address, names.client_id()) as small:
        small.subscribe(topic)
        for size in (LIMIT + 1, LIMIT):
            small.publish(topic, filler(topic, size, 1, properties), 1, properties)
        assert len(small.message().payload) == len(filler(topic, LIMIT, 1, properties))
        small.silent()


@statement("MQTT-3.1.2-24", "MQTT-3.1.2-25")
def test_a_subscription_identifier_counts_for_the_maximum(address, names):
    """Two bytes for the identifier 1 come to the message on its way out."""
    topic = names.topic()
    with limited(address, names.client_id()) as small:
        small.subscribe(topic, identifier=1)
        for size in (LIMIT - 1, LIMIT - 2):
            small.publish(topic, filler(topic, size, 1), 1)
        assert len(small.message().payload) == len(filler(topic, LIMIT - 2, 1))
        small.silent()


@statement("MQTT-3.1.2-25")
@pytest.mark.parametrize("qos", [1, 2])
def test_too_big_messages_take_no_quota(address, names, qos):
    topic = names.topic()
    properties = [(P.MAXIMUM_PACKET_SIZE, LIMIT), (P.RECEIVE_MAXIMUM, 1)]
    with connect(address, names.client_id(), properties) as small, connect(address, names.client_id()) as publisher:
        small.subscribe(topic)
        for number in range(5):
            publisher.publish(topic, filler(topic, LIMIT + 1, qos), qos)
            publisher.publish(topic, b"%d" % number, qos)
        assert small.payloads(5) == [b"%d" % number for number in range(5)]
        small.silent()


@statement("MQTT-3.1.2-25", "MQTT-3.1.2-24")
def test_a_too_big_message_in_the_queue_is_dropped_for_good_and_holds_up_nothing(address, names):
    name, topic = names.client_id(), names.topic()
    with connect(address, name, expiry=60) as client:
        client.subscribe(topic)
        client.drop()
    with connect(address, names.client_id()) as publisher:
        for payload in (filler(topic, 1000, 1), b"small", filler(topic, LIMIT + 1, 2), b"last"):
            publisher.publish(topic, payload, 1)
    with resume(address, name, [(P.MAXIMUM_PACKET_SIZE, LIMIT)]) as client:
        assert client.payloads(2) == [b"small", b"last"]
        client.silent()
        client.drop()
    with resume(address, name) as client:
        client.silent()
        client.leave(0, [(P.SESSION_EXPIRY, 0)])


@statement("MQTT-3.1.2-24", "MQTT-3.1.2-25")
def test_a_message_in_flight_that_is_too_big_for_the_next_connection_is_not_sent(address, names):
    name, topic = names.client_id(), names.topic()
    with connect(address, name, expiry=60) as client:
        client.subscribe(topic)
        client.publish(topic, bytes(500), 1)
        assert client.take(Publish).qos == 1
        client.drop()
    with resume(address, name, [(P.MAXIMUM_PACKET_SIZE, LIMIT)]) as client:
        client.publish(topic, b"small", 1)
        assert client.message().payload == b"small"
        client.silent()
        client.leave(0, [(P.SESSION_EXPIRY, 0)])


@statement("MQTT-3.1.2-24", "MQTT-3.1.2-25")
def test_the_maximum_holds_for_retained_messages(address, names):
    topic = names.topic()
    with connect(address, names.client_id()) as publisher, limited(address, names.client_id()) as small:
        publisher.publish(topic + b"/1", filler(topic + b"/1", LIMIT + 1, 1), 1, retain=True)
        publisher.publish(topic + b"/2", filler(topic + b"/2", LIMIT, 1), 1, retain=True)
        small.subscribe(topic + b"/+")
        assert small.message().topic == topic + b"/2"
        small.silent()
        for end in (b"/1", b"/2"):
            publisher.publish(topic + end, b"", 1, retain=True)


@statement("MQTT-3.1.2-24", "MQTT-3.1.2-25")
def test_the_maximum_holds_for_wills(address, names):
    topic = names.topic()
    with limited(address, names.client_id()) as small:
        small.subscribe(topic)
        connect(address, names.client_id(), will=Will(topic, filler(topic, LIMIT + 1, 1), 1)).drop()
        connect(address, names.client_id(), will=Will(topic, filler(topic, LIMIT, 1), 1)).drop()
        assert small.message().payload == filler(topic, LIMIT, 1)
        small.silent()


@statement("MQTT-3.1.2-24")
def test_a_suback_above_the_maximum_is_not_sent(address, names):
    """What a server does instead is not said: it may close."""
    size = connack_size(address, names)
    with limited(address, names.client_id(), size) as small:
        small.send(packets.subscribe(1, [(names.topic(), 0) for _ in range(size)]), b"\xc0\x00", packets.disconnect())
        small.refused(*packets.DISCONNECT_CODES)


def connack_size(address, names) -> int:
    """What a client must at least allow for a server to get its CONNACK through, here."""
    with Session(address) as client:
        client.send(packets.connect(names.client_id(), [(P.MAXIMUM_PACKET_SIZE, 200)]))
        return len(client.packet())


def refusals(topic: bytes) -> dict[str, list[bytes]]:
    """What a server answers with a reason code that it might explain."""
    return {
        "PUBACK": [packets.publish(topic, b"nobody listens", 1, 1)],
        "PUBREC": [packets.publish(topic, b"nobody listens", 2, 1)],
        "PUBCOMP": [packets.pubrel(99)],
        "PUBREL": [packets.pubrec(99)],
        "SUBACK": [packets.subscribe(1, [(b"$share//x", 0)])],
        "UNSUBACK": [packets.unsubscribe(1, [topic])],
    }


REFUSALS = list(refusals(b""))


def is_answered(answer: str, found: list) -> bool:
    """Something came but the PINGRESP. SUBACK's case is a protocol error to some, so a close is an answer too."""
    return answer == "SUBACK" or any(not isinstance(packet, Pingresp) for packet in found)


@statement(
    "MQTT-3.4.2-2", "MQTT-3.4.2-3", "MQTT-3.5.2-2", "MQTT-3.5.2-3", "MQTT-3.6.2-2", "MQTT-3.6.2-3", "MQTT-3.7.2-2", "MQTT-3.7.2-3",
    "MQTT-3.9.2-1", "MQTT-3.9.2-2", "MQTT-3.11.2-1", "MQTT-3.11.2-2", "MQTT-3.14.2-3", "MQTT-3.14.2-4", "MQTT-3.1.2-24",
)  # fmt: skip
@pytest.mark.parametrize("answer", REFUSALS)
def test_no_answer_is_above_the_maximum_for_its_reason_string_or_user_properties(address, names, answer):
    """The session checks the size of all that comes; the maximum is the least that lets the CONNACK through."""
    with limited(address, names.client_id(), connack_size(address, names)) as small:
        small.send(*refusals(names.topic())[answer])
        small.send(b"\xc0\x00", b"\x00\x00")
        found = small.refused(0x81, 0x82, 0x8F)
        assert is_answered(answer, found), f"no answer to {answer}: {found}"


@statement("MQTT-3.1.2-29")
@pytest.mark.parametrize("answer", REFUSALS)
def test_without_request_problem_information_answers_have_no_reason_string_and_no_user_property(address, names, answer):
    with connect(address, names.client_id(), [(P.REQUEST_PROBLEM, 0)]) as client:
        client.send(*refusals(names.topic())[answer])
        client.send(b"\xc0\x00", packets.disconnect())
        found = client.refused(0x81, 0x82, 0x8F)
        assert is_answered(answer, found), f"no answer to {answer}: {found}"
        for packet in found:
            if hasattr(packet, "properties"):
                assert P.REASON_STRING not in packet.properties and P.USER_PROPERTY not in packet.properties, packet


@statement("MQTT-3.1.2-29")
def test_without_request_problem_information_messages_keep_their_user_properties(address, names):
    topic = names.topic()
    with connect(address, names.client_id(), [(P.REQUEST_PROBLEM, 0)]) as client:
        client.subscribe(topic)
        client.publish(topic, b"x", 1, [(P.USER_PROPERTY, (b"k", b"v"))])
        assert client.message().properties.all(P.USER_PROPERTY) == [(b"k", b"v")]


@statement("MQTT-3.4.2-1", "MQTT-3.5.2-1", "MQTT-3.6.2-1", "MQTT-3.7.2-1", "MQTT-3.9.3-2", "MQTT-3.11.3-2", "MQTT-4.13.2-1")
@pytest.mark.parametrize("answer", REFUSALS)
def test_refusals_in_acknowledgements_have_codes_of_their_packet_and_do_not_close(address, names, answer):
    """SUBACK's case is a protocol error to some, so it may close [MQTT-4.8.2-1]; the strict reader checks every code."""
    with connect(address, names.client_id()) as client:
        client.send(*refusals(names.topic())[answer])
        if answer == "SUBACK":
            client.send(packets.disconnect())
            client.refused(0x81, 0x82, 0x8F)
            return
        kind = {"PUBCOMP": Pubcomp, "PUBREL": Pubrel, "PUBREC": Pubrec}.get(answer)
        packet = client.receive()
        assert kind is None or isinstance(packet, kind), packet
        if answer in ("PUBCOMP", "PUBREL"):
            assert packet.reason == 0x92 and packet.packet_id == 99
        if answer == "UNSUBACK":
            assert packet.reasons == [0x11]
        client.fence()
