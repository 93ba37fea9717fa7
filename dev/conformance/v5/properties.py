"""MQTT 5's properties (2.2.2): how each is written, where it may stand, and a strict reader. Writers take wrong ones as well."""

import struct
from dataclasses import dataclass, field
from enum import IntEnum

CONNECT, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBSCRIBE = range(1, 9)
SUBACK, UNSUBSCRIBE, UNSUBACK, PINGREQ, PINGRESP, DISCONNECT, AUTH = range(9, 16)
WILL = 0  # The Will Properties, which stand in CONNECT's payload.

BYTE, TWO_BYTES, FOUR_BYTES, VARINT, STRING, BINARY, PAIR = "byte u16 u32 varint string binary pair".split()


class P(IntEnum):
    """A property's identifier."""

    PAYLOAD_FORMAT = 0x01
    MESSAGE_EXPIRY = 0x02
    CONTENT_TYPE = 0x03
    RESPONSE_TOPIC = 0x08
    CORRELATION_DATA = 0x09
    SUBSCRIPTION_IDENTIFIER = 0x0B
    SESSION_EXPIRY = 0x11
    ASSIGNED_CLIENT_ID = 0x12
    SERVER_KEEP_ALIVE = 0x13
    AUTH_METHOD = 0x15
    AUTH_DATA = 0x16
    REQUEST_PROBLEM = 0x17
    WILL_DELAY = 0x18
    REQUEST_RESPONSE = 0x19
    RESPONSE_INFORMATION = 0x1A
    SERVER_REFERENCE = 0x1C
    REASON_STRING = 0x1F
    RECEIVE_MAXIMUM = 0x21
    TOPIC_ALIAS_MAXIMUM = 0x22
    TOPIC_ALIAS = 0x23
    MAXIMUM_QOS = 0x24
    RETAIN_AVAILABLE = 0x25
    USER_PROPERTY = 0x26
    MAXIMUM_PACKET_SIZE = 0x27
    WILDCARD_AVAILABLE = 0x28
    SUBSCRIPTION_IDENTIFIER_AVAILABLE = 0x29
    SHARED_AVAILABLE = 0x2A


@dataclass(frozen=True)
class Row:
    """One line of the standard's table of properties."""

    type: str
    packets: frozenset[int]
    values: range | None = None


def _row(type_: str, *packets: int, values: range | None = None) -> Row:
    return Row(type_, frozenset(packets), values)


ACKS = (PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK, UNSUBACK)
FLAG = range(2)

TABLE: dict[int, Row] = {
    P.PAYLOAD_FORMAT: _row(BYTE, PUBLISH, WILL, values=FLAG),
    P.MESSAGE_EXPIRY: _row(FOUR_BYTES, PUBLISH, WILL),
    P.CONTENT_TYPE: _row(STRING, PUBLISH, WILL),
    P.RESPONSE_TOPIC: _row(STRING, PUBLISH, WILL),
    P.CORRELATION_DATA: _row(BINARY, PUBLISH, WILL),
    P.SUBSCRIPTION_IDENTIFIER: _row(VARINT, PUBLISH, SUBSCRIBE, values=range(1, 268_435_456)),
    P.SESSION_EXPIRY: _row(FOUR_BYTES, CONNECT, CONNACK, DISCONNECT),
    P.ASSIGNED_CLIENT_ID: _row(STRING, CONNACK),
    P.SERVER_KEEP_ALIVE: _row(TWO_BYTES, CONNACK),
    P.AUTH_METHOD: _row(STRING, CONNECT, CONNACK, AUTH),
    P.AUTH_DATA: _row(BINARY, CONNECT, CONNACK, AUTH),
    P.REQUEST_PROBLEM: _row(BYTE, CONNECT, values=FLAG),
    P.WILL_DELAY: _row(FOUR_BYTES, WILL),
    P.REQUEST_RESPONSE: _row(BYTE, CONNECT, values=FLAG),
    P.RESPONSE_INFORMATION: _row(STRING, CONNACK),
    P.SERVER_REFERENCE: _row(STRING, CONNACK, DISCONNECT),
    P.REASON_STRING: _row(STRING, CONNACK, *ACKS, DISCONNECT, AUTH),
    P.RECEIVE_MAXIMUM: _row(TWO_BYTES, CONNECT, CONNACK, values=range(1, 65_536)),
    P.TOPIC_ALIAS_MAXIMUM: _row(TWO_BYTES, CONNECT, CONNACK),
    P.TOPIC_ALIAS: _row(TWO_BYTES, PUBLISH, values=range(1, 65_536)),
    P.MAXIMUM_QOS: _row(BYTE, CONNACK, values=FLAG),
    P.RETAIN_AVAILABLE: _row(BYTE, CONNACK, values=FLAG),
    P.USER_PROPERTY: _row(PAIR, CONNECT, CONNACK, PUBLISH, WILL, SUBSCRIBE, UNSUBSCRIBE, *ACKS, DISCONNECT, AUTH),
    P.MAXIMUM_PACKET_SIZE: _row(FOUR_BYTES, CONNECT, CONNACK, values=range(1, 2**32)),
    P.WILDCARD_AVAILABLE: _row(BYTE, CONNACK, values=FLAG),
    P.SUBSCRIPTION_IDENTIFIER_AVAILABLE: _row(BYTE, CONNACK, values=FLAG),
    P.SHARED_AVAILABLE: _row(BYTE, CONNACK, values=FLAG),
}

