"""Broken frames of MQTT 3.1.1, and what each must end in: a close without a word, or a CONNACK with a code and a close.

Each case has a bystander: nothing of the broken frame reaches it, and it lives on [MQTT-4.8.0-1]."""

import time

import pytest
from statements import case, statement
from v311.packets import (
    Will,
    connack,
    connect,
    number,
    packet,
    pubcomp,
    publish,
    pubrec,
    pubrel,
    raw_connect,
    subscribe,
    text,
    unsubscribe,
)
from v311.peer import Checked, Peer
from wire import Client

TOPIC = b"broken/topic"
BAD_TEXTS = {
    "a byte that continues nothing": b"\x80",
    "a cut sequence": b"\xc3\x28",
    "an overlong slash": b"\xc0\xaf",
    "a surrogate": b"\xed\xa0\x80",
    "a surrogate pair": b"\xed\xa0\xb4\xed\xb0\x80",
    "beyond Unicode": b"\xf4\x90\x80\x80",
    "five bytes": b"\xf8\x88\x80\x80\x80",
}
NULLS = {"a null": b"a\x00b", "a null alone": b"\x00"}


def in_connect(place: str, value: bytes) -> bytes:
    """A CONNECT with this text in one of its places."""
    if place == "client id":
        return connect(value)
    if place == "will topic":
        return connect(b"broken", will=Will(value, b""))
    return connect(b"broken", user_name=value, password=b"p")


def in_packet(place: str, value: bytes) -> bytes:
    """A later packet with this text in its one place."""
    if place == "topic":
        return publish(value, b"never")
    return subscribe(1, (value, 0)) if place == "subscribe" else unsubscribe(1, value)


TEXT_STATEMENTS = {
    "client id": "MQTT-3.1.3-4",
    "will topic": "MQTT-3.1.3-10",
    "user name": "MQTT-3.1.3-11",
    "topic": "MQTT-3.3.2-1",
    "subscribe": "MQTT-3.8.3-1",
    "unsubscribe": "MQTT-3.10.3-1",
}


def texts(places: tuple[str, ...], build) -> list:
    """Each bad text in each place."""
    rows = []
    for place in places:
        for name, value in BAD_TEXTS.items():
            shows = ("MQTT-1.5.3-1", TEXT_STATEMENTS[place])
            rows.append(case(f"{place}: {name}", build(place, value), shows=shows))
        for name, value in NULLS.items():
            shows = ("MQTT-1.5.3-2", "MQTT-4.7.3-2") if place in ("topic", "subscribe") else ("MQTT-1.5.3-2",)
            rows.append(case(f"{place}: {name}", build(place, value), shows=shows))
    return rows


