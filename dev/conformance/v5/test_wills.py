"""Will messages (3.1.2.5, 3.1.3.2 to 3.1.3.4): when they are published, and what they look like. Delays have a file of their own."""

import pytest
from statements import statement
from v5 import packets
from v5.packets import RETAIN_AS_PUBLISHED, Will
from v5.properties import P
from v5.session import connect, refused_connect, resume

PROPERTIES = [
    (P.PAYLOAD_FORMAT, 1), (P.CONTENT_TYPE, b"text/plain"), (P.RESPONSE_TOPIC, b"answer/here"), (P.CORRELATION_DATA, b"\x00\xff"),
    (P.USER_PROPERTY, (b"a", b"1")), (P.USER_PROPERTY, (b"b", b"2")), (P.USER_PROPERTY, (b"a", b"3")),
]  # fmt: skip


def protocol_error(client) -> None:
    client.send(packets.frame(6, 0, packets.u16(1)))
    client.refused(0x81, 0x82)


ENDS = {
    "the stream ends": lambda client: client.drop(),
    "the stream is reset": lambda client: client.abort(),
    "a malformed packet": protocol_error,
    "DISCONNECT 0x04": lambda client: client.leave(0x04),
    "DISCONNECT 0x80": lambda client: client.leave(0x80),
    "DISCONNECT 0x82": lambda client: client.leave(0x82),
    "DISCONNECT 0x93": lambda client: client.leave(0x93),
    "DISCONNECT with wrong flags": lambda client: (client.send(b"\xe1\x00"), client.refused(0x81)),
}


@statement("MQTT-3.1.2-7", "MQTT-3.1.2-8", "MQTT-3.14.4-3", "MQTT-3.14.1-1")
@pytest.mark.parametrize("end", ENDS)
def test_the_will_is_published_when_the_connection_ends_without_disconnect_0(address, names, end):
    will = Will(names.topic(), b"payload", 1, properties=PROPERTIES)
    with connect(address, names.client_id()) as subscriber:
        subscriber.subscribe(will.topic)
        ENDS[end](connect(address, names.client_id(), will=will))
        message = subscriber.message()
        assert (message.topic, message.payload, message.qos, message.retain) == (will.topic, b"payload", 1, False)
        assert message.properties.get(P.CORRELATION_DATA) == b"\x00\xff"
        subscriber.silent()


@statement("MQTT-3.14.4-3", "MQTT-3.1.2-8", "MQTT-3.1.2-10")
@pytest.mark.parametrize(
    "raw", [b"\xe0\x00", b"\xe0\x01\x00", b"\xe0\x02\x00\x00", packets.disconnect(0, [(P.REASON_STRING, b"bye")])], ids=bytes.hex
)
def test_disconnect_0_removes_the_will(address, names, raw):
    will = Will(names.topic(), b"payload", retain=True)
    with connect(address, names.client_id()) as subscriber:
        subscriber.subscribe(will.topic)
        with connect(address, names.client_id(), will=will) as client:
            client.send(raw)
            assert client.refused() == []
        subscriber.silent()


@statement("MQTT-3.1.2-10")
def test_a_published_will_is_not_published_again(address, names):
    """Neither by another end of the session's connections, nor when the session expires."""
    name, will = names.client_id(), Will(names.topic(), b"payload")
    with connect(address, names.client_id()) as subscriber:
        subscriber.subscribe(will.topic)
        with connect(address, name, will=will, expiry=60) as client:
            client.drop()
        assert subscriber.message().payload == b"payload"
        with resume(address, name, expiry=1) as client:
            client.drop()
        subscriber.silent(2.5)


@statement("MQTT-3.1.2-10")
def test_the_will_of_the_last_connect_replaces_the_one_before(address, names):
    name, topic = names.client_id(), names.topic()
    with connect(address, names.client_id()) as subscriber:
        subscriber.subscribe(topic)
        with connect(address, name, will=Will(topic, b"first"), expiry=60) as client:
            client.leave()
        with resume(address, name, will=Will(topic, b"second"), expiry=60) as client:
            client.drop()
        assert subscriber.message().payload == b"second"
        with resume(address, name, expiry=0) as client:
            client.drop()
        subscriber.silent()


@statement("MQTT-3.1.2-14")
def test_a_will_without_retain_is_not_retained(address, names):
    will = Will(names.topic(), b"payload", 1)
    with connect(address, names.client_id()) as subscriber:
        subscriber.subscribe((will.topic, 1 | RETAIN_AS_PUBLISHED))
        connect(address, names.client_id(), will=will).drop()
        assert subscriber.message().retain is False
    with connect(address, names.client_id()) as late:
        late.subscribe(will.topic)
        late.silent()


@statement("MQTT-3.1.2-15", "MQTT-3.3.1-12", "MQTT-3.3.1-13")
def test_a_will_with_retain_is_retained(address, names):
    will = Will(names.topic(), b"payload", 1, True, PROPERTIES)
    with connect(address, names.client_id()) as kept, connect(address, names.client_id()) as cleared:
        kept.subscribe((will.topic, 1 | RETAIN_AS_PUBLISHED))
        cleared.subscribe((will.topic, 1))
        connect(address, names.client_id(), will=will).drop()
        assert kept.message().retain is True
        assert cleared.message().retain is False
    with connect(address, names.client_id()) as late:
        late.subscribe(will.topic)
        message = late.message()
        assert (message.payload, message.qos, message.retain) == (b"payload", 1, True)
        assert message.properties.by_identifier() == PROPERTIES
        late.publish(will.topic, b"", 1, retain=True)


