"""MQTT over WebSocket: signed as AWS's SDKs sign, bounded, and what the way it ends means for the will.

What frames may look like is shown in dev/conformance/web_socket."""

import json
import ssl
import threading
import time
from contextlib import contextmanager

import paho.mqtt.client as paho
import pytest
from aws import Cli, Device, create_device
from mosquitto import Door, Subscriber
from mqtt_websocket import websocket
from server import REGION, Server, clean_environment
from signing import credentials, header_signed, query_signed, signed_by_hand, token_appended
from websockets.exceptions import ConnectionClosed, InvalidStatus
from wire import ACCEPTED, connect_packet, packet, publish_packet, subscribe_packet, text


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("althing"), alpn=True) as server:
        yield server


@pytest.fixture(scope="module")
def exports(house) -> dict[str, str]:
    return house.exports()


@pytest.fixture(scope="module")
def trust(exports) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=exports["ALTHING_CA"])


@pytest.fixture(scope="module")
def lamp(house, exports) -> Device:
    return create_device(Cli(clean_environment(house.folder, **exports)), house.folder, "lamp")


@contextmanager
def plain(house, client_id: bytes = b"ws"):
    """An unsigned connection to the plain listener, connected as an MQTT client."""
    with websocket(f"ws://127.0.0.1:{house.http}/mqtt") as socket:
        socket.send(connect_packet(client_id))
        assert socket.recv(10) == ACCEPTED
        yield socket


def receive(socket, length: int) -> bytes:
    """So many bytes, whatever the frames."""
    data = b""
    while len(data) < length:
        data += socket.recv(10)
    return data


def connects(socket) -> bool:
    socket.send(connect_packet(b"signed"))
    return socket.recv(10) == ACCEPTED


# Who gets in


@pytest.mark.parametrize("door", ["http", "https", "alpn"])
def test_a_signed_query_opens_it_on_every_door(house, exports, trust, door):
    scheme = "ws" if door == "http" else "wss"
    url = f"{scheme}://localhost:{getattr(house, door)}/mqtt"
    with websocket(query_signed(url, credentials(exports), REGION), trust) as socket:
        assert socket.subprotocol == "mqtt"
        assert connects(socket)


def test_a_session_token_may_be_appended_or_signed(house, exports, trust):
    url, who = f"wss://localhost:{house.https}/mqtt", credentials(exports, "FwoGZXIvYXdzEJr//+/=")
    for signed in (token_appended(url, who, REGION), query_signed(url, who, REGION)):
        assert "X-Amz-Security-Token=" in signed
        with websocket(signed, trust) as socket:
            assert connects(socket)


def test_a_signature_without_expiry_is_valid_for_a_quarter_of_an_hour(house, exports, trust):
    host, who = f"localhost:{house.https}", credentials(exports)
    with websocket(f"wss://{host}/mqtt?{signed_by_hand(host, who, REGION, seconds_ago=800)}", trust) as socket:
        assert connects(socket)
    with pytest.raises(InvalidStatus):
        websocket(f"wss://{host}/mqtt?{signed_by_hand(host, who, REGION, seconds_ago=910)}", trust)


def test_a_signed_header_opens_it_too(house, exports, trust):
    url = f"wss://localhost:{house.https}/mqtt"
    headers = header_signed(url, credentials(exports), REGION)
    with websocket(url, trust, additional_headers=headers) as socket:
        assert connects(socket)


