"""Chapter 6 of 3.1.1: MQTT over WebSocket."""

import pytest
from statements import statement
from v311.packets import PINGREQ, PINGRESP, Will, connack, connect, publish, suback, subscribe
from v311.peer import Peer
from web_socket.frames import BINARY, CONTINUATION, PING, TEXT, frame

UNSUPPORTED_DATA = 1003  # RFC 6455, 7.4.1


@statement("MQTT-6.0.0-1")
@pytest.mark.parametrize("connected", [True, False])
def test_a_text_frame_closes(upgrade, names, connected):
    socket = upgrade()
    if connected:
        socket.send(connect(names.client_id()))
        socket.expect(connack())
    socket.send_frame(TEXT, PINGREQ if connected else connect(b"text"))
    assert socket.expect_closed() == []
    assert socket.close_code == UNSUPPORTED_DATA


@statement("MQTT-6.0.0-2")
def test_a_packet_may_come_in_frames_of_one_byte(upgrade, names):
    socket, topic = upgrade(), names.topic()
    for byte in connect(names.client_id()) + subscribe(1, (topic, 1)) + PINGREQ:
        socket.send(bytes([byte]))
    socket.expect(connack())
    socket.expect(suback(1, 1))
    socket.expect(PINGRESP)


@statement("MQTT-6.0.0-2")
def test_a_frame_may_have_several_packets_and_a_half(upgrade, names):
    socket, topic = upgrade(), names.topic()
    socket.send(connect(names.client_id()), subscribe(1, (topic, 0)), publish(topic, b"whole"), PINGREQ[:1])
    socket.send(PINGREQ[1:])
    socket.expect(connack())
    assert sorted(socket.packet() for _ in range(3)) == sorted([suback(1, 0), publish(topic, b"whole"), PINGRESP])


@statement("MQTT-6.0.0-2")
def test_a_message_may_be_in_fragments_with_pings_and_empty_frames_between(upgrade, names):
    socket, whole = upgrade(), connect(names.client_id())
    socket.send_frame(BINARY, b"")
    socket.send_frame(BINARY, whole[:5], final=False)
    socket.send_frame(PING, b"there?")
    socket.send_frame(CONTINUATION, b"", final=False)
    socket.send_frame(CONTINUATION, whole[5:], final=True)
    socket.expect(connack())
    socket.send(PINGREQ[:1])
    socket.send_frame(PING, b"still there?")
    socket.send(PINGREQ[1:])
    socket.expect(PINGRESP)
    assert socket.pongs == [b"there?", b"still there?"]


@statement("MQTT-6.0.0-2")
def test_several_frames_may_come_in_one_write(upgrade, names):
    """As one TCP segment: each of them is handled."""
    socket = upgrade()
    many = b"".join(frame(BINARY, chunk) for chunk in (connect(names.client_id()), PINGREQ, PINGREQ + PINGREQ))
    super(type(socket), socket).send(many)
    socket.expect(connack())
    for _ in range(3):
        socket.expect(PINGRESP)


@statement("MQTT-6.0.0-2")
@pytest.mark.parametrize("size", [125, 126, 65_535, 65_536, 100_000])
def test_payloads_of_every_frame_length(upgrade, names, size):
    socket, topic = upgrade(), names.topic()
    socket.send(connect(names.client_id()), subscribe(1, (topic, 0)))
    socket.expect(connack())
    socket.expect(suback(1, 0))
    whole = publish(topic, bytes(size))
    socket.send(whole)
    socket.expect(whole)


@statement("MQTT-6.0.0-3")
@pytest.mark.parametrize("offered", [None, "chat", "MQTT", "mqtt5"])
def test_a_client_that_does_not_offer_mqtt_is_not_served(upgrade, names, offered):
    """Refused with the handshake, or closed after it."""
    socket = upgrade(offered)
    if socket.status == 101:
        socket.send(connect(names.client_id()))
        assert socket.expect_closed() == []
    else:
        assert 400 <= socket.status < 500 and socket.protocol is None


@statement("MQTT-6.0.0-4")
@pytest.mark.parametrize("offered", ["mqtt", "chat, mqtt", "mqtt, chat", "mqttv3.1, mqtt"])
def test_the_server_chooses_mqtt(upgrade, names, offered):
    socket = upgrade(offered)
    assert (socket.status, socket.protocol) == (101, b"mqtt")
    socket.send(connect(names.client_id()))
    socket.expect(connack())


def test_a_client_that_offers_mqttv3_1_alone_is_served(upgrade, names):
    """The name of older clients. The statement knows `mqtt` only."""
    socket = upgrade("mqttv3.1")
    assert (socket.status, socket.protocol) == (101, b"mqttv3.1")
    socket.send(connect(names.client_id()))
    socket.expect(connack())


def test_a_will_is_published_when_the_websocket_is_cut(upgrade, address, names):
    topic, socket = names.topic(), upgrade()
    with Peer(address, names.client_id()) as watcher:
        watcher.subscribe(topic, 1)
        socket.send(connect(names.client_id(), will=Will(topic, b"cut", 1)))
        socket.expect(connack())
        socket.abort()
        watcher.expect_message(topic, b"cut", 1)
