"""Flow control (3.3.4, 4.9): Receive Maximum in both directions, of each connection."""

import pytest
from statements import statement
from v5 import packets
from v5.packets import Puback, Pubcomp, Publish, Pubrec, Pubrel, Suback
from v5.properties import P
from v5.session import connect, resume


def receiving(address, name: bytes, maximum: int, **more):
    return connect(address, name, [(P.RECEIVE_MAXIMUM, maximum)], **more)


@statement("MQTT-3.3.4-9", "MQTT-4.9.0-2")
def test_no_more_than_receive_maximum_are_unacknowledged_and_each_puback_frees_one(address, names):
    topic = names.topic()
    with receiving(address, names.client_id(), 2) as client, connect(address, names.client_id()) as publisher:
        client.subscribe((topic, 1))
        for number in range(5):
            publisher.publish(topic, b"%d" % number, 1)
        held = [client.take(Publish), client.take(Publish)]
        client.silent()
        for number in range(2, 5):
            client.acknowledge(held.pop(0))
            held.append(client.take(Publish))
            assert held[-1].payload == b"%d" % number
            client.silent(0.2)


@statement("MQTT-3.3.4-9", "MQTT-4.9.0-2")
def test_a_pubrec_does_not_free_the_quota_and_a_pubcomp_does(address, names):
    topic = names.topic()
    with receiving(address, names.client_id(), 1) as client, connect(address, names.client_id()) as publisher:
        client.subscribe(topic)
        publisher.publish(topic, b"first", 2)
        publisher.publish(topic, b"second", 2)
        first = client.take(Publish)
        client.send(packets.pubrec(first.packet_id))
        assert client.take(Pubrel).packet_id == first.packet_id
        client.silent()
        client.send(packets.pubcomp(first.packet_id))
        assert client.message().payload == b"second"


@statement("MQTT-3.3.4-9", "MQTT-4.3.3-4")
def test_a_pubrec_with_an_error_frees_the_quota(address, names):
    topic = names.topic()
    with receiving(address, names.client_id(), 1) as client, connect(address, names.client_id()) as publisher:
        client.subscribe(topic)
        for number in range(3):
            publisher.publish(topic, b"%d" % number, 2)
        for number in range(3):
            message = client.take(Publish)
            assert message.payload == b"%d" % number
            client.send(packets.pubrec(message.packet_id, 0x80))
        client.silent()


@statement("MQTT-3.3.4-9", "MQTT-4.4.0-2")
def test_a_puback_with_an_error_frees_the_quota(address, names):
    topic = names.topic()
    with receiving(address, names.client_id(), 1) as client, connect(address, names.client_id()) as publisher:
        client.subscribe((topic, 1))
        for number in range(3):
            publisher.publish(topic, b"%d" % number, 1)
        for number in range(3):
            message = client.take(Publish)
            assert message.payload == b"%d" % number
            client.send(packets.puback(message.packet_id, 0x97))
        client.silent()


@statement("MQTT-4.9.0-2")
def test_acknowledgements_for_nothing_do_not_raise_the_quota(address, names):
    """4.9: the quota never goes above its start. A server may also close for an identifier that it does not know."""
    topic = names.topic()
    with receiving(address, names.client_id(), 1) as client, connect(address, names.client_id()) as publisher:
        client.subscribe((topic, 1))
        client.send(
            *(packets.pubcomp(packet_id) for packet_id in (500, 501, 502)), *(packets.pubrec(packet_id, 0x80) for packet_id in (600, 601))
        )
        for number in range(3):
            publisher.publish(topic, b"%d" % number, 1)
        client.send(b"\xc0\x00", packets.disconnect())
        found = client.refused(0x82)
        assert len([packet for packet in found if isinstance(packet, Publish)]) <= 1


@statement("MQTT-3.3.4-10", "MQTT-4.9.0-3", "MQTT-3.12.4-1")
def test_at_quota_0_all_other_packets_are_processed_and_answered(address, names):
    topic, other = names.topic(), names.topic()
    with receiving(address, names.client_id(), 1) as client, connect(address, names.client_id()) as publisher:
        client.subscribe((topic, 1))
        publisher.publish(topic, b"1", 1)
        publisher.publish(topic, b"2", 1)
        held = client.take(Publish)
        client.fence()
        assert client.subscribe((other, 0)).reasons == [0]
        client.send(packets.publish(names.topic(), b"x", 1, 77), packets.publish(names.topic(), b"x", 2, 78))
        assert client.take(Puback).packet_id == 77 and client.take(Pubrec).packet_id == 78
        assert client.release(78).reason == 0
        assert client.unsubscribe(other).reasons == [0]
        client.silent(0.1)
        client.acknowledge(held)
        assert client.message().payload == b"2"


@statement("MQTT-3.3.4-10")
def test_at_quota_0_messages_of_qos_0_come_or_are_dropped_but_none_overtakes_its_like(address, names):
    topic = names.topic()
    with receiving(address, names.client_id(), 1) as client, connect(address, names.client_id()) as publisher:
        client.subscribe(topic)
        publisher.publish(topic, b"held", 1)
        held = client.take(Publish)
        for number in range(10):
            publisher.publish(topic, b"%d" % number, 0)
        client.acknowledge(held)
        found = [int(message.payload) for message in client.all_messages()]
        assert found == sorted(found) and len(set(found)) == len(found)


