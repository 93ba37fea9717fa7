"""Who is connected and how, what they are subscribed to, messages for one of them, and their end: with the AWS CLI and
boto3 against clients that nobody here wrote."""

import json
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from aws import create_device, data_client
from botocore.config import Config
from botocore.exceptions import ClientError
from mosquitto import Door, Subscriber, eventually, publish
from server import IOT
from wire import Connection, connect_packet, packet, subscribe_packet, text



@pytest.fixture(scope="module")
def data(exports):
    """boto3's data plane client. It would send a message again that was not acknowledged in time."""
    return data_client(exports, config=Config(retries={"total_max_attempts": 1}))


@pytest.fixture(scope="module")
def lamp(server, aws, exports) -> Door:
    """A device that may receive what is under orders/."""
    statements = [
        {"Effect": "Allow", "Action": ["iot:Connect", "iot:Subscribe"], "Resource": "*"},
        {"Effect": "Allow", "Action": "iot:Receive", "Resource": f"{IOT}:topic/orders/*"},
    ]
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    device = create_device(aws, server.folder, "lamps", document)
    return Door(server.mqtts, exports["ALTHING_CA"], device.certificate, device.key)


def refusal(call, **arguments) -> tuple[int, str, str]:
    """Status, code and text of the error that the call must end in."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    response = caught.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"], response["Error"]["Message"]


def is_connected(data, client_id: str) -> bool:
    return data.get_connection(clientId=client_id)["connected"]


def left(data, client_id: str) -> dict:
    """What is told of a client once it has left."""
    eventually(lambda: not is_connected(data, client_id), f"{client_id} leaves")
    return data.get_connection(clientId=client_id)


def subscriptions(data, client_id: str) -> list[str] | None:
    """A client's topic filters; None when there is neither a connection nor a session."""
    try:
        listed = data.list_subscriptions(clientId=client_id)["subscriptions"]
    except ClientError as error:
        assert error.response["Error"]["Code"] == "ResourceNotFoundException"
        return None
    return [entry["topicFilter"] for entry in listed]


def test_a_connection_is_described_while_it_lasts_and_afterwards(aws, data, lamp):
    assert refusal(data.get_connection, clientId="lamp")[:2] == (404, "ResourceNotFoundException")
    with Subscriber(lamp, "lamp", "orders/#"):
        told = aws("iot-data", "get-connection", "--client-id", "lamp", "--include-socket-information")
        since = told.pop("connectedSince")
        assert abs(time.time() * 1000 - since) < 60_000
        assert told.pop("sourcePort") > 0
        expected = {"clientId": "lamp", "connected": True, "cleanSession": True, "keepAliveDuration": 60, "sessionExpiry": 0}
        assert {name: told[name] for name in told if not name.startswith("target")} == {**expected, "sourceIp": "127.0.0.1"}
        told = aws("iot-data", "get-connection", "--client-id", "lamp")
        assert told == {**expected, "connectedSince": since}
    told = left(data, "lamp")
    assert told["disconnectedSince"] >= since
    assert told["disconnectReason"] in ("CLIENT_INITIATED_DISCONNECT", "CONNECTION_LOST")
    assert "connectedSince" not in told


def test_an_exclusive_thing_is_named(aws, data, server, lamp):
    aws("iot", "create-thing", "--thing-name", "kitchen")
    certificate = aws("iot", "list-targets-for-policy", "--policy-name", "lamps")["targets"][0]
    aws(
        "iot", "attach-thing-principal", "--thing-name", "kitchen", "--principal", certificate,
        "--thing-principal-type", "EXCLUSIVE_THING",
    )  # fmt: skip
    with Subscriber(lamp, "lamp-2", "orders/#"):
        assert data.get_connection(clientId="lamp-2")["thingName"] == "kitchen"


def test_subscriptions_come_in_pages(aws, data, server):
    client = Connection(server.mqtt, b"floor 1/sensor")
    filters = [f"t/{number:02}" for number in range(23)]
    client.send(subscribe_packet(*[topic_filter.encode() for topic_filter in filters]))
    assert client.read()[0] == 0x90
    pages = list(data.get_paginator("list_subscriptions").paginate(clientId="floor 1/sensor"))
    listed = [entry for page in pages for entry in page["subscriptions"]]
    assert [len(page["subscriptions"]) for page in pages] == [20, 3]
    assert listed == [{"topicFilter": topic_filter, "qos": 0} for topic_filter in filters]
    told = aws("iot-data", "list-subscriptions", "--client-id", "floor 1/sensor", "--max-items", "2")
    assert [entry["topicFilter"] for entry in told["subscriptions"]] == filters[:2]
    client.close()
    eventually(lambda: subscriptions(data, "floor 1/sensor") is None, "the clean session's end")