@statement("MQTT-3.1.2-15", "MQTT-3.3.1-7")
def test_an_empty_will_with_retain_removes_the_retained_message(address, names):
    topic = names.topic()
    with connect(address, names.client_id()) as client:
        client.publish(topic, b"old", 1, retain=True)
        client.subscribe(topic)
        assert client.message().payload == b"old"
        connect(address, names.client_id(), will=Will(topic, b"", 1, True)).drop()
        assert client.message().payload == b""
    with connect(address, names.client_id()) as late:
        late.subscribe(topic)
        late.silent()


@statement("MQTT-3.1.3-10", "MQTT-3.3.2-4", "MQTT-3.3.2-15", "MQTT-3.3.2-16", "MQTT-3.3.2-20")
def test_the_will_has_its_properties_with_user_properties_in_order(address, names):
    will = Will(names.topic(), b"payload", 2, properties=PROPERTIES)
    with connect(address, names.client_id()) as subscriber:
        subscriber.subscribe(will.topic)
        connect(address, names.client_id(), will=will).drop()
        message = subscriber.message()
        assert message.properties.all(P.USER_PROPERTY) == [(b"a", b"1"), (b"b", b"2"), (b"a", b"3")]
        assert message.properties.by_identifier() == PROPERTIES


@statement("MQTT-3.8.4-8", "MQTT-3.1.2-12")
@pytest.mark.parametrize("granted", [0, 1, 2])
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_a_will_is_delivered_at_the_lower_of_its_qos_and_the_granted(address, names, qos, granted):
    will = Will(names.topic(), b"payload", qos)
    with connect(address, names.client_id()) as subscriber:
        subscriber.subscribe((will.topic, granted))
        connect(address, names.client_id(), will=will).drop()
        assert subscriber.message().qos == min(qos, granted)


@statement("MQTT-3.1.2-7", "MQTT-4.5.0-1")
def test_a_will_is_queued_for_an_absent_session(address, names):
    name, will = names.client_id(), Will(names.topic(), b"payload", 1, properties=PROPERTIES)
    with connect(address, name, expiry=60) as subscriber:
        subscriber.subscribe(will.topic)
        subscriber.drop()
    connect(address, names.client_id(), will=will).drop()
    with resume(address, name) as subscriber:
        message = subscriber.message()
        assert message.payload == b"payload"
        assert message.properties.by_identifier() == PROPERTIES
        subscriber.leave(0, [(P.SESSION_EXPIRY, 0)])


@statement("MQTT-3.1.3-11", "MQTT-4.7.3-1", "MQTT-4.7.0-1")
@pytest.mark.parametrize("topic", [b"a/#", b"+/a", b"a+", b"#", b""])
def test_a_will_topic_that_is_empty_or_has_wildcards_is_refused(address, names, topic):
    refused_connect(address, packets.connect(names.client_id(), will=Will(topic, b"x")), 0x81, 0x82, 0x90)


@statement("MQTT-3.3.2-14")
@pytest.mark.parametrize("topic", [b"a/#", b"+/a", b"a+", b"#"])
def test_a_will_whose_response_topic_has_wildcards_is_refused(address, names, topic):
    will = Will(names.topic(), b"x", properties=[(P.RESPONSE_TOPIC, topic)])
    refused_connect(address, packets.connect(names.client_id(), will=will), 0x81, 0x82, 0x90)


@statement("MQTT-3.1.2-7")
def test_a_client_that_was_refused_leaves_no_will(address, names):
    will = Will(names.topic(), b"payload")
    with connect(address, names.client_id()) as subscriber:
        subscriber.subscribe(will.topic)
        refused_connect(address, packets.connect(names.client_id(), [(P.AUTH_METHOD, b"nope")], will=will), 0x8C, 0x87)
        subscriber.silent()


WILL_ERRORS = {
    "Will Delay twice": [(P.WILL_DELAY, 1), (P.WILL_DELAY, 1)],
    "Payload Format twice": [(P.PAYLOAD_FORMAT, 1), (P.PAYLOAD_FORMAT, 1)],
    "Topic Alias": [(P.TOPIC_ALIAS, 1)],
    "Subscription Identifier": [(P.SUBSCRIPTION_IDENTIFIER, 1)],
    "Session Expiry": [(P.SESSION_EXPIRY, 1)],
    "an unknown property": [b"\x7f\x00"],
}


@statement("MQTT-3.1.4-1", "MQTT-4.13.1-1")
@pytest.mark.parametrize("case", WILL_ERRORS)
def test_wrong_will_properties_are_refused(address, names, case):
    refused_connect(
        address, packets.connect(names.client_id(), will=Will(names.topic(), b"x", properties=WILL_ERRORS[case])), 0x81, 0x82, 0x99
    )
