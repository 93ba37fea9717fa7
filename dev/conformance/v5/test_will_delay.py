"""Will Delay Interval (3.1.3.2.2): a will waits for the delay or the session's end, whichever is first."""

import time

import pytest
from statements import statement
from v5.packets import Will
from v5.properties import P
from v5.session import connect, resume


def delayed(topic: bytes, delay: int, payload: bytes = b"will", *properties) -> Will:
    return Will(topic, payload, 1, properties=[(P.WILL_DELAY, delay), *properties])


@statement("MQTT-3.1.2-8")
@pytest.mark.parametrize("way", ["drop", "DISCONNECT 0x04"])
def test_a_will_comes_after_its_delay_and_not_before(address, names, way):
    will = delayed(names.topic(), 3)
    with connect(address, names.client_id()) as subscriber:
        subscriber.subscribe(will.topic)
        client, start = connect(address, names.client_id(), expiry=60, will=will), time.monotonic()
        client.drop() if way == "drop" else client.leave(0x04)
        subscriber.silent(1.5)
        assert subscriber.message(5).payload == b"will"
        assert time.monotonic() - start >= 2.9
        subscriber.silent()


@statement("MQTT-3.1.2-8", "MQTT-4.1.0-2")
def test_a_will_comes_at_the_sessions_end_if_that_is_before_its_delay(address, names):
    will = delayed(names.topic(), 30)
    with connect(address, names.client_id()) as subscriber:
        subscriber.subscribe(will.topic)
        connect(address, names.client_id(), expiry=3, will=will).drop()
        subscriber.silent(1.5)
        assert subscriber.message(5).payload == b"will"


@statement("MQTT-3.1.2-8", "MQTT-4.1.0-2")
@pytest.mark.parametrize("expiry", [None, 0])
def test_a_will_comes_at_once_if_the_session_ends_with_the_connection(address, names, expiry):
    will = delayed(names.topic(), 30)
    with connect(address, names.client_id()) as subscriber:
        subscriber.subscribe(will.topic)
        connect(address, names.client_id(), expiry=expiry, will=will).drop()
        assert subscriber.message(2).payload == b"will"


@statement("MQTT-3.1.2-8", "MQTT-4.1.0-2")
def test_a_will_comes_at_once_if_disconnect_ends_the_session(address, names):
    will = delayed(names.topic(), 30)
    with connect(address, names.client_id()) as subscriber:
        subscriber.subscribe(will.topic)
        connect(address, names.client_id(), expiry=60, will=will).leave(0x04, [(P.SESSION_EXPIRY, 0)])
        assert subscriber.message(2).payload == b"will"


@statement("MQTT-3.1.2-8", "MQTT-3.1.3-9")
def test_a_client_that_is_back_before_the_delay_has_no_will_published(address, names):
    name, will = names.client_id(), delayed(names.topic(), 2)
    with connect(address, names.client_id()) as subscriber:
        subscriber.subscribe(will.topic)
        connect(address, name, expiry=60, will=will).drop()
        time.sleep(0.5)
        with resume(address, name) as client:
            subscriber.silent(3)
            client.leave(0, [(P.SESSION_EXPIRY, 0)])
        subscriber.silent(0.1)


@statement("MQTT-3.1.3-9")
def test_the_will_of_the_new_connection_takes_the_place_of_the_delayed_one(address, names):
    name, topic = names.client_id(), names.topic()
    with connect(address, names.client_id()) as subscriber:
        subscriber.subscribe(topic)
        connect(address, name, expiry=60, will=delayed(topic, 2, b"first")).drop()
        resume(address, name, will=delayed(topic, 0, b"second")).drop()
        assert subscriber.message().payload == b"second"
        subscriber.silent(2.5)
    connect(address, name).leave()


@statement("MQTT-3.1.2-8", "MQTT-3.1.2-4")
def test_clean_start_ends_the_session_and_so_publishes_the_delayed_will(address, names):
    name, will = names.client_id(), delayed(names.topic(), 30)
    with connect(address, names.client_id()) as subscriber:
        subscriber.subscribe(will.topic)
        connect(address, name, expiry=60, will=will).drop()
        subscriber.silent(0.2)
        with connect(address, name, clean_start=True):
            assert subscriber.message(2).payload == b"will"
            subscriber.silent()


@statement("MQTT-3.1.2-8", "MQTT-3.1.2-10", "MQTT-3.14.4-3")
def test_disconnect_0_removes_a_delayed_will(address, names):
    will = delayed(names.topic(), 1)
    with connect(address, names.client_id()) as subscriber:
        subscriber.subscribe(will.topic)
        connect(address, names.client_id(), expiry=60, will=will).leave()
        subscriber.silent(2)


@statement("MQTT-3.1.2-8", "MQTT-3.1.2-5")
def test_after_a_delayed_will_its_client_still_resumes_and_gets_messages(address, names):
    name, will = names.client_id(), delayed(names.topic(), 1)
    topic = names.topic()
    with connect(address, names.client_id()) as subscriber:
        subscriber.subscribe(will.topic)
        client = connect(address, name, expiry=60, will=will)
        client.subscribe(topic)
        client.drop()
        assert subscriber.message(4).payload == b"will"
        subscriber.publish(topic, b"queued", 1)
        with resume(address, name) as client:
            assert client.message().payload == b"queued"
            subscriber.publish(topic, b"live", 1)
            assert client.message().payload == b"live"
            client.leave(0, [(P.SESSION_EXPIRY, 0)])
        subscriber.silent()


@statement("MQTT-3.1.2-10")
def test_a_delayed_will_is_published_once_though_the_session_expires_later(address, names):
    will = delayed(names.topic(), 1)
    with connect(address, names.client_id()) as subscriber:
        subscriber.subscribe(will.topic)
        connect(address, names.client_id(), expiry=2, will=will).drop()
        assert subscriber.message(4).payload == b"will"
        subscriber.silent(2)


@statement("MQTT-3.3.2-6", "MQTT-3.1.2-8")
def test_the_message_expiry_of_a_delayed_will_starts_when_it_is_published(address, names):
    """3.1.3.2.4: the interval is sent as the Publication Expiry Interval when the server publishes the will."""
    will = delayed(names.topic(), 2, b"will", (P.MESSAGE_EXPIRY, 60))
    with connect(address, names.client_id()) as subscriber:
        subscriber.subscribe(will.topic)
        connect(address, names.client_id(), expiry=60, will=will).drop()
        message = subscriber.message(5)
        assert message.properties.pairs in ([(P.MESSAGE_EXPIRY, 60)], [(P.MESSAGE_EXPIRY, 59)])


@statement("MQTT-3.1.2-8")
def test_a_very_large_will_delay_does_not_overflow(address, names):
    will = delayed(names.topic(), 0xFFFFFFFF)
    with connect(address, names.client_id()) as subscriber:
        subscriber.subscribe(will.topic)
        name = names.client_id()
        connect(address, name, expiry=0xFFFFFFFF, will=will).drop()
        subscriber.silent(1.5)
        connect(address, name, clean_start=True).leave()
        assert subscriber.message(2).payload == b"will"
