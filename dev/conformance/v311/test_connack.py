"""Chapter 3.2: CONNACK comes first, and says whether there was a session."""

from statements import statement
from v311.packets import connack, connect, parse_publish, publish, puback, subscribe
from wire import Client


@statement("MQTT-3.2.0-1")
def test_connack_comes_before_what_was_queued(dial, join, names):
    client_id, topic = names.client_id(), names.topic()
    first = join(client_id, clean=False)
    first.subscribe(topic, 1)
    first.disconnect()
    publisher = join()
    for number in range(200):
        publisher.publish(topic, b"%d" % number, 1)
    connection = dial()
    connection.send(connect(client_id, clean=False))
    connection.expect(connack(session_present=True))
    for number in range(200):
        message = parse_publish(connection.packet())
        assert message.payload == b"%d" % number
        connection.send(puback(message.packet_id))


@statement("MQTT-3.2.0-1")
def test_connack_comes_before_what_is_published_meanwhile(dial, join, names):
    """A busy session is taken over; the new connection hears CONNACK first all the same."""
    client_id, topic = names.client_id(), names.topic()
    peer, publisher = join(client_id, clean=False), join()
    peer.subscribe(topic, 1)
    for _ in range(5):
        publisher.send(*(publish(topic, b"busy", 1, 1 + number) for number in range(20)))
        connection = dial()
        connection.send(connect(client_id, clean=False))
        connection.expect(connack(session_present=True))
        for number in range(20):
            publisher.expect(puback(1 + number))
        publisher.fence()


@statement("MQTT-3.2.2-1", "MQTT-3.2.2-2", "MQTT-3.2.2-3")
def test_session_present_says_whether_a_session_was_stored(dial, names):
    """A session without any subscription is one."""
    client_id, seen = names.client_id(), []
    for clean in (False, False, True, False, False, True, True):
        connection = dial()
        connection.send(connect(client_id, clean), b"\xe0\x00")
        answer = connection.packet()
        assert answer in (connack(), connack(session_present=True))
        seen.append(answer[2])
        assert connection.expect_closed() == []
    assert seen == [0, 1, 0, 0, 1, 0, 0]


@statement("MQTT-3.2.2-4")
def test_a_refusal_never_says_session_present(address, dial, names):
    """The session exists, and the client comes back with a level that is not served."""
    client_id = names.client_id()
    first = dial()
    first.send(connect(client_id, clean=False), subscribe(1, (names.topic(), 1)), b"\xe0\x00")
    first.expect(connack())
    first.expect_closed()
    with Client(address) as second:
        second.send(connect(client_id, clean=False, level=2))
        assert second.expect_closed() == [connack(1)]
    third = dial()
    third.send(connect(client_id, clean=False))
    third.expect(connack(session_present=True))


@statement("MQTT-3.2.2-5", "MQTT-3.2.2-6")
def test_where_no_code_fits_there_is_no_connack(dial, names):
    """Every code seen in this suite is 0 to 5; `check_from_server` sees to it. Here the offence has none."""
    connection = dial()
    connection.send(connect(names.client_id(), user_name=b"\xc3\x28"))
    assert connection.expect_closed() == []
