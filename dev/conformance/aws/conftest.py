"""Devices by mutual TLS on the listener in dialect `aws`, and an observer on the plain one."""

from collections.abc import Callable

import pytest
from aws.account import Account
from aws.events import Events
from v5.session import Session
from v5.session import connect as connect5
from v311.peer import Checked, Peer
from wire import TlsAddress


@pytest.fixture(scope="session")
def account(server, tmp_path_factory) -> Account:
    return Account(server, tmp_path_factory.mktemp("account"))


@pytest.fixture(scope="session")
def device(account) -> TlsAddress:
    """Where and as whom the devices of these tests connect."""
    return account.certificate()[1]


@pytest.fixture
def join(device, names, stack) -> Callable[..., Peer]:
    """A device of MQTT 3.1.1; its client id is new unless given."""
    return lambda client_id=None, **options: stack.enter_context(Peer(device, client_id or names.client_id(), **options))


@pytest.fixture
def join5(device, names, stack) -> Callable[..., Session]:
    """A device of MQTT 5; its client id is new unless given."""

    def join5(client_id: bytes | None = None, properties=(), **options) -> Session:
        return stack.enter_context(connect5(device, client_id or names.client_id(), properties, **options))

    return join5


@pytest.fixture
def dial(device, stack) -> Callable[..., Checked]:
    """A TLS connection on which nothing was sent."""
    return lambda: stack.enter_context(Checked(device))


@pytest.fixture
def dial5(device, stack) -> Callable[..., Session]:
    """A TLS connection on which nothing was sent, for MQTT 5."""
    return lambda: stack.enter_context(Session(device))


@pytest.fixture
def plain(server, names, stack) -> Callable[..., Peer]:
    """An anonymous client of the plain listener, where AWS's limits do not hold."""
    return lambda **options: stack.enter_context(Peer(("127.0.0.1", server.mqtt), names.client_id(), **options))


@pytest.fixture
def events(plain) -> Events:
    """All lifecycle events from now on."""
    return Events(plain())
