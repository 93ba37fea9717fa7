"""Strings (1.5.4, 1.5.7): well-formed UTF-8, no U+0000, and nothing altered on the way."""

import pytest
from statements import case, statement
from v5 import packets
from v5.packets import Will
from v5.properties import P
from v5.session import connect, refused_connect

ILL_FORMED = [b"\xc3\x28", b"\xc0\xaf", b"\xed\xa0\x80", b"\xed\xbf\xbf", b"\xf5\x80\x80\x80", b"\xf4\x90\x80\x80", b"\xff", b"\xe2\x82"]
NUL = b"a\0b"


def in_connect(bad: bytes, names) -> dict[str, bytes]:
    """A CONNECT for each place where a string can stand."""
    name, topic = names.client_id(), names.topic()

    def will(*properties) -> bytes:
        return packets.connect(names.client_id(), will=Will(topic, properties=[*properties]))

    return {
        "client id": packets.connect(name + bad),
        "user name": packets.connect(name, user_name=bad),
        "will topic": packets.connect(name, will=Will(topic + bad)),
        "user property name": packets.connect(name, [(P.USER_PROPERTY, (bad, b"v"))]),
        "user property value": packets.connect(name, [(P.USER_PROPERTY, (b"k", bad))]),
        "authentication method": packets.connect(name, [(P.AUTH_METHOD, bad)]),
        "will content type": will((P.CONTENT_TYPE, bad)),
        "will response topic": will((P.RESPONSE_TOPIC, bad)),
        "will user property name": will((P.USER_PROPERTY, (bad, b"v"))),
        "will user property value": will((P.USER_PROPERTY, (b"k", bad))),
    }


CONNECT_PLACES = [
    "client id", "user name", "will topic", "user property name", "user property value", "authentication method",
    "will content type", "will response topic", "will user property name", "will user property value",
]  # fmt: skip


def later(bad: bytes, topic: bytes) -> dict[str, bytes]:
    """A packet after CONNECT for each place where a string can stand."""
    named, valued = (P.USER_PROPERTY, (bad, b"v")), (P.USER_PROPERTY, (b"k", bad))
    return {
        "topic": packets.publish(topic + b"/" + bad, b"x", 1, 1),
        "content type": packets.publish(topic + b"/x", b"x", 1, 1, [(P.CONTENT_TYPE, bad)]),
        "response topic": packets.publish(topic + b"/x", b"x", 1, 1, [(P.RESPONSE_TOPIC, bad)]),
        "user property name in PUBLISH": packets.publish(topic + b"/x", b"x", 1, 1, [named]),
        "user property value in PUBLISH": packets.publish(topic + b"/x", b"x", 1, 1, [valued]),
        "filter": packets.subscribe(1, [(bad, 0)]),
        "user property name in SUBSCRIBE": packets.subscribe(1, [(topic, 0)], [named]),
        "user property value in SUBSCRIBE": packets.subscribe(1, [(topic, 0)], [valued]),
        "filter in UNSUBSCRIBE": packets.unsubscribe(1, [bad]),
        "user property name in UNSUBSCRIBE": packets.unsubscribe(1, [topic], [named]),
        "user property value in UNSUBSCRIBE": packets.unsubscribe(1, [topic], [valued]),
        "reason string in PUBACK": packets.puback(1, 0, [(P.REASON_STRING, bad)]),
        "user property name in DISCONNECT": packets.disconnect(0, [named]),
        "user property value in DISCONNECT": packets.disconnect(0, [valued]),
        "reason string in DISCONNECT": packets.disconnect(0, [(P.REASON_STRING, bad)]),
    }


LATER_PLACES = list(later(b"", b""))
SHOWS = {
    "client id": "MQTT-3.1.3-4",
    "will topic": "MQTT-3.1.3-11",
    "user name": "MQTT-3.1.3-12",
    "topic": "MQTT-3.3.2-1",
    "response topic": "MQTT-3.3.2-13",
    "content type": "MQTT-3.3.2-19",
    "filter": "MQTT-3.8.3-1",
    "filter in UNSUBSCRIBE": "MQTT-3.10.3-1",
}


def row(place: str):
    """A place and the statement about it."""
    return case(place, place, shows=SHOWS.get(place, "MQTT-1.5.7-1" if "user property" in place else ()))


