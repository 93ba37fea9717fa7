"""One lamp's life, told in order with the AWS CLI, boto3, mosquitto and moto. A step stands on the steps before it."""

import hashlib
import json
import ssl
from pathlib import Path
from types import SimpleNamespace

import boto3
import pytest
from aws import create_device, data_client
from mosquitto import Door, Subscriber, eventually, publish
from server import ACCOUNT, IOT, REGION

THING = "lamp-1"
SHADOW = f"$aws/things/{THING}/shadow"
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "iot:Connect", "Resource": f"{IOT}:client/lamp-*"},
        {
            "Effect": "Allow",
            "Action": ["iot:Publish", "iot:Receive", "iot:RetainPublish"],
            "Resource": [f"{IOT}:topic/lamps/*", f"{IOT}:topic/$aws/things/{THING}/shadow/*"],
        },
        {
            "Effect": "Allow",
            "Action": "iot:Subscribe",
            "Resource": [f"{IOT}:topicfilter/lamps/*", f"{IOT}:topicfilter/$aws/things/{THING}/shadow/*"],
        },
    ],
}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "iot.amazonaws.com"}, "Action": "sts:AssumeRole"},
    ],
}


def allow(action: str, resource: str) -> str:
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture(scope="module")
def told() -> SimpleNamespace:
    """What earlier steps found out: the certificate, the lamp's door."""
    return SimpleNamespace()


@pytest.fixture(scope="module")
def dynamodb(moto):
    """DynamoDB as a user of the tables sees it."""
    return boto3.client(
        "dynamodb", endpoint_url=moto, region_name=REGION, aws_access_key_id="moto", aws_secret_access_key="moto"
    )


@pytest.fixture(scope="module")
def shadow(exports):
    """boto3's data plane client."""
    return data_client(exports)


