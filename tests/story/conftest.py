"""Fixtures: one server a module, moto as DynamoDB, and the tools that must be there."""

import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from aws import Cli
from mosquitto import Door
from server import Server, binary, clean_environment, free_port

MOTO_CREDENTIALS = {"AWS_ACCESS_KEY_ID": "moto", "AWS_SECRET_ACCESS_KEY": "moto"}


def pytest_configure() -> None:
    for tool in ("mosquitto_pub", "mosquitto_sub", "stdbuf"):
        if shutil.which(tool) is None:
            pytest.exit(f"{tool} is missing: run `make test`, or apt-get install mosquitto-clients", 2)
    if not Path(binary()).is_file():
        pytest.exit(f"{binary()} is missing: cargo build -p althing, or set ALTHING_BIN", 2)


@pytest.fixture(scope="module")
def moto(tmp_path_factory):
    """The URL of a moto server, which stands for DynamoDB."""
    port, folder = free_port(), tmp_path_factory.mktemp("moto")
    program = str(Path(sys.executable).with_name("moto_server"))
    with open(folder / "moto.log", "wb") as log:
        process = subprocess.Popen(
            [program, "-H", "127.0.0.1", "-p", str(port)],
            env=clean_environment(folder), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        end = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert process.poll() is None and time.monotonic() < end, (folder / "moto.log").read_text()
                time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait(10)


@pytest.fixture(scope="module")
def server(tmp_path_factory, moto):
    """A running server on a fresh data directory."""
    with Server(tmp_path_factory.mktemp("althing"), AWS_ENDPOINT_URL_DYNAMODB=moto, **MOTO_CREDENTIALS) as server:
        yield server


@pytest.fixture(scope="module")
def exports(server) -> dict[str, str]:
    return server.exports()


@pytest.fixture(scope="module")
def aws(server) -> Cli:
    return Cli(server.client_environment())


@pytest.fixture(scope="module")
def loopback(server) -> Door:
    """The plain listener, where anyone on this machine may do anything: the stories' observer."""
    return Door(server.mqtt)
