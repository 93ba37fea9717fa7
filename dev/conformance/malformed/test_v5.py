"""Broken frames of MQTT 5, and what each must end in: a close, before which a CONNACK or DISCONNECT may say one of the codes of its row.

Each case has a bystander: nothing of the broken frame reaches it, and it lives on [MQTT-4.13.1-1]."""

import pytest
from statements import case, statement
from v5 import packets
from v5.packets import Connack, Will, frame, u16
from v5.properties import (
    AUTH, CONNACK, CONNECT, DISCONNECT, PAIR, PINGREQ, PINGRESP, PUBACK, PUBCOMP, PUBLISH, PUBREC, PUBREL, SAMPLES, SUBACK,
    SUBSCRIBE, TABLE, UNSUBACK, UNSUBSCRIBE, WILL, P, block, string, varint,
)  # fmt: skip
from v5.session import Session, connect

# Each test puts a topic and a client id of its own in the place of these, of the same length.
TOPIC, CLIENT_ID = b"broktopic5_", b"brokclient_"
METHOD = (P.AUTH_METHOD, b"m")
BROKEN = (0x81, 0x82)
ACKS = {"PUBACK": PUBACK, "PUBREC": PUBREC, "PUBREL": PUBREL, "PUBCOMP": PUBCOMP}
FLAGS = {PUBREL: 2, SUBSCRIBE: 2, UNSUBSCRIBE: 2}
MALFORMED = "MQTT-4.13.1-1"


def with_properties(properties: bytes) -> dict[str, tuple[int, bytes]]:
    """Each packet that a client sends and that has properties, all else in it right."""
    head = string(b"MQTT") + bytes([5, 0x02, 0, 60])
    acks = {name: (kind, frame(kind, FLAGS.get(kind, 0), u16(77), b"\0", properties)) for name, kind in ACKS.items()}
    return acks | {
        "CONNECT": (CONNECT, frame(CONNECT, 0, head, properties, string(CLIENT_ID))),
        "will": (
            WILL,
            frame(CONNECT, 0, head.replace(b"\x05\x02", b"\x05\x06"), block(), string(CLIENT_ID), properties, string(TOPIC), string(b"x")),
        ),
        "PUBLISH": (PUBLISH, frame(PUBLISH, 2, string(TOPIC), u16(1), properties, b"never")),
        "SUBSCRIBE": (SUBSCRIBE, frame(SUBSCRIBE, 2, u16(1), properties, string(TOPIC), b"\0")),
        "UNSUBSCRIBE": (UNSUBSCRIBE, frame(UNSUBSCRIBE, 2, u16(1), properties, string(TOPIC))),
        "DISCONNECT": (DISCONNECT, frame(DISCONNECT, 0, b"\0", properties)),
    }


PACKETS = {name: kind for name, (kind, _) in with_properties(block()).items()}
STARTS = ("CONNECT", "will")


def cut_value(identifier: int) -> bytes:
    """A property whose value ends a byte early, with a property length that says so."""
    whole = block([(identifier, SAMPLES[identifier])])[1:]
    return varint(len(whole) - 1) + whole[:-1]


def property_rows(names) -> list:
    """Foreign, doubled, unknown and cut properties, and lengths that do not hold, in each of these packets."""
    rows = []
    for name in names:
        kind = PACKETS[name]

        def row(title: str, properties: bytes, name: str = name):
            return case(f"{name}: {title}", with_properties(properties)[name][1], shows=MALFORMED)

        for identifier, known in TABLE.items():
            pair = (identifier, SAMPLES[identifier])
            client_may = kind in known.packets and (identifier, kind) != (P.SUBSCRIPTION_IDENTIFIER, PUBLISH)
            if not client_may and not (kind == DISCONNECT and identifier == P.SERVER_REFERENCE):
                rows.append(row(f"{P(identifier).name} does not belong", block([pair])))
            elif client_may and known.type != PAIR:
                more = [METHOD] if identifier == P.AUTH_DATA else []
                rows.append(row(f"{P(identifier).name} twice", block([*more, pair, pair])))
            if client_may:
                rows.append(row(f"{P(identifier).name} cut", cut_value(identifier)))
        for unknown in (b"\x00", b"\x04", b"\x2b", b"\x7f", b"\x80\x01", b"\xff\xff\xff\x7f"):
            rows.append(row(f"unknown property {unknown.hex()}", varint(len(unknown) + 1) + unknown + b"\0"))
        rows.append(row("property length past the end", b"\x7f"))
        rows.append(row("largest property length", b"\xff\xff\xff\x7f"))
        rows.append(row("property length in five bytes", b"\x80\x80\x80\x80\x00"))
        rows.append(row("a property ends after its identifier", b"\x01\x26"))
        rows.append(row("a user property without its value", b"\x04\x26\x00\x01k"))
        rows.append(row("a string longer than the properties", b"\x05\x26\x00\x40kk"))
    return rows


