"""Chapter 6 of MQTT 5: MQTT over WebSocket. Its statements are those of 3.1.1, whose file has more cases of each."""

from statements import statement
from v5 import packets
from v5.packets import Connack, Pingresp, parse
from web_socket.frames import BINARY, CONTINUATION, TEXT
from wire import PINGREQ


@statement("MQTT-6.0.0-1")
def test_a_text_frame_closes(upgrade, names):
    socket = upgrade()
    socket.send_frame(TEXT, packets.connect(names.client_id()))
    assert socket.expect_closed() == []


@statement("MQTT-6.0.0-2")
def test_packets_and_frames_need_not_align(upgrade, names):
    socket, whole = upgrade(), packets.connect(names.client_id())
    socket.send_frame(BINARY, whole[:3], final=False)
    socket.send_frame(CONTINUATION, whole[3:9])
    socket.send_frame(BINARY, b"")
    for byte in whole[9:]:
        socket.send(bytes([byte]))
    assert isinstance(parse(socket.packet()), Connack)
    socket.send(PINGREQ, PINGREQ)
    assert [parse(socket.packet()) for _ in range(2)] == [Pingresp(), Pingresp()]


@statement("MQTT-6.0.0-3")
def test_a_client_that_does_not_offer_mqtt_is_not_served(upgrade, names):
    socket = upgrade("chat")
    if socket.status == 101:
        socket.send(packets.connect(names.client_id()))
        assert socket.expect_closed() == []
    else:
        assert 400 <= socket.status < 500


@statement("MQTT-6.0.0-4")
def test_the_server_chooses_mqtt(upgrade, names):
    socket = upgrade("chat, mqtt")
    assert (socket.status, socket.protocol) == (101, b"mqtt")
    socket.send(packets.connect(names.client_id()))
    connack = parse(socket.packet())
    assert isinstance(connack, Connack) and connack.reason == 0
