"""Shared subscriptions in dialect `aws`, for both versions [developer guide, mqtt, shared subscriptions]."""

import pytest
from v311.packets import FAILURE, suback, subscribe


def test_each_message_goes_to_one_member_of_either_version(join, join5, names, group):
    topic, three, five, publisher = names.topic(), join(), join5(), join()
    three.subscribe(group(topic), 1)
    five.subscribe((group(topic), 1))
    for number in range(40):
        publisher.publish(topic, b"%d" % number, 1)
    got = [message.payload for message in three.receive_all()] + [message.payload for message in five.all_messages()]
    assert sorted(got) == sorted(b"%d" % number for number in range(40))


def test_each_group_has_its_copy(join, names, group):
    topic, first, second, plain_one = names.topic(), join(), join(), join()
    first.subscribe(group(topic), 1)
    second.subscribe(b"$share/" + names.topic() + b"/" + topic, 1)
    plain_one.subscribe(topic, 1)
    join().publish(topic, b"to each", 1)
    for peer in (first, second, plain_one):
        peer.expect_message(topic, b"to each", 1)
        peer.expect_silence()


def test_a_share_name_of_128_characters_is_the_longest(join, names):
    topic = names.topic()
    share = topic + b"x" * (128 - len(topic))
    join().subscribe(b"$share/" + share + b"/" + topic, 1)
    peer = join()
    peer.send(subscribe(1, (b"$share/" + share + b"x/" + topic, 1)))
    assert peer.packets_until(suback(1, FAILURE)) in ([], [suback(1, FAILURE)])


def test_the_slashes_and_bytes_of_the_share_do_not_count(join, names, group):
    """The filter alone has 7 slashes and 256 bytes at most."""
    topic = names.topic(b"/2/3/4/5/6/7/8")
    topic += b"x" * (256 - len(topic))
    peer = join()
    peer.subscribe(group(topic), 1)
    join().publish(topic, b"longest", 1)
    peer.expect_message(topic, b"longest", 1)


def test_a_clean_member_leaves_with_its_connection(join, names, group):
    topic, publisher, stays, leaves = names.topic(), join(), join(), join()
    for member in (stays, leaves):
        member.subscribe(group(topic), 1)
    leaves.disconnect()
    for number in range(10):
        publisher.publish(topic, b"%d" % number, 1)
    assert len(stays.receive_all()) == 10


def test_a_persistent_member_that_is_away_gets_nothing_while_another_is_there(join, names, group):
    client_id, topic, stays, publisher = names.client_id(), names.topic(), join(), join()
    sleeper = join(client_id, clean=False)
    for member in (stays, sleeper):
        member.subscribe(group(topic), 1)
    sleeper.disconnect()
    for number in range(10):
        publisher.publish(topic, b"%d" % number, 1)
    assert len(stays.receive_all()) == 10
    join(client_id, clean=False).expect_silence()


def test_a_group_without_anyone_online_keeps_qos_1(join, names, group):
    client_id, topic, publisher = names.client_id(), names.topic(), join()
    sleeper = join(client_id, clean=False)
    sleeper.subscribe(group(topic), 1)
    sleeper.disconnect()
    publisher.publish(topic, b"at 0", 0)
    for number in range(5):
        publisher.publish(topic, b"%d" % number, 1)
    back = join(client_id, clean=False)
    assert sorted(message.payload for message in back.receive_all(1.0)) == [b"%d" % number for number in range(5)]


@pytest.mark.parametrize("topic_filter", [b"$share/g", b"$share//a", b"$share/g+/a", b"$share/g#/a", b"$share/g/"])
def test_a_broken_share_is_refused(join, topic_filter):
    peer = join()
    peer.send(subscribe(1, (topic_filter, 1)))
    assert peer.packets_until(suback(1, FAILURE)) in ([], [suback(1, FAILURE)])