def cut_rows(title: str, raw: bytes, legal=()) -> list:
    """A packet that ends at every size, with a Remaining Length that says so, but for sizes that are whole packets themselves."""
    body = raw[2:]
    assert raw[1] == len(body) < 128
    return [case(f"{title}: {size} bytes of {len(body)}", frame(raw[0] >> 4, raw[0] & 15, body[:size]), shows=MALFORMED)
            for size in range(len(body)) if size not in legal]  # fmt: skip


def will_connect(flags: int = 0x06, *payload: bytes) -> bytes:
    return frame(CONNECT, 0, string(b"MQTT"), bytes([5, flags, 0, 60]), block(), *payload)


NAME = string(CLIENT_ID)
START = [
    case("reserved flag", packets.connect(CLIENT_ID, flags=0x03), shows="MQTT-3.1.2-3"),
    case("will QoS without will", packets.connect(CLIENT_ID, flags=0x0A), shows="MQTT-3.1.2-11"),
    case("will retain without will", packets.connect(CLIENT_ID, flags=0x22), shows="MQTT-3.1.2-13"),
    case("will QoS 3", packets.connect(CLIENT_ID, will=Will(TOPIC), flags=0x1E), shows="MQTT-3.1.2-12"),
    case("will flag without will", will_connect(0x06, NAME), shows="MQTT-3.1.2-9"),
    case("will without flag", will_connect(0x02, NAME, block(), string(TOPIC), string(b"x")), shows="MQTT-3.1.4-1"),
    case("user name flag without name", will_connect(0x82, NAME), shows="MQTT-3.1.2-17"),
    case("user name without flag", will_connect(0x02, NAME, string(b"u")), shows="MQTT-3.1.2-16"),
    case("password flag without password", will_connect(0x42, NAME), shows="MQTT-3.1.2-19"),
    case("password without flag", will_connect(0x82, NAME, string(b"u"), string(b"p")), shows="MQTT-3.1.2-18"),
    case("a byte too many", will_connect(0x02, NAME, b"\0"), shows="MQTT-3.1.4-1"),
    case("an empty CONNECT", b"\x10\x00", shows="MQTT-3.1.4-1"),
    case("fixed header flags", b"\x11" + packets.connect(CLIENT_ID)[1:], shows="MQTT-2.1.3-1"),
    case("a fifth length byte", b"\x10\x80\x80\x80\x80\x01" + packets.connect(CLIENT_ID)[2:], shows="MQTT-1.5.5-1"),
    case("Receive Maximum 0", packets.connect(CLIENT_ID, [(P.RECEIVE_MAXIMUM, 0)]), shows=MALFORMED),
    case("Maximum Packet Size 0", packets.connect(CLIENT_ID, [(P.MAXIMUM_PACKET_SIZE, 0)]), shows=MALFORMED),
    case("Request Problem Information 2", packets.connect(CLIENT_ID, [(P.REQUEST_PROBLEM, 2)]), shows=MALFORMED),
    case("Request Response Information 255", packets.connect(CLIENT_ID, [(P.REQUEST_RESPONSE, 255)]), shows=MALFORMED),
    case("Authentication Data alone", packets.connect(CLIENT_ID, [(P.AUTH_DATA, b"x")]), shows=MALFORMED),
    case("SUBSCRIBE first", packets.subscribe(1, [(TOPIC, 0)]), shows="MQTT-3.1.0-1"),
    case("PUBLISH first", packets.publish(TOPIC, b"never"), shows="MQTT-3.1.0-1"),
    case("retained PUBLISH first", packets.publish(TOPIC, b"never", retain=True), shows="MQTT-3.1.0-1"),
    case("AUTH first", packets.auth(0x18, [METHOD]), shows="MQTT-3.1.0-1"),
    case("DISCONNECT first", packets.disconnect(), shows="MQTT-3.1.0-1"),
    case("CONNACK first", frame(CONNACK, 0, b"\0\0\0"), shows="MQTT-3.1.0-1"),
    case("type 0 first", b"\x00\x00", shows="MQTT-3.1.0-1"),
    case("HTTP first", b"GET /mqtt HTTP/1.1\r\nHost: x\r\n\r\n", shows="MQTT-3.1.0-1"),
    *cut_rows(
        "CONNECT",
        packets.connect(CLIENT_ID, [(P.RECEIVE_MAXIMUM, 9)], will=Will(TOPIC, b"x", properties=[(P.WILL_DELAY, 1)]), user_name=b"u"),
    ),
    *property_rows(STARTS),
]


