"""An `althing serve` process on free ports, and what it says about itself."""

import http.client
import os
import random
import shlex
import signal
import socket
import subprocess
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
REGION = "us-east-1"
ACCOUNT = "123456789012"
IOT = f"arn:aws:iot:{REGION}:{ACCOUNT}"


def binary() -> str:
    path = Path(os.environ.get("ALTHING_BIN", "target/debug/althing"))
    return str(path if path.is_absolute() else REPOSITORY / path)


def free_port() -> int:
    """Below the ports that the system gives to clients, one of which could take it before the server does."""
    while True:
        port = random.randrange(15_000, 32_000)
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def clean_environment(home: Path, **more: str) -> dict[str, str]:
    """The caller's environment without its AWS settings and proxies."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "ALTHING_")) and not name.lower().endswith("_proxy")
    }
    return {**kept, "HOME": str(home), "NO_PROXY": "*", "RUST_BACKTRACE": "0", "AWS_EC2_METADATA_DISABLED": "true", "AWS_PAGER": "", **more}


class Server:
    """One data directory and the process that serves it, started and killed by `with`. `start` may be called again after
    `kill` or `stop`. `settings` is the TOML file beside the flags; `alpn` opens the port shared by ALPN name."""

    def __init__(self, folder: Path, settings: str = "", alpn: bool = False, **environment: str):
        self.settings = settings
        self.folder = folder
        self.data_dir = folder / "data"
        self.environment = clean_environment(folder, **environment)
        self.mqtt, self.mqtts, self.https, self.http = (free_port() for _ in range(4))
        self.alpn = free_port() if alpn else None
        self.process: subprocess.Popen | None = None
        self.starts = 0

    def __enter__(self) -> "Server":
        try:
            self.start()
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(self, *_) -> None:
        self.kill()

    def arguments(self) -> list[str]:
        address = "127.0.0.1:{}".format
        file = self.folder / "althing.toml"
        if self.settings:
            file.write_text(self.settings)
        return [
            binary(), "serve", *(["--config", str(file)] if self.settings else []), "--data-dir", str(self.data_dir),
            "--mqtt", address(self.mqtt), "--mqtts", address(self.mqtts),
            "--https", address(self.https), "--http", address(self.http),
            "--alpn", address(self.alpn) if self.alpn else "off",
            "--region", REGION, "--account-id", ACCOUNT, "--endpoint-host", "localhost", "--log-format", "json",
        ]  # fmt: skip

    def start(self, seconds: float = 20) -> float:
        """Starts the process and waits for /readyz; gives the seconds that took."""
        self.starts += 1
        began = time.monotonic()
        with open(self.output_path(), "wb") as output:
            self.process = subprocess.Popen(
                self.arguments(), stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=self.environment
            )
        while time.monotonic() - began < seconds:
            if self.process.poll() is not None:
                raise AssertionError(f"the server ended with {self.process.returncode}:\n{self.output()}")
            if self.status("/readyz") == 200:
                return time.monotonic() - began
            time.sleep(0.01)
        raise AssertionError(f"the server was not ready in {seconds} s:\n{self.output()}")

    def kill(self) -> None:
        """As a power cut: SIGKILL, no farewell."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)
            self.process = None

    def stop(self, seconds: float = 15) -> int:
        """As an operator: SIGTERM; gives the exit code."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(seconds)
        self.process = None
        return code

    def lives(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def output_path(self) -> Path:
        return self.folder / f"server-{self.starts}.log"

    def output(self) -> str:
        """What this start of the process has written so far."""
        return self.output_path().read_text(errors="replace")

    def get(self, path: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.http, timeout=5)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def status(self, path: str) -> int | None:
        try:
            return self.get(path)[0]
        except OSError:
            return None

    def metric(self, name: str) -> int:
        """A counter in /metrics, by its name without what all counters share."""
        sample = f"althing_{name}_total "
        found = [line.removeprefix(sample) for line in self.get("/metrics")[1].splitlines() if line.startswith(sample)]
        assert len(found) == 1, f"{sample}: {found}"
        return int(found[0])

    def exports(self, *options: str) -> dict[str, str]:
        """What `eval "$(althing env)"` would put into a shell."""
        command = [binary(), "env", "--data-dir", str(self.data_dir), *options]
        printed = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=20, check=True)
        words = [shlex.split(line) for line in printed.stdout.splitlines() if line.startswith("export ")]
        return dict(word[1].split("=", 1) for word in words)

    def client_environment(self) -> dict[str, str]:
        """A shell after `eval "$(althing env)"`."""
        return clean_environment(self.folder, **self.exports())
