"""WebSockets to the loopback HTTP listener."""

import pytest
from web_socket.frames import WebSocket


@pytest.fixture
def upgrade(server, stack):
    """`upgrade()` is an open WebSocket on which nothing was sent; it may be offered other subprotocols."""

    def upgrade(offered: str | None = "mqtt") -> WebSocket:
        return stack.enter_context(WebSocket(("127.0.0.1", server.http), offered))

    return upgrade