ID = text(b"broken")
WILL = text(TOPIC) + text(b"never")
NO_WORD = [
    # Connect flags and what they promise (3.1.2.3 to 3.1.2.9).
    case("reserved flag", raw_connect(0x03, ID), shows="MQTT-3.1.2-3"),
    case("will QoS without will", raw_connect(0x0A, ID), shows=("MQTT-3.1.2-11", "MQTT-3.1.2-13")),
    case("will QoS 2 without will", raw_connect(0x12, ID), shows=("MQTT-3.1.2-11", "MQTT-3.1.2-13")),
    case("will retain without will", raw_connect(0x22, ID), shows=("MQTT-3.1.2-11", "MQTT-3.1.2-15")),
    case("will fields without flag", raw_connect(0x02, ID + WILL), shows="MQTT-3.1.2-11"),
    case("will QoS 3", raw_connect(0x1E, ID + WILL), shows="MQTT-3.1.2-14"),
    case("will flag without fields", raw_connect(0x06, ID), shows="MQTT-3.1.2-9"),
    case("will flag without message", raw_connect(0x06, ID + text(TOPIC)), shows="MQTT-3.1.2-9"),
    case("user name without flag", raw_connect(0x02, ID + text(b"u")), shows=("MQTT-3.1.2-18", "MQTT-3.1.4-1")),
    case("user name flag without name", raw_connect(0x82, ID), shows="MQTT-3.1.2-19"),
    case("password without flag", raw_connect(0x82, ID + text(b"u") + text(b"p")), shows="MQTT-3.1.2-20"),
    case("password flag without password", raw_connect(0xC2, ID + text(b"u")), shows="MQTT-3.1.2-21"),
    case("password without user name", raw_connect(0x42, ID + text(b"p")), shows="MQTT-3.1.2-22"),
    # The form of the packet (3.1.4).
    case("no client id field", raw_connect(0x02, b""), shows=("MQTT-3.1.3-3", "MQTT-3.1.4-1")),
    case("half a client id length", raw_connect(0x02, b"\x00"), shows="MQTT-3.1.4-1"),
    case("client id past the end", raw_connect(0x02, b"\x00\x09short"), shows="MQTT-3.1.4-1"),
    case("a byte too many", raw_connect(0x02, ID + b"\x00"), shows="MQTT-3.1.4-1"),
    case("no keep alive", packet(0x10, text(b"MQTT") + b"\x04\x02"), shows="MQTT-3.1.4-1"),
    case("no flags", packet(0x10, text(b"MQTT") + b"\x04"), shows="MQTT-3.1.4-1"),
    case("no level", packet(0x10, text(b"MQTT")), shows="MQTT-3.1.4-1"),
    case("an empty CONNECT", b"\x10\x00", shows="MQTT-3.1.4-1"),
    case("protocol name past the end", packet(0x10, b"\x00\x40MQTT"), shows="MQTT-3.1.4-1"),
    case("fixed header flags", b"\x11" + connect(b"broken")[1:], shows="MQTT-2.2.2-2"),
    case("a fifth length byte", b"\x10\x80\x80\x80\x80\x01" + connect(b"broken")[2:]),
    case("a length of 268435455", b"\x10\xff\xff\xff\x7f" + connect(b"broken")[2:]),
    *texts(("client id", "will topic", "user name"), in_connect),
    # What is no CONNECT comes first.
    case("PUBLISH first", publish(TOPIC, b"never"), shows="MQTT-3.1.0-1"),
    case("SUBSCRIBE first", subscribe(1, (TOPIC, 0)), shows="MQTT-3.1.0-1"),
    case("UNSUBSCRIBE first", unsubscribe(1, TOPIC), shows="MQTT-3.1.0-1"),
    case("PINGREQ first", b"\xc0\x00", shows="MQTT-3.1.0-1"),
    case("DISCONNECT first", b"\xe0\x00", shows="MQTT-3.1.0-1"),
    case("PUBREL first", pubrel(1), shows="MQTT-3.1.0-1"),
    case("CONNACK first", connack(), shows="MQTT-3.1.0-1"),
    case("type 0 first", b"\x00\x00", shows="MQTT-3.1.0-1"),
    case("HTTP first", b"GET /mqtt HTTP/1.1\r\nHost: x\r\n\r\n", shows="MQTT-3.1.0-1"),
    case("TLS first", b"\x16\x03\x01\x00\x05hello" + b"\x00" * 20, shows="MQTT-3.1.0-1"),
]

