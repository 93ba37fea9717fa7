"""mosquitto_pub and mosquitto_sub in each version that they speak."""

import subprocess
from dataclasses import dataclass

from mosquitto import Door

SECONDS = 10


@dataclass(frozen=True)
class Versioned(Door):
    """A door for one version of MQTT, with options of its own."""

    host: str = "127.0.0.1"
    version: str = "mqttv311"
    more: tuple[str, ...] = ()

    def options(self, client_id: str) -> list[str]:
        return ["-h", self.host, "-p", str(self.port), "-V", self.version, "-i", client_id, *self.more]


def run(program: str, door: Versioned, client_id: str, *arguments: str) -> str:
    """What a program prints; it must end well, and in time."""
    command = [program, *door.options(client_id), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout
