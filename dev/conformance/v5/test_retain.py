"""Retained messages (3.3.1.3): what is stored, when it is sent, and what RETAIN says on the way out."""

import pytest
from statements import statement
from v5 import packets
from v5.packets import RETAIN_AS_PUBLISHED, RETAIN_IF_NEW, RETAIN_NEVER, Puback
from v5.properties import P
from v5.session import Session, connect, resume


@pytest.fixture
def publisher(address, names):
    with connect(address, names.client_id()) as client:
        yield client


def retain(publisher: Session, topic: bytes, payload: bytes = b"kept", qos: int = 1, properties=()) -> None:
    publisher.publish(topic, payload, qos, properties, retain=True)


def stored(address, names, topic: bytes) -> list[tuple[bytes, bool]]:
    """What a new subscriber gets for a topic: payloads, and whether each has RETAIN."""
    with connect(address, names.client_id()) as late:
        late.subscribe(topic)
        return [(message.payload, message.retain) for message in late.all_messages()]


@statement("MQTT-3.3.1-5", "MQTT-3.3.1-9")
def test_a_retained_message_replaces_the_one_before(address, names, publisher):
    topic = names.topic()
    retain(publisher, topic, b"first", 2, [(P.CONTENT_TYPE, b"old"), (P.USER_PROPERTY, (b"a", b"b"))])
    retain(publisher, topic, b"second", 1, [(P.CONTENT_TYPE, b"new")])
    with connect(address, names.client_id()) as late:
        late.subscribe(topic)
        message = late.message()
        assert (message.topic, message.payload, message.qos, message.retain, message.dup) == (topic, b"second", 1, True, False)
        assert message.properties.pairs == [(P.CONTENT_TYPE, b"new")]
        late.silent()


@statement("MQTT-3.3.1-5", "MQTT-3.3.1-9", "MQTT-3.8.4-8")
@pytest.mark.parametrize("granted", [0, 1, 2])
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_a_retained_message_comes_at_the_lower_of_its_qos_and_the_granted(address, names, publisher, qos, granted):
    topic = names.topic()
    retain(publisher, topic, b"kept", qos)
    with connect(address, names.client_id()) as late:
        late.subscribe((topic, granted))
        message = late.message()
        assert (message.qos, message.retain) == (min(qos, granted), True)


@statement("MQTT-3.3.1-6", "MQTT-3.3.1-7")
def test_an_empty_retained_message_is_forwarded_and_removes_the_stored_one(address, names, publisher):
    topic = names.topic()
    retain(publisher, topic)
    with connect(address, names.client_id()) as live:
        live.subscribe((topic, 1 | RETAIN_NEVER))
        retain(publisher, topic, b"")
        message = live.message()
        assert (message.payload, message.retain) == (b"", False)
    assert stored(address, names, topic) == []


@statement("MQTT-3.3.1-7", "MQTT-3.3.1-6", "MQTT-3.3.1-13")
def test_an_empty_retained_message_is_not_stored_where_there_was_none(address, names, publisher):
    topic = names.topic()
    with connect(address, names.client_id()) as live:
        live.subscribe((topic, 1 | RETAIN_AS_PUBLISHED))
        retain(publisher, topic, b"")
        assert live.message().retain is True
    assert stored(address, names, topic) == []


@statement("MQTT-3.3.1-8")
@pytest.mark.parametrize("payload", [b"other", b""])
def test_a_message_without_retain_leaves_the_stored_one(address, names, publisher, payload):
    topic = names.topic()
    retain(publisher, topic)
    publisher.publish(topic, payload, 1)
    assert stored(address, names, topic) == [(b"kept", True)]
    retain(publisher, topic, b"")


@statement("MQTT-3.3.1-8")
def test_a_message_without_retain_is_not_stored(address, names, publisher):
    topic = names.topic()
    publisher.publish(topic, b"x", 1)
    assert stored(address, names, topic) == []