def test_refusals_say_why_in_the_words_of_aws(house, exports, trust):
    url, who = f"wss://localhost:{house.https}/mqtt", credentials(exports)

    def check(url: str, name: str, message: str) -> None:
        with pytest.raises(InvalidStatus) as refused:
            websocket(url, trust)
        response = refused.value.response
        assert (response.status_code, response.headers["x-amzn-errortype"]) == (403, name)
        assert message in json.loads(response.body)["message"]

    check(url, "MissingAuthenticationTokenException", "Missing Authentication Token")
    check(query_signed(url, who, REGION, service="iotdata"), "InvalidSignatureException", "correct service: 'iotdevicegateway'")
    check(query_signed(url, who, "eu-west-1"), "InvalidSignatureException", "valid region: 'us-east-1'")
    forged = credentials({**exports, "AWS_SECRET_ACCESS_KEY": "guessed"})
    check(query_signed(url, forged, REGION), "InvalidSignatureException", "does not match the signature you provided")
    unknown = credentials({**exports, "AWS_ACCESS_KEY_ID": "AKIDNOBODY"})
    check(query_signed(url, unknown, REGION), "UnrecognizedClientException", "security token included in the request is invalid")
    signed = query_signed(url, who, REGION, expires=1)
    time.sleep(2.1)
    check(signed, "InvalidSignatureException", "Signature expired")


def test_a_client_certificate_opens_it_without_a_signature(house, exports, lamp):
    context = ssl.create_default_context(cafile=exports["ALTHING_CA"])
    context.load_cert_chain(lamp.certificate, lamp.key)
    with Subscriber(Door(house.mqtt), "watch-lamp", "$aws/events/presence/connected/#") as watcher:
        with websocket(f"wss://localhost:{house.https}/mqtt", context) as socket:
            assert connects(socket)
            event = json.loads(watcher.wait_for("$aws/events/presence/connected/signed").payload)
            assert event["principalIdentifier"] == lamp.certificate_id


def test_a_signed_client_is_its_principal_and_forges_no_events(house, exports):
    url = query_signed(f"ws://localhost:{house.http}/mqtt", credentials(exports), REGION)
    with Subscriber(Door(house.mqtt), "watch-iam", "$aws/events/presence/connected/#") as watcher:
        with websocket(url) as socket:
            assert connects(socket)
            event = json.loads(watcher.wait_for("$aws/events/presence/connected/signed").payload)
            assert event["principalIdentifier"] == exports["AWS_ACCESS_KEY_ID"].replace("AKIA", "AIDA")
            socket.send(publish_packet(b"$aws/events/presence/connected/forged", b"{}", 1))
            with pytest.raises(ConnectionClosed):
                socket.recv(10)


def test_pages_of_strangers_are_refused_where_nothing_is_signed(house, exports):
    url = f"ws://127.0.0.1:{house.http}/mqtt"
    with pytest.raises(InvalidStatus) as refused:
        websocket(url, origin="https://evil.example")
    assert b"evil.example" in refused.value.response.body and refused.value.response.status_code == 403
    with websocket(url, origin="http://localhost:3000") as socket:
        assert connects(socket)
    signed = query_signed(f"ws://localhost:{house.http}/mqtt", credentials(exports), REGION)
    with websocket(signed, origin="https://dashboard.example") as socket:
        assert connects(socket)


def test_where_anonymous_clients_are_refused_the_plain_listener_refuses_them_too(tmp_path):
    with Server(tmp_path, "[anonymous]\n") as server:
        with pytest.raises(InvalidStatus) as refused:
            websocket(f"ws://127.0.0.1:{server.http}/mqtt")
        assert refused.value.response.status_code == 403
        signed = query_signed(f"ws://127.0.0.1:{server.http}/mqtt", credentials(server.exports()), REGION)
        with websocket(signed) as socket:
            assert connects(socket)


@pytest.mark.parametrize("version", [paho.MQTTv311])
def test_paho_publishes_and_receives(house, exports, version):
    signed = query_signed(f"wss://localhost:{house.https}/mqtt", credentials(exports), REGION, expires=300)
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, "paho", transport="websockets", protocol=version)
    client.tls_set(exports["ALTHING_CA"])
    client.ws_set_options(path=signed.split(str(house.https))[1])
    got, ready = [], threading.Event()
    client.on_connect = lambda *_: client.subscribe("paho/#", 1)
    client.on_subscribe = lambda *_: ready.set()
    client.on_message = lambda _client, _data, message: got.append(message.payload)
    client.connect("localhost", house.https, 60)
    client.loop_start()
    try:
        assert ready.wait(10)
        payloads = [bytes([n]) * 1000 * n for n in range(1, 60)]
        for payload in payloads:
            client.publish("paho/1", payload, 1).wait_for_publish(10)
        end = time.monotonic() + 10
        while len(got) < len(payloads) and time.monotonic() < end:
            time.sleep(0.05)
        assert got == payloads
    finally:
        client.disconnect()
        client.loop_stop()


