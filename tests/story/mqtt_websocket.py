"""WebSockets, opened as a client of MQTT opens them."""

import ssl
from collections.abc import Sequence

from websockets.sync.client import ClientConnection, connect


def websocket(
    url: str, trust: ssl.SSLContext | None = None, protocols: Sequence[str] = ("mqtt",), **more
) -> ClientConnection:
    """By TLS if the URL says so. InvalidStatus when the server refuses the handshake.

    TLS 1.2: the library reads in one thread while it writes in another, and when the tickets of TLS 1.3 are read just
    then, OpenSSL may hold the write back for ever."""
    if url.startswith("wss"):
        trust.maximum_version = ssl.TLSVersion.TLSv1_2
        more["ssl"] = trust
    return connect(url, subprotocols=list(protocols), proxy=None, **more)
