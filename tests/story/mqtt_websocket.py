"""WebSockets, opened as a client of MQTT opens them."""

import ssl
from collections.abc import Sequence

from websockets.sync.client import ClientConnection, connect


def websocket(
    url: str, trust: ssl.SSLContext | None = None, protocols: Sequence[str] = ("mqtt",), **more
) -> ClientConnection:
    """By TLS if the URL says so. InvalidStatus when the server refuses the handshake."""
    if url.startswith("wss"):
        more["ssl"] = trust
    return connect(url, subprotocols=list(protocols), proxy=None, **more)
