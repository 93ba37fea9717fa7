"""MQTT clients that keep to the standard to the letter, whatever happens to the server: a publisher that resends what
is not acknowledged, and a subscriber that notices what is lost, comes twice, or comes in the wrong order.
"""

import asyncio
import itertools
import random
from collections.abc import Awaitable

from wire import packet, text

CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK, PINGRESP = 2, 3, 4, 5, 6, 7, 9, 13
WINDOW = 20
IDENTIFIERS = 32
"""Few, so that each is used again and again."""


class Broken(AssertionError):
    """The server did what the standard does not let it do."""


def require(holds: bool, message: str) -> None:
    if not holds:
        raise Broken(message)


def number(value: int) -> bytes:
    return value.to_bytes(2, "big")


class Faithful:
    """A client that comes back as soon as it can, until it is told to stop. `is_away` keeps it from coming back."""

    def __init__(self, port: int, name: str, level: int, receive_max: int | None = None, is_clean: bool = False):
        self.port, self.name, self.level, self.receive_max = port, name, level, receive_max
        self.is_clean = is_clean
        """Its sessions end with their connections."""
        self.is_away = False
        self.is_stopped = False
        self.is_known = False
        """CONNACK came once, so the server has the session."""
        self.connections = 0
        self.writer: asyncio.StreamWriter | None = None
        self.ready = asyncio.Event()

    async def run(self) -> None:
        while not self.is_stopped:
            if not self.is_away:
                try:
                    await self.visit()
                except (OSError, asyncio.IncompleteReadError):
                    pass  # the server was killed, or is not there again yet
            await asyncio.sleep(0.005)

    async def visit(self) -> None:
        reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        busy = None
        try:
            self.send(self.connect_packet())
            first, body = await read_packet(reader)
            require(first >> 4 == CONNACK and body[1] == 0, f"{self.name}: CONNECT answered by {first:02x} {body.hex(' ')}")
            require(body[0] == 1 or self.is_clean or not self.is_known, f"{self.name}: the session is lost")
            self.is_known = True
            self.connections += 1
            busy = asyncio.create_task(self.act())
            while True:
                first, body = await read_packet(reader)
                await self.handle(first, body)
                await self.writer.drain()
        finally:
            if busy:
                busy.cancel()
            self.writer.transport.abort()

    def connect_packet(self) -> bytes:
        properties = b""
        if self.level == 5:
            properties = b"\x11" + (3600).to_bytes(4, "big")
            properties += b"\x21" + number(self.receive_max) if self.receive_max else b""
            properties = bytes([len(properties)]) + properties
        head = text(b"MQTT") + bytes([self.level, 2 * self.is_clean, 0, 60])
        return packet(0x10, head + properties + text(self.name.encode()))

    def properties(self) -> bytes:
        return b"\0" if self.level == 5 else b""

    def send(self, *packets: bytes) -> None:
        if self.writer and not self.writer.is_closing():
            self.writer.write(b"".join(packets))

    def acknowledge(self, kind: int, packet_id: int) -> None:
        self.send(packet(kind << 4 | (2 if kind == PUBREL else 0), number(packet_id)))

    def drop(self) -> None:
        """As a network that fails."""
        if self.writer:
            self.writer.transport.abort()

    async def act(self) -> None:
        raise NotImplementedError

    async def handle(self, first: int, body: bytes) -> None:
        raise NotImplementedError

    def acknowledged_id(self, first: int, body: bytes) -> int:
        reason = body[2] if len(body) > 2 else 0
        # A PUBREL that is repeated may find nothing left to release (MQTT 5, 3.7.2.1).
        allowed = (0, 0x92) if first >> 4 == PUBCOMP else (0, 0x10)
        require(reason in allowed, f"{self.name}: packet {first:02x} with the reason {reason:#x}")
        return int.from_bytes(body[:2], "big")


