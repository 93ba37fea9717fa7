"""Topic names and filters (4.7): wildcards, topics that begin with $, and matching without substitution."""

import pytest
from statements import statement
from v5 import packets
from v5.packets import RETAIN_NEVER, Puback, Suback
from v5.properties import P
from v5.session import Session, connect


def matched(client: Session, topic_filter: bytes, topics: list[bytes]) -> list[bytes]:
    """Which of these topics reach a subscription to the filter. Messages of others are left out, as `#` brings them too."""
    last = topics[0].strip(b"/ $").split(b"/")[0] + b"-last"
    client.subscribe((topic_filter, 1 | RETAIN_NEVER), (last, 1))
    for topic in [*topics, last]:
        client.publish(topic, b"x", 1)
    found = []
    while (message := client.message()).topic != last:
        found.append(message.topic)
    found += [message.topic for message in client.all_messages(0.1)]
    client.unsubscribe(topic_filter, last)
    return [topic for topic in found if topic in topics]


@statement("MQTT-4.7.1-1", "MQTT-4.7.1-2")
@pytest.mark.parametrize(
    "topic_filter", [b"#", b"a/#", b"/#", b"+", b"+/+", b"/+", b"+/a/#", b"a/+/b", b"/", b"//", b"a b/ c", b"+/#", b" "], ids=bytes.decode
)
def test_a_right_filter_is_granted(address, names, topic_filter):
    with connect(address, names.client_id()) as client:
        client.send(packets.subscribe(1, [(topic_filter, 0 | RETAIN_NEVER)]))
        assert client.take(Suback).reasons == [0]


WRONG_FILTERS = [b"a#", b"a/#/b", b"#/a", b"##", b"a/b#", b"a+", b"a/+b", b"++", b"+a/b", b"a/b+/c", b"#+", b"+#"]


@statement("MQTT-4.7.1-1", "MQTT-4.7.1-2")
@pytest.mark.parametrize("topic_filter", WRONG_FILTERS, ids=bytes.decode)
def test_a_filter_with_a_misplaced_wildcard_is_refused(address, names, topic_filter):
    with connect(address, names.client_id()) as client:
        client.send(packets.subscribe(1, [(topic_filter, 0)]), packets.disconnect())
        for packet in client.refused(0x81, 0x82, 0x8F):
            assert packet.reasons == [0x8F], f"{packet} for {topic_filter}"


@statement("MQTT-4.7.3-1")
def test_an_empty_filter_is_refused(address, names):
    with connect(address, names.client_id()) as client:
        client.send(packets.subscribe(1, [(b"", 0)]), packets.disconnect())
        for packet in client.refused(0x81, 0x82, 0x8F):
            assert packet.reasons == [0x8F]


@statement("MQTT-4.7.1-1", "MQTT-4.7.1-2", "MQTT-3.3.2-3")
def test_what_each_filter_matches(address, names):
    root = names.topic()
    ends = [b"", b"/", b"/a", b"/a/", b"/a/b", b"//b", b"/a/b/c", b"/b"]
    expected = {
        b"/#": ends,
        b"/a/#": [b"/a", b"/a/", b"/a/b", b"/a/b/c"],
        b"/+": [b"/", b"/a", b"/b"],
        b"/+/": [b"/a/"],
        b"/+/+": [b"/a/", b"/a/b", b"//b"],
        b"/a/+": [b"/a/", b"/a/b"],
        b"/+/b": [b"/a/b", b"//b"],
        b"/+/b/#": [b"/a/b", b"//b", b"/a/b/c"],
        b"//+": [b"//b"],
        b"": [b""],
        b"/": [b"/"],
    }
    topics = [root + end for end in ends]
    with connect(address, names.client_id()) as client:
        for end, found in expected.items():
            assert matched(client, root + end, topics) == [root + each for each in found], end


@statement("MQTT-4.7.1-2", "MQTT-4.7.3-4")
def test_a_leading_slash_is_a_level_of_its_own(address, names):
    root = names.topic()
    topics = [root, b"/" + root, root + b"/"]
    with connect(address, names.client_id()) as client:
        assert matched(client, b"/" + root, topics) == [b"/" + root]
        assert matched(client, b"+/" + root, topics) == [b"/" + root]
        assert matched(client, b"/+", topics) == [b"/" + root]
        assert matched(client, b"+/+", topics) == [b"/" + root, root + b"/"]
        assert matched(client, b"+", topics) == [root]
        assert matched(client, b"#", topics) == topics


@statement("MQTT-4.7.3-4")
def test_names_are_compared_without_normalization_or_substitution(address, names):
    root = names.topic()
    topics = [
        root + "/\u00e9".encode(), root + "/e\u0301".encode(), root + b"/a", root + b"/A", root + b"/a ", root + b"/a/", root + b"//a",
        root + b"/%61", root + b"/./a", root + b"/a\\b", root + "/\u0130".encode(), root + b"/i",
    ]  # fmt: skip
    with connect(address, names.client_id()) as client:
        for topic in topics:
            assert matched(client, topic, topics) == [topic]


