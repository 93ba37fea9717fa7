"""Message Expiry Interval (3.3.2.3.3): the clock runs while the server holds a message, and stops once it is sent."""

import time

import pytest
from statements import statement
from v5 import packets
from v5.packets import RETAIN_IF_NEW, Publish, Pubrec, Pubrel
from v5.properties import P
from v5.session import connect, resume


def expiring(seconds: int) -> list:
    return [(P.MESSAGE_EXPIRY, seconds)]


def absent_subscriber(address, names, topic: bytes) -> bytes:
    name = names.client_id()
    with connect(address, name, expiry=60) as client:
        client.subscribe(topic)
        client.drop()
    return name


@statement("MQTT-3.3.2-5")
@pytest.mark.parametrize("qos", [1, 2])
def test_a_message_that_expired_in_the_queue_is_not_sent_and_does_not_hold_up_the_next(address, names, qos):
    topic = names.topic()
    name = absent_subscriber(address, names, topic)
    with connect(address, names.client_id()) as publisher:
        publisher.publish(topic, b"short", qos, expiring(1))
        publisher.publish(topic, b"none", qos)
        publisher.publish(topic, b"short too", qos, expiring(1))
        publisher.publish(topic, b"long", qos, expiring(0xFFFFFFFF))
        time.sleep(2.2)
    with resume(address, name) as client:
        assert client.payloads(2) == [b"none", b"long"]
        client.silent()
        client.leave(0, [(P.SESSION_EXPIRY, 0)])


@statement("MQTT-3.3.2-5")
def test_an_expired_retained_message_is_not_sent(address, names):
    topic = names.topic()
    with connect(address, names.client_id()) as client:
        client.publish(topic, b"x", 1, expiring(1), retain=True)
        time.sleep(2.2)
        client.subscribe(topic)
        client.silent()


@statement("MQTT-3.3.2-5")
def test_a_message_behind_a_full_quota_expires(address, names):
    topic = names.topic()
    with connect(address, names.client_id(), [(P.RECEIVE_MAXIMUM, 1)]) as client, connect(address, names.client_id()) as publisher:
        client.subscribe((topic, 1))
        publisher.publish(topic, b"first", 1)
        first = client.take(Publish)
        publisher.publish(topic, b"expires", 1, expiring(1))
        publisher.publish(topic, b"last", 1)
        time.sleep(2.2)
        client.acknowledge(first)
        assert client.message().payload == b"last"
        client.silent()


@statement("MQTT-3.3.2-6")
@pytest.mark.parametrize("way", ["queued", "retained"])
def test_the_expiry_sent_is_what_is_left(address, names, way):
    topic = names.topic()
    name = absent_subscriber(address, names, topic + (b"" if way == "queued" else b"/other"))
    with connect(address, names.client_id()) as publisher:
        publisher.publish(topic, b"x", 1, expiring(60), retain=way == "retained")
        time.sleep(3)
    with resume(address, name) as client:
        if way == "retained":
            client.subscribe(topic)
        assert client.message().properties.get(P.MESSAGE_EXPIRY) in (55, 56, 57)
        client.publish(topic, b"", 1, retain=True)
        client.leave(0, [(P.SESSION_EXPIRY, 0)])


@statement("MQTT-3.3.2-6")
@pytest.mark.parametrize("seconds", [1, 60, 0x7FFFFFFF, 0xFFFFFFFF])
def test_a_message_that_did_not_wait_keeps_its_expiry(address, names, seconds):
    topic = names.topic()
    with connect(address, names.client_id()) as client:
        client.subscribe(topic)
        client.publish(topic, b"x", 1, expiring(seconds))
        assert client.message().properties.get(P.MESSAGE_EXPIRY) in (seconds, max(1, seconds - 1))


