"""Fixtures: a server for each worker, or the one at CONFORMANCE_ADDRESS, and names that no other test uses."""

import itertools
import os
import secrets
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest
from server import Server, binary
from statements import shown_by

ELSEWHERE = os.environ.get("CONFORMANCE_ADDRESS")


def pytest_configure() -> None:
    if not ELSEWHERE and not Path(binary()).is_file():
        pytest.exit(f"{binary()} is missing: cargo build -p althing, or set ALTHING_BIN", 2)


def pytest_generate_tests(metafunc) -> None:
    """A marked test's id carries its statements."""
    shown = shown_by(metafunc.definition)
    if shown:
        metafunc.fixturenames.append("statements_shown")
        metafunc.parametrize("statements_shown", [tuple(shown)], ids=[" ".join(shown)])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    """Another server may lack what a test needs. Althing has all of it, so here a skip would hide a statement."""
    report = yield
    if report.skipped and not ELSEWHERE and (shown := shown_by(item)):
        report.outcome = "failed"
        report.longrepr = f"{' '.join(shown)}: skipped, so not shown: {report.longrepr[2]}"
    return report


@pytest.fixture
def statements_shown(request) -> tuple[str, ...]:
    return request.param


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """An `althing serve` of this worker's own, with a data directory of its own. No test may make it panic."""
    if ELSEWHERE:
        pytest.skip("needs Althing itself, and CONFORMANCE_ADDRESS names another server")
    server = Server(tmp_path_factory.mktemp("althing"))
    try:
        server.start()
        yield server
        if not server.lives():
            pytest.fail(f"the server ended:\n{server.output()[-4000:]}", pytrace=False)
        if found := panics(server.output()):
            pytest.fail(f"a test of this worker made the server panic, which looks like a close:\n{found}", pytrace=False)
    finally:
        server.kill()


def panics(output: str) -> str:
    lines = output.splitlines()
    return "\n".join("\n".join(lines[at : at + 2]) for at, line in enumerate(lines) if "panicked at" in line)


@pytest.fixture(scope="session")
def address(request) -> tuple[str, int]:
    """The plain listener, which speaks the standard's dialect."""
    if ELSEWHERE:
        host, port = ELSEWHERE.rsplit(":", 1)
        return host, int(port)
    return "127.0.0.1", request.getfixturevalue("server").mqtt


class Names:
    """Client ids and topics that no other test uses, of letters, digits and `/` only."""

    def __init__(self):
        self.prefix = secrets.token_hex(4).encode()
        self.counter = itertools.count()

    def client_id(self) -> bytes:
        """11 to 13 bytes, each call another."""
        return b"c%s%02d" % (self.prefix, next(self.counter))

    def topic(self, end: bytes = b"") -> bytes:
        """`t<unique>` and the end given, such as `/a/b`. One test's topics share no level but what it asks for."""
        return b"t%s%02d%s" % (self.prefix, next(self.counter), end)


@pytest.fixture
def names() -> Names:
    return Names()


@pytest.fixture
def stack():
    """What a test opens; it is closed when the test ends."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def group(names) -> Callable[[bytes], bytes]:
    """A filter for the members of a group that no other test uses."""
    share = names.topic()
    return lambda topic_filter: b"$share/" + share + b"/" + topic_filter
