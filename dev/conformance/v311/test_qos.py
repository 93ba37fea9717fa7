"""Chapter 4.3: delivery at QoS 0, 1 and 2."""

from contextlib import suppress

import pytest
from statements import statement
from v311.packets import puback, pubcomp, publish, pubrec, pubrel
from wire import Closed


@statement("MQTT-4.3.1-1")
def test_qos_0_has_no_answer_and_no_dup(join, names):
    topic, peer = names.topic(), join()
    peer.subscribe(topic, 2)
    peer.send(publish(topic, b"at most once"))
    peer.expect(publish(topic, b"at most once"))
    peer.fence()


@statement("MQTT-4.3.2-1")
def test_qos_1_deliveries_have_identifiers_of_their_own(join, names):
    topic, peer, publisher = names.topic(), join(), join()
    peer.subscribe(topic, 1)
    for number in range(10):
        publisher.publish(topic, b"%d" % number, 1)
    messages = [peer.receive(acknowledge=False) for _ in range(10)]
    assert len({message.packet_id for message in messages}) == 10
    assert not any(message.dup for message in messages)


@statement("MQTT-4.3.2-2", "MQTT-2.3.1-3")
@pytest.mark.parametrize("dup", [False, True])
def test_after_puback_the_same_identifier_is_a_new_message(join, names, dup):
    topic, peer, publisher = names.topic(), join(), join()
    peer.subscribe(topic, 1)
    for payload, flag in ((b"first", False), (b"second", dup)):
        publisher.send(publish(topic, payload, 1, 7, dup=flag))
        publisher.expect(puback(7))
        peer.expect_message(topic, payload, 1)
    peer.expect_silence()


@statement("MQTT-4.3.2-2")
def test_puback_means_that_the_server_owns_the_message(join, names):
    client_id, topic = names.client_id(), names.topic()
    sleeper = join(client_id, clean=False)
    sleeper.subscribe(topic, 1)
    sleeper.disconnect()
    publisher = join()
    publisher.send(publish(topic, b"owned", 1, 1))
    publisher.expect(puback(1))
    publisher.abort()
    join(client_id, clean=False).expect_message(topic, b"owned", 1)


@statement("MQTT-4.3.3-2")
def test_a_qos_2_publish_is_delivered_once_however_often_it_comes(join, names):
    """Each repetition before PUBREL has its PUBREC, and none ends the connection."""
    topic, watcher, publisher = names.topic(), join(), join()
    watcher.subscribe(topic, 2)
    for number in range(4):
        publisher.send(publish(topic, b"once", 2, 3, dup=number > 0))
        publisher.expect(pubrec(3))
    publisher.send(pubrel(3))
    publisher.expect(pubcomp(3))
    watcher.expect_message(topic, b"once", 2)
    watcher.expect_silence()
    publisher.send(publish(topic, b"new", 2, 3))
    publisher.expect(pubrec(3))
    publisher.send(pubrel(3))
    publisher.expect(pubcomp(3))
    watcher.expect_message(topic, b"new", 2)


@statement("MQTT-4.3.3-2", "MQTT-2.3.1-3", "MQTT-4.1.0-1")
def test_a_qos_2_publish_is_delivered_once_over_reconnects(join, names):
    client_id, topic, watcher = names.client_id(), names.topic(), join()
    watcher.subscribe(topic, 2)
    publisher = join(client_id, clean=False)
    for dup in (False, True, True):
        publisher.send(publish(topic, b"once", 2, 3, dup=dup))
        publisher.expect(pubrec(3))
        publisher.abort()
        publisher = join(client_id, clean=False)
        assert publisher.session_present
    for _ in range(2):
        publisher.send(pubrel(3))
        publisher.expect(pubcomp(3))
        publisher.abort()
        publisher = join(client_id, clean=False)
    watcher.expect_message(topic, b"once", 2)
    watcher.expect_silence()


@statement("MQTT-4.3.3-2")
def test_a_clean_session_forgets_what_it_owed(join, names):
    """The id stands for a new message when the session that held it is gone, whatever DUP says."""
    client_id, topic, watcher = names.client_id(), names.topic(), join()
    watcher.subscribe(topic, 2)
    first = join(client_id, clean=False)
    first.send(publish(topic, b"first", 2, 3))
    first.expect(pubrec(3))
    first.send(pubrel(3))
    first.expect(pubcomp(3))
    second = join(client_id, clean=True)
    second.send(publish(topic, b"second", 2, 3, dup=True))
    second.expect(pubrec(3))
    second.send(pubrel(3))
    second.expect(pubcomp(3))
    assert [watcher.receive().payload for _ in range(2)] == [b"first", b"second"]
    watcher.expect_silence()


@statement("MQTT-4.3.3-2")
def test_pubrel_of_an_unknown_identifier_has_its_pubcomp(join):
    peer = join()
    for _ in range(2):
        peer.send(pubrel(4242))
        peer.expect(pubcomp(4242))


@statement("MQTT-4.3.3-1")
def test_the_server_does_its_half_of_qos_2(join, names):
    """One PUBREL for each PUBREC, and nothing on its own."""
    topic, peer = names.topic(), join()
    peer.subscribe(topic, 2)
    join().publish(topic, b"exactly once", 2)
    message = peer.receive(acknowledge=False)
    assert (message.qos, message.dup) == (2, False)
    peer.fence()
    peer.send(pubrec(message.packet_id))
    peer.expect(pubrel(message.packet_id))
    peer.fence()
    peer.send(pubcomp(message.packet_id))
    peer.expect_silence()


@statement("MQTT-4.3.3-1")
def test_a_repeated_pubrec_is_answered_or_ignored(join, names):
    """A client may have missed the PUBREL. What is not right is to end the connection or send the PUBLISH again."""
    topic, peer = names.topic(), join()
    peer.subscribe(topic, 2)
    join().publish(topic, b"exactly once", 2)
    message = peer.receive(acknowledge=False)
    peer.send(pubrec(message.packet_id), pubrec(message.packet_id))
    answers = peer.until_fence()
    assert answers in ([pubrel(message.packet_id)] * count for count in (1, 2))
    peer.send(pubcomp(message.packet_id))
    peer.expect_silence()


@statement("MQTT-4.3.3-1", "MQTT-2.3.1-4")
def test_qos_2_identifiers_are_not_given_again_before_pubcomp(join, names):
    topic, peer, publisher = names.topic(), join(), join()
    peer.subscribe(topic, 2)
    publisher.publish(topic, b"held", 2)
    held = peer.receive(acknowledge=False)
    peer.send(pubrec(held.packet_id))
    peer.expect(pubrel(held.packet_id))
    for number in range(30):
        publisher.publish(topic, b"%d" % number, 1 + number % 2)
        assert peer.receive().packet_id != held.packet_id
    peer.send(pubcomp(held.packet_id))
    peer.expect_silence()


@pytest.mark.parametrize("answer", [puback, pubrec, pubcomp])
def test_an_acknowledgement_of_nothing_does_not_hurt(join, names, answer):
    """The text prescribes nothing; the server and its other clients must live."""
    bystander, peer, topic = join(), join(), names.topic()
    peer.send(answer(999))
    with suppress(Closed):
        peer.until_fence()
    bystander.subscribe(topic, 1)
    bystander.publish(topic, b"unharmed", 1)
    bystander.expect_message(topic, b"unharmed", 1)