IDENTIFIER = number(1)
AFTER_CONNECT = [
    # Fixed header flags (2.2.2).
    case("PINGREQ flags", b"\xc1\x00", shows="MQTT-2.2.2-2"),
    case("DISCONNECT flags", b"\xe1\x00", shows=("MQTT-2.2.2-2", "MQTT-3.14.1-1")),
    case("SUBSCRIBE flags 0000", b"\x80" + subscribe(1, (TOPIC, 0))[1:], shows=("MQTT-2.2.2-2", "MQTT-3.8.1-1")),
    case("SUBSCRIBE flags 0011", b"\x83" + subscribe(1, (TOPIC, 0))[1:], shows=("MQTT-2.2.2-2", "MQTT-3.8.1-1")),
    case("SUBSCRIBE flags 1010", b"\x8a" + subscribe(1, (TOPIC, 0))[1:], shows=("MQTT-2.2.2-2", "MQTT-3.8.1-1")),
    case("UNSUBSCRIBE flags 0000", b"\xa0" + unsubscribe(1, TOPIC)[1:], shows=("MQTT-2.2.2-2", "MQTT-3.10.1-1")),
    case("UNSUBSCRIBE flags 1010", b"\xaa" + unsubscribe(1, TOPIC)[1:], shows=("MQTT-2.2.2-2", "MQTT-3.10.1-1")),
    case("PUBACK flags", b"\x41\x02\x00\x01", shows="MQTT-2.2.2-2"),
    case("PUBREC flags", b"\x52\x02\x00\x01", shows="MQTT-2.2.2-2"),
    case("PUBREL flags 0000", b"\x60\x02\x00\x01", shows=("MQTT-2.2.2-2", "MQTT-3.6.1-1")),
    case("PUBREL flags 1010", b"\x6a\x02\x00\x01", shows=("MQTT-2.2.2-2", "MQTT-3.6.1-1")),
    case("PUBCOMP flags", b"\x78\x02\x00\x01", shows="MQTT-2.2.2-2"),
    # Types that are not the client's to send.
    case("type 0", b"\x00\x00"),
    case("type 15", b"\xf0\x00"),
    case("CONNACK", connack()),
    case("SUBACK", b"\x90\x03\x00\x01\x00"),
    case("UNSUBACK", b"\xb0\x02\x00\x01"),
    case("PINGRESP", b"\xd0\x00"),
    # Lengths.
    case("a fifth length byte", b"\xc0\x80\x80\x80\x80\x00"),
    case("a fifth length byte of PUBLISH", b"\x30\xff\xff\xff\xff\x01"),
    case("PINGREQ with a body", b"\xc0\x01\x00"),
    case("DISCONNECT with a body", b"\xe0\x01\x00"),
    case("PUBACK without identifier", b"\x40\x00"),
    case("PUBACK with half an identifier", b"\x40\x01\x00"),
    case("PUBACK with a byte too many", b"\x40\x03\x00\x01\x00"),
    case("PUBREC with half an identifier", b"\x50\x01\x00"),
    case("PUBREL with half an identifier", b"\x62\x01\x00"),
    case("PUBREL with a byte too many", b"\x62\x03\x00\x01\x00"),
    case("PUBCOMP with half an identifier", b"\x70\x01\x00"),
    # PUBLISH (3.3).
    case("PUBLISH at QoS 3", b"\x36" + publish(TOPIC, b"never", 1, 1)[1:], shows="MQTT-3.3.1-4"),
    case("PUBLISH at QoS 3 with DUP", b"\x3e" + publish(TOPIC, b"never", 1, 1)[1:], shows="MQTT-3.3.1-4"),
    case("PUBLISH without topic", b"\x30\x00", shows="MQTT-3.3.2-1"),
    case("PUBLISH with a topic past the end", packet(0x30, b"\x00\x20" + TOPIC), shows="MQTT-3.3.2-1"),
    case("PUBLISH with an empty topic", publish(b"", b"never"), shows="MQTT-4.7.3-1"),
    case("PUBLISH without identifier", packet(0x32, text(TOPIC)), shows="MQTT-2.3.1-1"),
    case("PUBLISH with half an identifier", packet(0x32, text(TOPIC) + b"\x01"), shows="MQTT-2.3.1-1"),
    case("PUBLISH QoS 1 with identifier 0", publish(TOPIC, b"never", 1, 0), shows="MQTT-2.3.1-1"),
    case("PUBLISH QoS 2 with identifier 0", publish(TOPIC, b"never", 2, 0), shows="MQTT-2.3.1-1"),
    case("PUBLISH to a/#", publish(TOPIC + b"/#", b"never"), shows=("MQTT-3.3.2-2", "MQTT-4.7.1-1")),
    case("PUBLISH to a/+", publish(TOPIC + b"/+", b"never"), shows=("MQTT-3.3.2-2", "MQTT-4.7.1-1")),
    case("PUBLISH to #", publish(b"#", b"never"), shows=("MQTT-3.3.2-2", "MQTT-4.7.1-1")),
    case("PUBLISH to a+", publish(TOPIC + b"+", b"never", 1, 1), shows=("MQTT-3.3.2-2", "MQTT-4.7.1-1")),
    # SUBSCRIBE and UNSUBSCRIBE (3.8, 3.10).
    case("SUBSCRIBE without filter", packet(0x82, IDENTIFIER), shows="MQTT-3.8.3-3"),
    case("SUBSCRIBE without anything", b"\x82\x00", shows="MQTT-3.8.3-3"),
    case("SUBSCRIBE without QoS", packet(0x82, IDENTIFIER + text(TOPIC)), shows="MQTT-3.8.3-3"),
    case("SUBSCRIBE with half a filter", packet(0x82, IDENTIFIER + b"\x00\x20" + TOPIC)),
    case("SUBSCRIBE with a second filter cut", packet(0x82, IDENTIFIER + text(TOPIC) + b"\x00\x00")),
    case("SUBSCRIBE with identifier 0", subscribe(0, (TOPIC, 0)), shows="MQTT-2.3.1-1"),
    case("SUBSCRIBE at QoS 3", subscribe(1, (TOPIC, 3)), shows="MQTT-3.8.3-4"),
    case("SUBSCRIBE with MQTT 5's No Local", subscribe(1, (TOPIC, 4)), shows="MQTT-3.8.3-4"),
    case("SUBSCRIBE with reserved bit 7", subscribe(1, (TOPIC, 0x80)), shows="MQTT-3.8.3-4"),
    case("SUBSCRIBE with a wrong second QoS", subscribe(1, (TOPIC, 0), (TOPIC, 7)), shows="MQTT-3.8.3-4"),
    case("SUBSCRIBE to an empty filter", subscribe(1, (b"", 0)), shows="MQTT-4.7.3-1"),
    case("UNSUBSCRIBE without filter", packet(0xA2, IDENTIFIER), shows="MQTT-3.10.3-2"),
    case("UNSUBSCRIBE without anything", b"\xa2\x00", shows="MQTT-3.10.3-2"),
    case("UNSUBSCRIBE with half a filter", packet(0xA2, IDENTIFIER + b"\x00\x20" + TOPIC)),
    case("UNSUBSCRIBE with identifier 0", unsubscribe(0, TOPIC), shows="MQTT-2.3.1-1"),
    case("UNSUBSCRIBE of an empty filter", unsubscribe(1, b""), shows="MQTT-4.7.3-1"),
    *texts(("topic", "subscribe", "unsubscribe"), in_packet),
    # Out of order.
    case("a second CONNECT", connect(b"broken"), shows="MQTT-3.1.0-2"),
    case("a CONNECT of MQTT 5", raw_connect(0x02, b"\x00" + ID, level=5), shows="MQTT-3.1.0-2"),
]

