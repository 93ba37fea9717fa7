"""Wills and lifecycle events in dialect `aws`: which end of a connection publishes the will, and what it is called."""

import time

import pytest
from aws.endings import ended
from v5.packets import Will as Will5
from v5.properties import P
from v311.packets import DISCONNECT, Will, publish

KEEP_ALIVE_SECONDS = 30
"""The least that AWS allows; a client that asks for less has this."""


@pytest.mark.parametrize(
    ("end", "reason", "published"),
    [
        ("disconnect", "CLIENT_INITIATED_DISCONNECT", False),
        ("cut", "CONNECTION_LOST", True),
        ("reset", "CONNECTION_LOST", True),
        ("malformed", "CLIENT_ERROR", True),
        ("takeover", "DUPLICATE_CLIENTID", True),
        ("refused publish", "FORBIDDEN_ACCESS", True),
    ],
)
def test_each_end_has_its_reason_and_its_will(join, plain, names, events, end, reason, published):
    client_id, topic, watcher = names.client_id(), names.topic(), plain()
    watcher.subscribe(topic, 1)
    peer = join(client_id, will=Will(topic, b"will", 1))
    if end == "disconnect":
        peer.send(DISCONNECT)
    elif end == "malformed":
        peer.expect_refusal(b"\xc1\x00")
    elif end == "refused publish":
        peer.expect_refusal(publish(b"denied/" + topic, b"", 1, 1))
    elif end == "takeover":
        join(client_id).fence()
    elif end == "reset":
        peer.abort()
    else:
        peer.close()
    if published:
        watcher.expect_message(topic, b"will", 1)
    told = events.of("disconnected", client_id)
    assert told["disconnectReason"] == reason
    assert told["clientInitiatedDisconnect"] == (end == "disconnect")
    watcher.expect_silence()


def test_a_retained_will_is_retained(join, names, plain):
    topic, watcher = names.topic(), plain()
    watcher.subscribe(topic, 1)
    join(will=Will(topic, b"will", 1, retain=True)).abort()
    watcher.expect_message(topic, b"will", 1)
    later = join()
    later.subscribe(topic, 1)
    later.expect_message(topic, b"will", 1, retain=True)


def test_a_will_on_a_shadow_topic_does_not_update_the_shadow(join, names, plain):
    """Shadows ignore wills; subscribers hear them."""
    shadow = b"$aws/things/" + names.client_id() + b"/shadow"
    watcher = plain()
    watcher.subscribe_all((shadow + b"/update", 1), (shadow + b"/update/accepted", 1), (shadow + b"/update/rejected", 1))
    join(will=Will(shadow + b"/update", b'{"state":{"reported":{"on":false}}}', 1)).abort()
    watcher.expect_message(shadow + b"/update", b'{"state":{"reported":{"on":false}}}', 1)
    watcher.expect_silence()


def test_events_tell_of_subscriptions(join, names, events):
    client_id, topics = names.client_id(), [names.topic(), names.topic(b"/#")]
    peer = join(client_id)
    connected = events.of("connected", client_id)
    peer.subscribe_all((topics[0], 1), (b"denied/a", 1), (topics[1], 0))
    told = events.of("subscribed", client_id)
    assert told["topics"] == [topic.decode() for topic in topics]
    peer.unsubscribe(topics[0])
    assert events.of("unsubscribed", client_id)["topics"] == [topics[0].decode()]
    assert told["sessionIdentifier"] == connected["sessionIdentifier"]


def test_events_of_version_5(join5, names, events):
    client_id = names.client_id()
    peer = join5(client_id)
    assert events.of("connected", client_id)["versionNumber"] == 0
    peer.leave()
    told = events.of("disconnected", client_id)
    assert (told["versionNumber"], told["disconnectReason"]) == (0, "CLIENT_INITIATED_DISCONNECT")


def test_disconnect_0x04_of_version_5_publishes_the_will(join5, plain, names, events):
    client_id, topic, watcher = names.client_id(), names.topic(), plain()
    watcher.subscribe(topic, 1)
    join5(client_id, will=Will5(topic, b"wanted", 1)).leave(0x04)
    watcher.expect_message(topic, b"wanted", 1)
    events.of("disconnected", client_id)


def test_a_will_waits_for_its_delay(join5, plain, names):
    topic, watcher, client_id = names.topic(), plain(), names.client_id()
    watcher.subscribe(topic, 1)
    delayed = Will5(topic, b"later", 1, properties=[(P.WILL_DELAY, 2)])
    join5(client_id, expiry=300, will=delayed).abort()
    watcher.nothing_for(1)
    watcher.expect_message(topic, b"later", 1)
    join5(client_id, clean_start=False, expiry=300, will=delayed).abort()
    time.sleep(0.5)
    join5(client_id, clean_start=False, expiry=300).barrier()
    watcher.expect_silence(2.5)


def test_client_ids_with_wildcards_have_no_events(join, names, events):
    client_id, other = names.client_id(), names.client_id()
    join(client_id + b"+").disconnect()
    join(other).disconnect()
    events.of("disconnected", other)
    assert not any(client_id in topic for topic, _ in events.heard)


def test_keep_alive_runs_out_after_45_seconds(join, join5, plain, names, events):
    """Both versions ask for a second, and have 30; one and a half of that is the limit."""
    topic, watcher = names.topic(), plain()
    watcher.subscribe(topic, 1)
    three_id, five_id = names.client_id(), names.client_id()
    three = join(three_id, keep_alive=1, will=Will(topic, b"3.1.1", 1))
    five = join5(five_id, keep_alive=1, will=Will5(topic, b"5", 1))
    end = time.monotonic() + KEEP_ALIVE_SECONDS * 1.5 - 1
    three.nothing_for(end - time.monotonic() - 1)
    five.nothing_for(1)
    assert three.expect_closed(5) == []
    assert ended(five, 0x8D, within=5) == []
    assert sorted(watcher.receive().payload for _ in range(2)) == [b"3.1.1", b"5"]
    assert events.reason(three_id) == events.reason(five_id) == "MQTT_KEEP_ALIVE_TIMEOUT"
