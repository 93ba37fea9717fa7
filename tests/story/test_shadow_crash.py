"""`kill -9` under devices and applications that change the same shadows: each version is one update's, what was
accepted stays, and a session that outlives the crash hears of it."""

import asyncio
import json
import random
import threading
import time
from collections import defaultdict
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError
from faithful import PUBACK, PUBLISH, SUBACK, Faithful, carried, number, require, unless_broken, until
from server import Server
from test_crash import shadow_client
from wire import Connection, packet, publish_packet, subscribe_packet, text

THINGS = [f"crash-{n:03}" for n in range(200)]
APPLICATIONS = 20
SHADOWS_PER_APPLICATION = 40
"""So four applications and the device want to change each shadow."""
UPDATES_PER_DEVICE = 12
UPDATES_PER_APPLICATION = 120
KILLS = 2
CALLERS = 10
KILLS_OF_CALLERS = 6
SEED = 20261125


@dataclass(frozen=True)
class Update:
    """One request to change a shadow."""

    thing: str
    base: int
    """The version that it names; 0 where there is no shadow yet, which is not named."""
    token: str
    section: str
    field: str
    n: int
    """What its field becomes."""

    def state(self) -> dict:
        return {self.section: {self.field: self.n}}

    def payload(self) -> bytes:
        version = {"version": self.base} if self.base else {}
        return json.dumps({"state": self.state(), **version, "clientToken": self.token}).encode()


class Book:
    """What the writers were answered, and what the recorder heard."""

    def __init__(self):
        self.sent: dict[str, Update] = {}
        """By token, in the order of sending."""
        self.acknowledged: dict[str, int] = {}
        """By token: how many had been sent when PUBACK came, and the answer had not."""
        self.accepted: dict[tuple[str, int], Update] = {}
        """By thing and version."""
        self.unanswered: dict[str, Update] = {}
        """By token: the connection ended first."""
        self.newest: dict[str, int] = defaultdict(int)
        """The newest version of each shadow that anybody was told of."""
        self.heard: dict[str, dict[int, str]] = defaultdict(dict)
        """Of each thing: the tokens by version, as `update/documents` tells of them."""
        self.conflicts = 0

    def accept(self, update: Update, version: int) -> None:
        require(version == update.base + 1, f"{update} became version {version}")
        other = self.accepted.setdefault((update.thing, version), update)
        require(other is update, f"both became version {version}: {other} and {update}")
        self.newest[update.thing] = max(self.newest[update.thing], version)

    def hear(self, thing: str, document: dict) -> bool:
        """Whether it was heard before, as may be at QoS 1."""
        versions, version, token = self.heard[thing], document["current"]["version"], document["clientToken"]
        previous, newest = document["previous"], max(versions, default=0)
        require((previous or {}).get("version", 0) == version - 1, f"{thing}: {previous} came before {version}")
        is_again = version in versions
        require(is_again or version > newest, f"{thing}: {version} came after {newest}")
        maker = versions.setdefault(version, token)
        require(maker == token, f"{thing}: {maker} and {token} made version {version}")
        return is_again

    def makers(self, thing: str, version: int) -> list[Update]:
        """Who made a version: one update, or one of several where nobody could be told."""
        told, token = self.accepted.get((thing, version)), self.heard[thing].get(version)
        if token is None:
            require(told is None, f"{thing}: {told} was accepted as version {version}, and nobody heard of it")
            makers = [u for u in self.unanswered.values() if (u.thing, u.base) == (thing, version - 1)]
            require(bool(makers), f"{thing}: nobody made version {version}")
            return makers
        maker = self.sent[token]
        require((maker.thing, maker.base) == (thing, version - 1), f"{thing}: {maker} made version {version}")
        require(told is maker or token in self.unanswered, f"{thing}: {maker} made version {version}, not accepted")
        return [maker]

    def check_acknowledged(self, token: str) -> None:
        """An update whose answer was lost after its PUBACK was made, or conflicted with one that was there before."""
        update, before = self.sent[token], list(self.sent)[: self.acknowledged[token]]
        makers = [maker.token for maker in self.makers(update.thing, update.base + 1)]
        require(any(maker in before for maker in makers), f"{update} was acknowledged and lost; {makers} came later")

    def check(self, thing: str, document: dict) -> None:
        """A shadow as it is in the end: what all who made its versions made of it."""
        last = document["version"]
        beyond = [version for version in self.heard[thing] if version > last]
        beyond += [version for name, version in self.accepted if name == thing and version > last]
        require(not beyond, f"{thing}: the last version is {last}, but {beyond} were told of")
        fields: dict[tuple[str, str], set] = defaultdict(lambda: {None})
        for version in range(1, last + 1):
            makers = self.makers(thing, version)
            for maker in makers:
                field = maker.section, maker.field
                fields[field] = {maker.n} if len(makers) == 1 else fields[field] | {maker.n}
        document["state"].pop("delta", None)
        found = {(section, field): n for section, values in document["state"].items() for field, n in values.items()}
        require(found.keys() <= fields.keys(), f"{thing}: nobody wrote {found.keys() - fields.keys()}")
        for field, possible in fields.items():
            require(found.get(field) in possible, f"{thing}: {field} is {found.get(field)}, and not {possible}")


