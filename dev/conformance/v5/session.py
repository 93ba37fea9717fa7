"""An MQTT 5 connection at the level of packets: it parses strictly all that comes, and completes handshakes when asked to."""

import socket
import time
from collections import deque

from v5 import packets
from v5.packets import Connack, Disconnect, Pingresp, Puback, Pubcomp, Publish, Pubrec, Pubrel, Suback, Unsuback, Will
from v5.properties import P, require
from wire import PINGREQ, Client, Closed

WINDOW = 0.35  # Seconds in which a packet that must not come would have come; a PINGREQ follows as the fence.


class Session(Client):
    """One connection. What comes while an acknowledgement is awaited is kept for `receive`, in order."""

    def __init__(self, address: tuple[str, int], timeout: float = 8):
        super().__init__(address, timeout)
        self.kept: deque = deque()
        self.connack: Connack | None = None
        self.maximum_packet_size = 2**32
        self.alias_maximum = 0
        self.aliases: dict[int, bytes] = {}
        self.last_id = 0

    def open(self, raw: bytes, properties=()) -> "Session":
        """Sends a CONNECT and reads the CONNACK, whatever it says. The client's own limits hold for all that comes."""
        self.limits(properties)
        self.send(raw)
        self.connack = self._read_packet()
        assert isinstance(self.connack, Connack), f"{self.connack} before CONNACK [MQTT-3.2.0-1]"
        return self

    def limits(self, properties) -> None:
        """What the client allows the server, from CONNECT's properties."""
        given = dict(pair for pair in properties if not isinstance(pair, bytes))
        self.maximum_packet_size = given.get(P.MAXIMUM_PACKET_SIZE, 2**32)
        self.alias_maximum = given.get(P.TOPIC_ALIAS_MAXIMUM, 0)

    def server(self, identifier: int, default):
        """What the server announced in its CONNACK."""
        return self.connack.properties.get(identifier, default)

    def receive(self, timeout: float | None = None):
        """The next packet, parsed."""
        return self.kept.popleft() if self.kept else self._read_packet(timeout)

    def take(self, kind: type, timeout: float | None = None):
        """The next packet of this kind; others wait."""
        for index, packet in enumerate(self.kept):
            if isinstance(packet, kind):
                del self.kept[index]
                return packet
        end = time.monotonic() + (self.timeout if timeout is None else timeout)
        while not isinstance(packet := self._read_packet(end - time.monotonic()), kind):
            assert not isinstance(packet, Disconnect), f"{packet} where {kind.__name__} was awaited"
            self.kept.append(packet)
        return packet

    def subscribe(self, *filters, identifier: int | None = None, properties=()) -> Suback:
        """Subscribes to filters, or (filter, options) pairs. Options left out mean QoS 2."""
        pairs = [(given, 2) if isinstance(given, bytes) else given for given in filters]
        both = [*properties, *([(P.SUBSCRIPTION_IDENTIFIER, identifier)] if identifier else [])]
        packet_id = self.next_id()
        self.send(packets.subscribe(packet_id, pairs, both))
        suback = self.take(Suback)
        assert suback.packet_id == packet_id and len(suback.reasons) == len(pairs), f"{suback} for {pairs}"
        return suback

    def unsubscribe(self, *filters: bytes) -> Unsuback:
        packet_id = self.next_id()
        self.send(packets.unsubscribe(packet_id, filters))
        unsuback = self.take(Unsuback)
        assert unsuback.packet_id == packet_id and len(unsuback.reasons) == len(filters), f"{unsuback} for {filters}"
        return unsuback

    def publish(
        self, topic: bytes, payload: bytes = b"", qos: int = 1, properties=(), *, retain: bool = False, packet_id: int | None = None
    ):
        """Publishes and completes the handshake; gives the PUBACK or PUBREC. At QoS 0 a PINGREQ follows instead."""
        used = (packet_id or self.next_id()) if qos else None
        self.send(packets.publish(topic, payload, qos, used, properties, retain=retain))
        if qos == 0:
            return self.barrier()
        answer = self.take(Puback if qos == 1 else Pubrec)
        assert answer.packet_id == used and answer.reason < 0x80, f"{answer} for a PUBLISH to {topic} with id {used}"
        if qos == 2:
            self.release(used)
        return answer

    def publish_numbers(self, topic: bytes, qos: int, count: int) -> None:
        """Messages 0, 1, 2 and so on, with as many handshakes at once as the server allows, 100 at most."""
        at_once = min(self.server(P.RECEIVE_MAXIMUM, 65_535), 100)
        for start in range(0, count, at_once):
            ids = range(1, min(at_once, count - start) + 1)
            self.send(*(packets.publish(topic, b"%d" % (start + number - 1), qos, number if qos else None) for number in ids))
            if qos == 0:
                self.barrier()
            for _ in ids if qos else ():
                self.take(Puback if qos == 1 else Pubrec)
            if qos == 2:
                self.send(*(packets.pubrel(number) for number in ids))
                for _ in ids:
                    self.take(Pubcomp)

    def release(self, packet_id: int) -> Pubcomp:
        """PUBREL, and its PUBCOMP."""
        self.send(packets.pubrel(packet_id))
        pubcomp = self.take(Pubcomp)
        assert pubcomp.packet_id == packet_id, f"{pubcomp} for id {packet_id}"
        return pubcomp

    def message(self, timeout: float | None = None) -> Publish:
        """The next PUBLISH, acknowledged in full."""
        message = self.take(Publish, timeout)
        self.acknowledge(message)
        return message

    def acknowledge(self, message: Publish) -> None:
        """PUBACK, or PUBREC and after the PUBREL a PUBCOMP."""
        if message.qos == 1:
            self.send(packets.puback(message.packet_id))
        if message.qos == 2:
            self.send(packets.pubrec(message.packet_id))
            pubrel = self.take(Pubrel)
            assert (pubrel.packet_id, pubrel.reason) == (message.packet_id, 0), f"{pubrel} for {message}"
            self.send(packets.pubcomp(message.packet_id))

    def payloads(self, count: int) -> list[bytes]:
        """The payloads of the next `count` messages, each acknowledged."""
        return [self.message().payload for _ in range(count)]

    def barrier(self) -> None:
        """All that was sent before has been read by the server; what it answered is kept."""
        self.send(PINGREQ)
        self.take(Pingresp)

    def silent(self, seconds: float = WINDOW) -> None:
        """Nothing comes in a window of time, nor before the answer to a PINGREQ after it."""
        assert not self.kept, f"expected nothing, received {self.kept[0]}"
        try:
            packet = self._read_packet(seconds)
        except TimeoutError:
            self.barrier()
            packet = self.kept[0] if self.kept else None
        except Closed:
            raise AssertionError("closed by the server where nothing was to come") from None
        assert packet is None, f"expected nothing, received {packet}"

    def all_messages(self, seconds: float = 0.5) -> list[Publish]:
        """All messages until nothing came for a window of time, each acknowledged."""
        found = []
        while True:
            try:
                found.append(self.message(seconds))
            except TimeoutError:
                self.barrier()
                if not any(isinstance(packet, Publish) for packet in self.kept):
                    return found

    def refused(self, *codes: int, within: float = 4) -> list:
        """The server closes; a DISCONNECT may come just before, with one of these codes. Gives what came before that."""
        found = [*self.kept]
        end = time.monotonic() + within
        try:
            while True:
                found.append(self._read_packet(end - time.monotonic()))
        except Closed:
            assert not self.buffer, f"the server closed inside a packet: {self.buffer[:200].hex(' ')}"
        except TimeoutError:
            raise AssertionError(f"not closed within {within} s; received {found}") from None
        positions = [index for index, packet in enumerate(found) if isinstance(packet, Disconnect)]
        assert positions in ([], [len(found) - 1]), f"a packet after DISCONNECT [MQTT-3.14.4-1]: {found}"
        if positions:
            reason = found.pop().reason
            assert reason in codes, f"closed with {reason:#04x}, where {[hex(code) for code in codes]} may come"
        return found

    def leave(self, reason: int = 0, properties=()) -> None:
        """DISCONNECT, and wait for the server to end the connection, so that what follows from it has happened."""
        self.send(packets.disconnect(reason, properties))
        self.refused()
        self.close()

    def drop(self) -> None:
        """Ends the TCP stream as a failed network would, without a DISCONNECT, and waits for the server to notice."""
        self.socket.shutdown(socket.SHUT_WR)
        self.refused()
        self.close()

    def next_id(self) -> int:
        """A packet identifier of this client that is not in use."""
        self.last_id = self.last_id % 65_535 + 1
        return self.last_id

    def _read_packet(self, timeout: float | None = None):
        raw = self.packet(timeout)
        require(len(raw) <= self.maximum_packet_size, f"{len(raw)} bytes, above the client's Maximum Packet Size [MQTT-3.1.2-24]")
        packet = packets.parse(raw)
        if isinstance(packet, Publish):
            self._resolve(packet)
        return packet

    def _resolve(self, message: Publish) -> None:
        """Puts the topic in place of an alias of the server's."""
        alias = message.properties.get(P.TOPIC_ALIAS)
        if alias is None:
            return
        require(alias <= self.alias_maximum, f"alias {alias} above {self.alias_maximum} [MQTT-3.1.2-26]")
        if message.topic:
            self.aliases[alias] = message.topic
        require(alias in self.aliases, f"alias {alias} stands for no topic on this connection [MQTT-3.3.2-7]")
        message.topic = self.aliases[alias]