FILTERS = [b"a#", b"a/b#", b"#/a", b"a/#/b", b"##", b"a/##", b"a+", b"+a", b"a/+b", b"a/b+/c", b"++", b"#+"]

REFUSED = [
    case("level 0", connect(b"broken", level=0), 1, shows="MQTT-3.1.2-2"),
    case("level 2", connect(b"broken", level=2), 1, shows="MQTT-3.1.2-2"),
    case("no id, no clean session", connect(b"", clean=False), 2, shows="MQTT-3.1.3-8"),
]


@pytest.fixture
def bystander(address, names):
    """A client that hears all the cases' topics, and must get nothing but its own message."""
    with Peer(address, names.client_id()) as peer:
        peer.subscribe(TOPIC + b"/#", 1)
        yield peer


def check(connection: Client, broken: bytes, expected: list[bytes], bystander: Peer, names) -> None:
    """The frame ends its connection with just these packets; the bystander heard nothing of it and lives."""
    connection.send(broken, b"\xc0\x00" if expected == [] else b"")
    assert connection.expect_closed() == expected
    own = names.topic()
    bystander.subscribe(own, 1)
    bystander.publish(own, b"alive", 1)
    bystander.expect_message(own, b"alive", 1)
    bystander.fence()


@pytest.mark.parametrize("broken", NO_WORD)
@statement("MQTT-4.8.0-1", "MQTT-3.2.2-6")
def test_a_broken_start_is_closed_without_a_word(address, bystander, names, broken):
    with Checked(address) as connection:
        check(connection, broken, [], bystander, names)


