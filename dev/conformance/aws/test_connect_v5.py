"""CONNECT of MQTT 5 in dialect `aws`: client ids, takeover, aliases, and the codes of refusals."""

import pytest
from aws.endings import ended
from statements import statement
from v5 import packets as five
from v5.packets import Connack, Will
from v5.properties import P
from v5.session import connect


@statement("MQTT-3.1.3-8")
def test_a_client_id_of_129_bytes_is_refused_with_0x85(dial5, names):
    client_id, connection = names.client_id(), dial5()
    connection.send(five.connect(client_id + b"x" * (129 - len(client_id))))
    answers = connection.refused()
    assert [(type(answer), answer.reason) for answer in answers] == [(Connack, 0x85)]


def test_a_client_id_of_128_bytes_is_accepted(join5, names):
    client_id = names.client_id()
    join5(client_id + b"x" * (128 - len(client_id))).barrier()


def test_a_second_connect_is_a_clients_error(join5, names, events):
    client_id = names.client_id()
    peer = join5(client_id)
    peer.send(five.connect(client_id))
    assert ended(peer, 0x82) == []
    assert events.reason(client_id) == "CLIENT_ERROR"


@pytest.mark.parametrize("expiry", [None, 300])
def test_a_takeover_ends_the_old_connection_with_0x8e(join5, plain, names, events, expiry):
    client_id, topic, watcher = names.client_id(), names.topic(), plain()
    watcher.subscribe(topic, 1)
    first = join5(client_id, expiry=expiry, will=Will(topic, b"taken over", 1))
    second = join5(client_id, expiry=expiry, clean_start=False)
    assert ended(first, 0x8E) == []
    watcher.expect_message(topic, b"taken over", 1)
    assert events.reason(client_id) == "DUPLICATE_CLIENTID"
    second.barrier()


@statement("MQTT-3.1.4-2")
def test_a_client_id_that_the_policy_denies_is_refused(dial5, names, events):
    """AWS was seen to close without CONNACK over TLS, and to send 0x87 over WebSocket."""
    client_id, connection = b"denied" + names.client_id(), dial5()
    connection.send(five.connect(client_id))
    answers = connection.refused()
    assert [(type(answer), answer.reason) for answer in answers] in ([], [(Connack, 0x87)])
    assert events.of("connect_failed", client_id)["connectFailureReason"] == "AUTHORIZATION_FAILED"


@statement("MQTT-3.3.2-12")
def test_aliases_1_to_8_are_accepted(join5, plain, names):
    topics, watcher, peer = [names.topic() for _ in range(8)], plain(), join5()
    for topic in topics:
        watcher.subscribe(topic, 1)
    for alias, topic in enumerate(topics, start=1):
        peer.publish(topic, b"set", 1, [(P.TOPIC_ALIAS, alias)])
        peer.publish(b"", b"used", 1, [(P.TOPIC_ALIAS, alias)])
        watcher.expect_message(topic, b"set", 1)
        watcher.expect_message(topic, b"used", 1)


@statement("MQTT-3.2.2-17", "MQTT-3.3.2-9")
@pytest.mark.parametrize("alias", [0, 9, 65_535])
def test_an_alias_above_8_ends_with_0x94(join5, names, alias):
    peer = join5()
    peer.send(five.publish(names.topic(), b"never", 1, 1, [(P.TOPIC_ALIAS, alias)]))
    assert ended(peer, 0x94) == []


def test_a_deactivated_certificate_ends_the_connection(account, names, stack, events):
    """AWS lists 0x87 and 0x98; which of them is not documented."""
    identifier, address = account.certificate()
    client_id = names.client_id()
    peer = stack.enter_context(connect(address, client_id))
    account.iot.update_certificate(certificateId=identifier, newStatus="INACTIVE")
    assert peer.refused(0x87, 0x98) == []
    assert events.reason(client_id) == "FORBIDDEN_ACCESS"
