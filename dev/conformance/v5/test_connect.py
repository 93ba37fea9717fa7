"""CONNECT (3.1): its form, what makes a server refuse it, and client identifiers. Wills, sessions and keep alive have files of their own."""

import string as letters

import pytest
from statements import case, statement
from v5 import packets
from v5.packets import Connack, Publish, Suback, Will
from v5.properties import CONNECT, P, block, string
from v5.session import Session, connect, refused_connect, resume
from wire import PINGREQ, Client, Closed

WRONG_CREDENTIALS = (0x86, 0x87)


@statement("MQTT-3.1.4-5", "MQTT-3.2.0-1", "MQTT-4.2-1")
def test_a_connect_is_answered_with_connack_success(address, names):
    with Session(address) as client:
        client.open(packets.connect(names.client_id()))
        assert (client.connack.reason, client.connack.session_present) == (0, False)
        client.fence()


FIRST_PACKETS = {
    "PUBLISH": packets.publish(b"t", b"x"),
    "PUBLISH QoS 1": packets.publish(b"t", b"x", 1, 1),
    "SUBSCRIBE": packets.subscribe(1, [(b"t", 0)]),
    "UNSUBSCRIBE": packets.unsubscribe(1, [b"t"]),
    "PINGREQ": PINGREQ,
    "AUTH": packets.auth(0x18, [(P.AUTH_METHOD, b"m")]),
    "DISCONNECT": packets.disconnect(),
    "PUBREL": packets.pubrel(1),
}


@statement("MQTT-3.1.0-1", "MQTT-3.14.0-1")
@pytest.mark.parametrize("first", FIRST_PACKETS)
def test_a_first_packet_other_than_connect_closes_without_a_disconnect(address, first):
    refused_connect(address, FIRST_PACKETS[first], 0x81, 0x82)


@statement("MQTT-3.1.0-2", "MQTT-3.2.0-2", "MQTT-3.1.2-8")
@pytest.mark.parametrize("other", [False, True], ids=["the same client id", "another client id"])
def test_a_second_connect_closes_and_the_will_is_published(address, names, other):
    will = Will(names.topic(), b"will")
    with connect(address, names.client_id()) as subscriber:
        subscriber.subscribe(will.topic)
        name = names.client_id()
        with connect(address, name, will=will) as client:
            client.send(packets.connect(names.client_id() if other else name))
            assert client.refused(0x82) == []
        assert subscriber.message().payload == b"will"


@statement("MQTT-3.1.0-2", "MQTT-3.14.2-1")
def test_a_second_connect_of_an_unknown_version_is_a_protocol_error(address, names):
    """0x84 is for CONNACK only."""
    with connect(address, names.client_id()) as client:
        client.send(b"\x10\x0e\x00\x04MQTT\x07\x02\x00\x3c\x00\x00\x01c")
        assert client.refused(0x82) == []


def refused_in_any_version(address, raw: bytes) -> None:
    """The close is the MUST. A CONNACK before it says 0x84, or 1 in the form of MQTT 3.1.1, as the version is not known."""
    with Client(address) as client:
        client.send(raw)
        found = client.expect_closed()
        for packet in found:
            assert packet == b"\x20\x02\x00\x01" or packets.parse(packet).reason == 0x84, packet.hex(" ")
        assert len(found) <= 1


@statement("MQTT-3.1.2-1")
@pytest.mark.parametrize("name", [b"mqtt", b"MQTX", b"MQIsdp", b"", b"MQTT\xc2\xa0", b"MQT", b"MQTTT"])
def test_a_protocol_name_other_than_mqtt_closes(address, names, name):
    refused_in_any_version(address, packets.connect(names.client_id(), name=name))


@statement("MQTT-3.1.2-2")
@pytest.mark.parametrize("level", [0, 1, 2, 6, 0x7F, 0x80, 0x85, 0xFF])
def test_an_unknown_protocol_version_closes(address, names, level):
    refused_in_any_version(address, packets.connect(names.client_id(), level=level))


WRONG_FLAGS = [
    case("reserved", 0x03, shows="MQTT-3.1.2-3"),
    case("reserved without Clean Start", 0x01, shows="MQTT-3.1.2-3"),
    case("Will QoS 1 without a will", 0x0A, shows="MQTT-3.1.2-11"),
    case("Will QoS 2 without a will", 0x12, shows="MQTT-3.1.2-11"),
    case("Will Retain without a will", 0x22, shows="MQTT-3.1.2-13"),
]