def later(title: str, raw: bytes, shows: str = MALFORMED, codes: tuple[int, ...] = ()):
    """A row of a frame after CONNECT, and the codes beside 0x81 and 0x82."""
    return case(title, raw, codes, shows=tuple({shows: None, MALFORMED: None}))


def reason_rows() -> list:
    """Reason codes that stand for nothing in their packet."""
    wrong = {
        "PUBACK": (0x01, 0x8E, 0x92, 0xFF),
        "PUBREC": (0x02, 0x81, 0x92, 0xFF),
        "PUBREL": (0x10, 0x80, 0x91),
        "PUBCOMP": (0x10, 0x80, 0xFF),
    }
    shows = {"PUBACK": "MQTT-3.4.2-1", "PUBREC": "MQTT-3.5.2-1", "PUBREL": "MQTT-3.6.2-1", "PUBCOMP": "MQTT-3.7.2-1"}
    rows = [
        later(f"{name} with reason {code:#04x}", packets.ack(ACKS[name], 77, code), shows[name]) for name in wrong for code in wrong[name]
    ]
    return rows + [
        later(f"DISCONNECT with reason {code:#04x}", packets.disconnect(code), "MQTT-3.14.2-1") for code in (0x01, 0x8E, 0x8B, 0xA2, 0xFF)
    ]


