"""Shared subscriptions for 3.1.1 clients, which the text does not know and brokers offer with MQTT 5's rules (4.8.2 there)."""

import pytest


def test_each_message_goes_to_one_member(join, names, group):
    topic, members, publisher = names.topic(), [join(), join()], join()
    for member in members:
        member.subscribe(group(topic), 1)
    for number in range(40):
        publisher.publish(topic, b"%d" % number, 1)
    got = [message.payload for member in members for message in member.receive_all()]
    assert sorted(got) == sorted(b"%d" % number for number in range(40))


def test_each_group_has_its_copy_and_so_has_a_plain_subscription(join, names, group):
    topic, peer, publisher = names.topic(), join(), join()
    peer.subscribe(topic, 1)
    peer.subscribe(group(topic), 1)
    other = join()
    other.subscribe(b"$share/" + names.topic() + b"/" + topic, 1)
    publisher.publish(topic, b"three copies", 1)
    assert [message.payload for message in peer.receive_all()] == [b"three copies"] * 2
    other.expect_message(topic, b"three copies", 1)
    other.expect_silence()


def test_members_get_no_retained_messages_when_they_subscribe(join, names, group):
    topic = names.topic()
    join().publish(topic, b"stored", 1, retain=True)
    member = join()
    member.subscribe(group(topic), 1)
    member.expect_silence()


def test_a_share_matches_as_its_filter_does(join, names, group):
    root, member, publisher = names.topic(), join(), join()
    member.subscribe(group(root + b"/+/x"), 1)
    publisher.publish(root + b"/a/y", b"no", 1)
    publisher.publish(root + b"/a/x", b"yes", 1)
    member.expect_message(root + b"/a/x", b"yes", 1)
    member.expect_silence()


def test_unsubscribe_needs_the_whole_text(join, names, group):
    topic, member, publisher = names.topic(), join(), join()
    member.subscribe(group(topic), 1)
    member.unsubscribe(topic)
    publisher.publish(topic, b"still", 1)
    member.expect_message(topic, b"still", 1)
    member.unsubscribe(group(topic))
    publisher.publish(topic, b"gone", 1)
    member.expect_silence()


def test_a_member_that_left_gets_nothing(join, names, group):
    topic, publisher, stays, leaves = names.topic(), join(), join(), join()
    for member in (stays, leaves):
        member.subscribe(group(topic), 1)
    leaves.disconnect()
    for number in range(10):
        publisher.publish(topic, b"%d" % number, 1)
    assert [message.payload for message in stays.receive_all()] == [b"%d" % number for number in range(10)]


@pytest.mark.parametrize("topic_filter", [b"$share//a", b"$share/g", b"$share/g/", b"$share/g+/a", b"$share/#/a", b"$share/g/a#"])
def test_a_broken_share_is_refused_or_closes(join, topic_filter):
    """A server without shared subscriptions could grant some of these as ordinary `$` filters; this one has them."""
    peer = join()
    identifier = b"\x00\x05"
    peer.send(b"\x82" + bytes([len(topic_filter) + 5]) + identifier + bytes([0, len(topic_filter)]) + topic_filter + b"\x01")
    assert peer.packets_until(b"\x90\x03\x00\x05\x80") in ([], [b"\x90\x03\x00\x05\x80"])
