"""MQTT 5's control packets: writers that also write wrong ones, and a strict reader of what a server sends."""

import struct
from dataclasses import dataclass, field

from v5.properties import (
    AUTH, CONNACK, CONNECT, DISCONNECT, PINGRESP, PUBACK, PUBCOMP, PUBLISH, PUBREC, PUBREL, SUBACK, SUBSCRIBE,
    UNSUBACK, UNSUBSCRIBE, P, Properties, Reader, block, require, string, varint,
)  # fmt: skip

NO_LOCAL, RETAIN_AS_PUBLISHED = 0x04, 0x08
RETAIN_IF_NEW, RETAIN_NEVER = 0x10, 0x20

# Reason codes that a server may send in each packet (the tables in 3.2.2.2, 3.4.2.1 to 3.7.2.1, 3.9.3, 3.11.3, 3.14.2.1, 3.15.2.1).
CONNACK_CODES = bytes.fromhex("00 80 81 82 83 84 85 86 87 88 89 8a 8c 90 95 97 99 9a 9b 9c 9d 9f")
PUBACK_CODES = PUBREC_CODES = bytes.fromhex("00 10 80 83 87 90 91 97 99")
PUBREL_CODES = PUBCOMP_CODES = bytes.fromhex("00 92")
SUBACK_CODES = bytes.fromhex("00 01 02 80 83 87 8f 91 97 9e a1 a2")
UNSUBACK_CODES = bytes.fromhex("00 11 80 83 87 8f 91")
DISCONNECT_CODES = bytes.fromhex("00 80 81 82 83 87 89 8b 8d 8e 8f 90 93 94 95 96 97 98 99 9a 9b 9c 9d 9e 9f a0 a1 a2")
AUTH_CODES = bytes.fromhex("00 18")


@dataclass
class Will:
    """The will fields of a CONNECT."""

    topic: bytes
    payload: bytes = b""
    qos: int = 0
    retain: bool = False
    properties: list = field(default_factory=list)


def frame(kind: int, flags: int, *body: bytes) -> bytes:
    """Any control packet, with a right Remaining Length."""
    joined = b"".join(body)
    return bytes([kind << 4 | flags]) + varint(len(joined)) + joined


def u16(value: int) -> bytes:
    return struct.pack(">H", value)


def connect(
    client_id: bytes, properties=(), *, clean_start: bool = True, keep_alive: int = 60, will: Will | None = None,
    user_name: bytes | None = None, password: bytes | None = None, name: bytes = b"MQTT", level: int = 5, flags: int | None = None,
) -> bytes:  # fmt: skip
    """A CONNECT. `flags` replaces the Connect Flags without a change of the payload."""
    right = clean_start << 1 | (password is not None) << 6 | (user_name is not None) << 7
    payload = string(client_id)
    if will:
        right |= 0x04 | will.qos << 3 | will.retain << 5
        payload += block(will.properties) + string(will.topic) + string(will.payload)
    payload += b"".join(string(text) for text in (user_name, password) if text is not None)
    head = string(name) + bytes([level, right if flags is None else flags]) + u16(keep_alive)
    return frame(CONNECT, 0, head, block(properties), payload)


def publish(
    topic: bytes,
    payload: bytes = b"",
    qos: int = 0,
    packet_id: int | None = None,
    properties=(),
    *,
    retain: bool = False,
    dup: bool = False,
) -> bytes:
    """A PUBLISH. The packet identifier is written when given, whatever the QoS."""
    identifier = b"" if packet_id is None else u16(packet_id)
    return frame(PUBLISH, dup << 3 | qos << 1 | retain, string(topic), identifier, block(properties), payload)


def ack(kind: int, packet_id: int, reason: int = 0, properties=(), *, flags: int | None = None) -> bytes:
    """PUBACK, PUBREC, PUBREL or PUBCOMP, in the shortest form that says it."""
    long = block(properties) if properties else b""
    code = bytes([reason]) if reason or long else b""
    right = 2 if kind == PUBREL else 0
    return frame(kind, right if flags is None else flags, u16(packet_id), code, long)


def puback(packet_id: int, reason: int = 0, properties=()) -> bytes:
    return ack(PUBACK, packet_id, reason, properties)


def pubrec(packet_id: int, reason: int = 0, properties=()) -> bytes:
    return ack(PUBREC, packet_id, reason, properties)


def pubrel(packet_id: int, reason: int = 0, properties=()) -> bytes:
    return ack(PUBREL, packet_id, reason, properties)


def pubcomp(packet_id: int, reason: int = 0, properties=()) -> bytes:
    return ack(PUBCOMP, packet_id, reason, properties)


def subscribe(packet_id: int, filters, properties=()) -> bytes:
    """A SUBSCRIBE of (filter, options) pairs."""
    payload = b"".join(string(topic_filter) + bytes([options]) for topic_filter, options in filters)
    return frame(SUBSCRIBE, 2, u16(packet_id), block(properties), payload)


def unsubscribe(packet_id: int, filters, properties=()) -> bytes:
    return frame(UNSUBSCRIBE, 2, u16(packet_id), block(properties), b"".join(string(topic_filter) for topic_filter in filters))


def disconnect(reason: int = 0, properties=()) -> bytes:
    """A DISCONNECT in the shortest form that says it."""
    return _reason_packet(DISCONNECT, reason, properties)


def auth(reason: int = 0, properties=()) -> bytes:
    """An AUTH in the shortest form that says it."""
    return _reason_packet(AUTH, reason, properties)


def _reason_packet(kind: int, reason: int, properties) -> bytes:
    if properties:
        return frame(kind, 0, bytes([reason]), block(properties))
    if kind == AUTH and reason:
        return frame(kind, 0, bytes([reason, 0]))
    return frame(kind, 0, bytes([reason]) if reason else b"")


