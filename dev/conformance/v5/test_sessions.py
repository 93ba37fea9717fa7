"""Session state (3.1.2.4, 3.1.2.11.2, 4.1): what starts it, what is in it, and when it ends."""

import time

import pytest
from statements import statement
from v5 import packets
from v5.packets import Publish, Pubrec, Will
from v5.properties import P
from v5.session import connect, resume

NEVER = 0xFFFFFFFF


def discard(address, name: bytes) -> None:
    with connect(address, name) as client:
        client.leave()


def is_present(address, name: bytes) -> bool:
    """Whether there is a session; it is gone afterwards."""
    with connect(address, name, clean_start=False, expiry=0) as client:
        present = client.connack.session_present
        client.leave()
        return present


@statement("MQTT-3.1.2-4", "MQTT-3.1.4-4", "MQTT-3.2.2-2")
@pytest.mark.parametrize("connected", [False, True], ids=["of a client that is away", "of a client that is taken over"])
def test_clean_start_discards_the_session(address, names, connected):
    name, topic = names.client_id(), names.topic()
    old = connect(address, name, expiry=60)
    old.subscribe(topic)
    old.send(packets.publish(names.topic(), b"half done", 2, 9))
    old.take(Pubrec)
    with connect(address, names.client_id()) as publisher:
        if not connected:
            old.drop()
        publisher.publish(topic, b"queued", 2)
        with connect(address, name, clean_start=True) as new:
            assert not new.connack.session_present
            new.silent()
            publisher.publish(topic, b"to the old subscription", 2)
            new.silent()
            new.subscribe(topic)
            publisher.publish(topic, b"to the new one", 1)
            assert new.message().payload == b"to the new one"
            new.send(packets.publish(topic, b"9 is free", 2, 9, dup=True))
            assert new.take(Pubrec).reason < 0x80 and new.release(9).reason == 0
            assert new.message().payload == b"9 is free"
    old.close()


@statement("MQTT-3.1.2-5", "MQTT-3.2.2-3", "MQTT-4.5.0-1", "MQTT-3.1.4-4")
def test_a_resumed_session_has_its_subscriptions_and_its_queue(address, names):
    name, topic = names.client_id(), names.topic()
    with connect(address, name, expiry=60) as client:
        client.subscribe(topic + b"/+", topic)
        client.drop()
    with connect(address, names.client_id()) as publisher:
        publisher.publish(topic + b"/1", b"one", 1)
        publisher.publish(topic, b"two", 2)
        with resume(address, name) as client:
            assert [(message.payload, message.qos, message.dup) for message in (client.message(), client.message())] == [
                (b"one", 1, False), (b"two", 2, False),
            ]  # fmt: skip
            publisher.publish(topic + b"/3", b"live", 1)
            assert client.message().payload == b"live"
            client.silent()
    discard(address, name)


@statement("MQTT-3.1.2-6")
def test_clean_start_0_without_a_session_makes_one(address, names):
    name, topic = names.client_id(), names.topic()
    with connect(address, name, clean_start=False, expiry=60) as client:
        assert not client.connack.session_present
        client.subscribe(topic)
        client.publish(topic, b"x", 1)
        assert client.message().payload == b"x"
        client.drop()
    assert is_present(address, name)


@statement("MQTT-3.1.2-23", "MQTT-4.1.0-2")
@pytest.mark.parametrize("expiry", [None, 0])
@pytest.mark.parametrize("way", ["disconnect", "drop"])
def test_without_a_session_expiry_the_session_ends_with_the_connection(address, names, expiry, way):
    name = names.client_id()
    with connect(address, name, expiry=expiry) as client:
        client.subscribe(names.topic())
        client.leave() if way == "disconnect" else client.drop()
    assert not is_present(address, name)


@statement("MQTT-3.1.2-23", "MQTT-4.1.0-2")
def test_a_session_is_there_before_its_expiry_and_gone_after_it(address, names):
    early, late = names.client_id(), names.client_id()
    for name in (early, late):
        with connect(address, name, expiry=3) as client:
            client.leave()
    time.sleep(1)
    assert is_present(address, early)
    time.sleep(4)
    assert not is_present(address, late)


@statement("MQTT-3.1.2-23")
@pytest.mark.parametrize("expiry", [NEVER, NEVER - 1, 0x80000000, 0x7FFFFFFF])
def test_a_very_large_session_expiry_does_not_overflow(address, names, expiry):
    name = names.client_id()
    with connect(address, name, expiry=expiry) as client:
        client.drop()
    time.sleep(1.5)
    assert is_present(address, name)


@statement("MQTT-4.1.0-1")
def test_a_connection_may_last_longer_than_the_session_expiry(address, names):
    """The interval starts when the connection ends."""
    name = names.client_id()
    with connect(address, name, expiry=1) as client:
        time.sleep(2.5)
        client.drop()
    assert is_present(address, name)


@statement("MQTT-3.1.2-23", "MQTT-4.1.0-2")
def test_the_expiry_of_the_last_connect_counts(address, names):
    name = names.client_id()
    with connect(address, name, expiry=300) as client:
        client.drop()
    with resume(address, name, expiry=0) as client:
        client.drop()
    assert not is_present(address, name)


@statement("MQTT-3.1.2-23", "MQTT-4.1.0-2")
def test_a_disconnect_may_end_the_session_at_once(address, names):
    name = names.client_id()
    with connect(address, name, expiry=300) as client:
        client.leave(0, [(P.SESSION_EXPIRY, 0)])
    assert not is_present(address, name)