@statement("MQTT-3.1.4-1", "MQTT-4.13.1-1")
@pytest.mark.parametrize("flags", WRONG_FLAGS)
def test_wrong_connect_flags_are_refused(address, names, flags):
    refused_connect(address, packets.connect(names.client_id(), flags=flags), 0x81, 0x82)


@statement("MQTT-3.1.2-12", "MQTT-3.1.4-1")
def test_will_qos_3_is_refused(address, names):
    refused_connect(address, packets.connect(names.client_id(), will=Will(names.topic()), flags=0x1E), 0x81, 0x82)


@statement("MQTT-3.1.2-12")
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_each_will_qos_is_accepted(address, names, qos):
    with connect(address, names.client_id(), will=Will(names.topic(), qos=qos)) as client:
        client.leave()


def raw_connect(flags: int, *payload: bytes) -> bytes:
    return packets.frame(CONNECT, 0, string(b"MQTT") + bytes([5, flags]) + b"\x00\x3c" + block(), *payload)


def payload_cases(name: bytes, topic: bytes) -> dict[str, bytes]:
    """Payloads that do not have the fields that the flags promise, or have more."""
    client_id, will = string(name), [block(), string(topic), string(b"x")]
    return {
        "no client id": raw_connect(0x02),
        "half a client id": raw_connect(0x02, b"\x00\x05ab"),
        "no will properties": raw_connect(0x06, client_id, *will[1:]),
        "no will topic": raw_connect(0x06, client_id, will[0]),
        "no will payload": raw_connect(0x06, client_id, *will[:2]),
        "no will at all": raw_connect(0x06, client_id),
        "a will without its flag": raw_connect(0x02, client_id, *will),
        "user name without its flag": raw_connect(0x02, client_id, string(b"u")),
        "no user name": raw_connect(0x82, client_id),
        "password without its flag": raw_connect(0x82, client_id, string(b"u"), string(b"p")),
        "no password": raw_connect(0xC2, client_id, string(b"u")),
        "neither user name nor password": raw_connect(0xC2, client_id),
        "a byte too many": raw_connect(0x02, client_id, b"\x00"),
    }


def row(name: str, shows: str | tuple[str, ...] = ()):
    return case(name, name, shows=shows)


PAYLOADS = [
    row("no client id", shows="MQTT-3.1.3-3"),
    row("half a client id", shows="MQTT-3.1.3-3"),
    row("no will properties", shows="MQTT-3.1.2-9"),
    row("no will topic", shows="MQTT-3.1.2-9"),
    row("no will payload", shows="MQTT-3.1.2-9"),
    row("no will at all", shows="MQTT-3.1.2-9"),
    row("a will without its flag"),
    row("user name without its flag", shows="MQTT-3.1.2-16"),
    row("no user name", shows="MQTT-3.1.2-17"),
    row("password without its flag", shows="MQTT-3.1.2-18"),
    row("no password", shows="MQTT-3.1.2-19"),
    row("neither user name nor password", shows=("MQTT-3.1.2-17", "MQTT-3.1.2-19")),
    row("a byte too many"),
]


@statement("MQTT-3.1.4-1", "MQTT-4.13.1-1")
@pytest.mark.parametrize("place", PAYLOADS)
def test_a_payload_that_the_flags_do_not_describe_is_refused(address, names, place):
    """Will Properties left out put the topic's length where the property length stands: malformed whatever it then says."""
    refused_connect(address, payload_cases(names.client_id(), names.topic())[place], 0x81, 0x82, 0x85)


@statement("MQTT-3.1.4-1")
def test_a_truncated_connect_is_refused_wherever_it_ends(address, names):
    whole = packets.connect(names.client_id(), [(P.RECEIVE_MAXIMUM, 5)], will=Will(names.topic(), b"x"), user_name=b"u", password=b"p")
    for size in range(len(whole) - 2):
        body = whole[2 : 2 + size]
        with Client(address) as client:
            client.send(packets.frame(CONNECT, 0, body))
            found = client.expect_closed()
        assert all(packets.parse(packet).reason in (0x81, 0x82, 0x84, 0x85) for packet in found), f"{found} for {body.hex(' ')}"


