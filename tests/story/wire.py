"""MQTT 3.1.1 by hand, for what clients are too polite to do: pipelining without waiting, and bytes that are wrong."""

import socket


def packet(first: int, body: bytes) -> bytes:
    length, remaining = b"", len(body)
    while True:
        remaining, digit = divmod(remaining, 128)
        length += bytes([digit | (128 if remaining else 0)])
        if not remaining:
            return bytes([first]) + length + body


def text(value: bytes) -> bytes:
    return len(value).to_bytes(2, "big") + value


def connect_packet(client_id: bytes = b"raw", protocol: bytes = b"MQTT", level: int = 4, flags: int = 2) -> bytes:
    return packet(0x10, text(protocol) + bytes([level, flags]) + b"\x00\x3c" + text(client_id))


def publish_packet(topic: bytes, payload: bytes, packet_id: int, retain: bool = False) -> bytes:
    """At QoS 1."""
    return packet(0x33 if retain else 0x32, text(topic) + packet_id.to_bytes(2, "big") + payload)


def subscribe_packet(*filters: bytes, packet_id: int = 1) -> bytes:
    """At QoS 0."""
    body = b"".join(text(topic_filter) + b"\x00" for topic_filter in filters)
    return packet(0x82, packet_id.to_bytes(2, "big") + body)


ACCEPTED = b"\x20\x02\x00\x00"


class Connection:
    """A connected client that reads packet by packet."""

    def __init__(self, port: int, client_id: bytes, seconds: float = 10, connect: bytes | None = None):
        self.socket = socket.create_connection(("127.0.0.1", port), seconds)
        self.socket.settimeout(seconds)
        self.buffer = b""
        self.socket.sendall(connect or connect_packet(client_id))
        assert self.read() == (0x20, b"\x00\x00")

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def read(self) -> tuple[int, bytes]:
        """The next packet's first byte and its body. ConnectionError when the server is gone."""
        while True:
            whole = self._parse()
            if whole:
                return whole
            chunk = self.socket.recv(65536)
            if not chunk:
                raise ConnectionError("closed by the server")
            self.buffer += chunk

    def close(self) -> None:
        self.socket.close()

    def _parse(self) -> tuple[int, bytes] | None:
        length, shift, at = 0, 0, 1
        while at < len(self.buffer):
            digit = self.buffer[at]
            length |= (digit & 127) << shift
            shift, at = shift + 7, at + 1
            if digit < 128:
                if len(self.buffer) < at + length:
                    return None
                first, body = self.buffer[0], self.buffer[at : at + length]
                self.buffer = self.buffer[at + length :]
                return first, body
        return None
