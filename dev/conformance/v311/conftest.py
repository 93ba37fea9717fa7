"""Peers and raw connections to the plain listener, closed when the test ends."""

from collections.abc import Callable

import pytest
from v311.peer import Checked, Peer


@pytest.fixture
def join(address, names, stack) -> Callable[..., Peer]:
    """`join()` is a connected client; its arguments are those of `Peer`, and its client id is new unless given."""

    def join(client_id: bytes | None = None, **options) -> Peer:
        return stack.enter_context(Peer(address, client_id or names.client_id(), **options))

    return join


@pytest.fixture
def dial(address, stack) -> Callable[..., Checked]:
    """`dial()` is a TCP connection on which nothing was sent."""
    return lambda: stack.enter_context(Checked(address))
