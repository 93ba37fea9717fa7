"""Who comes, goes, is refused and subscribes is told on `$aws/events/…`, to clients and to rules."""

import json
import re
import time

import pytest
from aws import create_device
from mosquitto import Door, Subscriber, publish
from server import IOT
from wire import Connection

PRESENCE = "$aws/events/presence"
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "iot:Connect", "Resource": f"{IOT}:client/lamp-*"},
        {"Effect": "Allow", "Action": ["iot:Publish", "iot:Subscribe", "iot:Receive"], "Resource": "*"},
        {"Effect": "Deny", "Action": "iot:Subscribe", "Resource": f"{IOT}:topicfilter/secret"},
    ],
}
TRUST = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"iot.amazonaws.com"},"Action":"sts:AssumeRole"}]}'
UUID = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


@pytest.fixture(scope="module")
def certificate_id(aws) -> str:
    return aws("iot", "list-certificates")["certificates"][0]["certificateId"]


@pytest.fixture(scope="module")
def lamp(server, aws, exports) -> Door:
    device = create_device(aws, server.folder, "lamps", json.dumps(POLICY))
    return Door(server.mqtts, exports["ALTHING_CA"], device.certificate, device.key)


@pytest.fixture
def watcher(loopback):
    with Subscriber(loopback, "watcher", "$aws/events/#") as subscriber:
        yield subscriber


def event(watcher: Subscriber, topic: str, part: str = "") -> dict:
    return json.loads(watcher.wait_for(topic, part).payload)


def test_an_exclusive_thing_is_named(aws, lamp, certificate_id, watcher):
    """AWS IoT Core developer guide, exclusive-thing and life-cycle-events."""
    principal = f"{IOT}:cert/{certificate_id}"
    aws("iot", "create-thing", "--thing-name", "exclusive-lamp")
    attachment = ("--thing-name", "exclusive-lamp", "--principal", principal)
    aws("iot", "attach-thing-principal", *attachment, "--thing-principal-type", "EXCLUSIVE_THING")
    try:
        assert publish(lamp, "lamp-x", "lamps/x", "on")
        for name in ("connected", "disconnected"):
            assert event(watcher, f"{PRESENCE}/{name}/lamp-x")["thingName"] == "exclusive-lamp"
    finally:
        aws("iot", "detach-thing-principal", *attachment)


def test_a_clients_visit_is_told(lamp, certificate_id, watcher):
    """Members and their order as AWS was seen to send them."""
    assert publish(lamp, "lamp-1", "lamps/1", "on")
    connected = event(watcher, f"{PRESENCE}/connected/lamp-1")
    disconnected = event(watcher, f"{PRESENCE}/disconnected/lamp-1")
    session, at = connected["sessionIdentifier"], connected["timestamp"]
    assert UUID.fullmatch(session)
    assert abs(time.time() * 1000 - at) < 60_000
    assert list(connected.items()) == [
        ("versionNumber", 0),
        ("ipAddress", connected["ipAddress"]),
        ("principalIdentifier", certificate_id),
        ("sessionIdentifier", session),
        ("eventType", "connected"),
        ("timestamp", at),
        ("clientId", "lamp-1"),
    ]
    assert connected["ipAddress"] in ("127.0.0.1", "::1")
    assert list(disconnected.items()) == [
        ("versionNumber", 0),
        ("disconnectReason", "CLIENT_INITIATED_DISCONNECT"),
        ("principalIdentifier", certificate_id),
        ("sessionIdentifier", session),
        ("clientInitiatedDisconnect", True),
        ("eventType", "disconnected"),
        ("timestamp", disconnected["timestamp"]),
        ("clientId", "lamp-1"),
    ]


def test_the_next_visit_has_the_next_version_and_another_session(lamp, watcher):
    sessions = set()
    for version in (0, 1, 2):
        assert publish(lamp, "lamp-2", "lamps/2", "on")
        for kind in ("connected", "disconnected"):
            told = event(watcher, f"{PRESENCE}/{kind}/lamp-2", f'"versionNumber":{version},')
            sessions.add(told["sessionIdentifier"])
    assert len(sessions) == 3


