"""A device at the HTTP APIs with its certificate and without a signature: its IoT policies decide, as over MQTT."""

import http.client
import json
import ssl

import pytest
from aws import Cli, create_device
from mosquitto import Door, Subscriber
from server import IOT, Server, clean_environment

STATE = b'{"state":{"reported":{"on":true}}}'


def allow(*statements: tuple[str, str]) -> str:
    statements = [{"Effect": "Allow", "Action": action, "Resource": resource} for action, resource in statements]
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("althing"), alpn=True) as server:
        yield server


@pytest.fixture(scope="module")
def aws(house) -> Cli:
    return Cli(clean_environment(house.folder, **house.exports()))


@pytest.fixture(scope="module")
def lamp(house, aws):
    """May read and write its classic shadow and its shadow `cfg`, delete and list, and publish below `lamps/`."""
    own = f"{IOT}:thing/lamp"
    policy = allow(
        *((f"iot:{verb}ThingShadow", resource) for verb in ("Get", "Update", "Delete") for resource in (own, f"{own}/cfg")),
        ("iot:ListNamedShadowsForThing", own),
        ("iot:Publish", f"{IOT}:topic/lamps/*"),
    )
    return create_device(aws, house.folder, "lamp", policy)


def ask(house, device, method: str, path: str, body: bytes = b"", port: int | None = None, protocol: str = "http/1.1"):
    """Status, error name and JSON of the answer."""
    context = ssl.create_default_context(cafile=house.exports()["ALTHING_CA"])
    context.set_alpn_protocols([protocol])
    if device:
        context.load_cert_chain(device.certificate, device.key)
    connection = http.client.HTTPSConnection("localhost", port or house.https, context=context, timeout=15)
    try:
        connection.request(method, path, body=body)
        answer = connection.getresponse()
        return answer.status, answer.headers.get("x-amzn-errortype", "").split(":")[0], json.loads(answer.read())
    finally:
        connection.close()


@pytest.mark.parametrize("query", ["", "?name=cfg"])
def test_a_device_has_its_shadow_over_https(house, lamp, query):
    path = f"/things/lamp/shadow{query}"
    status, error, answer = ask(house, lamp, "GET", path)
    assert (status, error) == (404, "ResourceNotFoundException"), answer
    status, _, updated = ask(house, lamp, "POST", path, STATE)
    assert (status, updated["state"]) == (200, {"reported": {"on": True}})
    status, _, read = ask(house, lamp, "GET", path, port=house.alpn, protocol="x-amzn-http-ca")
    assert (status, read["version"]) == (200, updated["version"])
    if query:
        assert ask(house, lamp, "GET", "/api/things/shadow/ListNamedShadowsForThing/lamp")[2]["results"] == ["cfg"]
    assert ask(house, lamp, "DELETE", path)[0] == 200


def test_a_device_publishes_over_https(house, lamp, aws):
    watcher = create_device(aws, house.folder, "watcher")
    door = Door(house.mqtts, house.exports()["ALTHING_CA"], watcher.certificate, watcher.key)
    with Subscriber(door, "watcher", "lamps/#") as subscriber:
        assert ask(house, lamp, "POST", "/topics/lamps/1?qos=1", b"on")[0] == 200
        assert subscriber.wait_for("lamps/1").payload == "on"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/things/other/shadow", b""),
        ("POST", "/things/other/shadow", STATE),
        ("POST", "/things/lamp/shadow?name=other", STATE),
        ("DELETE", "/things/lamp/shadow?name=other", b""),
        ("GET", "/api/things/shadow/ListNamedShadowsForThing/other", b""),
        ("POST", "/topics/doors/1", b"open"),
        ("POST", "/topics/lamps/1?retain=true", b"on"),
        ("GET", "/things", b""),
        ("GET", "/retainedMessage", b""),
        ("POST", "/policies/p", b'{"policyDocument":"{}"}'),
    ],
)
def test_what_no_policy_allows_is_forbidden(house, lamp, method, path, body):
    status, error, answer = ask(house, lamp, method, path, body)
    assert (status, error) == (403, "ForbiddenException"), answer


def test_a_certificate_that_is_not_active_is_nobody(house, aws):
    device = create_device(aws, house.folder, "retired")
    assert ask(house, device, "POST", "/things/retired/shadow", STATE)[0] == 200
    aws("iot", "update-certificate", "--certificate-id", device.certificate_id, "--new-status", "INACTIVE")
    assert ask(house, device, "GET", "/things/retired/shadow")[:2] == (403, "ForbiddenException")
    assert ask(house, None, "GET", "/things/retired/shadow")[:2] == (403, "MissingAuthenticationTokenException")
