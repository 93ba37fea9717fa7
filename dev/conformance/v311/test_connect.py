"""Chapter 3.1: CONNECT. Wills and keep alive have files of their own; broken CONNECTs are in `malformed`."""

import string

import pytest
from statements import statement
from v311.packets import (
    PINGREQ,
    Will,
    connack,
    connect,
    publish,
    raw_connect,
    subscribe,
    text,
)
from wire import Client

LETTERS_AND_DIGITS = (string.digits + string.ascii_letters).encode()


@statement("MQTT-3.1.4-4")
@pytest.mark.parametrize("clean", [True, False])
def test_a_valid_connect_is_accepted(dial, names, clean):
    connection = dial()
    connection.send(connect(names.client_id(), clean))
    connection.expect(connack())
    connection.fence()


@statement("MQTT-3.1.0-2")
@pytest.mark.parametrize("same_id", [True, False])
def test_a_second_connect_is_a_violation(join, names, same_id):
    topic, watcher = names.topic(), join()
    watcher.subscribe(topic)
    client_id = names.client_id()
    peer = join(client_id, will=Will(topic, b"violated"))
    peer.expect_refusal(connect(client_id if same_id else names.client_id()), PINGREQ)
    watcher.expect_message(topic, b"violated")


@statement("MQTT-3.1.2-1")
@pytest.mark.parametrize("name", [b"MQTX", b"mqtt", b"MQT", b"MQTTT", b"", b"MQIsdp"])
def test_another_protocol_name_is_not_served_as_mqtt(dial, names, name):
    """Level 4 under another name is no MQTT 3.1.1; code 1 is seen for MQIsdp, whose own level is 3."""
    connection = dial()
    connection.send(connect(names.client_id(), name=name))
    assert connection.expect_closed() in ([], [connack(1)])


@statement("MQTT-3.1.2-2", "MQTT-3.2.2-5")
@pytest.mark.parametrize("level", [0, 1, 2, 6, 0x7F, 0xFF])
def test_an_unknown_level_is_refused_with_code_1(address, names, level):
    """A level above 5 may also be answered in the form of MQTT 5, with 0x84."""
    with Client(address) as connection:
        connection.send(connect(names.client_id(), level=level))
        answers = connection.expect_closed()
        as_version_5 = [b"\x20\x03\x00\x84\x00"] if level > 5 else [connack(1)]
        assert answers in ([connack(1)], as_version_5)


@statement("MQTT-3.1.2-4", "MQTT-3.2.2-2", "MQTT-3.2.2-3")
def test_a_session_is_made_and_resumed(join, names):
    client_id, topic = names.client_id(), names.topic()
    first = join(client_id, clean=False)
    assert not first.session_present
    first.subscribe(topic, 1)
    first.abort()
    second = join(client_id, clean=False)
    assert second.session_present
    join().publish(topic, b"again", 1)
    second.expect_message(topic, b"again", 1)


@statement("MQTT-3.1.2-5", "MQTT-4.5.0-1")
@pytest.mark.parametrize("qos", [1, 2])
def test_messages_are_kept_while_a_session_is_away(join, names, qos):
    client_id, topic = names.client_id(), names.topic()
    first = join(client_id, clean=False)
    first.subscribe(topic, 2)
    first.disconnect()
    publisher = join()
    for index in range(3):
        publisher.publish(topic, b"%d" % index, qos)
    second = join(client_id, clean=False)
    for index in range(3):
        second.expect_message(topic, b"%d" % index, qos)
    second.expect_silence()


@statement("MQTT-3.1.2-6", "MQTT-3.2.2-1")
def test_clean_session_throws_the_old_one_away_and_leaves_none(join, names):
    client_id, topic = names.client_id(), names.topic()
    first = join(client_id, clean=False)
    first.subscribe(topic, 1)
    first.disconnect()
    publisher = join()
    publisher.publish(topic, b"kept", 1)
    second = join(client_id, clean=True)
    assert not second.session_present
    publisher.publish(topic, b"live", 1)
    second.expect_silence()
    second.subscribe(topic, 1)
    second.disconnect()
    publisher.publish(topic, b"away", 1)
    third = join(client_id, clean=False)
    assert not third.session_present
    publisher.publish(topic, b"later", 1)
    third.expect_silence()


@statement("MQTT-3.1.2-7")
def test_retained_messages_survive_the_session(join, names):
    client_id, topic = names.client_id(), names.topic()
    first = join(client_id, clean=False)
    first.publish(topic, b"retained", 1, retain=True)
    first.disconnect()
    second = join(client_id, clean=True)
    second.subscribe(topic, 1)
    second.expect_message(topic, b"retained", 1, retain=True)
    second.publish(topic, b"", 1, retain=True)