@dataclass
class Connack:
    session_present: bool
    reason: int
    properties: Properties


@dataclass
class Publish:
    topic: bytes
    payload: bytes
    qos: int
    retain: bool
    dup: bool
    packet_id: int | None
    properties: Properties


@dataclass
class Ack:
    packet_id: int
    reason: int
    properties: Properties


class Puback(Ack):
    pass


class Pubrec(Ack):
    pass


class Pubrel(Ack):
    pass


class Pubcomp(Ack):
    pass


@dataclass
class Suback:
    packet_id: int
    reasons: list[int]
    properties: Properties


@dataclass
class Unsuback:
    packet_id: int
    reasons: list[int]
    properties: Properties


@dataclass
class Pingresp:
    pass


@dataclass
class Disconnect:
    reason: int
    properties: Properties


@dataclass
class Auth:
    reason: int
    properties: Properties


def parse(data: bytes):
    """One whole packet from a server; `ParseError` for all that the standard does not let a server send."""
    reader = Reader(data)
    first, length = reader.byte(), reader.varint()
    require(length == reader.rest(), f"Remaining Length {length} and {reader.rest()} bytes")
    kind, flags = first >> 4, first & 15
    require(kind in PARSERS, f"a server sends no packet of type {kind}")
    right = flags if kind == PUBLISH else 2 if kind == PUBREL else 0
    require(flags == right, f"flags {flags:04b} in a packet of type {kind} [MQTT-2.1.3-1]")
    packet = PARSERS[kind](reader, flags)
    require(not reader.rest(), f"{reader.rest()} bytes left over in {data[:200].hex(' ')}")
    return packet


def _code(reason: int, allowed: bytes, packet: str) -> int:
    require(reason in allowed, f"reason code {reason:#04x} in {packet}")
    return reason


def _connack(reader: Reader, _flags: int) -> Connack:
    flags, reason = reader.byte(), _code(reader.byte(), CONNACK_CODES, "CONNACK [MQTT-3.2.2-8]")
    require(flags & 0xFE == 0, f"Connect Acknowledge Flags {flags:#x} [MQTT-3.2.2-1]")
    require(not (reason and flags), "Session Present in a refusal [MQTT-3.2.2-6]")
    return Connack(bool(flags), reason, reader.properties(CONNACK))


def _publish(reader: Reader, flags: int) -> Publish:
    qos, retain, dup = flags >> 1 & 3, bool(flags & 1), bool(flags & 8)
    require(qos < 3, "QoS 3 [MQTT-3.3.1-4]")
    require(qos or not dup, "DUP at QoS 0 [MQTT-3.3.1-2]")
    topic = reader.string()
    require(not set(topic) & set(b"+#"), f"a wildcard in the topic name {topic} [MQTT-3.3.2-2]")
    packet_id = reader.u16() if qos else None
    require(packet_id != 0, "packet identifier 0 [MQTT-2.2.1-4]")
    properties = reader.properties(PUBLISH)
    require(topic or P.TOPIC_ALIAS in properties, "an empty topic name without an alias [MQTT-4.7.3-1]")
    response = properties.get(P.RESPONSE_TOPIC, b"")
    require(not set(response) & set(b"+#"), f"a wildcard in the response topic {response} [MQTT-3.3.2-14]")
    return Publish(topic, reader.take(reader.rest()), qos, retain, dup, packet_id, properties)


def _ack(kind: int, cls: type[Ack], codes: bytes):
    def read(reader: Reader, _flags: int) -> Ack:
        packet_id = reader.u16()
        require(packet_id, "packet identifier 0")
        reason = _code(reader.byte(), codes, cls.__name__) if reader.rest() else 0
        return cls(packet_id, reason, reader.properties(kind) if reader.rest() else Properties())

    return read


def _reasons(kind: int, cls: type, codes: bytes):
    def read(reader: Reader, _flags: int):
        packet_id, properties = reader.u16(), reader.properties(kind)
        require(reader.rest(), f"no reason code in {cls.__name__}")
        return cls(packet_id, [_code(reason, codes, cls.__name__) for reason in reader.take(reader.rest())], properties)

    return read


def _pingresp(_reader: Reader, _flags: int) -> Pingresp:
    return Pingresp()


def _disconnect(reader: Reader, _flags: int) -> Disconnect:
    reason = _code(reader.byte(), DISCONNECT_CODES, "DISCONNECT [MQTT-3.14.2-1]") if reader.rest() else 0
    properties = reader.properties(DISCONNECT) if reader.rest() else Properties()
    require(P.SESSION_EXPIRY not in properties, "Session Expiry Interval from a server [MQTT-3.14.2-2]")
    return Disconnect(reason, properties)


def _auth(reader: Reader, _flags: int) -> Auth:
    if not reader.rest():
        return Auth(0, Properties())
    return Auth(_code(reader.byte(), AUTH_CODES, "AUTH [MQTT-3.15.2-1]"), reader.properties(AUTH))


PARSERS = {
    CONNACK: _connack,
    PUBLISH: _publish,
    PUBACK: _ack(PUBACK, Puback, PUBACK_CODES),
    PUBREC: _ack(PUBREC, Pubrec, PUBREC_CODES),
    PUBREL: _ack(PUBREL, Pubrel, PUBREL_CODES),
    PUBCOMP: _ack(PUBCOMP, Pubcomp, PUBCOMP_CODES),
    SUBACK: _reasons(SUBACK, Suback, SUBACK_CODES),
    UNSUBACK: _reasons(UNSUBACK, Unsuback, UNSUBACK_CODES),
    PINGRESP: _pingresp,
    DISCONNECT: _disconnect,
    AUTH: _auth,
}
