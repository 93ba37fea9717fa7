"""mosquitto_pub and mosquitto_sub, bounded in time."""

import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Door:
    """Where and as whom a client connects."""

    port: int
    ca: str | None = None
    certificate: Path | None = None
    key: Path | None = None
    protocol: str | None = None
    """The ALPN name, where a port serves more than MQTT."""
    user: str | None = None
    password: str | None = None

    def options(self, client_id: str) -> list[str]:
        options = ["-h", "localhost" if self.ca else "127.0.0.1", "-p", str(self.port), "-V", "mqttv311", "-i", client_id]
        if self.ca:
            options += ["--cafile", self.ca]
        if self.certificate:
            options += ["--cert", str(self.certificate), "--key", str(self.key)]
        if self.protocol:
            options += ["--tls-alpn", self.protocol]
        if self.user is not None:
            options += ["-u", self.user, "-P", self.password or ""]
        return options


@dataclass(frozen=True)
class Message:
    topic: str
    payload: str
    retain: bool


def publish(door: Door, client_id: str, topic: str, payload: str, *, qos: int = 1, retain: bool = False,
            seconds: float = 10) -> bool:  # fmt: skip
    """Publishes and says whether the server took it: at QoS 1, whether its PUBACK came.

    A client whose publish is refused is disconnected and tries for ever, so a refusal is a timeout or an error."""
    command = ["mosquitto_pub", *door.options(client_id), "-t", topic, "-q", str(qos)]
    command += ["-m", payload] if payload else ["-n"]
    if retain:
        command.append("-r")
    try:
        return subprocess.run(command, capture_output=True, timeout=seconds, stdin=subprocess.DEVNULL).returncode == 0
    except subprocess.TimeoutExpired:
        return False


class Subscriber:
    """A mosquitto_sub in the background that remembers what it printed. Use it in a `with`."""

    def __init__(self, door: Door, client_id: str, *filters: str, qos: int = 1):
        command = ["stdbuf", "-oL", "-eL", "mosquitto_sub", *door.options(client_id), "-d", "-q", str(qos)]
        command += ["-F", "MSG %r %t %p"]
        for topic_filter in filters:
            command += ["-t", topic_filter]
        self.lines: list[str] = []
        self.changed = threading.Condition()
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def __enter__(self) -> "Subscriber":
        self.wait_until(lambda: any(line.startswith("Subscribed") for line in self.lines), "a SUBACK")
        return self

    def __exit__(self, *_) -> None:
        self.process.kill()
        self.process.wait(10)
        self.reader.join(10)

    def _read(self) -> None:
        for line in self.process.stdout:
            with self.changed:
                self.lines.append(line.rstrip("\n"))
                self.changed.notify_all()
        with self.changed:
            self.lines.append("(ended)")
            self.changed.notify_all()

    def messages(self) -> list[Message]:
        parts = [line.split(" ", 3) for line in list(self.lines) if line.startswith("MSG ")]
        return [Message(topic, payload, retain == "1") for _, retain, topic, payload in parts]

    def wait_until(self, done, what: str, seconds: float = 10) -> None:
        with self.changed:
            if not self.changed.wait_for(done, seconds):
                raise AssertionError(f"no {what} in {seconds} s; mosquitto_sub said:\n" + "\n".join(self.lines))

    def wait_for(self, topic: str, part: str = "", seconds: float = 10) -> Message:
        """The first message on a topic whose payload holds a text."""
        found: list[Message] = []

        def look() -> bool:
            found.extend(m for m in self.messages() if m.topic == topic and part in m.payload)
            return bool(found)

        self.wait_until(look, f"message on {topic} with {part!r}", seconds)
        return found[0]

    def was_dropped(self, seconds: float = 10) -> bool:
        """Whether the connection ended: the process ends, or it tries to connect again."""

        def dropped() -> bool:
            return self.lines[-1:] == ["(ended)"] or sum("sending CONNECT" in line for line in self.lines) > 1

        with self.changed:
            return self.changed.wait_for(dropped, seconds)


def eventually(check, what: str, seconds: float = 10):
    """Waits until `check()` is true and gives its value."""
    end = time.monotonic() + seconds
    while True:
        value = check()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not in {seconds} s")
        time.sleep(0.1)
