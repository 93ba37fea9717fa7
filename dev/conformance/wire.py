"""A TCP connection that speaks whole raw control packets: bytes in, bytes out. It knows framing and nothing else of MQTT."""

import socket
import ssl
import struct
import time
from typing import NamedTuple

PINGREQ = b"\xc0\x00"
PINGRESP = b"\xd0\x00"


class Closed(Exception):
    """The server ended the connection, by EOF or RST."""


class TlsAddress(NamedTuple):
    """Where a client connects by TLS, and as whom. It may stand wherever a host and a port may."""

    host: str
    port: int
    tls: ssl.SSLContext


class Client:
    """One connection to the server. Use it in a `with`: leaving it closes the socket without a DISCONNECT."""

    def __init__(self, address: tuple[str, int] | TlsAddress, timeout: float = 5):
        self.timeout = timeout
        self.buffer = b""
        self.socket = socket.create_connection(address[:2], timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if isinstance(address, TlsAddress):
            self.socket = address.tls.wrap_socket(self.socket, server_hostname="localhost")

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def send(self, *chunks: bytes) -> None:
        """All chunks in one write. That the server is gone already shows at the next read, not here."""
        self.socket.settimeout(self.timeout)
        try:
            self.socket.sendall(b"".join(chunks))
        except (ConnectionError, ssl.SSLError):
            pass

    def packet(self, timeout: float | None = None) -> bytes:
        """The next whole packet. `Closed` when the server ended the connection, TimeoutError when nothing comes."""
        end = time.monotonic() + (self.timeout if timeout is None else timeout)
        while True:
            size = packet_size(self.buffer)
            if size and len(self.buffer) >= size:
                packet, self.buffer = self.buffer[:size], self.buffer[size:]
                return packet
            self.buffer += self._read(end)

    def expect(self, expected: bytes) -> None:
        """The next packet is this one, byte for byte."""
        received = self.packet()
        assert received == expected, f"expected {expected.hex(' ')}, received {received[:200].hex(' ')}"

    def expect_closed(self, within: float = 3.0) -> list[bytes]:
        """Waits until the server ends the connection; gives the packets that came before."""
        end, packets = time.monotonic() + within, []
        while True:
            try:
                packets.append(self.packet(end - time.monotonic()))
            except Closed:
                assert not self.buffer, f"the server closed inside a packet: {self.buffer[:200].hex(' ')}"
                return packets
            except TimeoutError:
                seen = [packet[:40].hex(" ") for packet in packets]
                raise AssertionError(f"not closed within {within} s; received {seen}") from None

    def nothing_for(self, seconds: float) -> None:
        """Nothing comes, and the connection stays."""
        try:
            received = self.packet(seconds)
        except TimeoutError:
            assert not self.buffer, f"half a packet came: {self.buffer[:200].hex(' ')}"
            return
        except Closed:
            raise AssertionError(f"closed by the server within {seconds} s") from None
        raise AssertionError(f"expected nothing, received {received[:200].hex(' ')}")

    def fence(self) -> None:
        """All that was sent before is handled, and nothing came but the answer to this PINGREQ."""
        self.send(PINGREQ)
        self.expect(PINGRESP)

    def until_fence(self) -> list[bytes]:
        """As `fence`, but gives what came before the PINGRESP."""
        self.send(PINGREQ)
        packets = []
        while (packet := self.packet()) != PINGRESP:
            packets.append(packet)
        return packets

    def close(self) -> None:
        """The client's end of the TCP stream, without a DISCONNECT."""
        self.socket.close()

    def abort(self) -> None:
        """As a crash: RST instead of FIN."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def _read(self, end: float) -> bytes:
        left = end - time.monotonic()
        if left <= 0:
            raise TimeoutError(f"no whole packet; the buffer holds {self.buffer[:200].hex(' ') or 'nothing'}")
        self.socket.settimeout(left)
        try:
            chunk = self.socket.recv(65536)
        except TimeoutError:
            raise TimeoutError(f"no whole packet; the buffer holds {self.buffer[:200].hex(' ') or 'nothing'}") from None
        except (ConnectionError, ssl.SSLError) as error:
            raise Closed(str(error)) from None
        if not chunk:
            raise Closed("EOF")
        return chunk


def packet_size(data: bytes) -> int | None:
    """The size of the packet that starts here, header included; None while its length is not all there."""
    length = 0
    for index, digit in enumerate(data[1:5]):
        length |= (digit & 127) << (7 * index)
        if digit < 128:
            return 2 + index + length
    assert len(data) < 5, f"the server sent a length of more than four bytes: {data[:5].hex(' ')}"
    return None