class Writer(Faithful):
    """Changes its shadows, one request at a time, until `quota` updates are accepted. Each names the version that it
    saw last; a conflict makes it look again, and so does the end of a connection."""

    def __init__(self, port: int, name: str, book: Book, things: list[str], field: tuple[str, str], quota: int):
        super().__init__(port, name, 4, is_clean=True)
        self.book, self.things, self.field, self.quota = book, things, field, quota
        self.chance = random.Random(name)
        self.accepted = 0
        self.requests = 0
        self.versions: dict[str, int] = {}
        """What the last answer said of a shadow."""
        self.asked: tuple[str, bytes, asyncio.Future] | None = None
        """The request that waits for its answer: its topic, its token and where the answer goes."""
        self.update: Update | None = None
        """It is not answered yet."""
        self.packet_id = 0
        """The last request's."""

    def is_done(self) -> bool:
        return self.accepted >= self.quota

    async def act(self) -> None:
        if self.update:
            self.book.unanswered[self.update.token] = self.update
        self.asked = self.update = None
        self.versions.clear()
        self.subscribe()
        await until(self.ready.is_set)
        while True:
            await asyncio.sleep(self.chance.random() * 0.06)
            if not self.is_done():
                await self.change(self.chance.choice(self.things))

    def subscribe(self) -> None:
        self.ready.clear()
        ends = "get/+", "update/accepted", "update/rejected"
        filters = [f"$aws/things/{thing}/shadow/{end}" for thing in self.things for end in ends]
        self.send(packet(0x82, number(1) + b"".join(text(answers.encode()) + b"\x01" for answers in filters)))

    async def change(self, thing: str) -> None:
        base = self.versions.pop(thing, None) or await self.look(thing)
        if base == 0 and len(self.things) > 1:
            return  # the device makes it
        token = self.token()
        update = Update(thing, base, token, *self.field, self.requests)
        self.book.sent[token] = self.update = update
        answer = await self.ask(thing, "update", token, update.payload())
        if answer["code"] == 409:
            self.book.conflicts += 1
        else:
            self.versions[thing] = answer["version"]

    async def look(self, thing: str) -> int:
        """The shadow's version, 0 when there is no shadow."""
        newest, token = self.book.newest[thing], self.token()
        answer = await self.ask(thing, "get", token, json.dumps({"clientToken": token}).encode())
        version = answer.get("version", 0)
        require(version >= newest, f"{self.name}: {thing} is at version {version}, and {newest} was accepted")
        return version

    def token(self) -> str:
        self.requests += 1
        return f"{self.name}-{self.requests}"

    async def ask(self, thing: str, operation: str, token: str, payload: bytes) -> dict:
        topic = f"$aws/things/{thing}/shadow/{operation}"
        answer = asyncio.get_running_loop().create_future()
        self.asked = topic, json.dumps(token).encode(), answer
        self.packet_id = self.requests % 60_000 + 1
        self.send(publish_packet(topic.encode(), payload, self.packet_id))
        return await answer

    async def handle(self, first: int, body: bytes) -> None:
        kind = first >> 4
        if kind == SUBACK:
            require(set(body[2:]) == {1}, f"{self.name}: SUBACK {body.hex(' ')}")
            self.ready.set()
        elif kind == PUBLISH:
            topic, packet_id, payload = message(first, body)
            self.acknowledge(PUBACK, packet_id)
            if self.asked and self.asked[1] in payload:
                self.answered(topic, json.loads(payload))
        else:
            require(kind == PUBACK, f"{self.name}: packet {first:02x}")
            if self.update and self.acknowledged_id(first, body) == self.packet_id:
                self.book.acknowledged[self.update.token] = len(self.book.sent)

    def answered(self, topic: str, answer: dict) -> None:
        (asked, _, waiting), update = self.asked, self.update
        require(topic in (f"{asked}/accepted", f"{asked}/rejected"), f"{self.name}: {asked} was answered on {topic}")
        self.asked = self.update = None
        code = answer.setdefault("code", 200)
        if topic.endswith("/accepted"):
            require(code == 200, f"{self.name}: {topic} says {answer}")
            if update:
                require(answer["state"] == update.state(), f"{self.name}: {update} was answered {answer}")
                self.book.accept(update, answer["version"])
                self.accepted += 1
        else:
            require(code == (409 if update and update.base else 404), f"{self.name}: {asked} was answered {answer}")
        waiting.set_result(answer)


