"""QoS in dialect `aws` for 3.1.1: 0 and 1 alone, and a close for what is more [developer guide, mqtt]."""

import pytest
from v311.packets import Will, connect, pubcomp, publish, publishes, pubrec, pubrel, subscribe


def test_a_publish_at_qos_2_closes_311(join, names, plain):
    topic, watcher = names.topic(), plain()
    watcher.subscribe(topic, 2)
    join().expect_refusal(publish(topic, b"never", 2, 1))
    watcher.expect_silence()


def test_a_subscribe_at_qos_2_closes_311(join, names):
    join().expect_refusal(subscribe(1, (names.topic(), 2)))


def test_a_will_at_qos_2_closes_311_without_connack(dial, names):
    connection = dial()
    connection.send(connect(names.client_id(), will=Will(names.topic(), b"never", 2)))
    assert connection.expect_closed() == []


@pytest.mark.parametrize("packet", [pubrec(1), pubrel(1), pubcomp(1)], ids=["PUBREC", "PUBREL", "PUBCOMP"])
def test_packets_of_qos_2_close_311(join, packet):
    join().expect_refusal(packet)


@pytest.mark.parametrize("granted", [0, 1])
@pytest.mark.parametrize("published", [0, 1])
def test_the_lower_qos_counts(join, names, granted, published):
    topic, peer = names.topic(), join()
    peer.subscribe(topic, granted)
    join().publish(topic, b"lower", published)
    peer.expect_message(topic, b"lower", min(granted, published))


def test_what_the_standard_listener_takes_at_qos_2_comes_at_1(join, plain, names):
    """Both dialects share one router; a device has no QoS 2."""
    topic, peer = names.topic(), join()
    peer.subscribe(topic, 1)
    plain().publish(topic, b"exactly once", 2)
    peer.expect_message(topic, b"exactly once", 1)


def test_an_unacknowledged_message_comes_again_after_a_reconnect(join, names):
    """DUP and identifier may be others than before."""
    client_id, topic = names.client_id(), names.topic()
    first = join(client_id, clean=False)
    first.subscribe(topic, 1)
    join().publish(topic, b"again", 1)
    assert first.receive(acknowledge=False).payload == b"again"
    first.abort()
    second = join(client_id, clean=False)
    message = second.receive()
    assert (message.topic, message.payload, message.qos) == (topic, b"again", 1)


def test_at_most_100_deliveries_wait_for_their_acknowledgement(join, names):
    topic, peer, publisher = names.topic(), join(), join()
    peer.subscribe(topic, 1)
    for number in range(130):
        publisher.publish(topic, b"%d" % number, 1)
    held = publishes(peer.until_fence())
    assert len(held) == 100
    peer.expect_silence()
    for message in held:
        peer.acknowledge(message)
    assert len(peer.receive_all()) == 30