@statement("MQTT-3.3.2-6")
def test_a_message_without_an_expiry_gets_none(address, names):
    topic = names.topic()
    name = absent_subscriber(address, names, topic)
    with connect(address, names.client_id()) as publisher:
        publisher.publish(topic, b"x", 1)
        time.sleep(1.1)
    with resume(address, name) as client:
        assert P.MESSAGE_EXPIRY not in client.message().properties
        client.leave(0, [(P.SESSION_EXPIRY, 0)])


@statement("MQTT-3.3.2-6")
def test_the_property_is_there_in_the_last_second_and_is_not_0(address, names):
    """Whole seconds of waiting are taken off: 2 less 1.1 is still 1, as 0 would say that it is over."""
    topic = names.topic()
    with connect(address, names.client_id()) as client:
        for _ in range(5):
            start = time.monotonic()
            client.publish(topic, b"x", 1, expiring(2), retain=True)
            time.sleep(1.1)
            client.subscribe((topic, 1))
            found = client.all_messages(0.3)
            if found or time.monotonic() - start < 1.9:
                break
        assert [message.properties.get(P.MESSAGE_EXPIRY) for message in found] == [1]


@statement("MQTT-3.3.2-5")
def test_an_expiry_of_0_is_delivered_at_most_to_who_is_there(address, names):
    """0 seconds are over as soon as the server holds it: an absent subscriber never gets it, nor a late one."""
    topic = names.topic()
    name = absent_subscriber(address, names, topic)
    with connect(address, names.client_id()) as publisher:
        publisher.publish(topic, b"x", 1, expiring(0), retain=True)
        time.sleep(1.1)
        publisher.subscribe(topic)
        publisher.silent()
    with resume(address, name) as client:
        client.silent()
        client.leave(0, [(P.SESSION_EXPIRY, 0)])


@statement("MQTT-4.3.3-7")
def test_a_qos_2_message_that_was_sent_does_not_expire(address, names):
    name, topic = names.client_id(), names.topic()
    with connect(address, name, expiry=60) as client:
        client.subscribe(topic)
        client.publish(topic, b"x", 2, expiring(2))
        first = client.take(Publish)
        client.drop()
    time.sleep(3.2)
    with resume(address, name) as client:
        again = client.take(Publish)
        assert (again.payload, again.packet_id, again.dup, again.qos) == (b"x", first.packet_id, True, 2)
        client.acknowledge(again)
        client.silent(0.1)
        client.leave(0, [(P.SESSION_EXPIRY, 0)])


@statement("MQTT-4.3.3-13", "MQTT-4.3.3-7")
def test_a_qos_2_exchange_to_a_subscriber_goes_on_after_the_expiry(address, names):
    topic = names.topic()
    with connect(address, names.client_id()) as client:
        client.subscribe(topic)
        client.publish(topic, b"x", 2, expiring(2))
        message = client.take(Publish)
        time.sleep(3.2)
        client.send(packets.pubrec(message.packet_id))
        pubrel = client.take(Pubrel)
        assert (pubrel.packet_id, pubrel.reason) == (message.packet_id, 0)
        client.send(packets.pubcomp(message.packet_id))
        client.silent(0.1)


@statement("MQTT-4.3.3-13")
def test_a_qos_2_exchange_from_a_publisher_ends_after_the_expiry(address, names):
    with connect(address, names.client_id()) as publisher:
        publisher.send(packets.publish(names.topic(), b"x", 2, 5, expiring(1)))
        assert publisher.take(Pubrec).reason < 0x80
        time.sleep(2.2)
        assert publisher.release(5).reason == 0


@statement("MQTT-3.3.2-5", "MQTT-3.3.1-10")
def test_a_retained_message_that_replaced_an_expiring_one_stays(address, names):
    topic = names.topic()
    with connect(address, names.client_id()) as client:
        client.publish(topic, b"short", 1, expiring(1), retain=True)
        client.publish(topic, b"for ever", 1, retain=True)
        time.sleep(2.2)
        client.subscribe((topic, 1 | RETAIN_IF_NEW))
        message = client.message()
        assert message.payload == b"for ever" and P.MESSAGE_EXPIRY not in message.properties
        client.publish(topic, b"", 1, retain=True)
