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


def connect(house, device, port: int | None = None, protocol: str = "http/1.1") -> http.client.HTTPSConnection:
    context = ssl.create_default_context(cafile=house.exports()["ALTHING_CA"])
    context.set_alpn_protocols([protocol])
    if device:
        context.load_cert_chain(device.certificate, device.key)
    return http.client.HTTPSConnection("localhost", port or house.https, context=context, timeout=15)


def ask_on(connection, method: str, path: str, body: bytes = b"", headers: dict | None = None):
    """Status, error name and JSON of the answer."""
    connection.request(method, path, body=body, headers=headers or {})
    answer = connection.getresponse()
    return answer.status, answer.headers.get("x-amzn-errortype", "").split(":")[0], json.loads(answer.read())


def ask(house, device, method: str, path: str, body: bytes = b"", headers: dict | None = None, **door):
    connection = connect(house, device, **door)
    try:
        return ask_on(connection, method, path, body, headers)
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
    connection = connect(house, device)
    assert ask_on(connection, "POST", "/things/retired/shadow", STATE)[0] == 200
    aws("iot", "update-certificate", "--certificate-id", device.certificate_id, "--new-status", "INACTIVE")
    assert ask_on(connection, "GET", "/things/retired/shadow")[:2] == (403, "ForbiddenException"), "the same connection"
    connection.close()
    aws("iot", "delete-certificate", "--certificate-id", device.certificate_id, "--force-delete")
    assert ask(house, device, "GET", "/things/retired/shadow")[:2] == (403, "ForbiddenException")
    assert ask(house, None, "GET", "/things/retired/shadow")[:2] == (403, "MissingAuthenticationTokenException")


def test_no_policy_and_an_explicit_deny_forbid(house, aws):
    bare = create_device(aws, house.folder, "bare", None)
    assert ask(house, bare, "GET", "/things/bare/shadow")[:2] == (403, "ForbiddenException")
    statements = [
        {"Effect": "Allow", "Action": "iot:*", "Resource": "*"},
        {"Effect": "Deny", "Action": "iot:UpdateThingShadow", "Resource": f"{IOT}:thing/denied"},
    ]
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    denied = create_device(aws, house.folder, "denied", document)
    assert ask(house, denied, "POST", "/things/denied/shadow", STATE)[:2] == (403, "ForbiddenException")
    assert ask(house, denied, "POST", "/things/denied/shadow?name=cfg", STATE)[0] == 200


@pytest.mark.parametrize(
    ("path", "headers", "error"),
    [
        ("/things/lamp/shadow", {"authorization": "AWS4-HMAC-SHA256 Credential=x"}, "IncompleteSignatureException"),
        ("/things/lamp/shadow?X-Amz-Signature=0", {}, "MissingAuthenticationTokenException"),
        ("/things/lamp/shadow", {"origin": "https://elsewhere.example"}, "MissingAuthenticationTokenException"),
        ("/things/lamp/shadow", {"origin": "null"}, "MissingAuthenticationTokenException"),
    ],
)
def test_a_certificate_does_not_stand_beside_a_signature_nor_for_a_page_of_another_host(house, lamp, path, headers, error):
    """A browser sends its reader's certificate along with whatever any page asks for."""
    status, name, answer = ask(house, lamp, "POST", path, STATE, headers)
    assert status in (400, 403) and name == error, answer
    own_page = {"origin": f"https://localhost:{house.https}"}
    assert ask(house, lamp, "POST", "/things/lamp/shadow", STATE, own_page)[0] == 200