def connect(
    address: tuple[str, int], client_id: bytes, properties=(), *, clean_start: bool = True, expiry: int | None = None, will: Will | None = None,
    **more,
) -> Session:  # fmt: skip
    """A connection that the server accepted; its CONNACK is `.connack`. `expiry` is the Session Expiry Interval in seconds."""
    session = Session(address)
    properties = [*properties, *([] if expiry is None else [(P.SESSION_EXPIRY, expiry)])]
    session.open(packets.connect(client_id, properties, clean_start=clean_start, will=will, **more), properties)
    assert session.connack.reason == 0, f"refused with {session.connack}"
    return session


def resume(address: tuple[str, int], client_id: bytes, properties=(), *, expiry: int = 300, **more) -> Session:
    """As `connect`, with Clean Start 0, and the session is there."""
    session = connect(address, client_id, properties, clean_start=False, expiry=expiry, **more)
    assert session.connack.session_present, "the session is gone [MQTT-3.2.2-3]"
    return session


def refused_connect(address: tuple[str, int], raw: bytes, *codes: int, within: float = 4) -> None:
    """The server closes after this first packet; a CONNACK may come before, with one of these codes [MQTT-3.1.4-1]."""
    with Session(address) as session:
        session.send(raw)
        found = session.refused(within=within)
        assert len(found) <= 1 and all(isinstance(packet, Connack) for packet in found), f"{found} for a refused CONNECT"
        for connack in found:
            assert connack.reason in codes, f"CONNACK {connack.reason:#04x}, where {[hex(code) for code in codes]} may come"
