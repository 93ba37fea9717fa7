"""How AWS IoT Core ends a connection of MQTT 5: with a DISCONNECT that has its reason, and then a close."""

from v5.packets import Disconnect, parse
from v5.session import Session
from wire import Client


def ended(peer: Session, *codes: int, within: float = 4) -> list:
    """The server sends DISCONNECT with one of these reasons and closes; gives the packets that came before it."""
    found = [*peer.kept, *map(parse, Client.expect_closed(peer, within))]
    assert found and isinstance(found[-1], Disconnect), f"closed without DISCONNECT: {found}"
    assert found[-1].reason in codes, f"{found[-1]}, where {[hex(code) for code in codes]} may come"
    return found[:-1]
