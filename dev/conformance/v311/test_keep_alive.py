"""Chapter 3.1.2.10: a client that is silent for one and a half keep alives is gone."""

import time

from statements import statement
from v311.packets import PINGREQ, PINGRESP, Will, puback, publish

SECONDS = 2
PATIENCE = 0.5
"""Before the limit of one and a half: how close a test looks."""
LATENESS = 3.0
"""After it: the text does not say how soon a server must notice."""


@statement("MQTT-3.1.2-24", "MQTT-3.1.2-8", "MQTT-3.1.2-23")
def test_a_silent_client_is_disconnected_and_its_will_published(join, names):
    topic, watcher = names.topic(), join()
    watcher.subscribe(topic)
    peer = join(keep_alive=SECONDS, will=Will(topic, b"silent"))
    peer.nothing_for(SECONDS * 1.5 - PATIENCE)
    assert peer.expect_closed(PATIENCE + LATENESS) == []
    watcher.expect_message(topic, b"silent")


@statement("MQTT-3.1.2-24")
def test_every_packet_of_the_client_counts(join, names):
    """PINGREQ, PUBLISH at QoS 0 and 1, each after what would be too long together with the one before."""
    topic, peer = names.topic(), join(keep_alive=SECONDS)
    for chunk in (PINGREQ, publish(topic), publish(topic, b"", 1, 5)):
        time.sleep(SECONDS)
        peer.send(chunk)
    time.sleep(SECONDS)
    peer.expect(PINGRESP)
    peer.expect(puback(5))
    peer.fence()


@statement("MQTT-3.1.2-24")
def test_packets_to_the_client_do_not_count(join, names):
    topic, publisher = names.topic(), join()
    peer = join(keep_alive=SECONDS)
    peer.subscribe(topic)
    began = time.monotonic()
    while time.monotonic() - began < SECONDS * 1.5 - PATIENCE:
        publisher.publish(topic, b"from others")
        peer.expect_message(topic, b"from others")
        time.sleep(0.3)
    for _ in range(5):
        publisher.publish(topic, b"from others")
        time.sleep(0.3)
    peer.expect_gone(PATIENCE + LATENESS)


@statement("MQTT-3.1.2-24")
def test_half_a_packet_does_not_count(join, names):
    peer = join(keep_alive=SECONDS)
    began = time.monotonic()
    for byte in publish(names.topic(), b"never whole")[:12]:
        peer.send(bytes([byte]))
        time.sleep(0.25)
    assert peer.expect_closed(max(0.1, began + SECONDS * 1.5 + LATENESS - time.monotonic())) == []


@statement("MQTT-3.1.2-24")
def test_keep_alive_0_is_off(join):
    """Not "at once": a client that says 0 is never too late."""
    peer = join(keep_alive=0)
    peer.nothing_for(SECONDS * 1.5 + 1)
    peer.fence()


@statement("MQTT-3.1.2-24", "MQTT-4.1.0-2")
def test_a_session_outlives_its_connections_keep_alive(join, names):
    topic, client_id = names.topic(), names.client_id()
    peer = join(client_id, clean=False, keep_alive=SECONDS)
    peer.subscribe(topic, 1)
    assert peer.expect_closed(SECONDS * 1.5 + LATENESS) == []
    join().publish(topic, b"kept", 1)
    again = join(client_id, clean=False)
    assert again.session_present
    again.expect_message(topic, b"kept", 1)
