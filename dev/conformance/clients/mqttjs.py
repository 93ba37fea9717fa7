"""MQTT.js in a node process, asked and answered line by line."""

import itertools
import json
import queue
import shutil
import subprocess
import threading
from pathlib import Path

HERE = Path(__file__).resolve().parent
FOLDER = HERE.parents[2] / "target" / "mqttjs"
SECONDS = 10


class MqttJs:
    """All clients of one test; `name` says which of them is meant."""

    def __init__(self):
        node = shutil.which("node") or shutil.which("nodejs")
        assert node, "node is missing: run `make test-conformance`"
        assert (FOLDER / "node_modules" / "mqtt").is_dir(), f"MQTT.js is missing in {FOLDER}: run `make test-conformance`"
        self.process = subprocess.Popen(
            [node, str(HERE / "mqttjs.cjs"), str(FOLDER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.ids = itertools.count()
        self.answers: queue.Queue[dict] = queue.Queue()
        self.events: queue.Queue[dict] = queue.Queue()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def __enter__(self) -> "MqttJs":
        return self

    def __exit__(self, *_) -> None:
        self.process.stdin.close()
        self.process.wait(SECONDS)
        self.reader.join(SECONDS)
        self.process.stdout.close()

    def ask(self, command: str, name: str, **arguments):
        """What the command's callback was given."""
        identifier = next(self.ids)
        line = json.dumps({"id": identifier, "command": command, "name": name, **arguments})
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.answers.get(timeout=SECONDS)
        assert answer["answer"] == identifier and answer["error"] is None, answer
        return answer.get("value")

    def event(self, kind: str, name: str) -> dict:
        """The next event of this kind of this client; those before it are let go."""
        while True:
            event = self.events.get(timeout=SECONDS)
            if (event["event"], event["name"]) == (kind, name):
                return event

    def _read(self) -> None:
        for line in self.process.stdout:
            value = json.loads(line)
            (self.answers if "answer" in value else self.events).put(value)
