"""A WebSocket by hand (RFC 6455): what is sent is one masked binary frame, what is read are the payloads of the server's."""

import base64
import hashlib
import os
import time

from wire import Client, Closed

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class WebSocket(Client):
    """Opens the handshake when it is made; `status` and `protocol` are what the server answered."""

    def __init__(self, address: tuple[str, int], offered: str | None = "mqtt", path: str = "/mqtt", timeout: float = 5):
        super().__init__(address, timeout)
        self.frames = b""
        self.pongs: list[bytes] = []
        self.close_code: int | None = None
        key = base64.b64encode(os.urandom(16))
        lines = [f"GET {path} HTTP/1.1", f"Host: {address[0]}:{address[1]}", "Upgrade: websocket", "Connection: Upgrade"]
        lines += [f"Sec-WebSocket-Key: {key.decode()}", "Sec-WebSocket-Version: 13"]
        lines += [f"Sec-WebSocket-Protocol: {offered}"] if offered else []
        super().send("\r\n".join([*lines, "", ""]).encode())
        head, self.frames = self._head()
        self.status = int(head.split(b" ")[1])
        headers = dict(line.split(b": ", 1) for line in head.lower().split(b"\r\n")[1:])
        self.protocol = headers.get(b"sec-websocket-protocol")
        if self.status == 101:
            expected = base64.b64encode(hashlib.sha1(key + GUID).digest()).lower()
            assert headers[b"sec-websocket-accept"] == expected, head

    def send(self, *chunks: bytes) -> None:
        """All chunks in one binary frame."""
        self.send_frame(BINARY, b"".join(chunks))

    def send_frame(self, opcode: int, payload: bytes, final: bool = True) -> None:
        """Any frame of a client: masked, as RFC 6455 (5.3) asks."""
        super().send(frame(opcode, payload, final))

    def _head(self) -> tuple[bytes, bytes]:
        data = b""
        while b"\r\n\r\n" not in data:
            data += super()._read(self._end())
        head, rest = data.split(b"\r\n\r\n", 1)
        return head, rest

    def _end(self) -> float:
        return time.monotonic() + self.timeout

    def _read(self, end: float) -> bytes:
        """The payload of the next data frame that has one."""
        while True:
            opcode, payload = self._frame(end)
            if opcode == CLOSE:
                self.close_code = int.from_bytes(payload[:2], "big") if payload else None
                raise Closed(f"close frame {payload.hex(' ')}")
            if opcode == PONG:
                self.pongs.append(payload)
            elif payload:
                return payload

    def _frame(self, end: float) -> tuple[int, bytes]:
        while True:
            if len(self.frames) >= 2:
                opcode, length, at = self.frames[0] & 15, self.frames[1], 2
                assert self.frames[0] & 0x70 == 0 and length < 128, f"a reserved bit, or masked by the server: {self.frames[:2].hex()}"
                assert opcode in (CONTINUATION, BINARY, CLOSE, PING, PONG), f"[MQTT-6.0.0-1] opcode {opcode} from the server"
                if length > 125:
                    at = 4 if length == 126 else 10
                    length = int.from_bytes(self.frames[2:at], "big")
                if len(self.frames) >= max(at, 2) + length and len(self.frames) >= at:
                    payload, self.frames = self.frames[at : at + length], self.frames[at + length :]
                    return opcode, payload
            self.frames += super()._read(end)


def frame(opcode: int, payload: bytes, final: bool = True) -> bytes:
    mask, size = os.urandom(4), len(payload)
    if size < 126:
        length = bytes([0x80 | size])
    elif size < 65_536:
        length = b"\xfe" + size.to_bytes(2, "big")
    else:
        length = b"\xff" + size.to_bytes(8, "big")
    masked = bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))
    return bytes([(0x80 if final else 0) | opcode]) + length + mask + masked
