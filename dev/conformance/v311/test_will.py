"""Chapter 3.1.2.5 to 3.1.2.7: when a will is published, and how."""

import pytest
from statements import statement
from v311.packets import DISCONNECT, Will, raw_connect, text

VIOLATION = b"\xc1\x00"
"""A PINGREQ with a reserved flag."""


@statement("MQTT-3.1.2-8", "MQTT-3.1.2-10")
@pytest.mark.parametrize("end", ["close", "abort", "violation", "half a packet"])
def test_a_will_is_published_once_when_the_connection_is_lost(join, names, end):
    topic, watcher = names.topic(), join()
    watcher.subscribe(topic, 1)
    peer = join(will=Will(topic, b"gone", 1))
    if end == "violation":
        peer.expect_refusal(VIOLATION)
    elif end == "abort":
        peer.abort()
    else:
        peer.send(b"\x30\x7f\x00\x01" if end == "half a packet" else b"")
        peer.close()
    watcher.expect_message(topic, b"gone", 1)
    watcher.expect_silence()


@statement("MQTT-3.1.2-8", "MQTT-3.1.2-10", "MQTT-3.14.4-3")
@pytest.mark.parametrize("clean", [True, False])
def test_disconnect_drops_the_will(join, names, clean):
    topic, watcher = names.topic(), join()
    watcher.subscribe(topic)
    client_id = names.client_id()
    join(client_id, clean=clean, will=Will(topic, b"dropped")).disconnect()
    watcher.expect_silence()
    join(client_id, clean=clean).abort()
    watcher.expect_silence()


@statement("MQTT-3.14.4-3")
def test_disconnect_and_close_in_one_breath_drops_the_will(join, names):
    topic, watcher = names.topic(), join()
    watcher.subscribe(topic)
    peer = join(will=Will(topic, b"dropped"))
    peer.send(DISCONNECT)
    peer.close()
    watcher.expect_silence()


@statement("MQTT-3.1.2-10")
def test_a_will_that_was_published_is_not_the_next_connections(join, names):
    topic, watcher, client_id = names.topic(), join(), names.client_id()
    watcher.subscribe(topic)
    join(client_id, clean=False, will=Will(topic, b"first")).abort()
    watcher.expect_message(topic, b"first")
    join(client_id, clean=False).abort()
    watcher.expect_silence()


@statement("MQTT-3.1.2-12")
def test_without_a_will_nothing_is_published(join, names):
    """Also where the same client had one before."""
    topic, watcher, client_id = names.topic(), join(), names.client_id()
    watcher.subscribe(topic)
    join(client_id, will=Will(topic, b"not this")).disconnect()
    join(client_id).abort()
    watcher.expect_silence()


@statement("MQTT-3.1.2-14")
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_a_will_has_its_qos(join, names, qos):
    topic, watcher = names.topic(), join()
    watcher.subscribe(topic, 2)
    join(will=Will(topic, b"at its QoS", qos)).abort()
    watcher.expect_message(topic, b"at its QoS", qos)


@statement("MQTT-3.1.2-16")
def test_a_will_without_retain_is_not_stored(join, names):
    topic, watcher = names.topic(), join()
    watcher.subscribe(topic)
    join(will=Will(topic, b"live only")).abort()
    watcher.expect_message(topic, b"live only")
    later = join()
    later.subscribe(topic)
    later.expect_silence()


@statement("MQTT-3.1.2-17")
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_a_will_with_retain_is_stored(join, names, qos):
    topic, watcher = names.topic(), join()
    watcher.subscribe(topic, 2)
    join(will=Will(topic, b"kept", qos, retain=True)).abort()
    watcher.expect_message(topic, b"kept", qos)
    later = join()
    later.subscribe(topic, 2)
    later.expect_message(topic, b"kept", qos, retain=True)
    later.publish(topic, retain=True)


def test_an_empty_will_is_a_message(join, names):
    """Will Message may be of zero length; the subscriber gets it all the same."""
    topic, watcher = names.topic(), join()
    watcher.subscribe(topic, 1)
    join(will=Will(topic, b"", 1)).abort()
    watcher.expect_message(topic, b"", 1)


def test_an_empty_retained_will_clears_what_was_stored(join, names):
    """The will is a PUBLISH with RETAIN 1 and no payload [MQTT-3.3.1-10]."""
    topic, watcher = names.topic(), join()
    join().publish(topic, b"stored", 1, retain=True)
    watcher.subscribe(topic, 1)
    watcher.expect_message(topic, b"stored", 1, retain=True)
    join(will=Will(topic, b"", 1, retain=True)).abort()
    watcher.expect_message(topic, b"", 1)
    later = join()
    later.subscribe(topic, 1)
    later.expect_silence()


def test_a_will_waits_for_a_session_that_is_away(join, names):
    """It is a message like others [MQTT-4.5.0-1]."""
    topic, client_id = names.topic(), names.client_id()
    sleeper = join(client_id, clean=False)
    sleeper.subscribe(topic, 1)
    sleeper.disconnect()
    join(will=Will(topic, b"queued", 1)).abort()
    again = join(client_id, clean=False)
    again.expect_message(topic, b"queued", 1)


@statement("MQTT-3.1.2-9", "MQTT-3.1.2-14")
def test_a_refused_connect_has_no_will(dial, join, names):
    """Will QoS 3: the CONNECT is refused, and nothing of it is published."""
    topic, watcher = names.topic(), join()
    watcher.subscribe(topic)
    connection = dial()
    connection.send(raw_connect(0x1E, text(names.client_id()) + text(topic) + text(b"never")))
    assert connection.expect_closed() == []
    watcher.expect_silence()