class Recorder(Faithful):
    """Hears of every change, in a session that outlives the crashes."""

    def __init__(self, port: int, book: Book):
        super().__init__(port, "recorder", 4)
        self.book = book
        self.repeated = 0

    async def act(self) -> None:
        if not self.ready.is_set():
            self.send(packet(0x82, number(1) + text(b"$aws/things/+/shadow/update/documents") + b"\x01"))

    async def handle(self, first: int, body: bytes) -> None:
        if first >> 4 == SUBACK:
            require(body[-1] == 1, f"{self.name}: SUBACK {body.hex(' ')}")
            self.ready.set()
            return
        require(first >> 4 == PUBLISH, f"{self.name}: packet {first:02x}")
        topic, packet_id, payload = message(first, body)
        self.repeated += self.book.hear(topic.split("/")[2], json.loads(payload))
        self.acknowledge(PUBACK, packet_id)


def message(first: int, body: bytes) -> tuple[str, int, bytes]:
    """Topic, identifier and payload of a PUBLISH, which must be of QoS 1 and not retained, as AWS's are."""
    end = 2 + int.from_bytes(body[:2], "big")
    topic = body[2:end].decode()
    require(first & 0b111 == 0b010, f"{topic} came with {first:08b}")
    return topic, int.from_bytes(body[end : end + 2], "big"), body[end + 2 :]


class Load:
    """All clients, and the book that they write."""

    def __init__(self, port: int):
        self.book = Book()
        self.recorder = Recorder(port, self.book)
        self.devices = []
        for thing in THINGS:
            field = "reported", "d"
            self.devices.append(Writer(port, f"device-{thing}", self.book, [thing], field, UPDATES_PER_DEVICE))
        self.writers = self.devices.copy()
        for n in range(APPLICATIONS):
            first = n * len(THINGS) // APPLICATIONS
            things = (THINGS + THINGS)[first : first + SHADOWS_PER_APPLICATION]
            field = "desired", f"a{n}"
            self.writers.append(Writer(port, f"application-{n}", self.book, things, field, UPDATES_PER_APPLICATION))
        self.tasks: list[asyncio.Task] = []

    def quota(self) -> int:
        return sum(writer.quota for writer in self.writers)

    async def until(self, holds, seconds: float, what: str) -> None:
        await unless_broken(self.tasks, until(holds), seconds, what)

    async def start(self) -> None:
        for client in [self.recorder, *self.writers]:
            self.tasks.append(asyncio.create_task(client.run(), name=client.name))
            if client is self.recorder:
                await self.until(client.ready.is_set, 10, "the recorder is subscribed")
        await self.until(lambda: self.has_all_connected(1, self.writers), 20, "the writers are there")

    def has_all_connected(self, times: int, clients: list[Faithful]) -> bool:
        return all(client.connections >= times for client in clients)

    async def finish(self) -> None:
        """Each device changes its shadow once more: who has heard of that has heard of all that was before."""
        await self.until(lambda: all(writer.is_done() for writer in self.writers), 50, "all updates are accepted")
        for device in self.devices:
            device.quota += 1
        await self.until(lambda: all(device.is_done() for device in self.devices), 20, "the last updates are accepted")
        await self.until(self.has_heard_the_last, 20, "the recorder hears of the last updates")

    def has_heard_the_last(self) -> bool:
        return all(self.book.newest[thing] in self.book.heard[thing] for thing in THINGS)

    def figures(self) -> str:
        book = self.book
        heard = sum(map(len, book.heard.values()))
        known = {token for versions in book.heard.values() for token in versions.values()}
        missing = [(thing, version) for thing, version in book.accepted if version not in book.heard[thing]]
        return (
            f"{len(book.accepted)} of {self.quota()} updates accepted, {book.conflicts} conflicts, "
            f"{len(book.unanswered)} unanswered of which {len(known & book.unanswered.keys())} were heard of and "
            f"{len(book.acknowledged.keys() & book.unanswered.keys())} acknowledged; "
            f"{heard} heard of, {self.recorder.repeated} of them again; accepted and not heard of: "
            f"{len(missing)} {missing[:10]}"
        )