@statement("MQTT-3.1.2-19", "MQTT-3.1.2-17")
def test_a_password_without_a_user_name_is_well_formed(address, names):
    """Accepted, or refused for what the password is."""
    with Session(address) as client:
        client.open(packets.connect(names.client_id(), password=b"\x00\xff"))
        assert client.connack.reason in (0, *WRONG_CREDENTIALS)


@statement("MQTT-3.1.3-1", "MQTT-3.1.2-7")
def test_the_payload_is_read_in_its_order(address, names):
    will = Will(names.topic(), b"payload", 1, properties=[(P.CONTENT_TYPE, b"type")])
    with connect(address, names.client_id()) as subscriber:
        subscriber.subscribe(will.topic)
        raw = packets.connect(names.client_id(), will=will, user_name=b"user", password=b"password")
        with Session(address) as client:
            client.open(raw)
            if client.connack.reason in WRONG_CREDENTIALS:
                client.refused()
                client.socket = connect(address, names.client_id(), will=will).socket
            client.drop()
        message = subscriber.message()
        assert (message.topic, message.payload, message.qos) == (will.topic, b"payload", 1)
        assert message.properties.pairs == will.properties


@statement("MQTT-3.1.3-5")
@pytest.mark.parametrize("name", ["A", letters.ascii_lowercase[:23], letters.ascii_lowercase[3:], letters.ascii_uppercase[:23],
                                  letters.ascii_uppercase[23:] + letters.digits], ids=str)  # fmt: skip
def test_client_ids_of_1_to_23_letters_and_digits_are_accepted(address, name):
    name = name.encode()
    assert 1 <= len(name) <= 23
    with connect(address, name) as client:
        client.leave()


@statement("MQTT-3.1.3-6", "MQTT-3.1.3-7", "MQTT-3.2.2-16")
@pytest.mark.parametrize("clean_start", [True, False])
def test_an_empty_client_id_is_given_a_unique_one_or_refused(address, clean_start):
    with Session(address) as client:
        client.open(packets.connect(b"", clean_start=clean_start))
        if client.connack.reason == 0:
            assert client.server(P.ASSIGNED_CLIENT_ID, b"") and not client.connack.session_present
            client.fence()
        else:
            assert client.connack.reason == 0x85
            client.refused()


def accepts_empty_client_ids(address) -> None:
    with Session(address) as client:
        client.open(packets.connect(b""))
        if client.connack.reason:
            pytest.skip("the server refuses an empty client id, as it may [MQTT-3.1.3-6]")


@statement("MQTT-3.1.3-7")
def test_the_assigned_client_id_resumes_the_session(address, names):
    accepts_empty_client_ids(address)
    topic = names.topic()
    with connect(address, b"", expiry=60) as client:
        assigned = client.server(P.ASSIGNED_CLIENT_ID, None)
        assert assigned, "no Assigned Client Identifier"
        client.subscribe(topic)
        client.drop()
    with resume(address, assigned) as client:
        assert P.ASSIGNED_CLIENT_ID not in client.connack.properties
        client.publish(topic, b"x", 1)
        assert client.message().payload == b"x"
        client.leave(0, [(P.SESSION_EXPIRY, 0)])


@statement("MQTT-3.2.2-16")
def test_assigned_client_ids_are_all_different(address):
    accepts_empty_client_ids(address)
    clients = [connect(address, b"") for _ in range(100)]
    try:
        assert len({client.server(P.ASSIGNED_CLIENT_ID, None) for client in clients}) == 100
        for client in clients:
            client.fence()
    finally:
        for client in clients:
            client.close()


@statement("MQTT-3.1.4-6", "MQTT-3.1.4-1")
@pytest.mark.parametrize("retain", [False, True])
def test_nothing_after_a_refused_connect_is_processed(address, names, retain):
    topic = names.topic()
    with connect(address, names.client_id()) as subscriber:
        subscriber.subscribe(topic)
        bad = packets.connect(names.client_id(), [(P.RECEIVE_MAXIMUM, 0)])
        later = [
            packets.publish(topic, b"x", 0, retain=retain),
            packets.publish(topic, b"x", 1, 1, retain=retain),
            packets.subscribe(2, [(topic, 0)]),
        ]
        refused_connect(address, bad + b"".join(later), 0x81, 0x82)
        subscriber.silent()
    with connect(address, names.client_id()) as late:
        late.subscribe(topic)
        late.silent()


