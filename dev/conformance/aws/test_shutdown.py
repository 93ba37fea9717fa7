"""A server that is stopped tells its clients of MQTT 5, and lets those of 3.1.1 see a close."""

import pytest
from aws.account import Account
from aws.endings import ended
from server import Server
from v5.session import connect
from v311.peer import Peer

SHUTTING_DOWN = 0x8B


@pytest.fixture
def doomed(server, tmp_path):
    """A server of this test's own; `server` says whether Althing is tested at all."""
    doomed = Server(tmp_path)
    doomed.start()
    yield doomed
    if doomed.lives():
        doomed.kill()


def test_clients_are_told_of_a_shutdown(doomed, names, stack, tmp_path):
    device = Account(doomed, tmp_path).certificate()[1]
    plain = ("127.0.0.1", doomed.mqtt)
    fives = [stack.enter_context(connect(address, names.client_id())) for address in (device, plain)]
    threes = [stack.enter_context(Peer(address, names.client_id())) for address in (device, plain)]
    assert doomed.stop() == 0
    for peer in fives:
        assert ended(peer, SHUTTING_DOWN) == []
    for peer in threes:
        assert peer.expect_closed() == []
