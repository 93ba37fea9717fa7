"""PUBLISH (3.3): what of it reaches subscribers, unchanged, and what the topic name may be."""

import pytest
from statements import statement
from v5 import packets
from v5.packets import Puback, Publish, Pubrec, Will
from v5.properties import P
from v5.session import connect, resume


@statement("MQTT-3.3.4-1", "MQTT-4.3.1-1", "MQTT-4.3.2-2", "MQTT-4.3.3-2", "MQTT-3.3.1-2")
def test_each_qos_has_its_answer_and_its_first_delivery_has_dup_0(address, names):
    topic = names.topic()
    with connect(address, names.client_id()) as publisher, connect(address, names.client_id()) as subscriber:
        subscriber.subscribe(topic)
        publisher.send(packets.publish(topic, b"0"), packets.publish(topic, b"1", 1, 1), packets.publish(topic, b"2", 2, 2))
        assert isinstance(publisher.receive(), Puback) and isinstance(publisher.receive(), Pubrec)
        publisher.release(2)
        publisher.silent(0.1)
        found = [subscriber.message() for _ in range(3)]
        assert [(message.payload, message.qos, message.dup) for message in found] == [(b"%d" % qos, qos, False) for qos in range(3)]


@statement("MQTT-3.3.1-3")
@pytest.mark.parametrize("qos", [1, 2])
def test_dup_of_the_publisher_is_not_passed_on(address, names, qos):
    topic = names.topic()
    with connect(address, names.client_id()) as client:
        client.subscribe(topic)
        client.send(packets.publish(topic, b"x", qos, 7, dup=True))
        message = client.take(Publish) if qos == 1 else None
        if qos == 2:
            assert client.take(Pubrec).reason < 0x80
            client.release(7)
            message = client.take(Publish)
        assert message.dup is False
        client.acknowledge(message)


@statement("MQTT-3.3.1-2")
@pytest.mark.parametrize("retain", [False, True])
def test_dup_at_qos_0_is_malformed_or_tolerated_but_not_passed_on(address, names, retain):
    """The strict reader refuses DUP at QoS 0 from the server."""
    topic = names.topic()
    with connect(address, names.client_id()) as subscriber, connect(address, names.client_id()) as client:
        subscriber.subscribe(topic)
        client.send(packets.publish(topic, b"x", 0, dup=True, retain=retain), packets.disconnect())
        client.refused(0x81, 0x82)
        assert [message.dup for message in subscriber.all_messages()] in ([], [False])
        subscriber.publish(topic, b"", 1, retain=True)


@statement("MQTT-3.3.1-4", "MQTT-4.13.1-1")
@pytest.mark.parametrize("flags", [0x06, 0x07, 0x0E, 0x0F])
def test_qos_3_closes_and_reaches_nobody(address, names, flags):
    topic = names.topic()
    raw = packets.publish(topic, b"x", 2, 1)
    with connect(address, names.client_id()) as subscriber, connect(address, names.client_id()) as client:
        subscriber.subscribe(topic)
        client.send(bytes([0x30 | flags]) + raw[1:])
        client.refused(0x81, 0x82)
        subscriber.silent()


@statement("MQTT-3.3.2-2", "MQTT-4.7.0-1", "MQTT-4.13.1-1")
@pytest.mark.parametrize("end", [b"/#", b"/+", b"/+/a", b"a+", b"#", b"/a#b"])
def test_a_topic_name_with_wildcards_closes_and_reaches_nobody(address, names, end):
    topic = names.topic()
    with connect(address, names.client_id()) as subscriber, connect(address, names.client_id()) as client:
        subscriber.subscribe(topic + b"/#", topic + end if end.startswith(b"/") and end != b"/a#b" else topic)
        client.send(packets.publish(topic + end, b"x", 1, 1))
        client.refused(0x81, 0x82, 0x90)
        subscriber.silent()


@statement("MQTT-3.3.2-1", "MQTT-4.7.3-1", "MQTT-4.13.1-1")
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_an_empty_topic_name_closes(address, names, qos):
    with connect(address, names.client_id()) as client:
        client.send(packets.publish(b"", b"x", qos, 1 if qos else None))
        client.refused(0x81, 0x82, 0x90)


EVERYTHING = [
    (P.PAYLOAD_FORMAT, 1), (P.CONTENT_TYPE, b"application/\xc3\xa9"), (P.RESPONSE_TOPIC, b"answer/\xe2\x82\xac"), (P.CORRELATION_DATA, b"\x00\xff\x80\x00"),
    (P.USER_PROPERTY, (b"k1", b"v1")), (P.USER_PROPERTY, (b"k2", b"")), (P.USER_PROPERTY, (b"", b"v3")), (P.USER_PROPERTY, (b"k1", b"v1")),
]  # fmt: skip


