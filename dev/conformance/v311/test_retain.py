"""Chapter 3.3.1.3: RETAIN."""

import pytest
from statements import statement


@statement("MQTT-3.3.1-5", "MQTT-3.3.1-8")
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_a_retained_message_is_stored_with_its_qos(join, names, qos):
    """At QoS 0 a server may drop it, but this one says that it keeps it."""
    topic, publisher = names.topic(), join()
    publisher.publish(topic, b"stored", qos, retain=True)
    for _ in range(2):
        later = join()
        later.subscribe(topic, 2)
        later.expect_message(topic, b"stored", qos, retain=True)
        later.expect_silence()
    publisher.publish(topic, b"", qos, retain=True)


@statement("MQTT-3.3.1-5")
def test_the_next_retained_message_replaces_the_last(join, names):
    topic, publisher = names.topic(), join()
    for number in range(3):
        publisher.publish(topic, b"%d" % number, 1, retain=True)
    later = join()
    later.subscribe(topic, 1)
    later.expect_message(topic, b"2", 1, retain=True)
    later.expect_silence()


@statement("MQTT-3.3.1-6")
@pytest.mark.parametrize("topic_filter", [b"/#", b"/+/x", b"/+/+"])
def test_a_wildcard_gets_the_last_of_each_matching_topic(join, names, topic_filter):
    root, publisher = names.topic(), join()
    for name in (b"/1/x", b"/2/x", b"/3/x"):
        publisher.publish(root + name, b"old", 1, retain=True)
        publisher.publish(root + name, name, 1, retain=True)
    later = join()
    later.subscribe(root + topic_filter, 1)
    got = sorted((message.topic, message.payload, message.retain) for message in later.receive_all())
    assert got == [(root + name, name, True) for name in (b"/1/x", b"/2/x", b"/3/x")]


@statement("MQTT-3.3.1-7")
def test_a_retained_message_at_qos_0_discards_the_old_one(join, names):
    topic, publisher = names.topic(), join()
    publisher.publish(topic, b"old", 1, retain=True)
    publisher.publish(topic, b"new", 0, retain=True)
    later = join()
    later.subscribe(topic, 1)
    assert [(message.payload, message.qos) for message in later.receive_all()] in ([(b"new", 0)], [])


@statement("MQTT-3.3.1-8", "MQTT-3.3.1-9")
def test_retain_is_set_for_new_subscriptions_only(join, names):
    topic, publisher, subscriber = names.topic(), join(), join()
    subscriber.subscribe(topic, 1)
    publisher.publish(topic, b"live", 1, retain=True)
    subscriber.expect_message(topic, b"live", 1, retain=False)
    later = join()
    later.subscribe(topic, 1)
    later.expect_message(topic, b"live", 1, retain=True)
    publisher.publish(topic, b"next", 1, retain=True)
    for peer in (subscriber, later):
        peer.expect_message(topic, b"next", 1, retain=False)


@statement("MQTT-3.3.1-9")
def test_retain_is_not_set_on_what_was_queued(join, names):
    """The subscription was there before: the message is not sent because of a new one."""
    client_id, topic = names.client_id(), names.topic()
    sleeper = join(client_id, clean=False)
    sleeper.subscribe(topic, 1)
    sleeper.disconnect()
    join().publish(topic, b"queued", 1, retain=True)
    again = join(client_id, clean=False)
    again.expect_message(topic, b"queued", 1, retain=False)
    again.expect_silence()


@statement("MQTT-3.3.1-10", "MQTT-3.3.1-11")
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_an_empty_retained_message_removes_and_is_forwarded(join, names, qos):
    topic, publisher, subscriber = names.topic(), join(), join()
    publisher.publish(topic, b"stored", 1, retain=True)
    subscriber.subscribe(topic, 2)
    subscriber.expect_message(topic, b"stored", 1, retain=True)
    publisher.publish(topic, b"", qos, retain=True)
    subscriber.expect_message(topic, b"", qos, retain=False)
    later = join()
    later.subscribe(topic, 2)
    later.expect_silence()


@statement("MQTT-3.3.1-11")
def test_an_empty_retained_message_is_not_stored(join, names):
    topic = names.topic()
    join().publish(topic, b"", 1, retain=True)
    later = join()
    later.subscribe(topic, 1)
    later.expect_silence()


@statement("MQTT-3.3.1-12")
@pytest.mark.parametrize("payload", [b"passing", b""])
def test_without_retain_nothing_stored_is_touched(join, names, payload):
    topic, publisher = names.topic(), join()
    publisher.publish(topic, payload, 1)
    publisher.publish(topic, b"stored", 1, retain=True)
    publisher.publish(topic, payload, 1)
    later = join()
    later.subscribe(topic, 1)
    later.expect_message(topic, b"stored", 1, retain=True)
    later.expect_silence()


@statement("MQTT-3.3.1-6", "MQTT-3.8.4-6")
def test_retained_messages_come_at_the_lower_qos(join, names):
    topic, publisher = names.topic(), join()
    publisher.publish(topic, b"stored", 2, retain=True)
    for granted in (0, 1, 2):
        later = join()
        later.subscribe(topic, granted)
        later.expect_message(topic, b"stored", granted, retain=True)


def test_the_subscription_may_come_with_its_own_publish(join, names):
    """A client publishes retained and then subscribes: it gets the message once, as retained."""
    topic, peer = names.topic(), join()
    peer.publish(topic, b"mine", 1, retain=True)
    peer.subscribe(topic, 1)
    peer.expect_message(topic, b"mine", 1, retain=True)
    peer.expect_silence()


def test_a_resumed_session_gets_no_retained_messages(join, names):
    """Nothing was subscribed, so nothing is sent because of a new subscription [MQTT-3.3.1-6]."""
    client_id, topic = names.client_id(), names.topic()
    first = join(client_id, clean=False)
    first.subscribe(topic, 1)
    join().publish(topic, b"stored", 1, retain=True)
    first.expect_message(topic, b"stored", 1)
    first.disconnect()
    again = join(client_id, clean=False)
    assert again.session_present
    again.expect_silence()