ID = u16(1)
LATER = [
    # Fixed headers (2.1).
    *(later(f"{name} flags {flags}", frame(kind, flags, u16(77)), "MQTT-2.1.3-1")
      for name, kind in ACKS.items() for flags in (0, 1, 2, 4, 8, 15) if flags != FLAGS.get(kind, 0)),
    *(later(f"SUBSCRIBE flags {flags}", frame(SUBSCRIBE, flags, ID, block(), string(TOPIC), b"\0"), "MQTT-3.8.1-1") for flags in (0, 1, 3, 10)),
    *(later(f"UNSUBSCRIBE flags {flags}", frame(UNSUBSCRIBE, flags, ID, block(), string(TOPIC)), "MQTT-3.10.1-1") for flags in (0, 1, 3, 10)),
    *(later(f"PINGREQ flags {flags}", frame(PINGREQ, flags), "MQTT-2.1.3-1") for flags in (1, 2, 8)),
    *(later(f"DISCONNECT flags {flags}", frame(DISCONNECT, flags), "MQTT-3.14.1-1") for flags in (1, 2, 8)),
    *(later(f"AUTH flags {flags}", frame(AUTH, flags, b"\x18", block([METHOD])), "MQTT-3.15.1-1", (0x8C,)) for flags in (1, 2, 8)),
    *(later(f"type {kind}", frame(kind, 0, body), "MQTT-2.1.3-1")
      for kind, body in ((0, b""), (CONNACK, b"\0\0\0"), (SUBACK, ID + b"\0\0"), (UNSUBACK, ID + b"\0\0"), (PINGRESP, b""))),
    # Lengths.
    later("a fifth length byte", b"\xc0\x80\x80\x80\x80\x00", "MQTT-1.5.5-1"),
    later("a fifth length byte of PUBLISH", b"\x30\xff\xff\xff\xff\x01", "MQTT-1.5.5-1"),
    later("PINGREQ length in two bytes", b"\xc0\x80\x00", "MQTT-1.5.5-1"),
    later("PINGREQ with a body", b"\xc0\x01\x00"),
    *(later(f"{name} with bytes left over", frame(kind, FLAGS.get(kind, 0), u16(77), b"\0\0\0")) for name, kind in ACKS.items()),
    later("SUBSCRIBE with bytes left over", frame(SUBSCRIBE, 2, ID, block(), string(TOPIC), b"\0\0")),
    later("UNSUBSCRIBE with bytes left over", frame(UNSUBSCRIBE, 2, ID, block(), string(TOPIC), b"\0")),
    later("DISCONNECT with bytes left over", frame(DISCONNECT, 0, b"\0\0\0")),
    # PUBLISH (3.3).
    later("PUBLISH at QoS 3", frame(PUBLISH, 6, string(TOPIC), ID, block(), b"x"), "MQTT-3.3.1-4"),
    later("PUBLISH at QoS 3 with all flags", frame(PUBLISH, 15, string(TOPIC), ID, block(), b"x"), "MQTT-3.3.1-4"),
    later("PUBLISH with identifier 0", packets.publish(TOPIC, b"x", 1, 0), "MQTT-2.2.1-3"),
    later("PUBLISH QoS 2 with identifier 0", packets.publish(TOPIC, b"x", 2, 0), "MQTT-2.2.1-3"),
    later("PUBLISH with an empty topic", packets.publish(b"", b"x"), "MQTT-4.7.3-1", (0x90,)),
    *(later(f"PUBLISH to {topic.decode()}", packets.publish(topic, b"x", 1, 1), "MQTT-3.3.2-2", (0x90,))
      for topic in (b"#", b"+", TOPIC + b"/#", TOPIC + b"/+", TOPIC + b"+", TOPIC + b"#")),
    later("PUBLISH with alias 0", packets.publish(TOPIC, b"x", 1, 1, [(P.TOPIC_ALIAS, 0)]), "MQTT-3.3.2-8", (0x94,)),
    later("PUBLISH with an unmapped alias", packets.publish(b"", b"x", 1, 1, [(P.TOPIC_ALIAS, 1)]), MALFORMED, (0x94,)),
    later("PUBLISH with a subscription identifier", packets.publish(TOPIC, b"x", 1, 1, [(P.SUBSCRIPTION_IDENTIFIER, 1)]), "MQTT-3.3.4-6"),
    later("PUBLISH with a wildcard to answer to", packets.publish(TOPIC, b"x", 1, 1, [(P.RESPONSE_TOPIC, b"a/#")]), "MQTT-3.3.2-14", (0x90,)),
    later("PUBLISH of MQTT 3.1.1", frame(PUBLISH, 2, string(TOPIC), ID, b"\x7fnever")),
    # SUBSCRIBE and UNSUBSCRIBE (3.8, 3.10).
    later("SUBSCRIBE without filter", packets.subscribe(1, []), "MQTT-3.8.3-2"),
    later("SUBSCRIBE with identifier 0", packets.subscribe(0, [(TOPIC, 0)]), "MQTT-2.2.1-3"),
    *(later(f"SUBSCRIBE with options {options:#04x}", packets.subscribe(1, [(TOPIC, options)]), "MQTT-3.8.3-5")
      for options in (0x03, 0x30, 0x33, 0x40, 0x80, 0xC0, 0xFF)),
    later("SUBSCRIBE with wrong options last", packets.subscribe(1, [(TOPIC, 0), (TOPIC, 0x40)]), "MQTT-3.8.3-5"),
    later("SUBSCRIBE with subscription identifier 0", packets.subscribe(1, [(TOPIC, 0)], [(P.SUBSCRIPTION_IDENTIFIER, 0)])),
    later("SUBSCRIBE to a share with No Local", packets.subscribe(1, [(b"$share/g/" + TOPIC, 4)]), "MQTT-3.8.3-4", (0x9E,)),
    later("UNSUBSCRIBE without filter", packets.unsubscribe(1, []), "MQTT-3.10.3-2"),
    later("UNSUBSCRIBE with identifier 0", packets.unsubscribe(0, [TOPIC]), "MQTT-2.2.1-3"),
    # AUTH without a method in CONNECT, and what is out of order.
    *(later(f"AUTH {code:#04x}", packets.auth(code, [METHOD]), "MQTT-4.12.0-7", (0x8C,)) for code in (0x00, 0x18, 0x19, 0x80)),
    later("AUTH without a method", packets.auth(0x18), "MQTT-4.12.0-7", (0x8C,)),
    later("an empty AUTH", b"\xf0\x00", "MQTT-4.12.0-7", (0x8C,)),
    later("a second CONNECT", packets.connect(CLIENT_ID), "MQTT-3.1.0-2"),
    later("a second CONNECT, of MQTT 3.1.1", frame(CONNECT, 0, string(b"MQTT"), b"\x04\x02\x00\x3c", NAME), "MQTT-3.1.0-2"),
    *reason_rows(),
]  # fmt: skip
CUT = [
    *cut_rows("PUBLISH", packets.publish(TOPIC, b"", 1, 1, [(P.MESSAGE_EXPIRY, 9)])),
    *(row for name, kind in ACKS.items() for row in cut_rows(name, packets.ack(kind, 77, 0, [(P.REASON_STRING, b"r")]), (2, 3))),
    *cut_rows("SUBSCRIBE", packets.subscribe(1, [(TOPIC, 0)], [(P.SUBSCRIPTION_IDENTIFIER, 1)])),
    *cut_rows("UNSUBSCRIBE", packets.unsubscribe(1, [TOPIC], [(P.USER_PROPERTY, (b"k", b"v"))])),
    *cut_rows("DISCONNECT", packets.disconnect(0, [(P.REASON_STRING, b"r")]), (0, 1)),
]
PROPERTIES = property_rows([name for name in PACKETS if name not in STARTS])