@statement("MQTT-3.3.1-9", "MQTT-3.8.4-4")
def test_retain_handling_0_sends_at_every_subscribe(address, names, publisher):
    topic = names.topic()
    retain(publisher, topic)
    with connect(address, names.client_id()) as late:
        for _ in range(3):
            late.subscribe(topic)
            message = late.message()
            assert (message.payload, message.retain) == (b"kept", True)
            late.silent(0.1)
    retain(publisher, topic, b"")


@statement("MQTT-3.3.1-10")
def test_retain_handling_1_sends_only_for_a_new_subscription(address, names, publisher):
    name, topic = names.client_id(), names.topic()
    retain(publisher, topic)
    with connect(address, name, expiry=60) as late:
        late.subscribe((topic, 1 | RETAIN_IF_NEW))
        assert late.message().payload == b"kept"
        late.subscribe((topic, 0 | RETAIN_IF_NEW))
        late.silent()
        late.unsubscribe(topic)
        late.subscribe((topic, 1 | RETAIN_IF_NEW))
        assert late.message().payload == b"kept"
        late.drop()
    with resume(address, name) as late:
        late.subscribe((topic, 1 | RETAIN_IF_NEW))
        late.silent()
        late.leave(0, [(P.SESSION_EXPIRY, 0)])
    retain(publisher, topic, b"")


@statement("MQTT-3.3.1-11")
def test_retain_handling_2_sends_nothing_at_subscribe(address, names, publisher):
    topic = names.topic()
    retain(publisher, topic)
    with connect(address, names.client_id()) as late:
        for _ in range(2):
            late.subscribe((topic, 1 | RETAIN_NEVER))
        late.silent()
        publisher.publish(topic, b"live", 1)
        assert late.message().payload == b"live"
    retain(publisher, topic, b"")


@statement("MQTT-3.3.1-9", "MQTT-3.3.1-10", "MQTT-3.3.1-11", "MQTT-3.8.4-5")
def test_each_filter_of_a_subscribe_has_its_own_retain_handling(address, names, publisher):
    topic = names.topic()
    for end in (b"/0", b"/1", b"/2"):
        retain(publisher, topic + end)
    with connect(address, names.client_id()) as late:
        every = ((topic + b"/0", 1), (topic + b"/1", 1 | RETAIN_IF_NEW), (topic + b"/2", 1 | RETAIN_NEVER))
        late.subscribe(*every)
        assert sorted(message.topic for message in late.all_messages()) == [topic + b"/0", topic + b"/1"]
        late.subscribe(*every)
        assert [message.topic for message in late.all_messages()] == [topic + b"/0"]
    for end in (b"/0", b"/1", b"/2"):
        retain(publisher, topic + end, b"")


@statement("MQTT-3.3.1-9", "MQTT-3.1.2-5")
@pytest.mark.parametrize("taken_over", [False, True])
def test_a_resumed_session_gets_no_retained_messages(address, names, publisher, taken_over):
    name, topic = names.client_id(), names.topic()
    retain(publisher, topic)
    with connect(address, name, expiry=60) as client:
        client.subscribe(topic)
        assert client.message().payload == b"kept"
        client.barrier()
        if not taken_over:
            client.drop()
        with resume(address, name) as again:
            again.silent()
            again.leave(0, [(P.SESSION_EXPIRY, 0)])
    retain(publisher, topic, b"")


@statement("MQTT-3.3.1-12", "MQTT-3.3.1-13")
@pytest.mark.parametrize("sent", [False, True])
@pytest.mark.parametrize("as_published", [False, True])
@pytest.mark.parametrize("away", [False, True], ids=["live", "queued"])
def test_retain_as_published(address, names, publisher, sent, as_published, away):
    name, topic = names.client_id(), names.topic()
    with connect(address, name, expiry=60) as client:
        client.subscribe((topic, 1 | (RETAIN_AS_PUBLISHED if as_published else 0)))
        if away:
            client.drop()
        publisher.publish(topic, b"x", 1, retain=sent)
        if away:
            with resume(address, name) as again:
                assert again.message().retain is (sent and as_published)
                again.leave(0, [(P.SESSION_EXPIRY, 0)])
        else:
            assert client.message().retain is (sent and as_published)
            client.leave(0, [(P.SESSION_EXPIRY, 0)])
    publisher.publish(topic, b"", 1, retain=True)


