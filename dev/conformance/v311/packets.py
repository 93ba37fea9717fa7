"""MQTT 3.1.1 packets as bytes: builders for both directions, a parser for PUBLISH, and the rules that bind every packet of a server."""

from collections.abc import Iterable
from dataclasses import dataclass

PINGREQ = b"\xc0\x00"
PINGRESP = b"\xd0\x00"
DISCONNECT = b"\xe0\x00"

CONNECT, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP = 1, 2, 3, 4, 5, 6, 7
SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK = 8, 9, 10, 11

FAILURE = 0x80


@dataclass(frozen=True)
class Will:
    """The fields of a CONNECT with Will Flag 1."""

    topic: bytes
    payload: bytes
    qos: int = 0
    retain: bool = False


@dataclass(frozen=True)
class Publish:
    """What a PUBLISH says. The packet identifier is None at QoS 0."""

    topic: bytes
    payload: bytes
    qos: int = 0
    retain: bool = False
    dup: bool = False
    packet_id: int | None = None


def text(value: bytes) -> bytes:
    """A field of two length bytes and its value: a string, a will message or a password."""
    return len(value).to_bytes(2, "big") + value


def number(value: int) -> bytes:
    """A packet identifier or a keep alive."""
    return value.to_bytes(2, "big")


def remaining_length(length: int) -> bytes:
    """In as few bytes as it takes."""
    digits = bytearray()
    while True:
        length, digit = divmod(length, 128)
        digits.append(digit | (128 if length else 0))
        if not length:
            return bytes(digits)


def packet(first: int, body: bytes) -> bytes:
    """A packet of its first byte and what follows the remaining length."""
    return bytes([first]) + remaining_length(len(body)) + body


def connect(
    client_id: bytes,
    clean: bool = True,
    keep_alive: int = 60,
    will: Will | None = None,
    user_name: bytes | None = None,
    password: bytes | None = None,
    *,
    name: bytes = b"MQTT",
    level: int = 4,
) -> bytes:
    """A CONNECT whose flags say what its payload has."""
    flags, payload = 2 if clean else 0, text(client_id)
    if will:
        flags |= 0x04 | will.qos << 3 | (0x20 if will.retain else 0)
        payload += text(will.topic) + text(will.payload)
    if user_name is not None:
        flags |= 0x80
        payload += text(user_name)
    if password is not None:
        flags |= 0x40
        payload += text(password)
    return raw_connect(flags, payload, keep_alive, name=name, level=level)


def raw_connect(flags: int, payload: bytes, keep_alive: int = 60, *, name: bytes = b"MQTT", level: int = 4) -> bytes:
    """A CONNECT whose flags and payload need not agree."""
    return packet(0x10, text(name) + bytes([level, flags]) + number(keep_alive) + payload)


def connack(code: int = 0, session_present: bool = False) -> bytes:
    return bytes([0x20, 2, session_present, code])


def publish(
    topic: bytes,
    payload: bytes = b"",
    qos: int = 0,
    packet_id: int | None = None,
    retain: bool = False,
    dup: bool = False,
) -> bytes:
    first = 0x30 | (8 if dup else 0) | qos << 1 | retain
    identifier = number(packet_id) if packet_id is not None else b""
    return packet(first, text(topic) + identifier + payload)


def puback(packet_id: int) -> bytes:
    return b"\x40\x02" + number(packet_id)


def pubrec(packet_id: int) -> bytes:
    return b"\x50\x02" + number(packet_id)


def pubrel(packet_id: int) -> bytes:
    return b"\x62\x02" + number(packet_id)


def pubcomp(packet_id: int) -> bytes:
    return b"\x70\x02" + number(packet_id)


def subscribe(packet_id: int, *pairs: tuple[bytes, int]) -> bytes:
    """Each pair is a topic filter and its requested QoS, or any other byte."""
    return packet(0x82, number(packet_id) + b"".join(text(topic_filter) + bytes([qos]) for topic_filter, qos in pairs))


def suback(packet_id: int, *codes: int) -> bytes:
    return packet(0x90, number(packet_id) + bytes(codes))


def unsubscribe(packet_id: int, *filters: bytes) -> bytes:
    return packet(0xA2, number(packet_id) + b"".join(map(text, filters)))


def unsuback(packet_id: int) -> bytes:
    return b"\xb0\x02" + number(packet_id)


def kind(raw: bytes) -> int:
    """The control packet type."""
    return raw[0] >> 4


def body(raw: bytes) -> bytes:
    """What follows the remaining length."""
    at = 1
    while raw[at] & 128:
        at += 1
    return raw[at + 1 :]


def packet_id(raw: bytes) -> int:
    """The packet identifier of an acknowledgement, SUBACK or UNSUBACK."""
    return int.from_bytes(body(raw)[:2], "big")


def parse_publish(raw: bytes) -> Publish:
    assert kind(raw) == PUBLISH, f"not a PUBLISH: {raw[:60].hex(' ')}"
    rest, qos = body(raw), raw[0] >> 1 & 3
    end = 2 + int.from_bytes(rest[:2], "big")
    assert len(rest) >= end + (2 if qos else 0), f"a PUBLISH that is cut short: {raw[:60].hex(' ')}"
    topic, rest = rest[2:end], rest[end:]
    identifier = int.from_bytes(rest[:2], "big") if qos else None
    return Publish(topic, rest[2:] if qos else rest, qos, bool(raw[0] & 1), bool(raw[0] & 8), identifier)


def publishes(packets: Iterable[bytes]) -> list[Publish]:
    """The PUBLISH packets among these, parsed."""
    return [parse_publish(raw) for raw in packets if kind(raw) == PUBLISH]


def check_from_server(raw: bytes) -> None:
    """What a 3.1.1 server may send at all: table 2.2, and the body of each packet."""
    shown = raw[:60].hex(" ")
    if kind(raw) == PUBLISH:
        return check_publish(parse_publish(raw), shown)
    assert raw[0] in (0x20, 0x40, 0x50, 0x62, 0x70, 0x90, 0xB0, 0xD0), f"a server never sends this: {shown}"
    rest = body(raw)
    if raw[0] == 0xD0:
        assert raw == PINGRESP, shown
    elif raw[0] == 0x20:
        assert len(raw) == 4 and rest[0] in (0, 1) and rest[1] <= 5, f"a CONNACK that says nothing: {shown}"
        assert rest[1] == 0 or rest[0] == 0, f"[MQTT-3.2.2-4] Session Present on a refusal: {shown}"
    elif raw[0] == 0x90:
        assert len(rest) > 2 and set(rest[2:]) <= {0, 1, 2, FAILURE}, f"[MQTT-3.9.3-2] {shown}"
    else:
        assert len(raw) == 4 and rest != b"\0\0", f"an acknowledgement is an identifier and no more: {shown}"


def check_publish(message: Publish, shown: str) -> None:
    assert message.qos < 3, f"[MQTT-3.3.1-4] {shown}"
    assert message.packet_id != 0, f"[MQTT-2.3.1-1] {shown}"
    assert message.qos or not message.dup, f"[MQTT-3.3.1-2] {shown}"
    assert message.topic and not set(message.topic) & set(b"+#\0"), f"[MQTT-3.3.2-2] {shown}"
    message.topic.decode()
