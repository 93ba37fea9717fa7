"""`kill -9` under load, again and again: what was acknowledged is there afterwards."""

import json
import random
import threading
import time

import pytest
from aws import data_client
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from server import Server
from wire import Connection, publish_packet, subscribe_packet

ROUNDS = 8
TOPICS = 5
IN_FLIGHT = 20


@pytest.fixture(scope="module")
def crashing(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("althing")) as server:
        yield server


class Publisher(threading.Thread):
    """Publishes retained counters at QoS 1 with a window, round robin over its topics, and remembers what was
    acknowledged and what was sent."""

    def __init__(self, port: int, first: int):
        super().__init__(daemon=True)
        self.port, self.sent, self.acknowledged = port, first, first
        self.failure: Exception | None = None

    def run(self) -> None:
        try:
            connection = Connection(self.port, b"publisher")
            while True:
                while self.sent - self.acknowledged < IN_FLIGHT:
                    self.sent += 1
                    topic = b"counters/%d" % (self.sent % TOPICS)
                    connection.send(publish_packet(topic, b"%d" % self.sent, self.sent % 60_000 + 1, retain=True))
                first, body = connection.read()
                self.acknowledged += 1
                assert (first, int.from_bytes(body, "big")) == (0x40, self.acknowledged % 60_000 + 1), "in order"
        except OSError:
            pass  # the server was killed
        except Exception as failure:  # for the main thread
            self.failure = failure


class ShadowWriter(threading.Thread):
    """Updates one shadow over HTTP and remembers the last version that was answered."""

    def __init__(self, client):
        super().__init__(daemon=True)
        self.client, self.version, self.attempts = client, 0, 0

    def run(self) -> None:
        try:
            while True:
                self.attempts += 1
                payload = json.dumps({"state": {"reported": {"n": self.attempts}}})
                answer = self.client.update_thing_shadow(thingName="crasher", payload=payload)
                self.version = json.loads(answer["payload"].read())["version"]
        except (BotoCoreError, ClientError, OSError):
            pass  # the server was killed


def retained_counters(port: int) -> dict[int, int]:
    connection = Connection(port, b"reader")
    connection.send(subscribe_packet(b"counters/+"))
    found = {}
    while len(found) < TOPICS:
        first, body = connection.read()
        if first >> 4 == 3:
            length = int.from_bytes(body[:2], "big")
            found[int(body[2 : 2 + length].rsplit(b"/", 1)[1])] = int(body[2 + length :])
    connection.close()
    return found


def shadow_client(server):
    exports = server.exports()
    return data_client(exports, config=Config(retries={"max_attempts": 0}, connect_timeout=5, read_timeout=5))


def test_nothing_acknowledged_is_lost_to_kill_9(crashing):
    chance = random.Random(20261122)
    sent = TOPICS  # so that every topic has been published to before the first kill
    acknowledged_in_all = 0
    for _ in range(ROUNDS):
        publisher, writer = Publisher(crashing.mqtt, sent), ShadowWriter(shadow_client(crashing))
        publisher.start()
        writer.start()
        time.sleep(0.3 + chance.random() * 0.7)
        crashing.kill()
        publisher.join(10)
        writer.join(20)
        assert publisher.failure is None and not publisher.is_alive() and not writer.is_alive()
        assert publisher.acknowledged - sent > TOPICS and writer.version > 0, "no load, no test"
        acknowledged_in_all += publisher.acknowledged - sent
        crashing.start()
        for topic, value in retained_counters(crashing.mqtt).items():
            last = max(n for n in range(publisher.acknowledged - TOPICS + 1, publisher.acknowledged + 1) if n % TOPICS == topic)
            assert last <= value <= publisher.sent, f"topic {topic}: acknowledged {last}, found {value}"
        answer = shadow_client(crashing).get_thing_shadow(thingName="crasher")
        version = json.loads(answer["payload"].read())["version"]
        assert writer.version <= version <= writer.version + 1, "one update may be kept without having been answered"
        sent = publisher.sent
    assert acknowledged_in_all > 100 * ROUNDS
