"""What outlives the server's process (4.1, 4.1.1): sessions, their queues and handshakes, retained messages, and clocks that go on meanwhile."""

import time

import pytest
from server import Server
from statements import statement
from v5 import packets
from v5.packets import Publish, Pubrec, Pubrel, Will
from v5.properties import P
from v5.session import connect, resume


class Restarted:
    """A server of this test's own, which can be ended as an operator does or as a power cut does, and started again."""

    def __init__(self, server: Server, way: str):
        self.server = server
        self.way = way
        self.address = ("127.0.0.1", server.mqtt)

    def again(self, seconds: float = 0) -> None:
        """Ends the server, leaves it down for some time, and starts it."""
        if self.way == "killed":
            self.server.kill()
        else:
            assert self.server.stop() == 0
        time.sleep(seconds)
        self.server.start()


@pytest.fixture(params=["killed", "stopped"])
def own(request, server, tmp_path):
    """`server` says whether Althing is tested at all."""
    own = Restarted(Server(tmp_path), request.param)
    own.server.start()
    yield own
    own.server.kill()


@statement("MQTT-4.1.0-1", "MQTT-3.1.2-5", "MQTT-3.1.2-23", "MQTT-4.5.0-1")
def test_a_session_its_subscriptions_and_its_queue(own, names):
    name, topic = names.client_id(), names.topic()
    with connect(own.address, name, expiry=300) as client:
        client.subscribe((topic, 2 | packets.RETAIN_AS_PUBLISHED), identifier=7)
        client.drop()
    with connect(own.address, names.client_id()) as publisher:
        publisher.publish(topic, b"one", 1, [(P.CONTENT_TYPE, b"type"), (P.USER_PROPERTY, (b"k", b"v"))], retain=True)
        publisher.publish(topic, b"two", 2)
    own.again()
    with resume(own.address, name) as client:
        one, two = client.message(), client.message()
        assert (one.payload, one.qos, one.retain, two.payload, two.qos, two.retain) == (b"one", 1, True, b"two", 2, False)
        assert one.properties.by_identifier() == [
            (P.CONTENT_TYPE, b"type"),
            (P.SUBSCRIPTION_IDENTIFIER, 7),
            (P.USER_PROPERTY, (b"k", b"v")),
        ]
        client.publish(topic, b"live", 1)
        assert client.message().properties.pairs == [(P.SUBSCRIPTION_IDENTIFIER, 7)]
        client.silent(0.1)


@statement("MQTT-4.3.2-3", "MQTT-4.3.3-3", "MQTT-4.3.3-5", "MQTT-4.3.3-6", "MQTT-4.4.0-1")
def test_what_was_in_flight_to_a_client(own, names):
    """A PUBACK just before a power cut may be lost, as it may be on a network; a PUBREC that was answered with a PUBREL may not."""
    name, topic = names.client_id(), names.topic()
    client = connect(own.address, name, expiry=300)
    client.subscribe(topic)
    for number, qos in enumerate((1, 2, 2, 1)):
        client.publish(topic, b"%d" % number, qos)
    first = {message.payload: message for message in (client.take(Publish) for _ in range(4))}
    client.send(packets.pubrec(first[b"1"].packet_id))
    assert client.take(Pubrel).packet_id == first[b"1"].packet_id
    unacknowledged = {b"0", b"2", b"3"}
    if own.way == "stopped":
        client.send(packets.puback(first[b"3"].packet_id))
        client.barrier()
        unacknowledged.remove(b"3")
    own.again()
    with resume(own.address, name) as client:
        again = {message.payload: message for message in (client.take(Publish) for _ in unacknowledged)}
        assert {payload: (message.packet_id, message.qos, message.dup) for payload, message in again.items()} == {
            payload: (first[payload].packet_id, first[payload].qos, True) for payload in unacknowledged
        }
        assert client.take(Pubrel).packet_id == first[b"1"].packet_id
        client.send(packets.pubcomp(first[b"1"].packet_id))
        for message in again.values():
            client.acknowledge(message)
        client.silent()


