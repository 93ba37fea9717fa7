"""`kill -9` again and again under persistent sessions: each message that was acknowledged arrives, at QoS 2 once, in order."""

import asyncio
import random
import time
from collections import Counter, defaultdict

from faithful import Broken, Faithful, Publisher, Stream, Subscriber, carried, unless_broken, until
from server import Server
from wire import Connection, subscribe_packet

ROUNDS = 50
SEED = 20261122


class InOrder:
    """What one subscriber may see of each topic: 1, 2, 3 and so on; again only at QoS 1."""

    def __init__(self, name: str):
        self.name, self.last = name, defaultdict(int)

    def __call__(self, topic: str, n: int, qos: int) -> None:
        last = self.last[topic]
        if n > last + 1:
            raise Broken(f"{self.name}: {topic} went from {last} to {n}")
        if n <= last and qos == 2:
            raise Broken(f"{self.name}: {topic} {n} came twice at QoS 2, the last was {last}")
        self.last[topic] = max(last, n)

    def has_all(self, streams: list[Stream]) -> bool:
        return all(self.last[stream.topic] == stream.sent for stream in streams)


class InGroup:
    """What the members of a shared subscription see together: everything, at QoS 2 once."""

    def __init__(self):
        self.seen: dict[str, Counter] = defaultdict(Counter)

    def __call__(self, topic: str, n: int, qos: int) -> None:
        self.seen[topic][n] += 1
        if qos == 2 and self.seen[topic][n] > 1:
            raise Broken(f"the group got {topic} {n} twice at QoS 2")

    def has_all(self, streams: list[Stream]) -> bool:
        return all(len(self.seen[stream.topic]) == stream.sent for stream in streams)


class Load:
    """All clients, and what is known of them."""

    def __init__(self, port: int):
        self.chance = chance = random.Random(SEED)
        self.group = InGroup()
        self.publishers = [Publisher(port, f"publisher{level}{n}", level, chance) for level in (4, 5) for n in range(2)]
        self.streams = [stream for publisher in self.publishers for stream in publisher.streams]
        self.orders: list[InOrder] = []
        self.subscribers = [
            self.subscriber(port, "steady4", 4),
            self.subscriber(port, "steady5", 5, receive_max=30),
            self.subscriber(port, "lazy4", 4, lazy=True),
            self.subscriber(port, "lazy5", 5, lazy=True, receive_max=10),
            self.subscriber(port, "lower5", 5, qos=1),
            Subscriber(port, "member4", 4, chance, self.group, topic_filter="$share/pair/load/#"),
            Subscriber(port, "member5", 5, chance, self.group, topic_filter="$share/pair/load/#", lazy=True),
        ]
        self.tasks: list[asyncio.Task] = []

    def subscriber(self, port: int, name: str, level: int, **more) -> Subscriber:
        self.orders.append(InOrder(name))
        return Subscriber(port, name, level, self.chance, self.orders[-1], **more)

    async def start(self) -> None:
        """Everybody is subscribed before anything is published."""
        for clients in (self.subscribers, self.publishers):
            self.tasks += [asyncio.create_task(client.run(), name=client.name) for client in clients]
            for client in clients:
                await self.unless_broken(client.ready.wait(), 10, f"{client.name} begins")

    async def unless_broken(self, waiting, seconds: float, what: str):
        return await unless_broken(self.tasks, waiting, seconds, what)

    def disturb(self) -> None:
        """Some subscribers stay away for a round, and some connections break for another reason."""
        for subscriber in self.subscribers:
            subscriber.is_away = self.chance.random() < 0.35
            if subscriber.is_away or self.chance.random() < 0.3:
                subscriber.drop()

    async def finish(self) -> None:
        for client in self.subscribers:
            client.is_away = False
        for publisher in self.publishers:
            publisher.is_finishing = True
        await self.unless_broken(until(self.has_all), 60, "everything arrives")
        await self.unless_broken(asyncio.sleep(0.5), 10, "nothing comes twice in the end")

    def has_all(self) -> bool:
        done = all(publisher.is_done() for publisher in self.publishers)
        return done and all(seen.has_all(self.streams) for seen in [*self.orders, self.group])

    def clients(self) -> list[Faithful]:
        return [*self.publishers, *self.subscribers]

    def figures(self) -> str:
        lines = [f"{p.name}: publishing {len(p.publishing)}, releasing {len(p.releasing)}" for p in self.publishers]
        lines += [f"{s.name}: {s.connections} connections, holds {len(s.held)}" for s in self.subscribers]
        for stream in self.streams:
            seen = {order.name: order.last[stream.topic] for order in self.orders}
            group = self.group.seen[stream.topic]
            lost = [n for n in range(1, stream.sent + 1) if n not in group]
            lines.append(f"{stream.topic}: sent {stream.sent}, acknowledged {stream.acknowledged}, {seen}, group lacks {lost[:10]}")
        return "\n".join(lines)


def kept(port: int, topics: set[str]) -> dict[str, int]:
    """The retained counters of these topics."""
    connection, found = Connection(port, b"reader"), {}
    connection.send(subscribe_packet(b"load/+/kept"))
    while topics - found.keys():
        first, body = connection.read()
        if first >> 4 == 3 and first & 1:
            end = 2 + int.from_bytes(body[:2], "big")
            found.setdefault(body[2:end].decode(), int(body[end:].split(b" ", 1)[0]))
    connection.close()
    return found


async def kill_again_and_again(server: Server, load: Load) -> None:
    await load.start()
    for _ in range(ROUNDS):
        load.disturb()
        await load.unless_broken(asyncio.sleep(0.02 + load.chance.random() * 0.15), 10, "a pause")
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.start)
        acknowledged = {stream.topic: stream.acknowledged for stream in load.streams if stream.retain and stream.acknowledged}
        found = await load.unless_broken(asyncio.to_thread(kept, server.mqtt, set(acknowledged)), 20, "retained messages")
        for topic, last in acknowledged.items():
            assert found[topic] >= last, f"{topic}: {last} was acknowledged, {found[topic]} is retained"
    await load.finish()


def test_kill_9_loses_nothing_of_persistent_sessions(tmp_path):
    async def story(server: Server) -> Load:
        load = Load(server.mqtt)
        await carried(load, kill_again_and_again(server, load))
        return load

    began = time.monotonic()
    with Server(tmp_path) as server:
        load = asyncio.run(story(server))
    acknowledged = sum(stream.acknowledged for stream in load.streams)
    repeated = sum(subscriber.repeated for subscriber in load.subscribers)
    print(f"{acknowledged} messages, {repeated} deliveries repeated, {time.monotonic() - began:.0f} s")
    assert acknowledged > 50 * ROUNDS and repeated > ROUNDS, "no load, no test"
    assert all(client.connections > ROUNDS / 3 for client in load.clients())


