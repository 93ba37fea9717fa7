"""MQTT 3.1, the version before: `MQIsdp` at level 3. The plain listener serves it."""

import pytest
from v311.packets import Will, connack, connect, publish, subscribe


def connect_31(client_id: bytes, clean: bool = True, will: Will | None = None) -> bytes:
    return connect(client_id, clean, will=will, name=b"MQIsdp", level=3)


def test_a_client_of_31_publishes_and_subscribes(dial, join, names):
    topic, connection = names.topic(), dial()
    connection.send(connect_31(names.client_id()))
    connection.expect(connack())
    connection.send(subscribe(1, (topic, 1)))
    connection.expect(b"\x90\x03\x00\x01\x01")
    join().publish(topic, b"from 3.1.1")
    connection.expect(publish(topic, b"from 3.1.1"))
    connection.fence()


def test_a_client_of_31_is_heard_by_others(dial, join, names):
    topic, subscriber, connection = names.topic(), join(), dial()
    subscriber.subscribe(topic, 1)
    connection.send(connect_31(names.client_id()), publish(topic, b"from 3.1", 1, 9))
    connection.expect(connack())
    connection.expect(b"\x40\x02\x00\x09")
    subscriber.expect_message(topic, b"from 3.1", 1)


def test_connack_to_31_has_no_session_present(dial, names):
    """The byte is reserved there; the session is resumed all the same."""
    client_id, topic = names.client_id(), names.topic()
    first = dial()
    first.send(connect_31(client_id, clean=False), subscribe(1, (topic, 1)))
    first.expect(connack())
    first.expect(b"\x90\x03\x00\x01\x01")
    first.abort()
    second = dial()
    second.send(connect_31(client_id, clean=False), publish(topic, b"resumed", 0))
    second.expect(connack())
    second.expect(publish(topic, b"resumed"))


def test_a_will_of_31_is_published(dial, join, names):
    topic, watcher, connection = names.topic(), join(), dial()
    watcher.subscribe(topic)
    connection.send(connect_31(names.client_id(), will=Will(topic, b"gone")))
    connection.expect(connack())
    connection.abort()
    watcher.expect_message(topic, b"gone")


@pytest.mark.parametrize(("name", "level"), [(b"MQTT", 3), (b"MQIsdp", 4), (b"MQIsdp", 5)])
def test_name_and_level_must_belong_together(dial, names, name, level):
    connection = dial()
    connection.send(connect(names.client_id(), name=name, level=level))
    assert connection.expect_closed() in ([], [connack(1)])


def test_an_empty_id_is_refused_in_31(dial):
    """Ids have 1 to 23 characters there; 3.1.1's empty one came later."""
    connection = dial()
    connection.send(connect_31(b""))
    assert connection.expect_closed() in ([], [connack(2)])