@statement("MQTT-3.3.1-9", "MQTT-3.3.1-12")
@pytest.mark.parametrize("options", [1, 1 | RETAIN_AS_PUBLISHED])
def test_what_is_sent_because_of_a_subscribe_has_retain_1_whatever_retain_as_published_says(address, names, publisher, options):
    topic = names.topic()
    retain(publisher, topic)
    with connect(address, names.client_id()) as late:
        late.subscribe((topic, options))
        assert late.message().retain is True
    retain(publisher, topic, b"")


@statement("MQTT-3.3.1-9", "MQTT-4.7.1-1", "MQTT-4.7.1-2")
def test_wildcards_find_all_retained_messages_that_match(address, names, publisher):
    topic = names.topic()
    ends = [b"", b"/a", b"/b", b"/a/b", b"/", b"/a/"]
    for end in ends:
        retain(publisher, topic + end, end or b"root")
    expected = {
        b"/#": [b"", b"/", b"/a", b"/a/", b"/a/b", b"/b"], b"/+": [b"/", b"/a", b"/b"], b"/+/+": [b"/a/", b"/a/b"], b"/a/#": [b"/a", b"/a/", b"/a/b"],
        b"": [b""], b"/+/b": [b"/a/b"],
    }  # fmt: skip
    for end, found in expected.items():
        with connect(address, names.client_id()) as late:
            late.subscribe(topic + end)
            assert sorted(message.topic for message in late.all_messages(0.2)) == [topic + each for each in found], end
    for end in ends:
        retain(publisher, topic + end, b"")


@statement("MQTT-3.3.1-5")
def test_a_retained_message_outlives_its_publishers_session(address, names):
    topic = names.topic()
    with connect(address, names.client_id()) as client:
        retain(client, topic)
        client.drop()
    assert stored(address, names, topic) == [(b"kept", True)]
    with connect(address, names.client_id()) as client:
        retain(client, topic, b"")


@statement("MQTT-3.3.1-5", "MQTT-3.3.1-9")
def test_a_retained_message_of_qos_2_is_stored(address, names, publisher):
    topic = names.topic()
    publisher.publish(topic, b"two", 2, retain=True)
    assert stored(address, names, topic) == [(b"two", True)]
    retain(publisher, topic, b"")


@statement("MQTT-3.3.1-9", "MQTT-3.3.4-3")
def test_a_retained_message_comes_with_the_subscription_identifier(address, names, publisher):
    topic = names.topic()
    retain(publisher, topic)
    with connect(address, names.client_id()) as late:
        if not late.server(P.SUBSCRIPTION_IDENTIFIER_AVAILABLE, 1):
            pytest.skip("the server has no subscription identifiers")
        late.subscribe(topic, identifier=268_435_455)
        assert late.message().properties.all(P.SUBSCRIPTION_IDENTIFIER) == [268_435_455]
        late.subscribe(topic, identifier=5)
        assert late.message().properties.all(P.SUBSCRIPTION_IDENTIFIER) == [5]
        late.subscribe(topic)
        assert late.message().properties.all(P.SUBSCRIPTION_IDENTIFIER) == []
    retain(publisher, topic, b"")


@statement("MQTT-3.3.1-5")
def test_a_retained_message_stored_while_subscribing_is_not_missed(address, names, publisher):
    """Between the store and the subscription there is no gap: it comes live, or because of the SUBSCRIBE, or both."""
    for number in range(20):
        topic = names.topic()
        with connect(address, names.client_id()) as late:
            publisher.send(packets.publish(topic, b"x", 1, number + 1, retain=True))
            late.subscribe(topic)
            assert late.message().payload == b"x"
        publisher.take(Puback)
        retain(publisher, topic, b"")
