"""Device shadows by the clients that people have: the AWS IoT Device SDK as the device, boto3 and the AWS CLI as the
application."""

import json

import pytest
from aws import create_device, data_client
from awscrt import mqtt, mqtt5
from awscrt.exceptions import AwsCrtError
from awsiot import V2ServiceException, iotshadow
from botocore.exceptions import ClientError
from device_sdk import Mqtt5, Mqtt311, Mqtt311Clean, Refused, Shadow, ShadowV1, ShadowV2
from mosquitto import Door
from server import IOT, Server

MINE = "$aws/things/${iot:ClientId}/shadow/*"
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "iot:Connect", "Resource": f"{IOT}:client/lamp-*"},
        {"Effect": "Allow", "Action": ["iot:Publish", "iot:Receive"], "Resource": f"{IOT}:topic/{MINE}"},
        {"Effect": "Allow", "Action": "iot:Subscribe", "Resource": f"{IOT}:topicfilter/{MINE}"},
    ],
}
"""Each device may use the shadows of the thing that is named as its client id, and nothing else."""
CLIENTS = {
    "v1": (ShadowV1, Mqtt311),
    "v1-clean": (ShadowV1, Mqtt311Clean),
    "v2": (ShadowV2, Mqtt311),
    "v2-clean": (ShadowV2, Mqtt311Clean),
    "v2-mqtt5": (ShadowV2, Mqtt5),
}
OVER_8_KB = json.dumps({"state": {"desired": {"text": "x" * 8192}}})


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server of this module's own, which it may kill."""
    with Server(tmp_path_factory.mktemp("althing")) as server:
        yield server


@pytest.fixture(scope="module")
def door(server, aws, exports) -> Door:
    lamps = create_device(aws, server.folder, "lamps", json.dumps(POLICY))
    return Door(server.mqtts, exports["ALTHING_CA"], lamps.certificate, lamps.key)


@pytest.fixture(scope="module")
def data(exports):
    """boto3's data plane client."""
    return data_client(exports)


class Application:
    """Wants a lamp to be otherwise, by boto3."""

    def __init__(self, data, thing: str, name: str | None):
        self.data = data
        self.names = {"thingName": thing, "shadowName": name} if name else {"thingName": thing}

    def desire(self, desired: dict) -> int:
        payload = json.dumps({"state": {"desired": desired}})
        return read(self.data.update_thing_shadow(**self.names, payload=payload))["version"]

    def look(self) -> dict:
        return read(self.data.get_thing_shadow(**self.names))


def read(answer: dict) -> dict:
    return json.loads(answer["payload"].read())


def obey(shadow: Shadow, delta: iotshadow.ShadowDeltaUpdatedEvent) -> int:
    """Reports what is desired, one field at a time, so that what is left comes as another delta; the last version."""
    while True:
        field = next(iter(delta.state))
        accepted = shadow.report({field: delta.state[field]}, delta.version)
        assert (accepted.state.reported, accepted.state.desired) == ({field: delta.state[field]}, None)
        left = {name: value for name, value in delta.state.items() if name != field}
        if not left:
            return accepted.version
        delta = shadow.next_delta()
        assert (delta.state, delta.version) == (left, accepted.version)


@pytest.mark.parametrize("name", [None, "settings"], ids=["classic", "named"])
@pytest.mark.parametrize("client", CLIENTS)
def test_a_device_obeys_its_shadow_before_and_after_a_power_cut(server, door, data, client, name):
    (shadow_class, connection_class), thing = CLIENTS[client], f"lamp-{client}-{name or 'classic'}"
    application, connection = Application(data, thing, name), connection_class(door, thing)
    with shadow_class(connection, thing, name) as shadow:
        with connection:
            shadow.listen()
            a_new_device_obeys(shadow, application, name or thing)
        assert application.desire({"colour": "green", "lamp": {"level": 5}}) == 4
        server.kill()
        server.start()
        assert application.look()["state"]["delta"] == {"colour": "green", "lamp": {"level": 5}}
        with connection:
            assert connection.has_session == (connection_class is Mqtt311)
            shadow.listen()
            if connection.has_session:
                missed = shadow.next_delta()
                assert (missed.state, missed.version) == ({"colour": "green", "lamp": {"level": 5}}, 4)
            a_device_comes_back(shadow, application)
            its_shadow_is_deleted(shadow, application)


