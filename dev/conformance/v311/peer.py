"""A connected MQTT 3.1.1 client for tests whose subject comes after CONNECT. It checks the form of all that the server sends."""

import time
from collections import deque
from contextlib import suppress

from v311.packets import (
    CONNACK,
    DISCONNECT,
    PINGREQ,
    PINGRESP,
    PUBLISH,
    SUBACK,
    Publish,
    Will,
    body,
    check_from_server,
    connack,
    connect,
    kind,
    packet_id,
    parse_publish,
    puback,
    pubcomp,
    publish,
    pubrec,
    pubrel,
    suback,
    subscribe,
    unsuback,
    unsubscribe,
)
from wire import Client, Closed

ABSENCE_SECONDS = 0.3
"""How long a test waits for what must not come, before its fence."""


class Checked(Client):
    """A connection whose every packet is one that a 3.1.1 server may send."""

    def packet(self, timeout: float | None = None) -> bytes:
        raw = super().packet(timeout)
        check_from_server(raw)
        return raw

    def packets_until(self, last: bytes, within: float = 3.0) -> list[bytes]:
        """What comes up to this packet, or until the server ends the connection."""
        packets: list[bytes] = []
        with suppress(Closed):
            while not packets or packets[-1] != last:
                try:
                    packets.append(self.packet(within))
                except TimeoutError:
                    seen = [packet[:40].hex(" ") for packet in packets]
                    raise AssertionError(f"neither {last.hex(' ')} nor a close, but {seen}") from None
        return packets


class Peer(Checked):
    """Connects when it is made. Deliveries that come while it waits for something else are kept for `receive`."""

    def __init__(
        self,
        address: tuple[str, int],
        client_id: bytes,
        clean: bool = True,
        keep_alive: int = 60,
        will: Will | None = None,
        *,
        timeout: float = 5,
    ):
        super().__init__(address, timeout)
        self.waiting: deque[Publish] = deque()
        self.last_id = 0
        self.send(connect(client_id, clean, keep_alive, will))
        answer = self.packet()
        assert kind(answer) == CONNACK, f"[MQTT-3.2.0-1] not a CONNACK: {answer[:40].hex(' ')}"
        self.session_present = answer == connack(session_present=True)
        assert self.session_present or answer == connack(), f"refused: {answer.hex(' ')}"

    def next_id(self) -> int:
        self.last_id = self.last_id % 65_535 + 1
        return self.last_id

    def subscribe(self, topic_filter: bytes, qos: int = 0) -> None:
        """Subscribes and is granted what it asks for."""
        codes = self.subscribe_all((topic_filter, qos))
        assert codes == [qos], f"asked for QoS {qos}, granted {codes}"

    def subscribe_all(self, *pairs: tuple[bytes, int]) -> list[int]:
        """The return codes of one SUBSCRIBE."""
        identifier = self.next_id()
        self.send(subscribe(identifier, *pairs))
        answer = self.next_but_deliveries()
        assert kind(answer) == SUBACK and packet_id(answer) == identifier, answer.hex(" ")
        codes = list(body(answer)[2:])
        assert answer == suback(identifier, *codes) and len(codes) == len(pairs), answer.hex(" ")
        return codes

    def unsubscribe(self, *filters: bytes) -> None:
        identifier = self.next_id()
        self.send(unsubscribe(identifier, *filters))
        self.await_packet(unsuback(identifier))

    def publish(self, topic: bytes, payload: bytes = b"", qos: int = 0, retain: bool = False) -> None:
        """Publishes; at QoS 1 and 2 with the whole exchange, at QoS 0 with a fence, so that the server has handled it."""
        if qos == 0:
            self.send(publish(topic, payload, retain=retain), PINGREQ)
            return self.await_packet(PINGRESP)
        identifier = self.next_id()
        self.send(publish(topic, payload, qos, identifier, retain))
        if qos == 1:
            return self.await_packet(puback(identifier))
        self.await_packet(pubrec(identifier))
        self.send(pubrel(identifier))
        self.await_packet(pubcomp(identifier))

    def receive(self, acknowledge: bool = True) -> Publish:
        """The next delivery, acknowledged as its QoS asks."""
        message = self.waiting.popleft() if self.waiting else parse_publish(self.packet())
        if acknowledge:
            self.acknowledge(message)
        return message

    def acknowledge(self, message: Publish) -> None:
        if message.qos == 1:
            self.send(puback(message.packet_id))
        elif message.qos == 2:
            self.send(pubrec(message.packet_id))
            self.await_packet(pubrel(message.packet_id))
            self.send(pubcomp(message.packet_id))

    def receive_all(self, quiet_seconds: float = ABSENCE_SECONDS) -> list[Publish]:
        """All deliveries until none has come for a while."""
        messages = []
        while True:
            if not self.waiting:
                try:
                    self.waiting.append(parse_publish(self.packet(quiet_seconds)))
                except TimeoutError:
                    return messages
            messages.append(self.receive())

    def expect_message(self, topic: bytes, payload: bytes, qos: int = 0, retain: bool = False) -> Publish:
        """The next delivery is this one, sent for the first time."""
        message = self.receive()
        seen = (message.topic, message.payload, message.qos, message.retain, message.dup)
        assert seen == (topic, payload, qos, retain, False), message
        return message

    def expect_silence(self, seconds: float = ABSENCE_SECONDS) -> None:
        """No delivery for a while, nor before a fence; the connection lives."""
        assert not self.waiting, f"not expected: {self.waiting}"
        self.nothing_for(seconds)
        self.fence()

    def expect_refusal(self, *chunks: bytes, within: float = 3.0) -> None:
        """Sends an offence; the server closes without a word."""
        self.send(*chunks)
        assert self.expect_closed(within) == []

    def expect_gone(self, within: float = 3.0) -> None:
        """The server ends the connection, whatever comes before."""
        end = time.monotonic() + within
        with suppress(Closed):
            while time.monotonic() < end:
                self.packet(max(end - time.monotonic(), 0.01))
            raise AssertionError(f"not closed within {within} s")

    def await_packet(self, expected: bytes) -> None:
        """The next packet is this one, deliveries aside."""
        answer = self.next_but_deliveries()
        assert answer == expected, f"expected {expected.hex(' ')}, received {answer[:60].hex(' ')}"

    def next_but_deliveries(self) -> bytes:
        while kind(raw := self.packet()) == PUBLISH:
            self.waiting.append(parse_publish(raw))
        return raw

    def disconnect(self) -> None:
        """Leaves as 3.14 asks, and waits until the server has taken notice."""
        self.send(DISCONNECT)
        self.expect_closed()
        self.close()