@statement("MQTT-3.3.2-4", "MQTT-3.3.2-15", "MQTT-3.3.2-16", "MQTT-3.3.2-17", "MQTT-3.3.2-18", "MQTT-3.3.2-20")
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_properties_reach_every_subscriber_unchanged(address, names, qos):
    topic = names.topic()
    with connect(address, names.client_id()) as first, connect(address, names.client_id()) as second:
        first.subscribe((topic, 2))
        second.subscribe((topic, 0))
        first.publish(topic, b"payload", qos, EVERYTHING)
        for subscriber in (first, second):
            message = subscriber.message()
            assert message.payload == b"payload"
            assert message.properties.by_identifier() == EVERYTHING


@statement("MQTT-3.3.2-4", "MQTT-3.3.2-15", "MQTT-3.3.2-16", "MQTT-3.3.2-17", "MQTT-3.3.2-18", "MQTT-3.3.2-20", "MQTT-3.3.1-5")
@pytest.mark.parametrize("way", ["retained", "queued"])
def test_properties_survive_the_retained_store_and_the_queue(address, names, way):
    name, topic = names.client_id(), names.topic()
    with connect(address, name, expiry=60) as subscriber:
        if way == "queued":
            subscriber.subscribe(topic)
        subscriber.drop()
    with connect(address, names.client_id()) as publisher:
        publisher.publish(topic, b"payload", 2, EVERYTHING, retain=way == "retained")
    with resume(address, name) as subscriber:
        if way == "retained":
            subscriber.subscribe(topic)
        message = subscriber.message()
        assert (message.payload, message.qos, message.retain) == (b"payload", 2, way == "retained")
        assert message.properties.by_identifier() == EVERYTHING
        subscriber.publish(topic, b"", 1, retain=True)
        subscriber.leave(0, [(P.SESSION_EXPIRY, 0)])


@statement("MQTT-3.3.2-4")
@pytest.mark.parametrize("value", [None, 0, 1])
def test_the_payload_format_indicator_is_passed_on_or_left_absent(address, names, value):
    topic = names.topic()
    with connect(address, names.client_id()) as client:
        client.subscribe(topic)
        client.publish(topic, "\u00e9".encode(), 1, [] if value is None else [(P.PAYLOAD_FORMAT, value)])
        assert client.message().properties.get(P.PAYLOAD_FORMAT) == value


@statement("MQTT-3.3.2-4")
def test_a_payload_that_is_not_the_utf8_it_says_is_refused_or_passed_unchanged(address, names):
    """A server may check it and answer 0x99; it need not."""
    topic = names.topic()
    with connect(address, names.client_id()) as subscriber, connect(address, names.client_id()) as client:
        subscriber.subscribe(topic)
        client.send(packets.publish(topic, b"\xff\xfe", 1, 1, [(P.PAYLOAD_FORMAT, 1)]), packets.disconnect())
        answers = client.refused(0x99)
        found = subscriber.all_messages()
        if any(answer.reason < 0x80 for answer in answers):
            assert [(message.payload, message.properties.pairs) for message in found] == [(b"\xff\xfe", [(P.PAYLOAD_FORMAT, 1)])]
        else:
            assert not found and all(answer.reason == 0x99 for answer in answers)


@statement("MQTT-3.3.2-16")
@pytest.mark.parametrize("size", [0, 1, 65_535])
def test_correlation_data_of_every_size_is_passed_on(address, names, size):
    topic, data = names.topic(), bytes(number * 7 & 255 for number in range(size))
    with connect(address, names.client_id()) as client:
        client.subscribe(topic)
        client.publish(topic, b"x", 1, [(P.CORRELATION_DATA, data)])
        assert client.message().properties.pairs == [(P.CORRELATION_DATA, data)]


@statement("MQTT-3.3.2-17", "MQTT-3.3.2-18")
def test_many_user_properties_keep_their_order(address, names):
    topic, pairs = names.topic(), [(P.USER_PROPERTY, (b"k%d" % (number % 7), b"v%d" % number)) for number in range(200)]
    with connect(address, names.client_id()) as client:
        client.subscribe(topic)
        client.publish(topic, b"x", 1, pairs)
        assert client.message().properties.pairs == pairs