def create_table(dynamodb, name: str) -> None:
    dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "device", "KeyType": "HASH"}, {"AttributeName": "seq", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": "device", "AttributeType": "S"},
            {"AttributeName": "seq", "AttributeType": "N"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )


def items(dynamodb, table: str) -> dict[str, dict]:
    """A table's items by their sequence number."""
    return {item["seq"]["N"]: item for item in dynamodb.scan(TableName=table)["Items"]}


def create_role(aws, name: str, action: str | None = None, resource: str = "*") -> str:
    role = aws("iam", "create-role", "--role-name", name, "--assume-role-policy-document", json.dumps(TRUST))["Role"]
    assert role["Arn"] == f"arn:aws:iam::{ACCOUNT}:role/{name}"
    if action:
        document = allow(action, resource)
        aws("iam", "put-role-policy", "--role-name", name, "--policy-name", "rule", "--policy-document", document)
    return role["Arn"]


def create_rule(aws, name: str, sql: str, action: dict) -> None:
    payload = {"sql": sql, "awsIotSqlVersion": "2016-03-23", "ruleDisabled": False, "actions": [action]}
    aws("iot", "create-topic-rule", "--rule-name", name, "--topic-rule-payload", json.dumps(payload))


def test_the_server_is_ready(server, exports):
    assert server.get("/healthz")[0] == 200
    assert server.get("/readyz")[0] == 200
    assert {"AWS_ENDPOINT_URL_IOT", "AWS_ENDPOINT_URL_IAM", "AWS_ENDPOINT_URL_STS", "ALTHING_CA"} <= exports.keys()


def test_a_thing_is_created(aws):
    created = aws("iot", "create-thing", "--thing-name", THING, "--attribute-payload", '{"attributes":{"room":"hall"}}')
    assert created["thingName"] == THING
    assert created["thingArn"] == f"{IOT}:thing/{THING}"
    described = aws("iot", "describe-thing", "--thing-name", THING)
    assert described["attributes"] == {"room": "hall"}
    assert described["version"] == 1
    assert "ResourceNotFoundException" in aws.refusal("iot", "describe-thing", "--thing-name", "nobody")


def test_keys_and_a_certificate_are_created(aws, server, exports, told):
    device = create_device(aws, server.folder, "lamp", policy_document=None)
    told.certificate_arn, told.certificate_id = device.certificate_arn, device.certificate_id
    der = ssl.PEM_cert_to_DER_cert(device.certificate.read_text())
    assert told.certificate_id == hashlib.sha256(der).hexdigest()
    assert told.certificate_arn == f"{IOT}:cert/{told.certificate_id}"
    assert Path(exports["ALTHING_CA"]).is_file()
    told.lamp = Door(server.mqtts, exports["ALTHING_CA"], device.certificate, device.key)
    described = aws("iot", "describe-certificate", "--certificate-id", told.certificate_id)
    assert described["certificateDescription"]["status"] == "ACTIVE"


def test_a_certificate_without_a_policy_may_nothing(told):
    assert not publish(told.lamp, THING, "lamps/lamp-1/status", "on", seconds=5)


def test_a_policy_is_created(aws):
    created = aws("iot", "create-policy", "--policy-name", "lamps", "--policy-document", json.dumps(POLICY))
    assert created["policyArn"] == f"{IOT}:policy/lamps"
    assert created["policyVersionId"] == "1"
    assert json.loads(aws("iot", "get-policy", "--policy-name", "lamps")["policyDocument"]) == POLICY
    refusal = aws.refusal("iot", "create-policy", "--policy-name", "broken", "--policy-document", '{"Version":"2012"}')
    assert "MalformedPolicyException" in refusal


def test_policy_and_principal_are_attached(aws, told):
    aws("iot", "attach-policy", "--policy-name", "lamps", "--target", told.certificate_arn)
    aws("iot", "attach-thing-principal", "--thing-name", THING, "--principal", told.certificate_arn)
    attached = aws("iot", "list-attached-policies", "--target", told.certificate_arn)["policies"]
    assert [policy["policyName"] for policy in attached] == ["lamps"]
    assert aws("iot", "list-thing-principals", "--thing-name", THING)["principals"] == [told.certificate_arn]


def test_the_endpoint_is_described(aws):
    endpoint = aws("iot", "describe-endpoint", "--endpoint-type", "iot:Data-ATS")
    assert endpoint == {"endpointAddress": "localhost"}


def test_the_lamp_connects_with_its_certificate(told):
    assert publish(told.lamp, THING, "lamps/lamp-1/status", "on")


def test_an_allowed_message_reaches_a_subscriber(told):
    with Subscriber(told.lamp, "lamp-2", "lamps/+/status") as subscriber:
        assert publish(told.lamp, THING, "lamps/lamp-1/status", "bright")
        assert subscriber.wait_for("lamps/lamp-1/status").payload == "bright"


def test_a_publish_outside_the_policy_is_refused_and_not_delivered(told, loopback):
    with Subscriber(loopback, "observer", "doors/#", "lamps/#") as observer:
        assert not publish(told.lamp, THING, "doors/front", "open", seconds=4)
        assert publish(told.lamp, THING, "lamps/lamp-1/status", "after")
        observer.wait_for("lamps/lamp-1/status", "after")
        assert [m for m in observer.messages() if m.topic.startswith("doors/")] == []


def test_another_client_id_and_another_filter_are_refused(told, loopback):
    assert not publish(told.lamp, "pump-1", "lamps/lamp-1/status", "on", seconds=4)
    subscriber = Subscriber(told.lamp, "lamp-3", "doors/#")
    try:
        refused = lambda: any("denied" in line for line in subscriber.lines) or subscriber.was_dropped(0)
        subscriber.wait_until(refused, "refusal of the filter")
    finally:
        subscriber.__exit__()


def test_the_lamp_reports_its_state_to_its_shadow(told, shadow):
    with Subscriber(told.lamp, "lamp-2", f"{SHADOW}/update/accepted", f"{SHADOW}/update/documents") as subscriber:
        assert publish(told.lamp, THING, f"{SHADOW}/update", '{"state":{"reported":{"colour":"red","level":3}}}')
        accepted = json.loads(subscriber.wait_for(f"{SHADOW}/update/accepted").payload)
        assert accepted["state"] == {"reported": {"colour": "red", "level": 3}}
        assert accepted["version"] == 1
        documents = json.loads(subscriber.wait_for(f"{SHADOW}/update/documents").payload)
        assert documents["current"]["state"] == {"reported": {"colour": "red", "level": 3}}
    got = json.loads(shadow.get_thing_shadow(thingName=THING)["payload"].read())
    assert (got["state"], got["version"]) == ({"reported": {"colour": "red", "level": 3}}, 1)


def test_a_desired_state_reaches_the_lamp_as_a_delta(aws, server, told):
    with Subscriber(told.lamp, "lamp-2", f"{SHADOW}/update/delta") as subscriber:
        update, answer = server.folder / "update.json", server.folder / "answer.json"
        update.write_text('{"state":{"desired":{"colour":"green","level":3}},"version":1,"clientToken":"app-1"}')
        update_shadow = ["iot-data", "update-thing-shadow", "--thing-name", THING, "--payload", f"fileb://{update}"]
        aws(*update_shadow, str(answer))
        assert json.loads(answer.read_text())["version"] == 2
        delta = json.loads(subscriber.wait_for(f"{SHADOW}/update/delta").payload)
        assert (delta["state"], delta["version"], delta["clientToken"]) == ({"colour": "green"}, 2, "app-1")
        assert "ConflictException" in aws.refusal(*update_shadow, str(answer)), "version 1 is gone"


def test_the_shadow_shows_the_delta_until_the_lamp_obeys(aws, server, told):
    answer = server.folder / "shadow.json"
    get_shadow = ["iot-data", "get-thing-shadow", "--thing-name", THING, str(answer)]
    aws(*get_shadow)
    assert json.loads(answer.read_text())["state"] == {
        "desired": {"colour": "green", "level": 3},
        "reported": {"colour": "red", "level": 3},
        "delta": {"colour": "green"},
    }
    with Subscriber(told.lamp, "lamp-2", f"{SHADOW}/update/#", f"{SHADOW}/get/+") as subscriber:
        assert publish(told.lamp, THING, f"{SHADOW}/update", '{"state":{"reported":{"colour":"green"}}}')
        assert json.loads(subscriber.wait_for(f"{SHADOW}/update/accepted").payload)["version"] == 3
        assert publish(told.lamp, THING, f"{SHADOW}/get", "")
        got = json.loads(subscriber.wait_for(f"{SHADOW}/get/accepted").payload)
        assert "delta" not in got["state"] and got["version"] == 3
        assert publish(told.lamp, THING, f"{SHADOW}/update", '{"state":5,"clientToken":"bad"}')
        rejected = json.loads(subscriber.wait_for(f"{SHADOW}/update/rejected").payload)
        assert rejected == {"code": 400, "message": "State node must be an object", "clientToken": "bad"}
        assert f"{SHADOW}/update/delta" not in [message.topic for message in subscriber.messages()]


def test_a_rule_puts_what_matches_into_dynamodb(aws, dynamodb, told):
    create_table(dynamodb, "hot")
    table = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/hot"
    role = create_role(aws, "writer", "dynamodb:PutItem", table)
    sql = "SELECT topic(2) AS device, seq, temperature, on, tags FROM 'lamps/+/telemetry' WHERE temperature > 50"
    create_rule(aws, "hot", sql, {"dynamoDBv2": {"roleArn": role, "putItem": {"tableName": "hot"}}})
    for seq, temperature in ((1, 40), (2, 60.5), (3, 50), (4, 70)):
        payload = {"seq": seq, "temperature": temperature, "on": True, "tags": ["a", None], "secret": "x"}
        assert publish(told.lamp, THING, "lamps/lamp-1/telemetry", json.dumps(payload))
    eventually(lambda: {"2", "4"} <= items(dynamodb, "hot").keys(), "the matching items")
    found = items(dynamodb, "hot")
    assert found.keys() == {"2", "4"}, "only what is hotter than 50"
    assert found["2"] == {
        "device": {"S": "lamp-1"},
        "seq": {"N": "2"},
        "temperature": {"N": "60.5"},
        "on": {"BOOL": True},
        "tags": {"L": [{"S": "a"}, {"NULL": True}]},
    }


def test_a_role_without_permission_puts_nothing(aws, server, dynamodb, told):
    create_table(dynamodb, "cold")
    role = create_role(aws, "reader", "dynamodb:GetItem", "*")
    before = server.metric("rule_actions_denied")
    action = {"dynamoDBv2": {"roleArn": role, "putItem": {"tableName": "cold"}}}
    create_rule(aws, "cold", "SELECT topic(2) AS device, seq FROM 'lamps/+/telemetry'", action)
    assert publish(told.lamp, THING, "lamps/lamp-1/telemetry", '{"seq":5,"temperature":80}')
    eventually(lambda: server.metric("rule_actions_denied") > before, "the refusal in /metrics")
    eventually(lambda: "5" in items(dynamodb, "hot"), "the item that another rule may put")
    assert items(dynamodb, "cold") == {}


def test_a_rule_republishes(aws, loopback, told):
    role = create_role(aws, "publisher", "iot:Publish", f"{IOT}:topic/copies/*")
    action = {"republish": {"roleArn": role, "topic": "copies/${topic(2)}", "qos": 1}}
    create_rule(aws, "copy", "SELECT seq * 2 AS twice, topic() AS origin FROM 'lamps/+/telemetry'", action)
    with Subscriber(loopback, "observer", "copies/#") as observer:
        assert publish(told.lamp, THING, "lamps/lamp-1/telemetry", '{"seq":21,"temperature":1}')
        copy = json.loads(observer.wait_for("copies/lamp-1").payload)
        assert copy == {"twice": 42, "origin": "lamps/lamp-1/telemetry"}


def test_a_broken_rule_is_refused(aws):
    payload = json.dumps({"sql": "SELECT FROM WHERE", "actions": []})
    refusal = aws.refusal("iot", "create-topic-rule", "--rule-name", "broken", "--topic-rule-payload", payload)
    assert "SqlParseException" in refusal
    assert [rule["ruleName"] for rule in aws("iot", "list-topic-rules")["rules"]] == ["cold", "copy", "hot"]


def test_a_retained_message_waits_for_later_subscribers(told):
    assert publish(told.lamp, THING, "lamps/lamp-1/config", "dim at ten", retain=True)
    with Subscriber(told.lamp, "lamp-2", "lamps/lamp-1/config") as subscriber:
        message = subscriber.wait_for("lamps/lamp-1/config")
        assert (message.payload, message.retain) == ("dim at ten", True)


def test_deactivating_the_certificate_drops_the_lamp(aws, told, loopback):
    with Subscriber(told.lamp, THING, "lamps/lamp-1/commands") as subscriber:
        update = ["iot", "update-certificate", "--certificate-id", told.certificate_id, "--new-status"]
        aws(*update, "INACTIVE")
        assert subscriber.was_dropped(), subscriber.lines
        assert not publish(told.lamp, THING, "lamps/lamp-1/status", "still here", seconds=4)
        assert publish(loopback, "observer", "lamps/lamp-1/commands", "off")
        assert subscriber.messages() == []
        aws(*update, "ACTIVE")
    assert publish(told.lamp, THING, "lamps/lamp-1/status", "back")


def test_all_is_there_after_a_power_cut(aws, server, dynamodb, shadow, told):
    server.kill()
    server.start()
    assert aws("iot", "describe-thing", "--thing-name", THING)["attributes"] == {"room": "hall"}
    described = aws("iot", "describe-certificate", "--certificate-id", told.certificate_id)
    assert described["certificateDescription"]["status"] == "ACTIVE"
    assert json.loads(aws("iot", "get-policy", "--policy-name", "lamps")["policyDocument"]) == POLICY
    assert aws("iot", "list-thing-principals", "--thing-name", THING)["principals"] == [told.certificate_arn]
    assert "temperature > 50" in aws("iot", "get-topic-rule", "--rule-name", "hot")["rule"]["sql"]
    assert json.loads(shadow.get_thing_shadow(thingName=THING)["payload"].read())["version"] == 3


def test_the_lamp_goes_on_after_the_power_cut(dynamodb, told):
    topics = ["lamps/lamp-1/config", f"{SHADOW}/update/accepted"]
    with Subscriber(told.lamp, "lamp-2", *topics) as subscriber:
        assert subscriber.wait_for("lamps/lamp-1/config").payload == "dim at ten"
        assert publish(told.lamp, THING, f"{SHADOW}/update", '{"state":{"reported":{"level":4}}}')
        assert json.loads(subscriber.wait_for(f"{SHADOW}/update/accepted").payload)["version"] == 4
    assert publish(told.lamp, THING, "lamps/lamp-1/telemetry", '{"seq":6,"temperature":90}')
    eventually(lambda: "6" in items(dynamodb, "hot"), "the rule's item after the restart")
