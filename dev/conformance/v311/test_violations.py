"""Chapter 4.8: an offence ends one connection, and no other. The broken frames themselves are in `malformed`."""

from statements import statement
from v311.packets import publish, subscribe


@statement("MQTT-4.8.0-1")
def test_an_offence_ends_no_other_connection(join, names):
    topic, bystander, publisher = names.topic(), join(), join()
    bystander.subscribe(topic, 1)
    for offence in (b"\x00\x00", b"\xc1\x00", publish(topic, b"never", 3), subscribe(1, (topic, 3))):
        join().expect_refusal(offence)
        publisher.publish(topic, b"alive", 1)
        bystander.expect_message(topic, b"alive", 1)


@statement("MQTT-4.8.0-1", "MQTT-3.1.2-4")
def test_an_offence_does_not_end_the_session(join, names):
    """It ends the connection as a failing network would; what was handled before it stays."""
    client_id, topic = names.client_id(), names.topic()
    peer = join(client_id, clean=False)
    peer.subscribe(topic, 1)
    peer.expect_refusal(b"\x00\x00")
    join().publish(topic, b"kept", 1)
    again = join(client_id, clean=False)
    assert again.session_present
    again.expect_message(topic, b"kept", 1)


@statement("MQTT-4.8.0-1")
def test_what_came_before_an_offence_counts_and_what_comes_after_does_not(join, names):
    topic, watcher, peer = names.topic(), join(), join()
    watcher.subscribe(topic, 1)
    peer.send(publish(topic, b"before", 1, 1), b"\xc1\x00", publish(topic, b"after", 1, 2))
    peer.expect_gone()
    watcher.expect_message(topic, b"before", 1)
    watcher.expect_silence()