@statement("MQTT-4.3.3-10", "MQTT-4.3.3-11")
def test_which_qos_2_messages_came_from_a_client(own, names):
    name, listener, topic = names.client_id(), names.client_id(), names.topic()
    with connect(own.address, listener, expiry=300) as subscriber:
        subscriber.subscribe(topic)
        subscriber.drop()
    client = connect(own.address, name, expiry=300)
    client.send(packets.publish(topic, b"once", 2, 9))
    assert client.take(Pubrec).reason < 0x80
    own.again()
    with resume(own.address, name) as client:
        client.send(packets.publish(topic, b"once", 2, 9, dup=True))
        assert client.take(Pubrec).reason < 0x80
        assert client.release(9).reason == 0
    with resume(own.address, listener) as subscriber:
        assert subscriber.message().payload == b"once"
        subscriber.silent()


@statement("MQTT-3.3.1-5", "MQTT-3.3.2-5", "MQTT-3.3.2-6")
def test_retained_messages_whose_expiry_goes_on_while_the_server_is_down(own, names):
    topic = names.topic()
    with connect(own.address, names.client_id()) as client:
        client.publish(topic + b"/short", b"x", 1, [(P.MESSAGE_EXPIRY, 2)], retain=True)
        client.publish(topic + b"/long", b"x", 1, [(P.MESSAGE_EXPIRY, 60), (P.CONTENT_TYPE, b"type")], retain=True)
        client.publish(topic + b"/gone", b"x", 1, retain=True)
        client.publish(topic + b"/gone", b"", 1, retain=True)
    own.again(3)
    with connect(own.address, names.client_id()) as client:
        client.subscribe(topic + b"/+")
        message = client.message()
        assert (message.topic, message.retain, message.properties.get(P.CONTENT_TYPE)) == (topic + b"/long", True, b"type")
        assert 40 < message.properties.get(P.MESSAGE_EXPIRY) <= 57
        client.silent()


@statement("MQTT-4.1.0-2", "MQTT-3.1.2-23", "MQTT-3.3.2-5")
def test_session_and_message_expiry_go_on_while_the_server_is_down(own, names):
    short, long, topic = names.client_id(), names.client_id(), names.topic()
    for name, expiry in ((short, 2), (long, 300)):
        with connect(own.address, name, expiry=expiry) as client:
            client.subscribe(topic)
            client.drop()
    with connect(own.address, names.client_id()) as publisher:
        publisher.publish(topic, b"short", 1, [(P.MESSAGE_EXPIRY, 2)])
        publisher.publish(topic, b"long", 1)
    own.again(3)
    with connect(own.address, short, clean_start=False) as client:
        assert not client.connack.session_present
    with resume(own.address, long) as client:
        assert client.message().payload == b"long"
        client.silent()


@statement("MQTT-4.1.0-2")
def test_a_session_of_expiry_0_ends_with_the_server(own, names):
    name, topic = names.client_id(), names.topic()
    client = connect(own.address, name)
    client.subscribe(topic)
    own.again()
    with connect(own.address, name, clean_start=False) as client:
        assert not client.connack.session_present
        client.publish(topic, b"x", 1)
        client.silent()


@statement("MQTT-3.1.2-8")
def test_a_delayed_will_comes_after_the_restart(own, names):
    """3.1.2.5: a server that goes down may hold wills back until it is up again."""
    listener, topic = names.client_id(), names.topic()
    with connect(own.address, listener, expiry=300) as subscriber:
        subscriber.subscribe(topic)
        subscriber.drop()
    connect(own.address, names.client_id(), expiry=300, will=Will(topic, b"will", 1, properties=[(P.WILL_DELAY, 3)])).drop()
    own.again()
    with resume(own.address, listener) as subscriber:
        assert subscriber.message(10).payload == b"will"
        subscriber.silent()


@statement("MQTT-4.3.2-4", "MQTT-4.3.3-8", "MQTT-4.5.0-1")
def test_every_acknowledged_message(own, names):
    """All that the server acknowledged comes, once and in order."""
    listener, topic = names.client_id(), names.topic()
    with connect(own.address, listener, expiry=300) as subscriber:
        subscriber.subscribe((topic, 1))
        subscriber.drop()
    publisher = connect(own.address, names.client_id())
    for number in range(50):
        publisher.publish(topic, b"%d" % number, 1 + number % 2)
    own.again()
    with resume(own.address, listener) as subscriber:
        assert subscriber.payloads(50) == [b"%d" % number for number in range(50)]
        subscriber.silent()