# Subprotocol and bounds


def test_a_client_that_does_not_offer_mqtt_is_told_why(house):
    with pytest.raises(InvalidStatus) as refused:
        websocket(f"ws://127.0.0.1:{house.http}/mqtt", protocols=["chat"])
    assert refused.value.response.status_code == 400
    assert b"subprotocol 'mqtt'" in refused.value.response.body


def test_a_frame_over_the_limit_closes_the_connection(house):
    with plain(house) as socket:
        with pytest.raises(ConnectionClosed):
            socket.send(bytes(3 * 1048576))
            socket.recv(10)


def test_a_message_of_a_megabyte_comes_through(house):
    with plain(house, b"large") as socket:
        socket.send(subscribe_packet(b"large"))
        assert receive(socket, 5)[:1] == b"\x90"
        whole = packet(0x30, text(b"large") + bytes(1_000_000))
        socket.send(whole)
        assert receive(socket, len(whole)) == whole


# The end


def will_packet(client_id: bytes) -> bytes:
    """CONNECT with clean session and the will "gone" on will/CLIENT_ID."""
    return packet(0x10, text(b"MQTT") + b"\x04\x06\x00\x3c" + text(client_id) + text(b"will/" + client_id) + text(b"gone"))


@pytest.mark.parametrize("dialect", ["aws", "mqtt"])
@pytest.mark.parametrize("how, reasons", [
    ("close frame", ("CLIENT_INITIATED_DISCONNECT", "CONNECTION_LOST")),
    ("close frame within a packet", ("CLIENT_INITIATED_DISCONNECT", "CONNECTION_LOST")),
    ("DISCONNECT", ("CLIENT_INITIATED_DISCONNECT",) * 2),
    ("cut", ("CONNECTION_LOST",) * 2),
    ("text frame", ("CLIENT_ERROR",) * 2),
])  # fmt: skip
def test_how_a_websocket_ends_decides_about_the_will(house, exports, trust, dialect, how, reasons):
    """AWS IoT Core developer guide, mqtt: sent on every disconnect except DISCONNECT or a WebSocket close frame. By the
    standard only DISCONNECT removes it [MQTT-3.1.2-8]."""
    reason = reasons[dialect == "mqtt"]
    name = f"{dialect}-{how}".replace(" ", "-").lower()
    event, will = f"$aws/events/presence/disconnected/{name}", f"will/{name}"
    url = f"ws://127.0.0.1:{house.http}/mqtt"
    if dialect == "aws":
        url = query_signed(f"wss://localhost:{house.https}/mqtt", credentials(exports), REGION)
    with Subscriber(Door(house.mqtt), f"watch-{name}", event, will) as watcher:
        with websocket(url, trust if dialect == "aws" else None) as socket:
            socket.send(will_packet(name.encode()))
            assert socket.recv(10) == ACCEPTED
            if how == "cut":
                socket.socket.shutdown(2)
            elif how == "text frame":
                socket.send("text")
            elif how == "DISCONNECT":
                socket.send(b"\xe0\x00")
            elif how.endswith("packet"):
                socket.send(b"\x30\x10\x00\x01a")
            # The end of the block sends a close frame if the connection is still open.
        assert json.loads(watcher.wait_for(event).payload)["disconnectReason"] == reason
        assert any(m.topic == will for m in watcher.messages()) == (reason != "CLIENT_INITIATED_DISCONNECT")