@statement("MQTT-3.1.4-5", "MQTT-3.2.0-1")
def test_packets_sent_before_the_connack_are_processed(address, names):
    topic = names.topic()
    with Session(address) as client:
        client.send(packets.connect(names.client_id()), packets.subscribe(1, [(topic, 1)]), packets.publish(topic, b"early", 1, 2))
        assert isinstance(client.receive(), Connack)
        assert client.take(Suback).reasons == [1]
        assert client.take(Publish).payload == b"early"


@statement("MQTT-3.1.3-2")
def test_client_ids_are_compared_byte_by_byte(address, names):
    name = names.client_id() + b"x"
    with connect(address, name, expiry=60) as lower, connect(address, name[:-1] + b"X", expiry=60) as upper:
        lower.fence()
        upper.fence()
    with connect(address, name[:-1] + b"x\xcc\x81", clean_start=False) as composed:
        assert not composed.connack.session_present


@statement("MQTT-4.12.0-1", "MQTT-3.1.4-2", "MQTT-3.2.2-7", "MQTT-4.13.2-1")
def test_an_unknown_authentication_method_is_refused(address, names):
    refused_connect(address, packets.connect(names.client_id(), [(P.AUTH_METHOD, b"nope")]), 0x8C, 0x87)
    refused_connect(address, packets.connect(names.client_id(), [(P.AUTH_METHOD, b"nope"), (P.AUTH_DATA, b"\x00")]), 0x8C, 0x87)


PROPERTY_ERRORS = {
    "Receive Maximum 0": [(P.RECEIVE_MAXIMUM, 0)],
    "Maximum Packet Size 0": [(P.MAXIMUM_PACKET_SIZE, 0)],
    "Request Response Information 2": [(P.REQUEST_RESPONSE, 2)],
    "Request Problem Information 2": [(P.REQUEST_PROBLEM, 2)],
    "Authentication Data without a method": [(P.AUTH_DATA, b"x")],
    "Session Expiry twice": [(P.SESSION_EXPIRY, 1), (P.SESSION_EXPIRY, 1)],
    "Receive Maximum twice": [(P.RECEIVE_MAXIMUM, 1), (P.RECEIVE_MAXIMUM, 1)],
    "Topic Alias in CONNECT": [(P.TOPIC_ALIAS, 1)],
    "Will Delay outside the will": [(P.WILL_DELAY, 1)],
    "an unknown property": [b"\x7f\x00"],
}


@statement("MQTT-3.1.4-1", "MQTT-4.13.1-1", "MQTT-3.2.2-6", "MQTT-3.2.2-7", "MQTT-3.2.2-8")
@pytest.mark.parametrize("wrong", PROPERTY_ERRORS)
def test_a_wrong_property_is_refused_and_a_stored_session_is_not_told(address, names, wrong):
    """The strict reader refuses a CONNACK that has both a failure and Session Present."""
    name = names.client_id()
    with connect(address, name, expiry=60) as client:
        client.drop()
    refused_connect(address, packets.connect(name, PROPERTY_ERRORS[wrong], clean_start=False), 0x81, 0x82)
    with resume(address, name) as client:
        client.leave(0, [(P.SESSION_EXPIRY, 0)])


@statement("MQTT-3.1.3-1")
def test_all_properties_at_once_in_any_order_are_accepted(address, names):
    properties = [
        (P.USER_PROPERTY, (b"a", b"1")), (P.MAXIMUM_PACKET_SIZE, 10_000), (P.REQUEST_PROBLEM, 0), (P.TOPIC_ALIAS_MAXIMUM, 5),
        (P.SESSION_EXPIRY, 1), (P.USER_PROPERTY, (b"a", b"1")), (P.RECEIVE_MAXIMUM, 7), (P.REQUEST_RESPONSE, 1), (P.USER_PROPERTY, (b"", b"")),
    ]  # fmt: skip
    for ordered in (properties, properties[::-1]):
        with connect(address, names.client_id(), ordered) as client:
            client.fence()


def test_a_connection_that_ends_inside_connect_harms_nobody(address, names):
    raw = packets.connect(names.client_id())
    with connect(address, names.client_id()) as bystander:
        for size in (0, 1, 5, len(raw) - 1):
            with Client(address) as client:
                client.send(raw[:size])
                client.abort()
        bystander.fence()
    with pytest.raises(Closed), Client(address) as client:
        client.send(bytes.fromhex("10 ff ff ff ff 7f"))
        client.packet(3)