@statement("MQTT-3.3.2-14", "MQTT-4.13.1-1")
@pytest.mark.parametrize("response", [b"r/+", b"#", b"r/#", b"a+b"])
def test_a_response_topic_with_wildcards_closes_and_reaches_nobody(address, names, response):
    topic = names.topic()
    with connect(address, names.client_id()) as subscriber, connect(address, names.client_id()) as client:
        subscriber.subscribe(topic)
        client.send(packets.publish(topic, b"x", 1, 1, [(P.RESPONSE_TOPIC, response)]))
        client.refused(0x81, 0x82, 0x90)
        subscriber.silent()


@statement("MQTT-3.3.2-15", "MQTT-3.3.2-16")
def test_a_request_finds_its_answer(address, names):
    """4.10: the server forwards the response topic and the correlation data; the rest is between the two."""
    question, answer = names.topic(b"/question"), names.topic(b"/answer")
    with connect(address, names.client_id()) as asker, connect(address, names.client_id()) as server:
        server.subscribe(question)
        asker.subscribe(answer)
        asker.publish(question, b"?", 1, [(P.RESPONSE_TOPIC, answer), (P.CORRELATION_DATA, b"42")])
        asked = server.message()
        server.publish(asked.properties.get(P.RESPONSE_TOPIC), b"!", 1, [(P.CORRELATION_DATA, asked.properties.get(P.CORRELATION_DATA))])
        answered = asker.message()
        assert (answered.topic, answered.payload, answered.properties.get(P.CORRELATION_DATA)) == (answer, b"!", b"42")


@statement("MQTT-3.3.2-3", "MQTT-4.7.3-4")
def test_a_delivered_topic_is_the_published_one_and_matches_the_filter(address, names):
    topic = names.topic()
    for topic_filter, matched in {
        topic + b"/a/b": [b"/a/b"], topic + b"/+/b": [b"/a/b"], topic + b"/#": [b"", b"/a", b"/a/b", b"/A/B"], topic + b"/a/#": [b"/a", b"/a/b"],
    }.items():  # fmt: skip
        with connect(address, names.client_id()) as client:
            client.subscribe(topic_filter)
            for end in (b"", b"/a", b"/a/b", b"/A/B"):
                client.publish(topic + end, end, 1)
            assert [client.message().topic for _ in matched] == [topic + end for end in matched]
            client.silent(0.1)


@statement("MQTT-3.3.4-6", "MQTT-4.13.1-1")
@pytest.mark.parametrize("qos", [0, 1])
def test_a_subscription_identifier_from_a_publisher_closes_and_reaches_nobody(address, names, qos):
    topic = names.topic()
    with connect(address, names.client_id()) as subscriber, connect(address, names.client_id()) as client:
        subscriber.subscribe(topic)
        client.send(packets.publish(topic, b"x", qos, 1 if qos else None, [(P.SUBSCRIPTION_IDENTIFIER, 1)]))
        client.refused(0x82, 0x81)
        subscriber.silent()


def test_an_empty_payload_is_a_message(address, names):
    topic = names.topic()
    with connect(address, names.client_id()) as client:
        client.subscribe(topic)
        for qos in range(3):
            client.publish(topic, b"", qos)
            assert client.message().payload == b""


PROPERTY_ERRORS = {
    "Payload Format twice": [(P.PAYLOAD_FORMAT, 1), (P.PAYLOAD_FORMAT, 1)],
    "Message Expiry twice": [(P.MESSAGE_EXPIRY, 1), (P.MESSAGE_EXPIRY, 1)],
    "Content Type twice": [(P.CONTENT_TYPE, b"t"), (P.CONTENT_TYPE, b"t")],
    "Response Topic twice": [(P.RESPONSE_TOPIC, b"t"), (P.RESPONSE_TOPIC, b"t")],
    "Correlation Data twice": [(P.CORRELATION_DATA, b"t"), (P.CORRELATION_DATA, b"t")],
    "Session Expiry": [(P.SESSION_EXPIRY, 1)],
    "Will Delay": [(P.WILL_DELAY, 1)],
    "Reason String": [(P.REASON_STRING, b"r")],
    "an unknown property": [b"\x7f\x00"],
    "a property cut short": [b"\x02\x00\x00"],
}


@statement("MQTT-4.13.1-1")
@pytest.mark.parametrize("case", PROPERTY_ERRORS)
def test_a_wrong_property_closes_and_reaches_nobody(address, names, case):
    will = Will(names.topic(), b"will")
    topic = names.topic()
    with connect(address, names.client_id()) as subscriber, connect(address, names.client_id(), will=will) as client:
        subscriber.subscribe(topic, will.topic)
        client.send(packets.publish(topic, b"x", 1, 1, PROPERTY_ERRORS[case]))
        client.refused(0x81, 0x82)
        assert subscriber.message().payload == b"will"
        subscriber.silent()
