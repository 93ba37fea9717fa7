"""CONNACK (3.2): Session Present, what the server announces, and that it comes first and once."""

import pytest
from statements import statement
from v5 import packets
from v5.packets import Connack, Publish
from v5.properties import CONNACK, P
from v5.session import Session, connect, refused_connect, resume
from wire import Client


@statement("MQTT-3.2.2-1", "MQTT-3.2.2-2", "MQTT-3.1.2-6")
@pytest.mark.parametrize("clean_start", [True, False])
def test_a_new_client_id_has_no_session(address, names, clean_start):
    with Client(address) as client:
        client.send(packets.connect(names.client_id(), clean_start=clean_start))
        raw = client.packet()
        assert raw[0] == CONNACK << 4 and raw[2] == 0 and raw[3] == 0, raw.hex(" ")
        client.fence()


@statement("MQTT-3.2.2-2", "MQTT-3.1.4-4")
def test_clean_start_with_an_old_session_says_session_present_0(address, names):
    name = names.client_id()
    with connect(address, name, expiry=60) as client:
        client.drop()
    with connect(address, name) as client:
        assert not client.connack.session_present


@statement("MQTT-3.2.2-3", "MQTT-3.1.2-5")
def test_a_session_without_subscriptions_is_present(address, names):
    name = names.client_id()
    with connect(address, name, expiry=60) as client:
        client.leave()
    with resume(address, name) as client:
        client.leave(0, [(P.SESSION_EXPIRY, 0)])


@statement("MQTT-3.2.0-1")
def test_connack_comes_before_a_thousand_queued_messages(address, names):
    name, topic = names.client_id(), names.topic()
    with connect(address, name, expiry=60) as client:
        client.subscribe((topic, 1))
        client.drop()
    with connect(address, names.client_id()) as publisher:
        publisher.publish_numbers(topic, 1, 1000)
    with resume(address, name) as client:
        assert client.payloads(1000) == [b"%d" % number for number in range(1000)]
        client.leave(0, [(P.SESSION_EXPIRY, 0)])


@statement("MQTT-3.2.0-1", "MQTT-3.2.0-2")
def test_connack_comes_first_when_a_busy_session_is_taken_over(address, names):
    """Messages arrive all the time; each new connection starts with its CONNACK, and has no second."""
    name, topic = names.client_id(), names.topic()
    with connect(address, names.client_id()) as publisher:
        clients = [connect(address, name, expiry=60)]
        clients[0].subscribe((topic, 1))
        for _ in range(8):
            publisher.send(*(packets.publish(topic, b"x", 0) for _ in range(50)))
            clients.append(resume(address, name))
            publisher.barrier()
        clients[-1].barrier()
        assert not any(isinstance(packet, Connack) for packet in clients[-1].kept)
        clients[-1].leave(0, [(P.SESSION_EXPIRY, 0)])
        for client in clients:
            client.close()


@statement("MQTT-3.2.2-6", "MQTT-3.2.2-7", "MQTT-3.2.2-8", "MQTT-4.13.2-1")
def test_a_refusal_has_session_present_0_and_the_connection_ends(address, names):
    name = names.client_id()
    with connect(address, name, expiry=60) as client:
        client.leave()
    refused_connect(address, packets.connect(name, [(P.AUTH_METHOD, b"nope")], clean_start=False), 0x8C, 0x87)


@statement("MQTT-3.1.2-28")
@pytest.mark.parametrize("properties", [[], [(P.REQUEST_RESPONSE, 0)]], ids=["absent", "0"])
def test_response_information_does_not_come_unasked(address, names, properties):
    with connect(address, names.client_id(), properties) as client:
        assert P.RESPONSE_INFORMATION not in client.connack.properties


@statement("MQTT-4.12.0-6")
def test_without_an_authentication_method_connack_has_none_and_no_auth_comes(address, names):
    with connect(address, names.client_id()) as client:
        assert P.AUTH_METHOD not in client.connack.properties and P.AUTH_DATA not in client.connack.properties
        client.silent()


@statement("MQTT-3.2.2-9")
def test_maximum_qos_is_announced_as_0_or_1_or_left_out(address, names):
    """What is left out is shown to work; the strict reader refuses a 2."""
    topic = names.topic()
    with connect(address, names.client_id()) as client:
        highest = client.server(P.MAXIMUM_QOS, 2)
        granted = client.subscribe((topic, 0), (topic + b"/1", 1), (topic + b"/2", 2)).reasons
        assert all(code <= highest for code in granted), f"{granted} above the announced {highest} [MQTT-3.2.2-10]"
        client.publish(topic, b"x", highest)
        assert client.message().payload == b"x"


def of_size(topic: bytes, size: int) -> bytes:
    """A whole PUBLISH of this many bytes, header and all."""
    payload = bytes(size)
    while len(raw := packets.publish(topic, payload)) > size:
        payload = payload[len(raw) - size :]
    assert len(raw) == size
    return raw


def announced_size(client: Session) -> int:
    limit = client.server(P.MAXIMUM_PACKET_SIZE, None)
    if limit is None or limit > 1 << 24:
        pytest.skip("the server announces no Maximum Packet Size that a test would fill")
    return limit


@statement("MQTT-3.2.2-15")
@pytest.mark.parametrize("part", [200, None], ids=["as soon as its header came", "when all of it came"])
def test_a_packet_above_the_announced_maximum_packet_size_closes(address, names, part):
    with connect(address, names.client_id()) as client:
        client.send(of_size(names.topic(), announced_size(client) + 1)[:part])
        assert client.refused(0x95) == []


@statement("MQTT-3.2.2-15")
def test_a_packet_of_exactly_the_announced_maximum_packet_size_passes(address, names):
    topic = names.topic()
    with connect(address, names.client_id()) as client:
        raw = of_size(topic, announced_size(client))
        client.subscribe((topic, 0))
        client.send(raw)
        assert raw.endswith(client.take(Publish).payload)


@statement("MQTT-3.2.2-19", "MQTT-3.2.2-20", "MQTT-3.1.2-24")
@pytest.mark.parametrize("maximum", [1, 2, 4, 5, 8, 16, 40])
def test_no_connack_is_above_the_clients_maximum_packet_size(address, names, maximum):
    """A server that cannot say what it must within the client's maximum may only close; the session checks every size."""
    limits = [(P.MAXIMUM_PACKET_SIZE, maximum)]
    for more in ([], [(P.AUTH_METHOD, b"nope")]):
        with Session(address) as client:
            client.limits(limits)
            client.send(packets.connect(names.client_id(), limits + more))
            client.send(packets.disconnect())
            found = client.refused(*range(0x80, 0xA3))
            assert len(found) <= 1
            assert all(isinstance(packet, Connack) for packet in found), found