# A valid value of each property, for tests that put one where it does not belong.
SAMPLES: dict[int, object] = {
    identifier: {BYTE: 1, TWO_BYTES: 1, FOUR_BYTES: 1000, VARINT: 1, STRING: b"s", BINARY: b"s", PAIR: (b"k", b"v")}[row.type]
    for identifier, row in TABLE.items()
}


class ParseError(AssertionError):
    """The server sent what the standard does not allow."""


def require(condition: object, text: str) -> None:
    """As `assert`, for what a server sends."""
    if not condition:
        raise ParseError(text)


def varint(value: int, size: int = 0) -> bytes:
    """A variable byte integer, in the fewest bytes or padded to `size`."""
    out = bytearray()
    while value > 127 or len(out) + 1 < size:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes(out) + bytes([value])


def string(value: bytes) -> bytes:
    """A string or binary data: two bytes of length, then the bytes as they are."""
    return struct.pack(">H", len(value)) + value


def one(identifier: int, value: object) -> bytes:
    """One property by its identifier."""
    return varint(identifier) + WRITERS[TABLE[identifier].type](value)


def block(pairs=()) -> bytes:
    """A property length and its properties: (identifier, value) pairs, or raw bytes in their place."""
    body = b"".join(pair if isinstance(pair, bytes) else one(*pair) for pair in pairs)
    return varint(len(body)) + body


WRITERS = {
    BYTE: lambda value: struct.pack(">B", value),
    TWO_BYTES: lambda value: struct.pack(">H", value),
    FOUR_BYTES: lambda value: struct.pack(">I", value),
    VARINT: varint,
    STRING: string,
    BINARY: string,
    PAIR: lambda value: string(value[0]) + string(value[1]),
}


@dataclass
class Properties:
    """What stood in a packet, in its order."""

    pairs: list[tuple[int, object]] = field(default_factory=list)

    def get(self, identifier: int, default=None):
        """The value of a property that stands once at most."""
        return next((value for found, value in self.pairs if found == identifier), default)

    def all(self, identifier: int) -> list:
        """All values of a property that may be repeated, in order."""
        return [value for found, value in self.pairs if found == identifier]

    def by_identifier(self) -> list[tuple[int, object]]:
        """The pairs by identifier; repeated ones stay in their order."""
        return sorted(self.pairs, key=lambda pair: pair[0])

    def __contains__(self, identifier: int) -> bool:
        return any(found == identifier for found, _ in self.pairs)


class Reader:
    """Reads fields off the front of a packet's body, strictly."""

    def __init__(self, data: bytes):
        self.data = data
        self.at = 0

    def rest(self) -> int:
        return len(self.data) - self.at

    def take(self, size: int) -> bytes:
        require(size <= self.rest(), f"a field of {size} bytes runs past the end of {self.data[:200].hex(' ')}")
        self.at += size
        return self.data[self.at - size : self.at]

    def byte(self) -> int:
        return self.take(1)[0]

    def u16(self) -> int:
        return struct.unpack(">H", self.take(2))[0]

    def u32(self) -> int:
        return struct.unpack(">I", self.take(4))[0]

    def varint(self) -> int:
        value, start = 0, self.at
        for shift in (0, 7, 14, 21):
            digit = self.byte()
            value |= (digit & 127) << shift
            if digit < 128:
                require(varint(value) == self.data[start : self.at], f"{value} is not in the fewest bytes [MQTT-1.5.5-1]")
                return value
        raise ParseError("a variable byte integer of more than four bytes [MQTT-1.5.5-1]")

    def binary(self) -> bytes:
        return self.take(self.u16())

    def string(self) -> bytes:
        text = self.binary()
        try:
            text.decode()
        except UnicodeDecodeError:
            raise ParseError(f"not UTF-8: {text[:100]} [MQTT-1.5.4-1]") from None
        require(b"\0" not in text, f"U+0000 in {text[:100]} [MQTT-1.5.4-2]")
        return text

    def pair(self) -> tuple[bytes, bytes]:
        return self.string(), self.string()

    def properties(self, packet: int) -> Properties:
        """The property length and the properties, each checked for whether it may stand in this packet."""
        body, found = Reader(self.take(self.varint())), Properties()
        while body.rest():
            identifier = body.varint()
            require(identifier in TABLE, f"no property has the identifier {identifier:#x}")
            row = TABLE[identifier]
            require(packet in row.packets, f"property {P(identifier).name} in a packet of type {packet}")
            repeats = identifier == P.USER_PROPERTY or (identifier, packet) == (P.SUBSCRIPTION_IDENTIFIER, PUBLISH)
            require(repeats or identifier not in found, f"property {P(identifier).name} twice")
            value = getattr(body, READERS[row.type])()
            require(row.values is None or value in row.values, f"property {P(identifier).name} is {value}")
            found.pairs.append((identifier, value))
        require(P.AUTH_DATA not in found or P.AUTH_METHOD in found, "Authentication Data without a method")
        return found


READERS = {BYTE: "byte", TWO_BYTES: "u16", FOUR_BYTES: "u32", VARINT: "varint", STRING: "string", BINARY: "binary", PAIR: "pair"}