@statement("MQTT-3.1.2-23")
def test_a_disconnect_may_lengthen_the_session_expiry(address, names):
    name = names.client_id()
    with connect(address, name, expiry=1) as client:
        client.leave(0, [(P.SESSION_EXPIRY, 300)])
    time.sleep(2.5)
    assert is_present(address, name)


@statement("MQTT-4.13.1-1", "MQTT-3.1.2-8")
def test_a_disconnect_may_not_turn_expiry_0_into_another_and_the_will_is_published(address, names):
    """3.14.2.2.2: it is the CONNECT's value that counts, also when an earlier connection had another."""
    name, will = names.client_id(), Will(names.topic(), b"will")
    with connect(address, name, expiry=300) as client:
        client.leave()
    with connect(address, names.client_id()) as subscriber:
        subscriber.subscribe(will.topic)
        with resume(address, name, expiry=0, will=will) as client:
            client.send(packets.disconnect(0, [(P.SESSION_EXPIRY, 10)]))
            client.refused(0x82)
        assert subscriber.message().payload == b"will"
    assert not is_present(address, name)


def test_a_disconnect_may_repeat_expiry_0(address, names):
    will = Will(names.topic(), b"will")
    with connect(address, names.client_id()) as subscriber:
        subscriber.subscribe(will.topic)
        with connect(address, names.client_id(), will=will) as client:
            client.leave(0, [(P.SESSION_EXPIRY, 0)])
        subscriber.silent()


@statement("MQTT-3.1.3-2")
def test_each_client_id_has_a_session_of_its_own(address, names):
    first, second, topic = names.client_id(), names.client_id(), names.topic()
    for name, end in ((first, b"/1"), (second, b"/2")):
        with connect(address, name, expiry=60) as client:
            client.subscribe(topic + end)
            client.drop()
    with connect(address, names.client_id()) as publisher:
        publisher.publish(topic + b"/1", b"one", 1)
        publisher.publish(topic + b"/2", b"two", 1)
    for name, payload in ((first, b"one"), (second, b"two")):
        with resume(address, name) as client:
            assert client.message().payload == payload
            client.silent()
        discard(address, name)


@statement("MQTT-4.5.0-1")
def test_messages_are_queued_for_every_matching_session(address, names):
    topic, absent = names.topic(), [names.client_id() for _ in range(3)]
    for name in absent:
        with connect(address, name, expiry=60) as client:
            client.subscribe(topic)
            client.drop()
    with connect(address, names.client_id()) as publisher:
        for number in range(20):
            publisher.publish(topic, b"%d" % number, 1 + number % 2)
    for name in absent:
        with resume(address, name) as client:
            assert client.payloads(20) == [b"%d" % number for number in range(20)]
            client.silent()
        discard(address, name)


@statement("MQTT-4.5.0-1", "MQTT-4.3.2-4", "MQTT-4.3.3-8")
@pytest.mark.parametrize("qos", [1, 2])
def test_an_acknowledged_message_is_delivered_though_its_publisher_dies(address, names, qos):
    topic = names.topic()
    with connect(address, names.client_id()) as subscriber:
        subscriber.subscribe(topic)
        publisher = connect(address, names.client_id())
        publisher.publish(topic, b"x", qos)
        publisher.abort()
        assert subscriber.message().payload == b"x"


@statement("MQTT-3.1.2-5", "MQTT-4.5.0-1")
def test_what_is_acknowledged_after_a_resumption_is_delivered(address, names):
    """Again and again: away, a message, back, and a live one."""
    name, topic = names.client_id(), names.topic()
    with connect(address, name, expiry=60) as client:
        client.subscribe(topic)
        client.drop()
    with connect(address, names.client_id()) as publisher:
        for number in range(5):
            publisher.publish(topic, b"away %d" % number, 1)
            with resume(address, name) as client:
                publisher.publish(topic, b"live %d" % number, 1)
                assert client.payloads(2) == [b"away %d" % number, b"live %d" % number]
                client.barrier()
                client.drop()
    discard(address, name)


@statement("MQTT-3.1.2-5")
def test_the_receiver_half_of_qos_2_is_part_of_the_session(address, names):
    name, topic = names.client_id(), names.topic()
    with connect(address, names.client_id()) as subscriber:
        subscriber.subscribe(topic)
        with connect(address, name, expiry=60) as client:
            client.send(packets.publish(topic, b"once", 2, 7))
            client.take(Pubrec)
            client.drop()
        with resume(address, name) as client:
            client.send(packets.publish(topic, b"once", 2, 7, dup=True))
            assert client.take(Pubrec).reason < 0x80
            assert client.release(7).reason == 0
        assert subscriber.message().payload == b"once"
        subscriber.silent()
    discard(address, name)


@statement("MQTT-3.1.2-5")
def test_an_unsubscription_is_part_of_the_session(address, names):
    name, topic = names.client_id(), names.topic()
    with connect(address, name, expiry=60) as client:
        client.subscribe(topic + b"/1", topic + b"/2")
        client.unsubscribe(topic + b"/1")
        client.drop()
    with resume(address, name) as client:
        client.publish(topic + b"/1", b"no", 1)
        client.publish(topic + b"/2", b"yes", 1)
        message = client.take(Publish)
        assert message.payload == b"yes"
        client.acknowledge(message)
    discard(address, name)