async def kill_twice(server: Server, load: Load) -> None:
    await load.start()
    for kill in range(1, KILLS + 1):
        enough = load.quota() * kill // (KILLS + 1)
        await load.until(lambda: len(load.book.accepted) >= enough, 50, f"{enough} updates are accepted")
        load.recorder.is_away = kill % 2 == 0  # so that much of what it hears waited for it
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.start)
        await load.until(lambda: load.has_all_connected(kill + 1, load.writers), 20, "the writers are back")
        await asyncio.sleep(0.3)
        load.recorder.is_away = False
        await load.until(lambda: load.has_all_connected(kill + 1, [load.recorder]), 20, "the recorder is back")
    await load.finish()


def documents(port: int) -> dict[str, dict]:
    """All shadows as they are."""
    connection, found = Connection(port, b"reader"), {}
    connection.send(subscribe_packet(b"$aws/things/+/shadow/get/accepted"))
    for packet_id, thing in enumerate(THINGS, 1):
        connection.send(publish_packet(f"$aws/things/{thing}/shadow/get".encode(), b"", packet_id))
    while len(found) < len(THINGS):
        first, body = connection.read()
        if first >> 4 == PUBLISH:
            end = 2 + int.from_bytes(body[:2], "big")
            found[body[2:end].decode().split("/")[2]] = json.loads(body[end:])
    connection.close()
    return found


def test_kill_9_loses_no_accepted_update_and_makes_no_version_twice(tmp_path):
    async def story(server: Server) -> Load:
        load = Load(server.mqtt)
        await carried(load, kill_twice(server, load))
        return load

    began = time.monotonic()
    with Server(tmp_path) as server:
        load = asyncio.run(story(server))
        found = documents(server.mqtt)
    print(f"{load.figures()}; {time.monotonic() - began:.0f} s")
    for thing in THINGS:
        load.book.check(thing, found[thing])
    for token in load.book.acknowledged.keys() & load.book.unanswered.keys():
        load.book.check_acknowledged(token)
    assert load.book.conflicts > 100 and load.book.unanswered, "no load, no test"


class Caller(threading.Thread):
    """Updates one shadow over HTTP until the server is killed, and remembers the last version that was answered."""

    def __init__(self, client, thing: str):
        super().__init__(daemon=True)
        self.client, self.thing, self.version = client, thing, 0

    def run(self) -> None:
        try:
            while True:
                self.update()
        except (BotoCoreError, ClientError, OSError):
            pass  # the server was killed

    def update(self) -> None:
        update = {"state": {"reported": {"n": self.version}}, "clientToken": f"{self.thing}-{self.version}"}
        answer = self.client.update_thing_shadow(thingName=self.thing, payload=json.dumps(update))
        self.version = json.loads(answer["payload"].read())["version"]


async def kill_callers(server: Server, recorder: Recorder) -> int:
    """Changes shadows while the recorder is away, kills the server, and lets the recorder come back; the number of
    updates that were answered."""
    client, chance, heard, answered = shadow_client(server), random.Random(SEED), recorder.book.heard, 0
    running = [asyncio.create_task(recorder.run())]
    await unless_broken(running, recorder.ready.wait(), 10, "the recorder is subscribed")
    for kill in range(KILLS_OF_CALLERS):
        recorder.is_away = True
        recorder.drop()
        callers = [Caller(client, f"called-{kill}-{n}") for n in range(CALLERS)]
        for caller in callers:
            caller.start()
        enough = 150 + chance.randrange(300)
        are_answered = until(lambda: all(c.version for c in callers) and sum(c.version for c in callers) > enough)
        await unless_broken(running, are_answered, 60, f"{enough} updates are answered")
        await asyncio.to_thread(server.kill)
        for caller in callers:
            await asyncio.to_thread(caller.join, 20)
        await asyncio.to_thread(server.start)
        recorder.is_away = False
        told = {caller.thing: caller.version for caller in callers}
        for caller in callers:
            await asyncio.to_thread(caller.update)
            last_is_heard = until(lambda: caller.version in heard[caller.thing])
            await unless_broken(running, last_is_heard, 10, f"the recorder hears of {caller.thing}'s last update")
        for thing, last in told.items():
            missing = [version for version in range(1, last + 1) if version not in heard[thing]]
            require(last > 0 and not missing, f"{thing}: {last} was answered, and nobody heard of {missing}")
        answered += sum(told.values())
    running[0].cancel()
    return answered


def test_kill_9_loses_no_news_of_what_was_answered_over_http(tmp_path):
    with Server(tmp_path) as server:
        recorder = Recorder(server.mqtt, Book())
        answered = asyncio.run(kill_callers(server, recorder))
    print(f"{answered} updates were answered, and heard of by {recorder.connections} connections")
    assert answered > 100 * KILLS_OF_CALLERS, "no load, no test"
