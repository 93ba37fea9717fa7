"""Persistent sessions in dialect `aws`: what is kept for a device, and what ends it [developer guide, mqtt-persistent-sessions]."""

from v5.packets import Publish
from v311.packets import puback, publish


def test_clean_session_0_makes_and_resumes_a_session(join, names):
    client_id, topic = names.client_id(), names.topic()
    first = join(client_id, clean=False)
    assert not first.session_present
    first.subscribe(topic, 1)
    first.disconnect()
    second = join(client_id, clean=False)
    assert second.session_present
    join().publish(topic, b"resumed", 1)
    second.expect_message(topic, b"resumed", 1)


def test_qos_1_is_stored_and_qos_0_is_not(join, names):
    """Neither for a publish at QoS 0 nor for a subscription at QoS 0."""
    client_id, topic, lower = names.client_id(), names.topic(), names.topic()
    first, publisher = join(client_id, clean=False), join()
    first.subscribe_all((topic, 1), (lower, 0))
    first.disconnect()
    publisher.publish(topic, b"at 0", 0)
    publisher.publish(lower, b"to 0", 1)
    publisher.publish(topic, b"stored", 1)
    second = join(client_id, clean=False)
    second.expect_message(topic, b"stored", 1)
    second.expect_silence()


def test_unacknowledged_and_new_messages_are_both_kept(join, names):
    client_id, topic = names.client_id(), names.topic()
    first, publisher = join(client_id, clean=False), join()
    first.subscribe(topic, 1)
    publisher.publish(topic, b"unacknowledged", 1)
    assert first.receive(acknowledge=False).payload == b"unacknowledged"
    first.abort()
    publisher.publish(topic, b"new", 1)
    second = join(client_id, clean=False)
    assert sorted(message.payload for message in second.receive_all()) == [b"new", b"unacknowledged"]


def test_clean_session_1_ends_the_session(join, names):
    client_id, topic = names.client_id(), names.topic()
    first = join(client_id, clean=False)
    first.subscribe(topic, 1)
    first.disconnect()
    join().publish(topic, b"lost", 1)
    second = join(client_id, clean=True)
    assert not second.session_present
    second.expect_silence()
    second.disconnect()
    assert not join(client_id, clean=False).session_present


def test_a_session_of_311_is_not_resumed_by_5(join, join5, names):
    """One version's session cannot be resumed with the other [developer guide, mqtt]."""
    client_id, topic = names.client_id(), names.topic()
    first = join(client_id, clean=False)
    first.subscribe(topic, 1)
    first.disconnect()
    second = join5(client_id, clean_start=False, expiry=300)
    assert not second.connack.session_present
    join().publish(topic, b"not for it", 1)
    second.silent()


def test_a_session_of_5_is_not_resumed_by_311(join, join5, names):
    client_id, topic = names.client_id(), names.topic()
    first = join5(client_id, expiry=300)
    first.subscribe((topic, 1))
    first.leave()
    second = join(client_id, clean=False)
    assert not second.session_present
    join().publish(topic, b"not for it", 1)
    second.expect_silence()


def test_both_versions_hear_each_other(join, join5, names):
    topic, three, five = names.topic(), join(), join5()
    three.subscribe(topic, 1)
    five.subscribe((topic, 1))
    three.publish(topic, b"from 3.1.1", 1)
    three.expect_message(topic, b"from 3.1.1", 1)
    assert five.message().payload == b"from 3.1.1"
    five.publish(topic, b"from 5", 1)
    three.expect_message(topic, b"from 5", 1)
    assert isinstance(message := five.message(), Publish) and message.payload == b"from 5"


def test_a_publisher_may_leave_at_once(join, names):
    """PUBACK means that the message is kept for whoever is away."""
    client_id, topic = names.client_id(), names.topic()
    first = join(client_id, clean=False)
    first.subscribe(topic, 1)
    first.abort()
    publisher = join()
    publisher.send(publish(topic, b"kept", 1, 1))
    publisher.expect(puback(1))
    publisher.abort()
    join(client_id, clean=False).expect_message(topic, b"kept", 1)