@pytest.fixture
def topic(names) -> bytes:
    """Stands in the frame for TOPIC."""
    unique = names.topic()
    assert len(unique) == len(TOPIC)
    return unique


@pytest.fixture
def bystander(address, names, topic):
    """A client that hears the frame's topic, and must get nothing but its own message."""
    with connect(address, names.client_id()) as session:
        session.subscribe(topic + b"/#")
        yield session


def own(broken: bytes, names, topic: bytes) -> bytes:
    """The frame with this test's topic and client id."""
    client_id = names.client_id()
    assert len(client_id) == len(CLIENT_ID)
    return broken.replace(TOPIC, topic).replace(CLIENT_ID, client_id)


def check(bystander: Session, names) -> None:
    """The bystander heard nothing of the frame, and is served."""
    bystander.fence()
    alive = names.topic()
    bystander.subscribe((alive, 1))
    bystander.publish(alive, b"alive", 1)
    assert bystander.message().topic == alive
    bystander.fence()


@statement("MQTT-3.1.4-1", "MQTT-3.14.0-1", "MQTT-4.13.2-1")
@pytest.mark.parametrize("broken", START)
def test_a_broken_start_is_closed_with_at_most_a_connack(address, bystander, names, topic, broken):
    with Session(address) as client:
        client.send(own(broken, names, topic), b"\xc0\x00")
        for packet in client.refused():
            assert isinstance(packet, Connack) and packet.reason in (*BROKEN, 0x84, 0x85, 0x90), packet
    check(bystander, names)


def ends(address, names, broken: bytes, codes: tuple[int, ...]) -> None:
    """The frame ends its connection and is answered by nothing but a DISCONNECT."""
    with connect(address, names.client_id()) as client:
        client.send(broken, b"\xc0\x00")
        assert client.refused(*BROKEN, *codes) == []


@statement("MQTT-4.13.2-1")
@pytest.mark.parametrize(("broken", "codes"), LATER)
def test_a_broken_packet_ends_its_connection(address, bystander, names, topic, broken, codes):
    ends(address, names, own(broken, names, topic), codes)
    check(bystander, names)


@pytest.mark.parametrize("broken", CUT)
def test_a_packet_that_is_cut_ends_its_connection(address, bystander, names, topic, broken):
    ends(address, names, own(broken, names, topic), ())
    check(bystander, names)


@pytest.mark.parametrize("broken", PROPERTIES)
def test_a_wrong_property_ends_its_connection(address, bystander, names, topic, broken):
    ends(address, names, own(broken, names, topic), (0x94,))
    check(bystander, names)