@statement("MQTT-1.5.4-1", "MQTT-3.1.4-1")
@pytest.mark.parametrize("place", [row(place) for place in CONNECT_PLACES])
def test_ill_formed_utf8_in_connect_closes(address, names, place):
    for bad in ILL_FORMED:
        refused_connect(address, in_connect(bad, names)[place], 0x81, 0x85, 0x90)


@statement("MQTT-1.5.4-2", "MQTT-3.1.4-1")
@pytest.mark.parametrize("place", [row(place) for place in CONNECT_PLACES])
def test_the_null_character_in_connect_closes(address, names, place):
    refused_connect(address, in_connect(NUL, names)[place], 0x81, 0x85, 0x90)


@statement("MQTT-1.5.4-1", "MQTT-4.13.1-1")
@pytest.mark.parametrize("place", [row(place) for place in LATER_PLACES])
def test_ill_formed_utf8_closes_and_reaches_nobody(address, names, place):
    topic = names.topic()
    with connect(address, names.client_id()) as subscriber:
        subscriber.subscribe(topic + b"/#")
        for bad in ILL_FORMED:
            with connect(address, names.client_id()) as client:
                client.send(later(bad, topic)[place])
                client.refused(0x81, 0x82, 0x8F, 0x90)
        subscriber.silent()


@statement("MQTT-1.5.4-2", "MQTT-4.7.3-2", "MQTT-4.13.1-1")
@pytest.mark.parametrize("place", [row(place) for place in LATER_PLACES])
def test_the_null_character_closes_and_reaches_nobody(address, names, place):
    topic = names.topic()
    with connect(address, names.client_id()) as subscriber, connect(address, names.client_id()) as client:
        subscriber.subscribe(topic + b"/#")
        client.send(later(NUL, topic)[place])
        client.refused(0x81, 0x82, 0x8F, 0x90)
        subscriber.silent()


@statement("MQTT-1.5.4-3")
def test_a_byte_order_mark_is_a_character_of_the_topic(address, names):
    plain = names.topic()
    marked = b"\xef\xbb\xbf" + plain
    with connect(address, names.client_id()) as with_mark, connect(address, names.client_id()) as without:
        with_mark.subscribe(marked)
        without.subscribe(plain)
        with_mark.publish(marked, b"marked", 1)
        assert with_mark.message().topic == marked
        without.publish(plain, b"plain", 1)
        assert without.message().topic == plain
        without.silent()
        with_mark.silent()


@statement("MQTT-1.5.4-3")
def test_a_byte_order_mark_stays_in_properties(address, names):
    topic, text = names.topic(), b"\xef\xbb\xbftext\xef\xbb\xbf"
    properties = [(P.CONTENT_TYPE, text), (P.RESPONSE_TOPIC, text), (P.USER_PROPERTY, (text, text))]
    with connect(address, names.client_id()) as client:
        client.subscribe(topic)
        client.publish(topic, b"", 1, properties)
        assert client.message().properties.pairs == properties


@pytest.mark.parametrize("character", [b"\x01", b"\x1f", b"\x7f", b"\xc2\x80", b"\xc2\x9f", b"\xef\xbf\xbe", b"\xef\xb7\x90"])
def test_control_and_non_characters_are_refused_or_passed_but_never_altered(address, names, character):
    """1.5.4 says SHOULD NOT to them, and lets a receiver treat them as malformed."""
    topic = names.topic()
    with connect(address, names.client_id()) as subscriber, connect(address, names.client_id()) as client:
        subscriber.subscribe(topic + b"/+")
        client.send(packets.publish(topic + b"/a" + character + b"b", b"x", 0))
        client.send(packets.disconnect())
        client.refused(0x81, 0x82, 0x90)
        assert [message.topic for message in subscriber.all_messages()] in ([], [topic + b"/a" + character + b"b"])


@statement("MQTT-1.5.4-1")
def test_well_formed_utf8_of_every_length_is_passed_on(address, names):
    topic = names.topic(b"/" + "\u00e9\u20ac\U0001f30d\U0010fffd".encode())
    with connect(address, names.client_id()) as client:
        client.subscribe(topic)
        client.publish(topic, b"x", 1)
        assert client.message().topic == topic
