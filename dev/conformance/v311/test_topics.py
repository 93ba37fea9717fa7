"""Chapter 4.7: which filter matches which topic. Filters and topics that are wrong are in `malformed`."""

import pytest
from statements import statement
from wire import Closed

# Filter and topic below a level of the test's own, and whether they match (4.7.1.2, 4.7.1.3 and their examples).
MATCHES = [
    (b"/#", b"", True),
    (b"/#", b"/", True),
    (b"/#", b"/a", True),
    (b"/#", b"/a/b/c/d", True),
    (b"/a/#", b"/ab", False),
    (b"/a/#", b"/b", False),
    (b"/+", b"/a", True),
    (b"/+", b"/", True),
    (b"/+", b"", False),
    (b"/+", b"/a/b", False),
    (b"/+/+", b"/a/b", True),
    (b"/+/+", b"//", True),
    (b"/+/b", b"/a/b", True),
    (b"/+/b", b"/a/c", False),
    (b"/+/#", b"/a", True),
    (b"/+/#", b"/a/b/c", True),
    (b"/+/#", b"", False),
    (b"/a/+/c", b"/a//c", True),
    (b"/a/+/c", b"/a/c", False),
    (b"/a", b"/a/", False),
    (b"/a/", b"/a", False),
    (b"/a//b", b"/a/b", False),
    (b"/a//b", b"/a//b", True),
    (b"/A", b"/a", False),
    (b"/a b", b"/a b", True),
    (b"/$x", b"/$x", True),
    (b"/+", b"/$x", True),
    (b"/#", b"/$x", True),
]


@statement("MQTT-4.7.1-2", "MQTT-4.7.1-3", "MQTT-4.7.3-4", "MQTT-3.3.2-3")
@pytest.mark.parametrize(("topic_filter", "topic", "matches"), MATCHES)
def test_filters_match_as_the_examples_say(join, names, topic_filter, topic, matches):
    root, fence, peer, publisher = names.topic(), names.topic(), join(), join()
    peer.subscribe(root + topic_filter, 1)
    peer.subscribe(fence, 1)
    publisher.publish(root + topic, b"message", 1)
    publisher.publish(fence, b"fence", 1)
    got = [peer.receive().topic]
    while got[-1] != fence:
        got.append(peer.receive().topic)
    assert got == ([root + topic, fence] if matches else [fence])


@statement("MQTT-4.7.1-3")
@pytest.mark.parametrize(("topic_filter", "matches"), [(b"+/+", True), (b"/+", True), (b"+", False)])
def test_a_leading_slash_makes_an_empty_level(join, names, topic_filter, matches):
    """Other tests publish too, so what counts is this topic alone."""
    topic, peer, publisher = b"/" + names.topic(), join(), join()
    peer.subscribe(topic_filter, 1)
    peer.subscribe(topic + b"/fence", 1)
    publisher.publish(topic, b"message", 1)
    publisher.publish(topic + b"/fence", b"fence", 1)
    got = []
    while topic + b"/fence" not in got:
        got.append(peer.receive().topic)
    assert (topic in got) == matches


@statement("MQTT-4.7.2-1")
@pytest.mark.parametrize("end", [b"", b"/a", b"/a/b"])
def test_wildcards_at_the_beginning_do_not_match_dollar_topics(join, names, end):
    """A topic of ours that starts with `$`, where the server lets a client publish one; others' messages are ignored."""
    topic, fence, watcher, publisher = b"$" + names.topic() + end, names.topic(), join(), join()
    for topic_filter in (b"#", b"+", b"+/a", b"+/a/#", b"+/#", fence):
        watcher.subscribe(topic_filter, 1)
    publisher.publish(topic, b"hidden", 1)
    publisher.publish(fence, b"fence", 1)
    while (message := watcher.receive()).topic != fence:
        assert not message.topic.startswith(b"$")


@statement("MQTT-4.7.2-1")
def test_dollar_topics_are_matched_by_filters_that_name_them(join, names):
    first, peer, publisher = b"$" + names.topic(), join(), join()
    peer.subscribe(b"#", 0)
    peer.subscribe(first + b"/#", 1)
    publisher.publish(first + b"/a", b"named", 1)
    while (message := peer.receive()).topic != first + b"/a":
        pass
    assert (message.payload, message.qos) == (b"named", 1)


@statement("MQTT-4.7.3-1")
def test_a_slash_alone_is_a_topic(join, names):
    peer = join()
    payload = names.topic()
    peer.subscribe(b"/", 1)
    peer.publish(b"/", payload, 1)
    peer.expect_message(b"/", payload, 1)


@statement("MQTT-4.7.3-4")
def test_nothing_is_normalized(join, names):
    """The letter e with an acute accent as one character and as two, and letters in other cases."""
    root, peer, publisher = names.topic(), join(), join()
    composed, decomposed = "\u00e9".encode(), "e\u0301".encode()
    peer.subscribe(root + b"/" + composed, 1)
    for name in (decomposed, "\u00c9".encode(), b"e", composed):
        publisher.publish(root + b"/" + name, name, 1)
    peer.expect_message(root + b"/" + composed, composed, 1)
    peer.expect_silence()


@statement("MQTT-4.7.3-3")
def test_a_topic_of_65535_bytes_arrives_whole(join, names):
    topic, peer = names.topic(b"/"), join()
    topic += b"x" * (65_535 - len(topic))
    peer.subscribe(topic, 1)
    peer.publish(topic, b"long", 1)
    peer.expect_message(topic, b"long", 1)


@statement("MQTT-4.7.3-3", "MQTT-4.8.0-2")
def test_a_retained_message_of_such_a_topic_is_kept_or_closes(join, names):
    """A server whose store has no room for the name closes, and takes no QoS 1 message in silence."""
    topic, peer = names.topic(b"/"), join()
    topic += b"y" * (65_535 - len(topic))
    try:
        peer.publish(topic, b"kept", 1, retain=True)
    except Closed:
        return
    later = join()
    later.subscribe(topic, 1)
    later.expect_message(topic, b"kept", 1, retain=True)


@statement("MQTT-1.5.3-2")
@pytest.mark.parametrize("name", ["tab\t", "bell\x07", "delete\x7f", "c1\x80", "nonchar\uffff", "emoji\U0001f600"])
def test_characters_that_are_discouraged_arrive_whole_or_close(join, names, name):
    """A receiver may close on control characters and non-characters; it may not alter them."""
    topic, peer = names.topic(b"/" + name.encode()), join()
    try:
        peer.subscribe(topic, 1)
        peer.publish(topic, b"message", 1)
    except Closed:
        assert not name.startswith("emoji"), "an ordinary character"
        return
    peer.expect_message(topic, b"message", 1)


@statement("MQTT-4.7.1-1")
def test_a_wildcard_is_no_wildcard_inside_a_level_of_a_topic(join, names):
    """Topics with other signs that some systems treat as wildcards."""
    root, peer = names.topic(), join()
    peer.subscribe(root + b"/*", 1)
    for name in (b"/a", b"/?", b"/*"):
        peer.publish(root + name, name, 1)
    peer.expect_message(root + b"/*", b"/*", 1)
    peer.expect_silence()