def test_a_killed_client_is_a_lost_connection(lamp, watcher):
    with Subscriber(lamp, "lamp-3", "lamps/#") as subscriber:
        event(watcher, f"{PRESENCE}/connected/lamp-3")
        subscriber.process.kill()
        disconnected = event(watcher, f"{PRESENCE}/disconnected/lamp-3")
    assert disconnected["disconnectReason"] == "CONNECTION_LOST"
    assert disconnected["clientInitiatedDisconnect"] is False


def test_what_is_granted_is_told_as_subscribed(lamp, certificate_id, watcher):
    with Subscriber(lamp, "lamp-4", "lamps/+/on", "secret", "#"):
        told = event(watcher, "$aws/events/subscriptions/subscribed/lamp-4")
    connected = event(watcher, f"{PRESENCE}/connected/lamp-4")
    assert told["topics"] == ["lamps/+/on", "#"]
    assert told["principalIdentifier"] == certificate_id
    assert told["sessionIdentifier"] == connected["sessionIdentifier"]


def test_a_takeover_is_told_by_both_connections(server, watcher):
    first = Connection(server.mqtt, b"twin")
    one = event(watcher, f"{PRESENCE}/connected/twin")
    second = Connection(server.mqtt, b"twin")
    two = event(watcher, f"{PRESENCE}/connected/twin", '"versionNumber":1,')
    gone = event(watcher, f"{PRESENCE}/disconnected/twin")
    assert gone["disconnectReason"] == "DUPLICATE_CLIENTID"
    assert gone["clientInitiatedDisconnect"] is False
    assert (gone["versionNumber"], gone["sessionIdentifier"]) == (0, one["sessionIdentifier"])
    assert two["sessionIdentifier"] != one["sessionIdentifier"]
    assert gone["principalIdentifier"] == "anonymous"
    first.close()
    second.close()


def test_a_client_that_its_policy_refuses_is_told_of(lamp, certificate_id, watcher):
    assert not publish(lamp, "stranger", "lamps/1", "on", seconds=3)
    failed = event(watcher, f"{PRESENCE}/connect_failed/stranger")
    assert failed["connectFailureReason"] == "AUTHORIZATION_FAILED"
    assert failed["principalIdentifier"] == certificate_id
    assert not [m for m in watcher.messages() if m.topic == f"{PRESENCE}/connected/stranger"]


def test_a_rule_sees_who_comes_and_goes(aws, lamp, loopback):
    role = aws("iam", "create-role", "--role-name", "presence", "--assume-role-policy-document", TRUST)["Role"]["Arn"]
    allowed = {"Effect": "Allow", "Action": "iot:Publish", "Resource": f"{IOT}:topic/seen/*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    aws("iam", "put-role-policy", "--role-name", "presence", "--policy-name", "rule", "--policy-document", document)
    action = {"republish": {"roleArn": role, "topic": "seen/${clientId}/${eventType}", "qos": 1}}
    sql = f"SELECT disconnectReason AS why, versionNumber AS version FROM '{PRESENCE}/+/+'"
    rule = {"sql": sql, "awsIotSqlVersion": "2016-03-23", "ruleDisabled": False, "actions": [action]}
    aws("iot", "create-topic-rule", "--rule-name", "presence", "--topic-rule-payload", json.dumps(rule))
    with Subscriber(loopback, "observer", "seen/#") as observer:
        assert publish(lamp, "lamp-5", "lamps/5", "on")
        assert event(observer, "seen/lamp-5/connected") == {"version": 0}
        assert event(observer, "seen/lamp-5/disconnected") == {"why": "CLIENT_INITIATED_DISCONNECT", "version": 0}


def test_a_deactivated_certificate_is_forbidden_access(aws, lamp, certificate_id, watcher):
    with Subscriber(lamp, "lamp-6", "lamps/#") as subscriber:
        aws("iot", "update-certificate", "--certificate-id", certificate_id, "--new-status", "INACTIVE")
        assert subscriber.was_dropped(), subscriber.lines
        disconnected = event(watcher, f"{PRESENCE}/disconnected/lamp-6")
    assert disconnected["disconnectReason"] == "FORBIDDEN_ACCESS"
    assert disconnected["clientInitiatedDisconnect"] is False
    assert disconnected["principalIdentifier"] == certificate_id
