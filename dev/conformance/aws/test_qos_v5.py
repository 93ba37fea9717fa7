"""QoS in dialect `aws` for MQTT 5: 0 and 1 alone, and reason 0x9B for what is more [developer guide, mqtt]."""

import pytest
from aws.endings import ended
from statements import statement
from v5 import packets as five
from v5.packets import Connack, Disconnect, Publish, Suback

QOS_NOT_SUPPORTED = 0x9B


@statement("MQTT-3.2.2-11")
def test_a_publish_at_qos_2_ends_5_with_0x9b(join5, names, plain):
    topic, watcher = names.topic(), plain()
    watcher.subscribe(topic, 2)
    peer = join5()
    peer.send(five.publish(topic, b"never", 2, 1))
    assert ended(peer, QOS_NOT_SUPPORTED) == []
    watcher.expect_silence()


def test_a_subscribe_at_qos_2_of_5_is_lowered_or_ends_with_0x9b(join5, names):
    """The standard wants it granted at Maximum QoS [MQTT-3.2.2-10]; AWS has 0x9B for packets, and no such SUBACK code."""
    peer = join5()
    peer.send(five.subscribe(1, [(names.topic(), 2)]))
    answer = peer.receive()
    if isinstance(answer, Suback):
        assert answer.reasons == [1]
    else:
        assert isinstance(answer, Disconnect) and answer.reason == QOS_NOT_SUPPORTED, answer
        assert peer.refused() == []


@statement("MQTT-3.2.2-12")
def test_a_will_at_qos_2_is_refused_in_5_with_0x9b(dial5, names):
    connection = dial5()
    connection.send(five.connect(names.client_id(), will=five.Will(names.topic(), b"never", 2)))
    answers = connection.refused()
    assert [(type(answer), answer.reason) for answer in answers] == [(Connack, QOS_NOT_SUPPORTED)]


@pytest.mark.parametrize("packet", [five.pubrec(1), five.pubrel(1), five.pubcomp(1)], ids=["PUBREC", "PUBREL", "PUBCOMP"])
def test_packets_of_qos_2_end_5(join5, packet):
    """AWS names no code for them; 0x82 and 0x9B say as much."""
    peer = join5()
    peer.send(packet)
    assert peer.refused(0x82, QOS_NOT_SUPPORTED) == []


def test_auth_ends_5(join5):
    peer = join5()
    peer.send(five.auth(0x19))
    assert peer.refused(0x81, 0x82) == []


def test_at_most_100_deliveries_wait_for_their_acknowledgement(join, join5, names):
    """Whatever more the client's Receive Maximum allows."""
    topic, peer, publisher = names.topic(), join5(), join()
    peer.subscribe((topic, 1))
    for number in range(130):
        publisher.publish(topic, b"%d" % number, 1)
    peer.barrier()
    held = [peer.take(Publish) for _ in range(100)]
    peer.silent()
    for message in held:
        peer.acknowledge(message)
    assert len(peer.all_messages()) == 30
