"""CONNECT of 3.1.1 in dialect `aws`: client ids, keep alive, takeover, and who is refused without a word."""

import pytest
from statements import statement
from v311.packets import PINGREQ, Will, connack, connect, publish, raw_connect, text
from v311.peer import Checked
from wire import Client, Closed


def test_a_client_id_of_128_bytes_is_accepted(join, names):
    client_id = names.client_id()
    join(client_id + b"x" * (128 - len(client_id))).fence()


@statement("MQTT-3.1.3-9", "MQTT-3.2.2-5")
def test_a_longer_client_id_is_refused_with_code_2(dial, names):
    client_id = names.client_id()
    connection = dial()
    connection.send(connect(client_id + b"x" * (129 - len(client_id))))
    assert connection.expect_closed() == [connack(2)]


def test_the_limit_of_a_client_id_counts_bytes(dial, names):
    """65 characters of two bytes each."""
    connection = dial()
    connection.send(connect("\u00e9".encode() * 65))
    assert connection.expect_closed() == [connack(2)]


def test_an_empty_client_id_needs_a_clean_session(dial):
    first, second = dial(), dial()
    first.send(connect(b""))
    first.expect(connack())
    second.send(connect(b"", clean=False))
    assert second.expect_closed() == [connack(2)]


def test_a_second_connect_is_a_clients_error(join, names, events):
    client_id = names.client_id()
    join(client_id).expect_refusal(connect(client_id))
    assert events.reason(client_id) == "CLIENT_ERROR"


@pytest.mark.parametrize("clean", [True, False])
def test_a_takeover_closes_the_old_connection_and_sends_its_will(join, plain, names, events, clean):
    client_id, topic, watcher = names.client_id(), names.topic(), plain()
    watcher.subscribe(topic, 1)
    first = join(client_id, clean=clean, will=Will(topic, b"taken over", 1))
    second = join(client_id, clean=clean)
    assert first.expect_closed() == []
    watcher.expect_message(topic, b"taken over", 1)
    assert events.reason(client_id) == "DUPLICATE_CLIENTID"
    second.fence()


def test_a_keep_alive_below_30_seconds_is_taken_as_30(join):
    """Silent for more than one and a half of the second that was asked for."""
    peer = join(keep_alive=1)
    peer.nothing_for(3.5)
    peer.fence()


def test_a_connect_over_the_packet_limit_is_refused(dial, names):
    """146 KB: user name and password of 64 KB each, and a will of as much."""
    many = b"x" * 65_535
    payload = text(names.client_id()) + text(names.topic()) + text(many) + text(many) + text(many)
    connection = dial()
    connection.send(raw_connect(0xC6, payload))
    assert connection.expect_closed() == []


def test_31_is_not_served(dial, names):
    """Not documented; AWS speaks of 3.1.1 and 5 alone."""
    connection = dial()
    connection.send(connect(names.client_id(), name=b"MQIsdp", level=3))
    assert connection.expect_closed() in ([], [connack(1)])


def test_a_client_id_that_the_policy_denies_is_closed_without_connack(dial, names, events):
    client_id = b"denied" + names.client_id()
    connection = dial()
    connection.send(connect(client_id))
    assert connection.expect_closed() == []
    assert events.of("connect_failed", client_id)["connectFailureReason"] == "AUTHORIZATION_FAILED"


def test_a_certificate_without_a_policy_is_closed_without_connack(account, names):
    with Checked(account.certificate(policy=None)[1]) as connection:
        connection.send(connect(names.client_id()))
        assert connection.expect_closed() == []


def test_an_inactive_certificate_gets_no_connack(account, names):
    identifier, address = account.certificate()
    account.iot.update_certificate(certificateId=identifier, newStatus="INACTIVE")
    assert not is_served(address, names)
    account.iot.update_certificate(certificateId=identifier, newStatus="ACTIVE")
    assert is_served(address, names)


def is_served(address, names) -> bool:
    """Whether a CONNACK comes; TLS itself may end the connection as well."""
    try:
        with Client(address) as connection:
            connection.send(connect(names.client_id()))
            return connection.packet() == connack()
    except (Closed, OSError):
        return False


def test_a_deactivated_certificate_loses_its_connection(account, plain, names, stack, events):
    identifier, address = account.certificate()
    client_id, topic, watcher = names.client_id(), names.topic(), plain()
    watcher.subscribe(topic)
    connection = stack.enter_context(Checked(address))
    connection.send(connect(client_id, will=Will(topic, b"forbidden")))
    connection.expect(connack())
    account.iot.update_certificate(certificateId=identifier, newStatus="INACTIVE")
    assert connection.expect_closed() == []
    watcher.expect_message(topic, b"forbidden")
    assert events.reason(client_id) == "FORBIDDEN_ACCESS"


def test_nothing_after_a_refused_connect_is_processed(dial, plain, names):
    topic, watcher = names.topic(), plain()
    watcher.subscribe(topic)
    connection = dial()
    connection.send(connect(b"denied" + names.client_id()), publish(topic, b"never"), PINGREQ)
    assert connection.expect_closed() == []
    watcher.expect_silence()
