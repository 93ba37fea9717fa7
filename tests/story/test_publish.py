"""Messages and retained messages over HTTP, with boto3 against a running server, as subscribers and rules see them."""

import json

import boto3
import pytest
from botocore.exceptions import ClientError
from mosquitto import Subscriber, publish
from server import ACCOUNT, REGION
from test_story import create_role, create_rule


@pytest.fixture(scope="module")
def data(exports):
    """boto3's data plane client."""
    return boto3.client(
        "iot-data",
        endpoint_url=exports["AWS_ENDPOINT_URL_IOT_DATA_PLANE"],
        region_name=exports["AWS_REGION"],
        aws_access_key_id=exports["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=exports["AWS_SECRET_ACCESS_KEY"],
    )


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


def test_properties_that_messages_do_not_have_yet_are_refused(data):
    assert refusal(data.publish, topic="lamps/1", contentType="text/plain") == (501, "NotImplementedException")
    properties = json.dumps([{"k": "v"}])
    assert refusal(data.publish, topic="lamps/1", userProperties=properties) == (501, "NotImplementedException")


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
