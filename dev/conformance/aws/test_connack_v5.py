"""The CONNACK of MQTT 5 in dialect `aws`: the very properties that AWS IoT Core was seen to send, and no others."""

import pytest
from statements import statement
from v5 import packets as five
from v5.packets import Connack
from v5.properties import P
from v5.session import connect

SEEN = {
    P.RECEIVE_MAXIMUM: 100,
    P.MAXIMUM_QOS: 1,
    P.RETAIN_AVAILABLE: 1,
    P.MAXIMUM_PACKET_SIZE: 149_504,
    P.TOPIC_ALIAS_MAXIMUM: 8,
    P.WILDCARD_AVAILABLE: 1,
    P.SUBSCRIPTION_IDENTIFIER_AVAILABLE: 0,
    P.SHARED_AVAILABLE: 1,
    P.SERVER_KEEP_ALIVE: 1200,
}


def properties(peer) -> dict[int, object]:
    """A CONNACK's properties, each of which stands there once."""
    pairs = peer.connack.properties
    return {identifier: pairs.get(identifier) for identifier in P if identifier in pairs}


@statement("MQTT-3.2.2-9")
def test_the_properties_are_those_that_were_seen(join5):
    """Asked with keep alive 1200 and no session. No Reason String, Assigned Client Identifier or Response Information."""
    assert properties(join5(keep_alive=1200)) == SEEN


def test_a_persistent_session_adds_its_expiry(join5, names):
    client_id = names.client_id()
    first = join5(client_id, keep_alive=1200, expiry=3600)
    assert properties(first) == {**SEEN, P.SESSION_EXPIRY: 3600}
    first.leave()
    second = join5(client_id, keep_alive=1200, expiry=3600, clean_start=False)
    assert second.connack.session_present
    assert properties(second) == {**SEEN, P.SESSION_EXPIRY: 3600}


@pytest.mark.parametrize("asked", [3601, 86_400, 0xFFFFFFFF])
def test_a_longer_session_expiry_is_lowered_to_an_hour(join5, asked):
    assert join5(expiry=asked).connack.properties.get(P.SESSION_EXPIRY) == 3600


@pytest.mark.parametrize("asked", [1, 60])
def test_a_shorter_session_expiry_is_taken(join5, asked):
    """Absent in CONNACK means: as asked."""
    assert join5(expiry=asked).connack.properties.get(P.SESSION_EXPIRY, asked) == asked


@statement("MQTT-3.1.2-21")
@pytest.mark.parametrize(("asked", "given"), [(0, 1200), (1, 30), (29, 30), (30, 30), (60, 60), (1200, 1200), (1201, 1200), (65_535, 1200)])
def test_server_keep_alive_is_always_said(join5, asked, given):
    assert join5(keep_alive=asked).connack.properties.get(P.SERVER_KEEP_ALIVE) == given


def test_an_empty_client_id_is_assigned_one(device, stack):
    peers = [stack.enter_context(connect(device, b"")) for _ in range(2)]
    ids = {peer.connack.properties.get(P.ASSIGNED_CLIENT_ID) for peer in peers}
    assert len(ids) == 2 and all(ids)


def test_response_information_is_not_sent_even_when_asked(join5):
    assert P.RESPONSE_INFORMATION not in join5(None, [(P.REQUEST_RESPONSE, 1)]).connack.properties


@pytest.mark.parametrize("size", [1, 100, 511])
def test_a_maximum_packet_size_below_512_is_refused(dial5, names, size):
    """With which code is not documented, nor whether there is one that fits into so little."""
    connection = dial5()
    connection.send(five.connect(names.client_id(), [(P.MAXIMUM_PACKET_SIZE, size)]))
    answers = connection.refused()
    assert all(isinstance(answer, Connack) and answer.reason >= 0x80 for answer in answers)


def test_a_maximum_packet_size_of_512_is_accepted(join5):
    join5(None, [(P.MAXIMUM_PACKET_SIZE, 512)]).barrier()


def test_an_authentication_method_is_refused(dial5, names):
    connection = dial5()
    connection.send(five.connect(names.client_id(), [(P.AUTH_METHOD, b"SCRAM-SHA-1"), (P.AUTH_DATA, b"x")]))
    answers = connection.refused()
    assert all(isinstance(answer, Connack) and answer.reason >= 0x80 for answer in answers)
