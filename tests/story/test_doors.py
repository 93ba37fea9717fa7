"""The doors that the story does not go through: HTTPS, the port shared by ALPN name, and doors told by the environment."""

import json
import socket
import ssl
import subprocess
from dataclasses import replace

import pytest
from aws import Cli, create_device
from mosquitto import Door, publish
from server import Server, binary, clean_environment, free_port



@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A server with all doors open."""
    with Server(tmp_path_factory.mktemp("althing"), alpn=True) as server:
        yield server


@pytest.fixture(scope="module")
def https(house) -> Cli:
    """The AWS CLI after `eval "$(althing env --https)"`."""
    return Cli(clean_environment(house.folder, **house.exports("--https")))


@pytest.fixture(scope="module")
def lamp(house, https) -> Door:
    device = create_device(https, house.folder, "lamp")
    return Door(house.mqtts, house.exports()["ALTHING_CA"], device.certificate, device.key)


def test_the_apis_are_served_over_tls_with_the_bundle_that_env_names(https, house):
    exports = house.exports("--https")
    assert exports["AWS_ENDPOINT_URL_IOT"] == f"https://localhost:{house.https}"
    assert https("iot", "list-things") == {"things": []}
    without_bundle = Cli({k: v for k, v in https.environment.items() if k != "AWS_CA_BUNDLE"})
    assert "SSL validation failed" in without_bundle.refusal("iot", "list-things")


def test_env_prints_json_for_scripts(house):
    command = [binary(), "env", "--data-dir", str(house.data_dir), "--json"]
    printed = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout
    assert json.loads(printed) == house.exports()


def test_mqtt_answers_at_the_shared_port_by_its_name(house, lamp):
    shared = replace(lamp, port=house.alpn, protocol="x-amzn-mqtt-ca")
    assert publish(shared, "lamp", "lamps/1", "on")
    without_certificate = replace(shared, certificate=None, key=None)
    assert not publish(without_certificate, "lamp", "lamps/1", "on", seconds=4)


@pytest.mark.parametrize("names", [["http/1.1"], ["x-amzn-http-ca"], []])
def test_http_answers_at_the_shared_port(house, names):
    context = ssl.create_default_context(cafile=house.exports()["ALTHING_CA"])
    if names:
        context.set_alpn_protocols(names)
    with socket.create_connection(("127.0.0.1", house.alpn), 10) as plain:
        with context.wrap_socket(plain, server_hostname="localhost") as stream:
            assert stream.selected_alpn_protocol() == (names[0] if names else None)
            stream.sendall(b"GET /things HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
            answer = b""
            while part := stream.recv(4096):
                answer += part
    head = answer.split(b"\r\n\r\n")[0].lower()
    assert b" 403 " in head and b"missingauthenticationtoken" in head, answer


def test_an_unknown_name_at_the_shared_port_is_refused(house):
    context = ssl.create_default_context(cafile=house.exports()["ALTHING_CA"])
    context.set_alpn_protocols(["telnet"])
    with socket.create_connection(("127.0.0.1", house.alpn), 10) as plain:
        with pytest.raises(ssl.SSLError, match="no application protocol"):
            context.wrap_socket(plain, server_hostname="localhost").close()


def test_the_environment_names_doors_as_flags_do(tmp_path):
    port = free_port()
    environment = clean_environment(
        tmp_path, ALTHING_DATA_DIR=str(tmp_path / "data"), ALTHING_HTTP=f"127.0.0.1:{port}", ALTHING_MQTT="off",
        ALTHING_MQTTS="off", ALTHING_HTTPS="off", ALTHING_ALPN="off", ALTHING_REGION="eu-north-1",
        ALTHING_ENDPOINT_HOST="iot.example.org",
    )  # fmt: skip
    server = Server(tmp_path)
    server.environment, server.data_dir, server.http = environment, tmp_path / "data", port
    server.arguments = lambda: [binary()]
    with server:
        exports = server.exports()
        assert exports["AWS_REGION"] == "eu-north-1"
        aws = Cli(clean_environment(tmp_path, **exports))
        endpoint = aws("iot", "describe-endpoint", "--endpoint-type", "iot:Data-ATS")
        assert endpoint == {"endpointAddress": "iot.example.org"}
        refused = subprocess.run(
            [binary(), "env", "--https"], env=environment, capture_output=True, text=True, timeout=20
        )  # fmt: skip
        assert (refused.returncode, refused.stderr) == (1, "althing: the server's https listener is off\n")
