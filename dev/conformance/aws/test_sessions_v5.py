"""Session expiry and message expiry of MQTT 5 in dialect `aws`. Each wait is a second or two longer than the time it is about."""

import time

import pytest
from aws.endings import ended
from v5 import packets as five
from v5.properties import P

WEEK = 604_800


def away(join5, topic: bytes, client_id: bytes, **options) -> None:
    """A session with a subscription, whose client has left."""
    peer = join5(client_id, **options)
    peer.subscribe((topic, 1))
    peer.leave()


def test_without_session_expiry_there_is_no_session(join5, names):
    client_id, topic = names.client_id(), names.topic()
    away(join5, topic, client_id)
    join5().publish(topic, b"lost", 1)
    second = join5(client_id, clean_start=False)
    assert not second.connack.session_present
    second.silent()


def test_a_session_ends_after_its_expiry(join5, names):
    lives, ends, topic = names.client_id(), names.client_id(), names.topic()
    away(join5, topic, lives, expiry=60)
    away(join5, topic, ends, expiry=1)
    time.sleep(2.5)
    assert join5(lives, clean_start=False, expiry=60).connack.session_present
    assert not join5(ends, clean_start=False, expiry=60).connack.session_present


def test_disconnect_may_end_the_session(join5, names):
    client_id = names.client_id()
    first = join5(client_id, expiry=300)
    first.leave(0, [(P.SESSION_EXPIRY, 0)])
    assert not join5(client_id, clean_start=False, expiry=300).connack.session_present


def test_disconnect_may_change_the_expiry(join5, names):
    client_id = names.client_id()
    first = join5(client_id, expiry=1)
    first.leave(0, [(P.SESSION_EXPIRY, 60)])
    time.sleep(2.5)
    assert join5(client_id, clean_start=False, expiry=60).connack.session_present


def test_disconnect_may_not_make_a_session(join5, names):
    """From none to some is a protocol error."""
    client_id = names.client_id()
    peer = join5(client_id)
    peer.send(five.disconnect(0, [(P.SESSION_EXPIRY, 60)]))
    assert peer.refused(0x82) == []
    assert not join5(client_id, clean_start=False, expiry=60).connack.session_present


def test_qos_1_is_stored_with_its_properties(join5, names):
    client_id, topic = names.client_id(), names.topic()
    away(join5, topic, client_id, expiry=300)
    given = [(P.CONTENT_TYPE, b"text/plain"), (P.USER_PROPERTY, (b"k", b"v"))]
    publisher = join5()
    publisher.publish(topic, b"at 0", 0)
    publisher.publish(topic, b"stored", 1, given)
    second = join5(client_id, clean_start=False, expiry=300)
    assert second.connack.session_present
    message = second.message()
    assert (message.payload, message.qos, message.properties.by_identifier()) == (b"stored", 1, given)
    second.silent()


@pytest.mark.parametrize(
    ("asked", "least", "most"), [(0, 0, 1), (60, 58, 60), (WEEK, WEEK - 2, WEEK), (WEEK + 1, WEEK - 2, WEEK), (0xFFFFFFFF, WEEK - 2, WEEK)]
)
def test_message_expiry_is_brought_into_its_bounds(join5, names, asked, least, most):
    """0 becomes 1, more than a week a week; what remains is told in whole seconds."""
    topic, peer = names.topic(), join5()
    peer.subscribe((topic, 1))
    join5().publish(topic, b"expiring", 1, [(P.MESSAGE_EXPIRY, asked)])
    assert least <= peer.message().properties.get(P.MESSAGE_EXPIRY) <= most


def test_without_message_expiry_none_is_told(join5, names):
    topic, peer = names.topic(), join5()
    peer.subscribe((topic, 1))
    join5().publish(topic, b"for ever", 1)
    assert P.MESSAGE_EXPIRY not in peer.message().properties


def test_an_expired_message_is_not_delivered_to_either_version(join, join5, names):
    """The publisher's version decides, so that a subscriber of 3.1.1 does not get it either."""
    three_id, five_id, topic = names.client_id(), names.client_id(), names.topic()
    away(join5, topic, five_id, expiry=300)
    three = join(three_id, clean=False)
    three.subscribe(topic, 1)
    three.disconnect()
    publisher = join5()
    publisher.publish(topic, b"expired", 1, [(P.MESSAGE_EXPIRY, 1)])
    publisher.publish(topic, b"waiting", 1, [(P.MESSAGE_EXPIRY, 100)])
    time.sleep(2.5)
    join(three_id, clean=False).expect_message(topic, b"waiting", 1)
    five = join5(five_id, clean_start=False, expiry=300)
    message = five.message()
    assert message.payload == b"waiting"
    assert 90 <= message.properties.get(P.MESSAGE_EXPIRY) <= 98
    five.silent()


def test_a_retained_message_expires(join, join5, names):
    """One of 5 by its interval, one of 3.1.1 never."""
    short, long, publisher = names.topic(), names.topic(), join5()
    publisher.publish(short, b"expired", 1, [(P.MESSAGE_EXPIRY, 1)], retain=True)
    join().publish(long, b"stays", 1, retain=True)
    time.sleep(2.5)
    peer = join5()
    peer.subscribe((short, 1), (long, 1))
    assert peer.message().payload == b"stays"
    peer.silent()


def test_a_wills_expiry_begins_when_it_is_published(join5, names):
    topic, watcher = names.topic(), join5()
    watcher.subscribe((topic, 1))
    will = five.Will(topic, b"gone", 1, properties=[(P.MESSAGE_EXPIRY, 100)])
    peer = join5(will=will)
    time.sleep(1.5)
    peer.abort()
    assert 98 <= watcher.message().properties.get(P.MESSAGE_EXPIRY) <= 100


def test_an_unknown_disconnect_reason_is_a_protocol_error(join5):
    """0x8E is the server's to say."""
    peer = join5()
    peer.send(five.disconnect(0x8E))
    assert peer.refused(0x81, 0x82) == []


def test_a_topic_alias_is_not_part_of_the_session(join5, names):
    client_id, topic = names.client_id(), names.topic()
    first = join5(client_id, expiry=300)
    first.publish(topic, b"set", 1, [(P.TOPIC_ALIAS, 1)])
    first.leave()
    second = join5(client_id, clean_start=False, expiry=300)
    second.send(five.publish(b"", b"never", 1, 1, [(P.TOPIC_ALIAS, 1)]))
    assert ended(second, 0x82, 0x94) == []
