"""QoS 1 (4.3.2) and what a resumed session sends again (4.4)."""

import pytest
from statements import statement
from v5 import packets
from v5.packets import Puback, Publish
from v5.properties import P
from v5.session import connect, resume


@statement("MQTT-4.3.2-5", "MQTT-4.3.2-4", "MQTT-2.2.1-5")
def test_after_puback_the_same_identifier_is_a_new_message_whatever_dup_says(address, names):
    topic = names.topic()
    with connect(address, names.client_id()) as subscriber, connect(address, names.client_id()) as publisher:
        subscriber.subscribe(topic)
        for dup in (False, True, True):
            publisher.send(packets.publish(topic, b"x", 1, 1, dup=dup))
            assert publisher.take(Puback).packet_id == 1
        assert [message.dup for message in (subscriber.message(), subscriber.message(), subscriber.message())] == [False] * 3
        subscriber.silent(0.1)


@statement("MQTT-4.3.2-3", "MQTT-4.4.0-1", "MQTT-3.3.1-1", "MQTT-2.2.1-4")
def test_an_unacknowledged_message_comes_again_with_its_identifier_and_dup_1(address, names):
    name, topic = names.client_id(), names.topic()
    with connect(address, name, expiry=60) as client:
        client.subscribe(topic)
        client.publish(topic, b"x", 1, [(P.CONTENT_TYPE, b"type"), (P.USER_PROPERTY, (b"k", b"v"))])
        first = client.take(Publish)
        assert (first.dup, first.qos) == (False, 1)
        client.drop()
    for _ in range(2):
        with resume(address, name) as client:
            again = client.take(Publish)
            assert (again.topic, again.payload, again.qos, again.packet_id, again.dup) == (topic, b"x", 1, first.packet_id, True)
            assert again.properties.by_identifier() == [(P.CONTENT_TYPE, b"type"), (P.USER_PROPERTY, (b"k", b"v"))]
            client.silent(0.1)
            client.drop()
    with resume(address, name) as client:
        assert client.message().packet_id == first.packet_id
        client.barrier()
        client.drop()
    with resume(address, name) as client:
        client.silent()
        client.leave(0, [(P.SESSION_EXPIRY, 0)])


@statement("MQTT-4.3.2-3", "MQTT-4.4.0-1")
def test_an_acknowledged_message_does_not_come_again(address, names):
    name, topic = names.client_id(), names.topic()
    with connect(address, name, expiry=60) as client:
        client.subscribe(topic)
        for number in range(4):
            client.publish(topic, b"%d" % number, 1)
        received = [client.take(Publish) for _ in range(4)]
        client.send(packets.puback(received[2].packet_id), packets.puback(received[0].packet_id))
        client.barrier()
        client.drop()
    with resume(address, name) as client:
        again = [client.take(Publish) for _ in range(2)]
        assert [(message.payload, message.packet_id, message.dup) for message in again] == [
            (b"1", received[1].packet_id, True), (b"3", received[3].packet_id, True),
        ]  # fmt: skip
        client.silent()
        client.leave(0, [(P.SESSION_EXPIRY, 0)])


@statement("MQTT-4.4.0-2", "MQTT-4.13.2-1")
@pytest.mark.parametrize("reason", [0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99])
def test_a_puback_with_an_error_is_an_acknowledgement(address, names, reason):
    name, topic = names.client_id(), names.topic()
    with connect(address, name, expiry=60) as client:
        client.subscribe(topic)
        client.publish(topic, b"x", 1)
        client.send(packets.puback(client.take(Publish).packet_id, reason, [(P.REASON_STRING, b"no")]))
        client.barrier()
        client.drop()
    with resume(address, name) as client:
        client.silent()
        client.leave(0, [(P.SESSION_EXPIRY, 0)])


@statement("MQTT-4.4.0-1")
@pytest.mark.parametrize("qos", [1, 2])
def test_nothing_is_resent_on_an_open_connection(address, names, qos):
    topic = names.topic()
    with connect(address, names.client_id()) as client:
        client.subscribe(topic)
        client.publish(topic, b"x", qos)
        assert client.take(Publish).qos == qos
        client.silent(5)


@statement("MQTT-4.4.0-1", "MQTT-4.6.0-5", "MQTT-3.3.1-1")
def test_resent_messages_come_in_order_before_queued_and_new_ones(address, names):
    """What was in flight has DUP 1, what was only queued has DUP 0."""
    name, topic = names.client_id(), names.topic()
    with connect(address, name, [(P.RECEIVE_MAXIMUM, 3)], expiry=60) as client, connect(address, names.client_id()) as publisher:
        client.subscribe((topic, 1))
        for number in range(6):
            publisher.publish(topic, b"%d" % number, 1)
        for _ in range(3):
            client.take(Publish)
        client.drop()
        publisher.publish(topic, b"6", 1)
        with resume(address, name) as again:
            publisher.publish(topic, b"7", 1)
            found = [again.message() for _ in range(8)]
            assert [message.payload for message in found] == [b"%d" % number for number in range(8)]
            assert [message.dup for message in found] == [True] * 3 + [False] * 5
            again.silent(0.1)
            again.leave(0, [(P.SESSION_EXPIRY, 0)])


@statement("MQTT-3.3.1-1")
def test_a_message_that_was_queued_but_never_sent_has_dup_0(address, names):
    name, topic = names.client_id(), names.topic()
    with connect(address, name, expiry=60) as client:
        client.subscribe(topic)
        client.drop()
    with connect(address, names.client_id()) as publisher:
        publisher.publish(topic, b"1", 1)
        publisher.publish(topic, b"2", 2)
    with resume(address, name) as client:
        assert [client.message().dup for _ in range(2)] == [False, False]
        client.leave(0, [(P.SESSION_EXPIRY, 0)])


def test_pubacks_in_another_order_are_tolerated(address, names):
    """Their order binds the client [MQTT-4.6.0-2]; a server has no rule for another one."""
    topic = names.topic()
    with connect(address, names.client_id()) as client:
        client.subscribe(topic)
        for number in range(5):
            client.publish(topic, b"%d" % number, 1)
        held = [client.take(Publish) for _ in range(5)]
        for message in (held[3], held[0], held[4], held[2], held[1]):
            client.acknowledge(message)
        client.silent(0.1)
        client.publish(topic, b"next", 1)
        assert client.message().payload == b"next"


@statement("MQTT-3.4.2-1")
@pytest.mark.parametrize(
    "raw",
    [packets.frame(4, 0, b"%s"), packets.frame(4, 0, b"%s\0"), packets.frame(4, 0, b"%s\0\0")],
    ids=["two bytes", "with a reason code", "with a property length"],
)
def test_every_form_of_puback_is_understood(address, names, raw):
    topic = names.topic()
    with connect(address, names.client_id(), [(P.RECEIVE_MAXIMUM, 1)]) as client:
        client.subscribe((topic, 1))
        for number in range(3):
            client.publish(topic, b"%d" % number, 1)
        for number in range(3):
            message = client.take(Publish)
            assert message.payload == b"%d" % number
            client.send(raw.replace(b"%s", packets.u16(message.packet_id)))


@statement("MQTT-4.13.2-1", "MQTT-4.3.2-4")
def test_a_message_for_nobody_is_acknowledged_and_the_connection_stays(address, names):
    with connect(address, names.client_id()) as client:
        assert client.publish(names.topic(), b"x", 1).reason in (0x00, 0x10)
        assert client.publish(names.topic(), b"x", 2).reason in (0x00, 0x10)
        client.fence()
