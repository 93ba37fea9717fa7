"""Topics, filters and fixed headers in dialect `aws` for 3.1.1 [developer guide, mqtt and topics; quotas]."""

import pytest
from statements import statement
from v311.packets import FAILURE, publish, suback, subscribe, unsubscribe

LONGEST = 256
REFUSED = ([], [suback(1, FAILURE)])


def long_topic(topic: bytes, size: int) -> bytes:
    return topic + b"x" * (size - len(topic))


def test_a_hash_does_not_match_the_parent_level(join, names):
    root, peer = names.topic(), join()
    peer.subscribe(root + b"/#", 1)
    publisher = join()
    for end in (b"", b"/", b"/a", b"/a/b"):
        publisher.publish(root + end, end, 1)
    assert [message.topic for message in peer.receive_all()] == [root + end for end in (b"/", b"/a", b"/a/b")]


def test_the_standard_listener_matches_the_parent_level(join, plain, names):
    """The same publish, heard by a client of each dialect."""
    root, observer, peer = names.topic(), plain(), join()
    for subscriber in (observer, peer):
        subscriber.subscribe(root + b"/#", 1)
    join().publish(root, b"parent", 1)
    observer.expect_message(root, b"parent", 1)
    peer.expect_silence()


def test_a_plus_is_one_whole_level(join, names):
    root, peer = names.topic(), join()
    peer.subscribe(root + b"/+/b", 1)
    publisher = join()
    for end in (b"/a/b", b"//b", b"/a/a/b", b"/b"):
        publisher.publish(root + end, end, 1)
    assert [message.topic for message in peer.receive_all()] == [root + b"/a/b", root + b"//b"]


@pytest.mark.parametrize("first", [b"\xa0", b"\xa1", b"\xa3"])
def test_header_flags_are_enforced(join, names, events, first):
    client_id = names.client_id()
    join(client_id).expect_refusal(first + unsubscribe(1, names.topic())[1:])
    assert events.reason(client_id) == "CLIENT_ERROR"


def test_a_topic_of_256_bytes_and_7_slashes_is_accepted(join, names):
    topic, peer = long_topic(names.topic(b"/2/3/4/5/6/7/8"), LONGEST), join()
    assert topic.count(b"/") == 7
    peer.subscribe(topic, 1)
    peer.publish(topic, b"longest", 1)
    peer.expect_message(topic, b"longest", 1)


def test_a_longer_topic_closes(join, names):
    join().expect_refusal(publish(long_topic(names.topic(), LONGEST + 1), b"never", 1, 1))


def test_a_topic_of_eight_slashes_closes(join, names):
    join().expect_refusal(publish(names.topic(b"/2/3/4/5/6/7/8/9"), b"never", 1, 1))


@pytest.mark.parametrize("end", [b"/2/3/4/5/6/7/8/9", b"/2/3/4/5/6/7/8/#", b"/" + b"x" * 256], ids=["slashes", "hash", "long"])
def test_a_filter_over_the_limits_is_refused(join, names, end):
    """With a close or with 0x80: not documented for 3.1.1."""
    peer = join()
    peer.send(subscribe(1, (names.topic(end), 1)))
    assert peer.packets_until(suback(1, FAILURE)) in REFUSED


def test_the_slashes_of_basic_ingest_do_not_count(join, names):
    """The first three levels, `$aws/rules/RULE/`, are free. A rule that does not exist is no error to the client."""
    peer = join()
    peer.publish(b"$aws/rules/nobody/" + names.topic(b"/2/3/4/5/6/7/8"), b"ingest", 1)
    peer.fence()


def test_rules_topics_cannot_be_subscribed_to(join):
    assert join().subscribe_all((b"$aws/rules/#", 1)) == [FAILURE]


@pytest.mark.parametrize("topic", [b"$mine/a", b"$SYS/a", b"$aws/events/presence/connected/x", b"$aws/events/subscriptions/subscribed/x"])
def test_reserved_topics_cannot_be_published_to(join, plain, topic):
    watcher = plain()
    watcher.subscribe(topic, 1)
    join().expect_refusal(publish(topic, b"forged", 1, 1))
    watcher.expect_silence()


def test_reserved_topics_keep_no_retained_messages(join):
    join().expect_refusal(publish(b"$aws/things/nobody/shadow/update", b"{}", 1, 1, retain=True))


@pytest.mark.parametrize("end", [b"/#", b"/+", b"/a+"])
def test_a_wildcard_in_a_topic_closes(join, names, end):
    join().expect_refusal(publish(names.topic(end), b"never", 1, 1))


def test_eight_filters_fit_into_a_subscribe(join, names):
    assert join().subscribe_all(*((names.topic(), 1) for _ in range(8))) == [1] * 8


def test_nine_filters_do_not(join, names):
    """A close, or a failure for what is too many: not documented."""
    peer, topics = join(), [names.topic() for _ in range(9)]
    peer.send(subscribe(1, *((topic, 1) for topic in topics)))
    answers = peer.packets_until(suback(1, *[FAILURE] * 9), 1.0)
    assert answers in ([], [suback(1, *[FAILURE] * 9)], [suback(1, *[1] * 8, FAILURE)])


def test_the_51st_subscription_of_a_connection_fails(join, names):
    """One that is replaced or removed counts no more."""
    peer, topics = join(), [names.topic() for _ in range(51)]
    for begin in range(0, 48, 8):
        assert peer.subscribe_all(*((topic, 0) for topic in topics[begin : begin + 8])) == [0] * 8
    assert peer.subscribe_all((topics[48], 0), (topics[49], 0), (topics[50], 0)) == [0, 0, FAILURE]
    assert peer.subscribe_all((topics[0], 1)) == [1]
    peer.unsubscribe(topics[1])
    assert peer.subscribe_all((topics[50], 1)) == [1]
    assert peer.subscribe_all((topics[1], 1)) == [FAILURE]


def test_a_payload_of_128_kb_is_accepted(join, names):
    topic, peer, payload = names.topic(), join(), b"x" * 131_072
    peer.subscribe(topic, 1)
    peer.publish(topic, payload, 1)
    peer.expect_message(topic, payload, 1)


@statement("MQTT-4.8.0-2")
def test_a_larger_payload_closes(join, plain, names, events):
    """Without a PUBACK, so that nothing is lost in silence."""
    topic, watcher, client_id = names.topic(), plain(), names.client_id()
    watcher.subscribe(topic, 1)
    join(client_id).expect_refusal(publish(topic, b"x" * 131_073, 1, 1))
    watcher.expect_silence()
    assert events.reason(client_id) == "CLIENT_ERROR"
