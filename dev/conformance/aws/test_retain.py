"""Retained messages in dialect `aws`: they come to exact filters alone [developer guide, mqtt, retained messages]."""

import pytest
from v311.packets import publish


def test_an_exact_filter_gets_the_retained_message(join, names):
    topic = names.topic(b"/a")
    join().publish(topic, b"stored", 1, retain=True)
    later = join()
    later.subscribe(topic, 1)
    later.expect_message(topic, b"stored", 1, retain=True)


@pytest.mark.parametrize("end", [b"/#", b"/+", b"/+/#"])
def test_a_filter_with_a_wildcard_gets_none(join, names, end):
    root = names.topic()
    publisher, later = join(), join()
    publisher.publish(root + b"/a", b"stored", 1, retain=True)
    later.subscribe(root + end, 1)
    later.expect_silence()
    publisher.publish(root + b"/a", b"live", 1, retain=True)
    if end != b"/+/#":
        later.expect_message(root + b"/a", b"live", 1, retain=False)


def test_the_standard_listener_gets_it_by_a_wildcard(join, plain, names):
    """Both dialects share what is retained; each subscriber's own dialect counts."""
    root = names.topic()
    join().publish(root + b"/a", b"stored", 1, retain=True)
    observer = plain()
    observer.subscribe(root + b"/#", 1)
    observer.expect_message(root + b"/a", b"stored", 1, retain=True)


def test_a_shared_subscription_gets_none(join, names):
    topic, later = names.topic(), join()
    join().publish(topic, b"stored", 1, retain=True)
    later.subscribe(b"$share/" + names.topic() + b"/" + topic, 1)
    later.expect_silence()


def test_subscribing_again_sends_it_again(join, names):
    topic, peer = names.topic(), join()
    peer.publish(topic, b"stored", 1, retain=True)
    for _ in range(2):
        peer.subscribe(topic, 1)
        peer.expect_message(topic, b"stored", 1, retain=True)


def test_live_copies_have_retain_0(join, names):
    topic, peer = names.topic(), join()
    peer.subscribe(topic, 1)
    join().publish(topic, b"live", 1, retain=True)
    peer.expect_message(topic, b"live", 1, retain=False)


def test_an_empty_payload_removes_and_is_delivered(join, names):
    topic, peer, publisher = names.topic(), join(), join()
    peer.subscribe(topic, 1)
    publisher.publish(topic, b"stored", 1, retain=True)
    publisher.publish(topic, b"", 1, retain=True)
    peer.expect_message(topic, b"stored", 1)
    peer.expect_message(topic, b"", 1)
    later = join()
    later.subscribe(topic, 1)
    later.expect_silence()


def test_retain_needs_its_own_permission(join, names):
    """`iot:RetainPublish` is denied there; `iot:Publish` is not."""
    topic, peer = b"unretained/" + names.topic(), join()
    peer.publish(topic, b"live", 1)
    peer.expect_refusal(publish(topic, b"never", 1, 1, retain=True))
    later = join()
    later.subscribe(topic, 1)
    later.expect_silence()
