"""Topic aliases (3.3.2.3.4): maps of a connection and a direction, within what the other side allows."""

import pytest
from statements import statement
from v5 import packets
from v5.packets import Puback, Publish, Pubrec
from v5.properties import P, block, string
from v5.session import connect, resume


def aliased(topic: bytes, alias: int, payload: bytes, qos: int = 0, packet_id: int | None = None, **more) -> bytes:
    return packets.publish(topic, payload, qos, packet_id, [(P.TOPIC_ALIAS, alias)], **more)


def alias_maximum(client) -> int:
    maximum = client.server(P.TOPIC_ALIAS_MAXIMUM, 0)
    if not maximum:
        pytest.skip("the server takes no topic aliases")
    return maximum


@statement("MQTT-3.3.2-12")
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_aliases_1_and_the_maximum_are_set_and_used(address, names, qos):
    topic = names.topic()
    with connect(address, names.client_id()) as subscriber, connect(address, names.client_id()) as publisher:
        maximum = alias_maximum(publisher)
        subscriber.subscribe(topic + b"/+")
        for number, (name, alias) in enumerate([(b"/a", 1), (b"/b", maximum), (b"", 1), (b"", maximum), (b"", 1)], 1):
            publisher.send(aliased(topic + name if name else b"", alias, b"%d" % number, qos, number if qos else None))
            if qos == 2:
                publisher.take(Pubrec)
                publisher.release(number)
        first = b"/a" if maximum > 1 else b"/b"
        expected = [b"/a", b"/b", first, b"/b", first]
        found = [subscriber.message() for _ in range(5)]
        assert [message.topic for message in found] == [topic + end for end in expected]
        assert [message.payload for message in found] == [b"%d" % number for number in range(1, 6)]


@statement("MQTT-3.3.2-12")
def test_all_aliases_up_to_the_maximum_are_accepted(address, names):
    topic = names.topic()
    with connect(address, names.client_id()) as client:
        maximum = min(alias_maximum(client), 500)
        client.subscribe((topic + b"/+", 0))
        for alias in range(1, maximum + 1):
            client.send(aliased(topic + b"/%d" % alias, alias, b"set"))
            assert client.message().payload == b"set"
        for alias in range(1, maximum + 1):
            client.send(aliased(b"", alias, b"used"))
            assert client.message().topic == topic + b"/%d" % alias


@statement("MQTT-3.3.2-12")
def test_an_alias_is_mapped_anew_by_another_topic(address, names):
    topic = names.topic()
    with connect(address, names.client_id()) as client:
        alias_maximum(client)
        client.subscribe((topic + b"/+", 0))
        client.send(aliased(topic + b"/a", 1, b"1"), aliased(b"", 1, b"2"), aliased(topic + b"/b", 1, b"3"), aliased(b"", 1, b"4"))
        assert [client.message().topic for _ in range(4)] == [topic + end for end in (b"/a", b"/a", b"/b", b"/b")]


@statement("MQTT-3.3.2-8", "MQTT-4.13.1-1")
@pytest.mark.parametrize("named", [True, False], ids=["with a topic", "without a topic"])
def test_alias_0_closes(address, names, named):
    with connect(address, names.client_id()) as client:
        client.send(aliased(names.topic() if named else b"", 0, b"x"))
        client.refused(0x94, 0x81, 0x82)


@statement("MQTT-3.2.2-17", "MQTT-3.2.2-18", "MQTT-3.3.2-9", "MQTT-4.13.1-1")
@pytest.mark.parametrize("named", [True, False], ids=["with a topic", "without a topic"])
def test_an_alias_above_the_maximum_closes_and_reaches_nobody(address, names, named):
    """Where the server announced no maximum, alias 1 is already above it."""
    topic = names.topic()
    with connect(address, names.client_id()) as subscriber, connect(address, names.client_id()) as client:
        subscriber.subscribe(topic)
        maximum = client.server(P.TOPIC_ALIAS_MAXIMUM, 0)
        if maximum == 65_535:
            pytest.skip("the server takes every alias")
        client.send(aliased(topic if named else b"", maximum + 1, b"x"))
        client.refused(0x94, *([] if named else [0x82]))
        subscriber.silent()


@statement("MQTT-3.3.2-1", "MQTT-4.7.3-1", "MQTT-4.13.1-1")
@pytest.mark.parametrize("alias", [None, 1])
def test_an_empty_topic_without_a_known_alias_closes(address, names, alias):
    with connect(address, names.client_id()) as client:
        if alias:
            alias_maximum(client)
        client.send(aliased(b"", 1, b"x") if alias else packets.publish(b"", b"x"))
        client.refused(0x82, *([] if alias else [0x81, 0x90]))


@statement("MQTT-3.3.2-7", "MQTT-4.13.1-1")
def test_an_alias_does_not_outlive_its_connection(address, names):
    name, topic = names.client_id(), names.topic()
    with connect(address, name, expiry=60) as client:
        alias_maximum(client)
        client.subscribe((topic, 0))
        client.send(aliased(topic, 1, b"x"))
        assert client.message().payload == b"x"
        client.drop()
    with resume(address, name) as client:
        client.send(aliased(b"", 1, b"y"))
        client.refused(0x82)
    connect(address, name).leave()


