"""Keep alive (3.1.2.10): one and a half times its seconds without a packet from the client end the connection."""

import time
from contextlib import suppress

import pytest
from statements import statement
from v5 import packets
from v5.packets import Will
from v5.properties import P
from v5.session import connect, resume
from wire import PINGREQ, Closed


def short_keep_alive(address, name: bytes, **more):
    """A connection with a keep alive of 2 seconds: it may not be ended before 3 seconds, and is to be soon after."""
    client = connect(address, name, keep_alive=2, **more)
    if client.server(P.SERVER_KEEP_ALIVE, 2) != 2:
        pytest.skip("the server sets a keep alive of its own")
    return client


@statement("MQTT-3.1.2-22", "MQTT-3.2.2-22", "MQTT-3.1.2-20", "MQTT-3.1.2-8")
def test_a_silent_client_is_closed_its_will_published_and_its_session_kept(address, names):
    name, will = names.client_id(), Will(names.topic(), b"will")
    with connect(address, names.client_id()) as subscriber, short_keep_alive(address, name, expiry=60, will=will) as client:
        subscriber.subscribe(will.topic)
        start = time.monotonic()
        with pytest.raises(TimeoutError):
            client.packet(2.5)
        client.refused(0x8D, within=4)
        assert time.monotonic() - start >= 2.9
        assert subscriber.message().payload == b"will"
    with resume(address, name) as client:
        client.leave(0, [(P.SESSION_EXPIRY, 0)])


@statement("MQTT-3.1.2-22")
def test_any_packet_from_the_client_resets_the_keep_alive(address, names):
    topic = names.topic()
    sent = {
        "PINGREQ": PINGREQ,
        "PUBLISH": packets.publish(topic, b"x"),
        "PUBREL": packets.pubrel(9),
        "SUBSCRIBE": packets.subscribe(7, [(topic + b"/x", 0)]),
    }
    clients = {kind: short_keep_alive(address, names.client_id()) for kind in sent}
    try:
        for _ in range(5):
            time.sleep(1)
            for kind, client in clients.items():
                client.send(sent[kind])
        for client in clients.values():
            client.barrier()
    finally:
        for client in clients.values():
            client.close()


@statement("MQTT-3.1.2-22")
def test_packets_that_the_server_sends_do_not_reset_the_keep_alive(address, names):
    topic = names.topic()
    with connect(address, names.client_id()) as publisher, short_keep_alive(address, names.client_id()) as client:
        client.subscribe((topic, 0))
        end = time.monotonic() + 7
        with pytest.raises(Closed):
            while time.monotonic() < end:
                publisher.send(packets.publish(topic, b"x"))
                while True:
                    try:
                        client.packet(0.4)
                    except TimeoutError:
                        break


@statement("MQTT-3.1.2-22")
def test_half_a_packet_does_not_reset_the_keep_alive(address, names):
    raw = packets.publish(names.topic(), bytes(100))
    with short_keep_alive(address, names.client_id()) as client, pytest.raises(Closed):
        for byte in raw[:14]:
            client.send(bytes([byte]))
            with suppress(TimeoutError):
                client.packet(0.5)


@statement("MQTT-3.1.2-22")
@pytest.mark.parametrize("keep_alive", [0, 65_535])
def test_a_keep_alive_of_0_or_the_longest_does_not_close(address, names, keep_alive):
    with connect(address, names.client_id(), keep_alive=keep_alive) as client:
        client.silent(3)
        client.fence()


@statement("MQTT-3.12.4-1")
def test_pingreq_is_answered_with_pingresp(address, names):
    with connect(address, names.client_id()) as client:
        client.send(PINGREQ * 3)
        for _ in range(3):
            client.expect(b"\xd0\x00")
        client.nothing_for(0.3)


@statement("MQTT-3.12.4-1")
def test_pingreq_is_answered_while_a_big_message_goes_out(address, names):
    topic = names.topic()
    with connect(address, names.client_id()) as client:
        client.subscribe((topic, 0))
        client.send(packets.publish(topic, bytes(500_000)), PINGREQ, PINGREQ)
        client.barrier()
        assert len(client.message().payload) == 500_000


@statement("MQTT-3.1.2-22")
def test_pingreqs_count_though_their_answers_are_not_read(address, names):
    with short_keep_alive(address, names.client_id()) as client:
        for _ in range(4):
            time.sleep(1)
            client.send(PINGREQ)
        for _ in range(4):
            client.expect(b"\xd0\x00")