@statement("MQTT-4.9.0-1")
@pytest.mark.parametrize("taken_over", [False, True])
def test_the_quota_is_set_anew_by_each_connection(address, names, taken_over):
    name, topic = names.client_id(), names.topic()
    with receiving(address, name, 1, expiry=60) as client, connect(address, names.client_id()) as publisher:
        client.subscribe((topic, 1))
        for number in range(6):
            publisher.publish(topic, b"%d" % number, 1)
        assert client.take(Publish).payload == b"0"
        client.silent(0.1)
        if not taken_over:
            client.drop()
        with resume(address, name, [(P.RECEIVE_MAXIMUM, 4)]) as again:
            assert [again.take(Publish).payload for _ in range(4)] == [b"%d" % number for number in range(4)]
            again.silent()
            again.leave()
        with resume(address, name, [(P.RECEIVE_MAXIMUM, 2)]) as again:
            held = [again.take(Publish) for _ in range(2)]
            again.silent()
            for message in held:
                again.acknowledge(message)
            assert again.payloads(4) == [b"%d" % number for number in range(2, 6)]
            again.leave(0, [(P.SESSION_EXPIRY, 0)])


@statement("MQTT-4.9.0-2", "MQTT-4.9.0-1", "MQTT-3.3.4-9")
def test_an_exchange_that_waits_for_its_pubcomp_does_not_stall_the_next_connection(address, names):
    """Whether a resent PUBREL takes quota is read either way; what waits comes at the latest after the PUBCOMP."""
    name, topic = names.client_id(), names.topic()
    with receiving(address, name, 1, expiry=60) as client, connect(address, names.client_id()) as publisher:
        client.subscribe(topic)
        publisher.publish(topic, b"first", 2)
        publisher.publish(topic, b"second", 2)
        first = client.take(Publish)
        client.send(packets.pubrec(first.packet_id))
        client.take(Pubrel)
        client.drop()
        with resume(address, name, [(P.RECEIVE_MAXIMUM, 1)]) as again:
            assert again.take(Pubrel).packet_id == first.packet_id
            again.send(packets.pubcomp(first.packet_id))
            assert again.message().payload == b"second"
            again.silent(0.1)
            again.leave(0, [(P.SESSION_EXPIRY, 0)])


@statement("MQTT-3.3.4-7", "MQTT-4.13.1-1")
def test_a_client_above_the_servers_receive_maximum_is_disconnected(address, names):
    topic = names.topic()
    with connect(address, names.client_id()) as client:
        maximum = client.server(P.RECEIVE_MAXIMUM, 65_535)
        if maximum == 65_535:
            pytest.skip("more identifiers than the server's Receive Maximum do not exist")
        for packet_id in range(1, maximum + 1):
            client.send(packets.publish(topic, b"x", 2, packet_id))
        for _ in range(maximum):
            assert client.take(Pubrec).reason < 0x80
        client.barrier()
        client.send(packets.publish(topic, b"x", 2, maximum + 1))
        client.refused(0x93)


@statement("MQTT-3.3.4-7")
def test_a_client_at_the_servers_receive_maximum_goes_on(address, names):
    """A PUBCOMP and a PUBACK free one each; messages that nobody subscribed to do as well."""
    topic = names.topic()
    with connect(address, names.client_id()) as client:
        maximum = min(client.server(P.RECEIVE_MAXIMUM, 65_535), 1000)
        for round_ in range(3):
            for packet_id in range(1, maximum + 1):
                client.send(packets.publish(topic, b"x", 1 + round_ % 2, packet_id))
            for _ in range(maximum):
                assert client.take(Pubrec if round_ % 2 else Puback).reason < 0x80
            if round_ % 2:
                client.send(*(packets.pubrel(packet_id) for packet_id in range(1, maximum + 1)))
                for _ in range(maximum):
                    assert client.take(Pubcomp).reason == 0
        client.fence()


@statement("MQTT-4.9.0-2")
def test_receive_maximum_1_passes_a_stream_of_both_qos(address, names):
    topic = names.topic()
    with receiving(address, names.client_id(), 1) as client, connect(address, names.client_id()) as publisher:
        client.subscribe(topic)
        for number in range(30):
            publisher.publish(topic, b"%d" % number, 1 + number % 2)
        assert sorted(client.payloads(30), key=int) == [b"%d" % number for number in range(30)]
        client.silent(0.1)


@statement("MQTT-3.3.4-10", "MQTT-4.9.0-3")
def test_a_suback_and_a_retained_message_of_qos_0_are_not_blocked_for_good(address, names):
    topic = names.topic()
    with receiving(address, names.client_id(), 1) as client, connect(address, names.client_id()) as publisher:
        publisher.publish(topic + b"/kept", b"kept", 1, retain=True)
        client.subscribe((topic, 1))
        publisher.publish(topic, b"held", 1)
        held = client.take(Publish)
        client.send(packets.subscribe(9, [(topic + b"/kept", 1)]))
        assert client.take(Suback).packet_id == 9
        client.silent(0.2)
        client.acknowledge(held)
        assert client.message().payload == b"kept"
        publisher.publish(topic + b"/kept", b"", 1, retain=True)
