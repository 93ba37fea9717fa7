"""Messages and retained messages over HTTP, with boto3 against a running server, as subscribers and rules see them."""

import json
import subprocess

import pytest
from aws import data_client
from botocore.exceptions import ClientError
from mosquitto import Subscriber, publish
from server import ACCOUNT, REGION
from test_story import create_role, create_rule


@pytest.fixture(scope="module")
def data(exports):
    """boto3's data plane client."""
    return data_client(exports)


def refusal(call, **arguments) -> tuple[int, str]:
    """Status and code of the error that the call must end in."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    response = caught.value.response
    return response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]


def test_a_message_by_http_reaches_an_mqtt_subscriber(data, loopback):
    with Subscriber(loopback, "observer", "lamps/#") as observer:
        data.publish(topic="lamps/50%ä/1", qos=1, payload=b"on")
        message = observer.wait_for("lamps/50%ä/1")
        assert (message.payload, message.retain) == ("on", False)
        data.publish(topic="lamps/2", payload=b"at QoS 0")
        observer.wait_for("lamps/2", "at QoS 0")


def test_the_cli_publishes(aws, server, loopback):
    payload = server.folder / "payload"
    payload.write_text("from the CLI")
    with Subscriber(loopback, "observer", "lamps/#") as observer:
        aws("iot-data", "publish", "--topic", "lamps/cli", "--qos", "1", "--payload", f"fileb://{payload}")
        observer.wait_for("lamps/cli", "from the CLI")


def test_a_rule_sees_a_message_without_a_client(aws, data, loopback):
    role = create_role(aws, "publisher", "iot:Publish", f"arn:aws:iot:{REGION}:{ACCOUNT}:topic/copies/*")
    sql = "SELECT level, clientid() AS client, principal() AS principal, sourceip() AS ip FROM 'lamps/+/level'"
    create_rule(aws, "copy", sql, {"republish": {"roleArn": role, "topic": "copies/${topic(2)}", "qos": 1}})
    caller = aws("sts", "get-caller-identity")
    with Subscriber(loopback, "observer", "copies/#") as observer:
        data.publish(topic="lamps/1/level", qos=1, payload=json.dumps({"level": 3}))
        copy = json.loads(observer.wait_for("copies/1").payload)
        assert copy == {"level": 3, "client": "n/a", "principal": caller["UserId"], "ip": "127.0.0.1"}


def test_a_shadow_is_updated_by_a_published_message(data, loopback):
    with Subscriber(loopback, "observer", "$aws/things/lamp/shadow/#") as observer:
        data.publish(topic="$aws/things/lamp/shadow/update", qos=1, payload=b'{"state":{"reported":{"on":true}}}')
        observer.wait_for("$aws/things/lamp/shadow/update/accepted")
    assert json.loads(data.get_thing_shadow(thingName="lamp")["payload"].read())["state"] == {"reported": {"on": True}}


def test_nobody_forges_events(data, loopback):
    with Subscriber(loopback, "observer", "$aws/events/#", "lamps/after") as observer:
        assert refusal(data.publish, topic="$aws/events/presence/connected/x", payload=b"{}") == (403, "ForbiddenException")
        data.publish(topic="lamps/after", qos=1, payload=b"x")
        observer.wait_for("lamps/after")
        assert "$aws/events/presence/connected/x" not in [message.topic for message in observer.messages()]


def test_properties_reach_a_client_of_mqtt_5(aws, data, loopback):
    pairs = [{"deviceName": "alpha"}, {"deviceCnt": "45"}]
    data.publish(
        topic="said/boto3", retain=True, payload=b"x", contentType="text/plain", responseTopic="answers/1", messageExpiry=600,
        correlationData="MQ==", payloadFormatIndicator="UTF8_DATA", userProperties=pairs,
    )  # fmt: skip
    content_type, correlation, response, user, indicator, expiry = retained_with_properties(loopback, "said/boto3")
    assert (content_type, correlation, response, indicator) == ("text/plain", "1", "answers/1", "1")
    assert user.split() == ["deviceName:alpha", "deviceCnt:45"]
    assert 590 <= int(expiry) <= 600
    assert json.loads(data.get_retained_message(topic="said/boto3")["userProperties"]) == pairs
    aws(
        "iot-data", "publish", "--topic", "said/cli", "--retain", "--payload", "eA==", "--content-type", "c",
        "--user-properties", json.dumps(pairs), "--correlation-data", "MQ==",
    )  # fmt: skip
    assert retained_with_properties(loopback, "said/cli")[:2] == ["c", "1"]
    assert json.loads(data.get_retained_message(topic="said/cli")["userProperties"]) == pairs
    # Who gives boto3 the JSON text, as its documentation words it, has it encoded twice.
    data.publish(topic="said/text", retain=True, payload=b"x", userProperties=json.dumps(pairs))
    assert json.loads(data.get_retained_message(topic="said/text")["userProperties"]) == pairs
    for topic in ("said/boto3", "said/cli", "said/text"):
        data.publish(topic=topic, retain=True, payload=b"")
    assert refusal(data.publish, topic="said/1", contentType="x" * 257) == (400, "InvalidRequestException")
    assert refusal(data.publish, topic="said/1", responseTopic="a/#") == (400, "InvalidRequestException")


def retained_with_properties(door, topic: str) -> list[str]:
    """What mosquitto_sub says of a retained message's properties: content type, correlation data, response topic, user
    properties, payload format and expiry."""
    options = [option if option != "mqttv311" else "mqttv5" for option in door.options("reader")]
    command = ["mosquitto_sub", *options, "-t", topic, "-C", "1", "-W", "10", "-F", "%C|%D|%R|%P|%F|%E"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL, check=True)
    return done.stdout.rstrip("\n").split("|")


def test_retained_messages_are_read_listed_and_removed(data, loopback, server):
    assert data.list_retained_messages()["retainedTopics"] == []
    assert refusal(data.get_retained_message, topic="kept/1") == (404, "ResourceNotFoundException")
    data.publish(topic="kept/1", qos=1, retain=True, payload=b"\x00\xff")
    assert publish(loopback, "observer", "kept/2", "by mqtt", retain=True)
    large = bytes(range(256)) * 512
    data.publish(topic="kept/3", retain=True, payload=large)
    server.kill()
    server.start()
    got = data.get_retained_message(topic="kept/1")
    assert (got["topic"], got["payload"], got["qos"]) == ("kept/1", b"\x00\xff", 1)
    assert data.get_retained_message(topic="kept/2")["payload"] == b"by mqtt"
    assert data.get_retained_message(topic="kept/3")["payload"] == large
    pages = list(data.get_paginator("list_retained_messages").paginate(PaginationConfig={"PageSize": 2}))
    listed = [(entry["topic"], entry["payloadSize"], entry["qos"]) for page in pages for entry in page["retainedTopics"]]
    assert (len(pages), listed) == (2, [("kept/1", 2, 1), ("kept/2", 7, 1), ("kept/3", 131072, 0)])
    assert pages[0]["retainedTopics"][0]["lastModifiedTime"] == got["lastModifiedTime"] > 1_700_000_000_000
    data.publish(topic="kept/2", retain=True, payload=b"")
    assert [entry["topic"] for entry in data.list_retained_messages()["retainedTopics"]] == ["kept/1", "kept/3"]