@pytest.mark.parametrize(("refused", "code"), REFUSED)
@statement("MQTT-3.2.2-5")
def test_a_refused_start_has_its_code(address, bystander, names, refused, code):
    with Checked(address) as connection:
        check(connection, refused, [connack(code)], bystander, names)


@pytest.mark.parametrize("broken", AFTER_CONNECT)
@statement("MQTT-4.8.0-1")
def test_a_broken_packet_ends_its_connection(address, bystander, names, broken):
    with Peer(address, names.client_id()) as peer:
        check(peer, broken, [], bystander, names)


@pytest.mark.parametrize("topic_filter", FILTERS)
@statement("MQTT-4.7.1-2", "MQTT-4.7.1-3")
def test_a_broken_filter_is_refused_or_ends_its_connection(address, bystander, names, topic_filter):
    with Peer(address, names.client_id()) as peer:
        peer.send(subscribe(1, (topic_filter, 0)))
        assert peer.packets_until(b"\x90\x03\x00\x01\x80") in ([b"\x90\x03\x00\x01\x80"], [])
        bystander.fence()


@pytest.mark.parametrize("topic", [b"#", b"a/#", b"+", b"a/+/b"])
def test_a_will_topic_has_no_wildcard(address, bystander, names, topic):
    """The will is a PUBLISH, whose topic has none [MQTT-3.3.2-2]: the CONNECT is refused, or the will never comes."""
    will, own = names.topic(), names.topic()
    with Peer(address, names.client_id()) as watcher, Checked(address) as connection:
        watcher.subscribe(b"#")
        connection.send(connect(names.client_id(), will=Will(topic, will)))
        assert connection.packets_until(connack()) in ([], [connack()])
        connection.abort()
        time.sleep(0.3)
        bystander.publish(own, b"fence", 1)
        while (message := watcher.receive()).topic != own:
            assert message.payload != will


@statement("MQTT-4.8.0-1", "MQTT-3.1.4-1")
def test_every_cut_of_a_session_is_survived(address, bystander, names):
    """A whole session's bytes, cut off at every place: the server forgets each of them."""
    whole = b"".join((
        connect(names.client_id(), will=Will(names.topic(), b"w", 1), user_name=b"u", password=b"p"),
        subscribe(1, (names.topic(), 1)), publish(names.topic(), b"x", 2, 2), pubrel(2), pubrec(9), pubcomp(9),
        unsubscribe(3, names.topic()), b"\xc0\x00\xe0\x00",
    ))  # fmt: skip
    for end in range(1, len(whole)):
        with Client(address) as connection:
            connection.send(whole[:end])
    bystander.fence()


@statement("MQTT-4.8.0-1")
def test_a_packet_that_never_ends_is_not_waited_for_before_connect(address, bystander):
    """Half a CONNECT and silence: the bystander is served meanwhile."""
    with Client(address) as connection:
        connection.send(connect(b"broken")[:-2])
        connection.nothing_for(0.3)
        bystander.fence()