def a_new_device_obeys(shadow: Shadow, application: Application, name: str) -> None:
    with pytest.raises(Refused, match=f"404 No shadow exists with name: '{name}'"):
        shadow.get()
    assert application.desire({"colour": "red", "lamp": {"level": 3, "on": True}}) == 1
    delta = shadow.next_delta()
    assert (delta.state, delta.version) == ({"colour": "red", "lamp": {"level": 3, "on": True}}, 1)
    assert delta.metadata["colour"].keys() == {"timestamp"}
    assert obey(shadow, delta) == 3
    told = [shadow.next_documents() for _ in range(3)]
    assert [change.current.version for change in told] == [1, 2, 3]
    assert [change.previous and change.previous.version for change in told] == [None, 1, 2]
    assert (told[1].previous.state.reported, told[1].current.state.reported) == (None, {"colour": "red"})
    got = shadow.get()
    assert (got.version, got.state.delta) == (3, None)
    assert got.state.reported == got.state.desired == {"colour": "red", "lamp": {"level": 3, "on": True}}
    assert shadow.deltas.empty(), "nothing differs any more"


def a_device_comes_back(shadow: Shadow, application: Application) -> None:
    got = shadow.get()
    assert (got.state.delta, got.version) == ({"colour": "green", "lamp": {"level": 5}}, 4)
    assert obey(shadow, iotshadow.ShadowDeltaUpdatedEvent(state=got.state.delta, version=got.version)) == 6
    left = application.look()
    assert left["version"] == 6 and left["state"].keys() == {"desired", "reported"}
    assert left["state"]["reported"] == left["state"]["desired"]
    assert left["state"]["reported"] == {"colour": "green", "lamp": {"level": 5, "on": True}}


def its_shadow_is_deleted(shadow: Shadow, application: Application) -> None:
    with pytest.raises(Refused, match="409 Version conflict"):
        shadow.report({"colour": "blue"}, version=5)
    assert application.look()["state"]["reported"]["colour"] == "green"
    assert shadow.delete().version == 6
    for ask in (shadow.get, shadow.delete):
        with pytest.raises(Refused, match="404 No shadow exists"):
            ask()
    assert shadow.deltas.empty()


@pytest.fixture
def others_shadow(data):
    """A shadow that lamp-1 may not touch, and after the test has not touched."""
    others = Application(data, "lamp-other", None)
    version = others.desire({"on": True})
    yield others
    left = others.look()
    assert (left["version"], left["state"]["desired"]) == (version, {"on": True})


def test_an_update_of_anothers_shadow_closes_the_connection_in_mqtt_311(door, others_shadow):
    with Mqtt311Clean(door, "lamp-1") as connection:
        off = iotshadow.ShadowState(desired={"on": False})
        request = iotshadow.UpdateShadowRequest(thing_name="lamp-other", state=off)
        sent = iotshadow.IotShadowClient(connection.client).publish_update_shadow(request, mqtt.QoS.AT_LEAST_ONCE)
        assert isinstance(sent.exception(5), AwsCrtError), "no PUBACK"
        assert connection.was_interrupted.wait(5)


def test_an_update_of_anothers_shadow_is_refused_in_mqtt_5(door, others_shadow):
    with Mqtt5(door, "lamp-1") as connection, ShadowV2(connection, "lamp-1", None) as shadow:
        topic = "$aws/things/lamp-other/shadow/update"
        reason = connection.publish(topic, '{"state":{"desired":{"on":false}}}')
        assert reason == mqtt5.PubackReasonCode.NOT_AUTHORIZED
        assert shadow.report({"on": True}).version > 0, "its own shadow, by the same connection"
        assert not connection.was_interrupted.is_set()


def test_the_answers_about_anothers_shadow_are_not_for_a_device(door, others_shadow):
    with Mqtt5(door, "lamp-1") as connection, ShadowV2(connection, "lamp-other", None) as shadow:
        with pytest.raises(V2ServiceException) as refused:
            shadow.report({"on": False})
        assert refused.value.inner_error.name == "AWS_ERROR_MQTT_REQUEST_RESPONSE_SUBSCRIBE_FAILURE"