async def unless_broken(clients: list[asyncio.Task], waiting, seconds: float, what: str):
    """Waits, and raises what a client has found in the meantime."""
    waiting = asyncio.ensure_future(waiting)
    done, _ = await asyncio.wait([waiting, *clients], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        if task is not waiting:
            waiting.cancel()
            task.result()
    assert waiting in done, f"not in {seconds} s: {what}"
    return waiting.result()


async def carried(load, story: Awaitable) -> None:
    """A story with clients that keep going: when it breaks, what they know is printed, and in the end they are stopped."""
    try:
        await story
    except AssertionError:
        print(load.figures())
        raise
    finally:
        for task in load.tasks:
            task.cancel()


async def until(holds) -> None:
    while not holds():
        await asyncio.sleep(0.01)


async def read_packet(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    first, length = (await reader.readexactly(1))[0], 0
    for shift in itertools.count(0, 7):
        digit = (await reader.readexactly(1))[0]
        length |= (digit & 127) << shift
        if digit < 128:
            return first, await reader.readexactly(length)
    raise AssertionError("not reached")


class Stream:
    """What one publisher sends to one topic, always at one QoS: counters from 1 on."""

    def __init__(self, topic: str, qos: int, retain: bool = False):
        self.topic, self.qos, self.retain = topic, qos, retain
        self.sent = self.acknowledged = 0


class Publisher(Faithful):
    """Sends counters on its streams in turn, with a window, until `is_finishing`."""

    def __init__(self, port: int, name: str, level: int, chance: random.Random):
        super().__init__(port, name, level)
        self.chance = chance
        self.streams = [Stream(f"load/{name}/one", 1), Stream(f"load/{name}/two", 2), Stream(f"load/{name}/kept", 1, True)]
        self.is_finishing = False
        self.publishing: dict[int, tuple[Stream, int, bytes]] = {}
        """PUBLISH packets that are not acknowledged, by identifier, in the order that they were sent in."""
        self.releasing: dict[int, tuple[Stream, int]] = {}
        """PUBREL packets that are not acknowledged, in the order of their PUBRECs."""
        self.identifiers = itertools.cycle(range(1, IDENTIFIERS + 1))

    def is_done(self) -> bool:
        return self.is_finishing and not self.publishing and not self.releasing

    async def act(self) -> None:
        for _, _, sent in list(self.publishing.values()):
            self.send(bytes([sent[0] | 8]) + sent[1:])  # DUP [MQTT-3.3.1-1], [MQTT-4.4.0-1]
        for packet_id in list(self.releasing):
            self.acknowledge(PUBREL, packet_id)
        self.ready.set()
        for stream in itertools.cycle(self.streams):
            while self.is_finishing or len(self.publishing) + len(self.releasing) >= WINDOW:
                await asyncio.sleep(0.002)
            self.publish(stream)
            if self.chance.random() < 0.5:
                await asyncio.sleep(0.01)

    def publish(self, stream: Stream) -> None:
        stream.sent += 1
        packet_id = next(n for n in self.identifiers if n not in self.publishing and n not in self.releasing)
        filling = b"." * (110_000 if (stream.qos, stream.sent) == (2, 100) else self.chance.randrange(60))
        first = 0x30 | stream.qos << 1 | stream.retain
        body = text(stream.topic.encode()) + number(packet_id) + self.properties() + b"%d " % stream.sent + filling
        self.publishing[packet_id] = stream, stream.sent, packet(first, body)
        self.send(self.publishing[packet_id][2])

    async def handle(self, first: int, body: bytes) -> None:
        kind, packet_id = first >> 4, self.acknowledged_id(first, body)
        if kind == PUBREC:
            if packet_id in self.publishing:
                stream, n, _ = self.publishing.pop(packet_id)
                require(stream.qos == 2, f"{self.name}: PUBREC for QoS 1")
                self.releasing[packet_id] = stream, n
            require(packet_id in self.releasing, f"{self.name}: PUBREC for {packet_id}, which is not in flight")
            self.acknowledge(PUBREL, packet_id)
        elif kind == PUBACK:
            require(packet_id in self.publishing, f"{self.name}: PUBACK for {packet_id}, which is not in flight")
            stream, n, _ = self.publishing.pop(packet_id)
            require((stream.qos, n) == (1, stream.acknowledged + 1), f"{self.name}: PUBACK for {n} out of order")  # [MQTT-4.6.0-2]
            stream.acknowledged = n
        else:
            require(kind == PUBCOMP and packet_id in self.releasing, f"{self.name}: packet {first:02x} for {packet_id}")
            stream, n = self.releasing.pop(packet_id)
            stream.acknowledged = max(stream.acknowledged, n)


class Subscriber(Faithful):
    """Subscribes once, acknowledges all that comes, late if it is `lazy`, and hands it to `arrived`."""

    def __init__(self, port: int, name: str, level: int, chance: random.Random, arrived, *, topic_filter="load/#", qos=2, lazy=False, receive_max=None):
        super().__init__(port, name, level, receive_max)
        self.arrived, self.chance, self.lazy, self.filter, self.qos = arrived, chance, lazy, topic_filter, qos
        self.is_subscribed = False
        self.held: dict[int, str] = {}
        """QoS 2 messages received and not released, by identifier (MQTT 3.1.1, 4.3.3, method A)."""
        self.lately: dict[int, tuple[int, str]] = {}
        """By identifier: the last message of QoS 1, and the connection that it came by."""
        self.repeated = 0

    async def act(self) -> None:
        if not self.is_subscribed:
            self.send(packet(0x82, number(1) + self.properties() + text(self.filter.encode()) + bytes([self.qos])))

    async def handle(self, first: int, body: bytes) -> None:
        if self.lazy and self.chance.random() < 0.05:
            await asyncio.sleep(self.chance.random() * 0.01)
        kind = first >> 4
        if kind == SUBACK:
            require(body[-1] == self.qos, f"{self.name}: SUBACK {body.hex(' ')}")
            self.is_subscribed = True
            self.ready.set()
        elif kind == PUBREL:
            packet_id = self.acknowledged_id(first, body)
            self.held.pop(packet_id, None)
            self.acknowledge(PUBCOMP, packet_id)
        else:
            require(kind == PUBLISH, f"{self.name}: packet {first:02x}")
            self.message(first, body)

    def message(self, first: int, body: bytes) -> None:
        qos, is_dup = first >> 1 & 3, bool(first & 8)
        end = 2 + int.from_bytes(body[:2], "big")
        topic, packet_id, rest = body[2:end].decode(), int.from_bytes(body[end : end + 2], "big"), body[end + 2 :]
        if self.level == 5:
            require(rest[0] < 128, f"{self.name}: more properties than were sent")
            rest = rest[1 + rest[0] :]
        n = int(rest.split(b" ", 1)[0])
        what = f"{topic} {n}"
        require(qos in (1, 2), f"{self.name}: {what} at QoS {qos}")
        if qos == 2 and packet_id in self.held:
            require(self.held[packet_id] == what, f"{self.name}: {packet_id} is {self.held[packet_id]}, and {what} came under it")
            require(is_dup, f"{self.name}: {what} again without DUP [MQTT-3.3.1-1]")
            self.repeated += 1
        elif qos == 2:
            self.held[packet_id] = what
            self.arrived(topic, n, qos)
        else:
            connection, before = self.lately.get(packet_id, (0, ""))
            is_again = before == what
            require(not is_again or connection < self.connections, f"{self.name}: {what} twice by one connection")
            require(not is_again or is_dup, f"{self.name}: {what} again without DUP [MQTT-3.3.1-1]")
            self.repeated += is_again
            self.lately[packet_id] = self.connections, what
            self.arrived(topic, n, qos)
        self.acknowledge(PUBREC if qos == 2 else PUBACK, packet_id)