@statement("MQTT-4.7.3-1")
@pytest.mark.parametrize("end", [b"/", b" ", b"/ /", b"///", b"a" * 200, b"/x y"])
def test_spaces_and_empty_levels_are_legal(address, names, end):
    topic = names.topic(end)
    with connect(address, names.client_id()) as client:
        assert matched(client, topic, [topic]) == [topic]


def publishes_dollar(client: Session, topics: list[bytes]) -> list[bytes]:
    """Those of these topics that a client may publish to; a server may keep topics that begin with $ to itself (4.7.2)."""
    allowed = []
    for number, topic in enumerate(topics, 1):
        client.send(packets.publish(topic, b"x", 1, number))
        if client.take(Puback).reason < 0x80:
            allowed.append(topic)
    return allowed


@statement("MQTT-4.7.2-1")
@pytest.mark.parametrize("shared", [False, True])
def test_leading_wildcards_do_not_match_topics_that_begin_with_a_dollar(address, names, shared):
    root = names.topic()
    topics = [b"$foo" + root + b"/" + root, b"$SYS/" + root, b"$" + root, b"$foo" + root]
    start = b"$share/g" + root + b"/" if shared else b""
    with connect(address, names.client_id()) as client, connect(address, names.client_id()) as publisher:
        for wild in (b"#", b"+/" + root, b"+/#", b"+", b"+/+"):
            client.subscribe((start + wild, 1 | RETAIN_NEVER))
        publishes_dollar(publisher, topics)
        publisher.publish(root, b"not a dollar", 1)
        found = [message.topic for message in client.all_messages() if root in message.topic]
        assert set(found) == {root}


@statement("MQTT-4.7.2-1")
def test_a_filter_that_begins_with_a_dollar_matches_such_topics(address, names):
    root = names.topic()
    topics = [b"$foo" + root + b"/a", b"$foo" + root + b"/b"]
    with connect(address, names.client_id()) as client:
        topics = publishes_dollar(client, topics)
        if not topics:
            pytest.skip("the server keeps topics that begin with $ to itself, as it may")
        assert matched(client, b"$foo" + root + b"/#", topics) == topics
        assert matched(client, b"$foo" + root + b"/+", topics) == topics


@statement("MQTT-4.7.2-1", "MQTT-3.3.1-9")
def test_leading_wildcards_find_no_retained_messages_of_topics_that_begin_with_a_dollar(address, names):
    root = names.topic()
    topic = b"$foo" + root + b"/" + root
    with connect(address, names.client_id()) as client:
        client.send(packets.publish(topic, b"kept", 1, 1, retain=True))
        if client.take(Puback).reason >= 0x80:
            pytest.skip("the server keeps topics that begin with $ to itself, as it may")
        client.subscribe(b"+/" + root)
        client.silent(0.2)
        client.subscribe(b"$foo" + root + b"/+")
        assert client.message().payload == b"kept"
        client.publish(topic, b"", 1, retain=True)


@statement("MQTT-4.7.3-3")
@pytest.mark.parametrize("levels", [1, 60])
def test_a_topic_name_of_65535_bytes_is_passed_whole_or_refused(address, names, levels):
    """A limit of the server's own shows as a close or a reason code; nothing is cut."""
    root = names.topic()
    topic = (root + b"/" * (levels - 1)).ljust(65_535, b"x")
    with connect(address, names.client_id()) as client:
        client.subscribe(root + b"/#" if levels > 1 else topic[:-1] + b"y")
        client.send(packets.subscribe(9, [(topic, 1)]), packets.publish(topic, b"x", 1, 8), packets.disconnect())
        found = client.refused(0x80, 0x83, 0x87, 0x8F, 0x90, 0x95, 0x97)
        for packet in found:
            if isinstance(packet, packets.Publish):
                assert packet.topic == topic


@statement("MQTT-4.7.3-3")
def test_a_long_topic_name_is_passed_whole(address, names):
    topic = names.topic(b"/" + b"x" * 2000)
    with connect(address, names.client_id()) as client:
        assert matched(client, topic, [topic, topic[:-1], topic + b"x"]) == [topic]


@statement("MQTT-4.7.0-1")
def test_a_hash_alone_brings_everything(address, names):
    root = names.topic()
    topics = [root, root + b"/a/b/c", b"/" + root]
    with connect(address, names.client_id()) as client:
        if not client.server(P.WILDCARD_AVAILABLE, 1):
            pytest.skip("the server has no wildcard subscriptions")
        assert matched(client, b"#", topics) == topics