def test_boto3_reads_changes_lists_and_deletes_shadows(data):
    names = [f"n{n}" for n in range(1, 6)]
    for name in [None, *names]:
        application = Application(data, "house", name)
        assert application.desire({"of": name or "classic"}) == 1
        assert application.look()["state"] == {"desired": {"of": name or "classic"}, "delta": {"of": name or "classic"}}
    pages, token = [], {}
    while not pages or token:
        page = data.list_named_shadows_for_thing(thingName="house", pageSize=2, **token)
        assert page["timestamp"] > 1_700_000_000
        pages.append(page["results"])
        token = {"nextToken": page["nextToken"]} if "nextToken" in page else {}
    assert sorted(sum(pages, [])) == names and list(map(len, pages)) == [2, 2, 1], "the classic one has no name"
    payload = '{"state":{"reported":{"of":"n3"}},"version":1,"clientToken":"t"}'
    accepted = read(data.update_thing_shadow(thingName="house", shadowName="n3", payload=payload))
    assert (accepted["state"], accepted["version"], accepted["clientToken"]) == ({"reported": {"of": "n3"}}, 2, "t")
    deleted = read(data.delete_thing_shadow(thingName="house", shadowName="n3"))
    assert deleted.keys() == {"version", "timestamp"} and deleted["version"] == 2
    assert sorted(data.list_named_shadows_for_thing(thingName="house")["results"]) == ["n1", "n2", "n4", "n5"]
    assert data.list_named_shadows_for_thing(thingName="nobody")["results"] == []
    assert read(data.delete_thing_shadow(thingName="house"))["version"] == 1
    assert Application(data, "house", "n1").look()["version"] == 1, "the classic one alone"


def refusal(call, **arguments) -> tuple[int, str, str]:
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    answer = refused.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"], answer["Error"]["Message"]


def test_boto3_is_told_what_is_wrong(data):
    update = lambda payload: refusal(data.update_thing_shadow, thingName="wrong", payload=payload)
    assert Application(data, "wrong", None).desire({"on": True}) == 1
    assert update('{"state":{},"version":2}') == (409, "ConflictException", "Version conflict")
    assert update('{"state":') == (400, "InvalidRequestException", "Payload contains invalid json")
    assert update('{"desired":{}}') == (400, "InvalidRequestException", "Missing required node: state")
    assert update('{"state":5}') == (400, "InvalidRequestException", "State node must be an object")
    too_large = (413, "RequestEntityTooLargeException", "The payload exceeds the maximum size allowed")
    assert update(OVER_8_KB) == too_large
    half = {"state": {"desired": {"text": "x" * 5000}}}
    assert read(data.update_thing_shadow(thingName="wrong", payload=json.dumps(half)))["version"] == 2
    assert update(json.dumps({"state": {"reported": {"text": "x" * 5000}}})) == too_large, "both halves together"
    not_found = 404, "ResourceNotFoundException"
    for call in (data.get_thing_shadow, data.delete_thing_shadow):
        assert refusal(call, thingName="nobody") == (*not_found, "No shadow exists with name: 'nobody'")
        named = refusal(call, thingName="wrong", shadowName="nothing")
        assert named == (*not_found, "No shadow exists with name: 'nothing'")
    assert Application(data, "wrong", None).look()["version"] == 2


def test_the_cli_reads_changes_lists_and_deletes_a_named_shadow(aws, server):
    update, answer = server.folder / "update.json", server.folder / "answer.json"
    update.write_text('{"state":{"desired":{"colour":"green"}}}')
    names = ["--thing-name", "cli", "--shadow-name", "settings"]

    def shadow(operation: str, *options: str) -> dict:
        aws("iot-data", f"{operation}-thing-shadow", *names, *options, str(answer))
        return json.loads(answer.read_text())

    assert shadow("update", "--payload", f"fileb://{update}")["version"] == 1
    assert shadow("get")["state"]["delta"] == {"colour": "green"}
    listing = ["iot-data", "list-named-shadows-for-thing", "--thing-name", "cli"]
    assert aws(*listing)["results"] == ["settings"]
    assert shadow("delete")["version"] == 1
    assert aws(*listing)["results"] == []
    refused = aws.refusal("iot-data", "get-thing-shadow", *names, str(answer))
    assert "ResourceNotFoundException" in refused and "No shadow exists with name: 'settings'" in refused