@statement("MQTT-3.1.3-1")
def test_all_fields_of_the_payload_in_their_order(dial, join, names):
    topic, watcher = names.topic(), join()
    watcher.subscribe(topic, 2)
    connection = dial()
    connection.send(connect(names.client_id(), True, 60, Will(topic, b"will", 2), b"user", b"\x00secret\xff"))
    connection.expect(connack())
    connection.abort()
    watcher.expect_message(topic, b"will", 2)


@statement("MQTT-3.1.3-2")
def test_each_client_id_has_its_own_session(join, names):
    first_id, topic = names.client_id(), names.topic()
    other_id = first_id.upper()
    assert other_id != first_id
    first = join(first_id, clean=False)
    first.subscribe(topic, 1)
    first.disconnect()
    other = join(other_id, clean=False)
    assert not other.session_present
    join().publish(topic, b"first's", 1)
    other.expect_silence()
    again = join(first_id, clean=False)
    assert again.session_present
    again.expect_message(topic, b"first's", 1)


@statement("MQTT-3.1.3-5")
def test_client_ids_of_letters_and_digits_are_allowed(join):
    """Lengths 1 and 23, and all 62 characters. The single letter is no other test's."""
    ids = [b"Z", LETTERS_AND_DIGITS[:23], LETTERS_AND_DIGITS[23:46], LETTERS_AND_DIGITS[39:]]
    assert [len(client_id) for client_id in ids] == [1, 23, 23, 23]
    for client_id in ids:
        join(client_id).disconnect()


@statement("MQTT-3.1.3-6")
def test_clients_without_an_id_do_not_disturb_each_other(dial, join, names):
    topic, connections = names.topic(), [dial(), dial(), dial()]
    for connection in connections:
        connection.send(connect(b""))
        connection.expect(connack())
        connection.send(subscribe(1, (topic, 0)))
        connection.expect(b"\x90\x03\x00\x01\x00")
    join().publish(topic, b"to all")
    for connection in connections:
        connection.expect(publish(topic, b"to all"))
        connection.fence()


@statement("MQTT-3.1.3-8", "MQTT-3.1.3-7", "MQTT-3.2.2-4", "MQTT-3.2.2-5")
def test_no_client_id_and_no_clean_session_is_code_2(dial):
    connection = dial()
    connection.send(connect(b"", clean=False))
    connection.expect(connack(2))
    assert connection.expect_closed() == []


@statement("MQTT-3.1.4-2")
@pytest.mark.parametrize("clean", [True, False])
def test_a_second_client_with_the_id_takes_over(join, names, clean):
    client_id, topic, wills = names.client_id(), names.topic(), names.topic()
    watcher, publisher = join(), join()
    watcher.subscribe(wills)
    first = join(client_id, clean=clean, will=Will(wills, b"taken over"))
    first.subscribe(topic, 1)
    second = join(client_id, clean=clean)
    assert first.expect_closed() == []
    watcher.expect_message(wills, b"taken over")
    second.subscribe(topic, 1)
    publisher.publish(topic, b"to the second", 1)
    second.expect_message(topic, b"to the second", 1)
    second.expect_silence()


@statement("MQTT-3.1.4-3")
def test_clean_session_counts_on_takeover(join, names):
    client_id, topic = names.client_id(), names.topic()
    publisher = join()
    first = join(client_id, clean=False)
    first.subscribe(topic, 1)
    second = join(client_id, clean=False)
    assert second.session_present
    publisher.publish(topic, b"resumed", 1)
    second.expect_message(topic, b"resumed", 1)
    third = join(client_id, clean=True)
    assert not third.session_present
    publisher.publish(topic, b"gone", 1)
    third.expect_silence()


def test_messages_survive_a_takeover(join, names):
    """What is on its way while a second connection takes over comes at least once."""
    client_id, topic = names.client_id(), names.topic()
    peer, publisher = join(client_id, clean=False), join()
    peer.subscribe(topic, 1)
    seen = set()
    for number in range(100):
        publisher.publish(topic, b"%d" % number, 1)
        if number % 20 == 10:
            peer = join(client_id, clean=False)
            assert peer.session_present
        if number % 7 == 0:
            seen.add(peer.receive().payload)
    seen |= {message.payload for message in peer.receive_all()}
    assert seen == {b"%d" % number for number in range(100)}


@statement("MQTT-3.1.4-5")
@pytest.mark.parametrize(
    "refused",
    [
        pytest.param(connect(b"", clean=False), id="no client id"),
        pytest.param(connect(b"c", level=0x7F), id="level"),
        pytest.param(raw_connect(3, text(b"c")), id="reserved flag"),
    ],
)
def test_nothing_is_processed_after_a_refused_connect(dial, join, names, refused):
    topic, watcher = names.topic(), join()
    watcher.subscribe(topic)
    connection = dial()
    connection.send(refused, publish(topic, b"live"), publish(topic, b"stored", retain=True), PINGREQ)
    assert connection.expect_closed() in ([], [connack(1)], [connack(2)])
    watcher.expect_silence()
    later = join()
    later.subscribe(topic)
    later.expect_silence()