@statement("MQTT-3.1.2-27", "MQTT-3.3.2-11")
@pytest.mark.parametrize("properties", [[], [(P.TOPIC_ALIAS_MAXIMUM, 0)]], ids=["absent", "0"])
def test_a_client_that_allows_no_alias_gets_none(address, names, properties):
    topic = names.topic()
    with connect(address, names.client_id(), properties) as subscriber, connect(address, names.client_id()) as publisher:
        alias_maximum(publisher)
        subscriber.subscribe(topic)
        publisher.send(aliased(topic, 1, b"x"), *(aliased(b"", 1, b"x") for _ in range(5)))
        for _ in range(6):
            message = subscriber.message()
            assert message.topic == topic and P.TOPIC_ALIAS not in message.properties


@statement("MQTT-3.1.2-26", "MQTT-3.3.2-11")
@pytest.mark.parametrize("maximum", [1, 2, 65_535])
def test_the_servers_aliases_stay_within_the_clients_maximum(address, names, maximum):
    """The session refuses an alias above it, and one that stands for nothing."""
    topic = names.topic()
    with connect(address, names.client_id(), [(P.TOPIC_ALIAS_MAXIMUM, maximum)]) as subscriber:
        subscriber.subscribe(topic + b"/+")
        with connect(address, names.client_id()) as publisher:
            expected = [topic + b"/%d" % (number % 5) for number in range(30)]
            for number, name in enumerate(expected):
                publisher.publish(name, b"%d" % number, number % 3)
                assert subscriber.message().topic == name


@statement("MQTT-3.3.2-11", "MQTT-3.3.2-12")
def test_the_maps_of_the_two_directions_are_independent(address, names):
    topic = names.topic()
    with connect(address, names.client_id(), [(P.TOPIC_ALIAS_MAXIMUM, 1)]) as client:
        alias_maximum(client)
        client.subscribe((topic + b"/+", 0))
        for _ in range(3):
            client.send(aliased(topic + b"/mine", 1, b"x"))
            assert client.message().topic == topic + b"/mine"
            client.send(packets.publish(topic + b"/other", b"y"))
            assert client.message().topic == topic + b"/other"
            client.send(aliased(b"", 1, b"z"))
            assert client.message().topic == topic + b"/mine"


@statement("MQTT-3.3.2-7")
def test_queued_and_resent_messages_come_with_a_topic_on_the_new_connection(address, names):
    """The session starts without aliases; a message whose alias it does not know is refused."""
    name, topic, limits = names.client_id(), names.topic(), [(P.TOPIC_ALIAS_MAXIMUM, 10)]
    with connect(address, name, limits, expiry=60) as client, connect(address, names.client_id()) as publisher:
        client.subscribe(topic)
        for payload in (b"0", b"1", b"2"):
            publisher.publish(topic, payload, 1)
        assert [client.take(Publish).payload for _ in range(3)] == [b"0", b"1", b"2"]
        client.drop()
        publisher.publish(topic, b"3", 1)
        with resume(address, name, limits) as client:
            found = [client.message() for _ in range(4)]
            assert [(message.topic, message.payload) for message in found] == [(topic, b"%d" % number) for number in range(4)]
            client.drop()
        with resume(address, name) as client:
            publisher.publish(topic, b"4", 1)
            assert client.message().topic == topic
            client.leave(0, [(P.SESSION_EXPIRY, 0)])


@statement("MQTT-3.3.2-12")
def test_an_alias_is_resolved_before_a_message_is_retained_or_queued(address, names):
    name, topic = names.client_id(), names.topic()
    with connect(address, name, expiry=60) as absent:
        absent.subscribe(topic)
        absent.drop()
    with connect(address, names.client_id()) as publisher:
        alias_maximum(publisher)
        publisher.send(aliased(topic, 1, b"first", 1, 1), aliased(b"", 1, b"second", 1, 2, retain=True))
        assert [publisher.take(Puback).packet_id for _ in range(2)] == [1, 2]
    with resume(address, name) as absent, connect(address, names.client_id()) as late:
        assert absent.payloads(2) == [b"first", b"second"]
        late.subscribe(topic)
        message = late.message()
        assert (message.topic, message.payload, message.properties.pairs) == (topic, b"second", [])
        late.publish(topic, b"", 1, retain=True)
        absent.leave(0, [(P.SESSION_EXPIRY, 0)])


@statement("MQTT-4.13.1-1")
def test_a_topic_alias_twice_closes(address, names):
    with connect(address, names.client_id()) as client:
        client.send(packets.frame(3, 0, string(names.topic()), block([(P.TOPIC_ALIAS, 1), (P.TOPIC_ALIAS, 1)]), b"x"))
        client.refused(0x82, 0x81, 0x94)