def test_a_message_reaches_one_client_without_a_subscription(aws, data, lamp, loopback):
    with Subscriber(lamp, "lamp", "none") as device, Subscriber(lamp, "other", "orders/#") as other:
        told = aws(
            "iot-data", "send-direct-message", "--client-id", "lamp", "--topic", "orders/dim", "--payload", "50%",
            "--confirmation", "--timeout", "10",
        )  # fmt: skip
        assert (told["message"], len(told["traceId"])) == ("OK", 36)
        assert device.wait_for("orders/dim", "50%").retain is False
        assert data.send_direct_message(clientId="lamp", topic="orders/on", payload=b"now")["message"] == "OK"
        device.wait_for("orders/on", "now")
        denied = refusal(data.send_direct_message, clientId="lamp", topic="secret", payload=b"x")
        assert denied[:2] == (403, "ForbiddenException")
        assert publish(loopback, "publisher", "orders/all", "off")
        other.wait_for("orders/all")
        assert [message.topic for message in other.messages()] == ["orders/all"], "nobody else sees it"
    reserved = refusal(data.send_direct_message, clientId="lamp", topic="$aws/x", payload=b"x")
    assert reserved[:2] == (400, "InvalidRequestException")


def test_a_message_says_what_a_client_of_mqtt_5_is_told(data, loopback):
    options = [option if option != "mqttv311" else "mqttv5" for option in loopback.options("five")]
    command = ["mosquitto_sub", *options, "-t", "none", "-C", "1", "-W", "20", "-F", "%t|%C|%D|%R|%P|%F"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True) as reader:
        eventually(lambda: subscriptions(data, "five"), "a subscription")
        data.send_direct_message(
            clientId="five", topic="orders/1", payload=b"x", contentType="text/plain", responseTopic="answers",
            correlationData="MQ==", payloadFormatIndicator="UTF8_DATA", userProperties=[{"a": "b"}, {"a": "c"}],
        )  # fmt: skip
        told = reader.communicate(timeout=20)[0].rstrip("\n").split("|")
    assert told[:4] == ["orders/1", "text/plain", "1", "answers"]
    assert (told[4].split(), told[5]) == (["a:b", "a:c"], "1")


def test_a_message_that_nobody_acknowledges_times_out(data, server):
    client = Connection(server.mqtt, b"silent")
    late = refusal(data.send_direct_message, clientId="silent", topic="t", payload=b"x", confirmation=True, timeout=1)
    assert late[:2] == (504, "GatewayTimeoutException")
    first, body = client.read()
    assert (first & 0xF6, body[:3]) == (0x32, text(b"t")), "at QoS 1"
    with ThreadPoolExecutor() as pool:
        sent = pool.submit(data.send_direct_message, clientId="silent", topic="u", payload=b"x", confirmation=True, timeout=10)
        first, body = client.read()
        assert not sent.done()
        client.send(packet(0x40, body[3:5]))
        assert sent.result(10)["message"] == "OK"
    client.close()


def test_a_connection_and_its_session_are_ended(aws, data, server):
    client = Connection(server.mqtt, b"durable", connect=connect_packet(b"durable", flags=0))
    client.send(subscribe_packet(b"orders/#"))
    assert client.read()[0] == 0x90
    told = data.get_connection(clientId="durable")
    assert (told["cleanSession"], told["connected"]) == (False, True)
    client.close()
    assert left(data, "durable")["disconnectReason"] == "CONNECTION_LOST"
    away = refusal(data.send_direct_message, clientId="durable", topic="t", payload=b"x")
    assert away[:2] == (404, "ResourceNotFoundException")
    assert "active persistent session" in away[2]
    server.kill()
    server.start()
    assert subscriptions(data, "durable") == ["orders/#"]
    aws("iot-data", "delete-connection", "--client-id", "durable", "--clean-session")
    assert subscriptions(data, "durable") is None


def test_a_deleted_connection_is_told_and_its_will_kept_back(aws, data, server, loopback):
    will = packet(0x10, text(b"MQTT") + b"\x04\x06\x00\x3c" + text(b"mortal") + text(b"wills/mortal") + text(b"gone"))
    with Subscriber(loopback, "observer", "wills/#", "$aws/events/presence/disconnected/#") as observer:
        for options in ([], ["--prevent-will-message"]):
            client = Connection(server.mqtt, b"mortal", connect=will)
            aws("iot-data", "delete-connection", "--client-id", "mortal", *options)
            with pytest.raises(ConnectionError):
                client.read()
            assert left(data, "mortal")["disconnectReason"] == "API_INITIATED_DISCONNECT"
        gone = "$aws/events/presence/disconnected/mortal"
        second = json.loads(observer.wait_for(gone, '"versionNumber":1').payload)
        assert second["disconnectReason"] == "API_INITIATED_DISCONNECT"
        assert [message.topic for message in observer.messages()] == ["wills/mortal", gone, gone]
    assert refusal(data.delete_connection, clientId="mortal")[:2] == (404, "ResourceNotFoundException")
