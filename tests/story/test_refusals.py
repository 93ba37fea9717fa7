"""Bad input of every kind gets a clear refusal, and a bystander notices nothing."""

import datetime
import itertools
import json
import socket
import ssl

import pytest
from aws import send, signed_request
from certificates import Issuer
from mosquitto import Door, Subscriber, publish
from wire import ACCEPTED, connect_packet, packet, text

serial = itertools.count()


@pytest.fixture(scope="module")
def bystander(loopback):
    with Subscriber(loopback, "bystander", "bystander/#") as subscriber:
        yield subscriber


@pytest.fixture(autouse=True)
def nothing_happened_to_others(server, loopback, bystander):
    """After every refusal: the same process, and the bystander's connection still receives."""
    yield
    text = f"are you there {next(serial)}"
    assert server.lives(), server.output()
    assert publish(loopback, "asker", "bystander/question", text)
    bystander.wait_for("bystander/question", text)
    assert not bystander.was_dropped(0), bystander.lines
    assert "panicked" not in server.output()


def connect(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), 5)
    connection.settimeout(10)
    return connection


def read_to_end(connection: socket.socket) -> bytes:
    """All that comes until the server closes. A reset is an end too; silence is a failure (socket.timeout)."""
    received = b""
    try:
        while chunk := connection.recv(4096):
            received += chunk
    except (ConnectionResetError, BrokenPipeError):
        pass
    return received


# MQTT 3.1.1; the clause that each breaks.
BEFORE_CONNECT = {
    "an HTTP request [2.2.2]": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "a TLS hello [2.2.2]": bytes.fromhex("16030100c8010000c40303") + b"\x00" * 190,
    "packet type 0 [2.2.1]": b"\x00\x00",
    "a remaining length of five bytes [2.2.3]": b"\x10\xff\xff\xff\xff\xff",
    "PINGREQ first [3.1.0-1]": b"\xc0\x00",
    "CONNECT with flags [2.2.2-2]": b"\x11" + connect_packet()[1:],
    "the reserved connect flag [3.1.2-3]": connect_packet(flags=3),
    "will QoS 3 [3.1.2-14]": connect_packet(flags=2 | 4 | 24),
    "a password without a user name [3.1.2-22]": connect_packet(flags=2 | 64),
    "a client id that is not UTF-8 [1.5.3-1]": connect_packet(b"\xff\xfe"),
    "a client id with U+0000 [1.5.3-2]": connect_packet(b"a\x00b"),
    "a CONNECT that ends early": packet(0x10, text(b"MQTT") + b"\x04"),
    "a wrong protocol name [3.1.2-1]": connect_packet(protocol=b"HTTP"),
}

AFTER_CONNECT = {
    "a second CONNECT [3.1.0-2]": connect_packet(),
    "a server's packet": b"\x20\x02\x00\x00",
    "SUBSCRIBE without filters [3.8.3-3]": packet(0x82, b"\x00\x01"),
    "SUBSCRIBE with id 0 [2.3.1-1]": packet(0x82, b"\x00\x00" + text(b"a") + b"\x00"),
    "SUBSCRIBE with wrong flags [3.8.1-1]": packet(0x80, b"\x00\x01" + text(b"a") + b"\x00"),
    "a filter with a wildcard inside a level [4.7.1-2]": packet(0x82, b"\x00\x01" + text(b"a#b") + b"\x00"),
    "PUBLISH at QoS 3 [3.3.1-4]": packet(0x36, text(b"a") + b"\x00\x01x"),
    "PUBLISH to a wildcard [3.3.2-2]": packet(0x30, text(b"a/#") + b"x"),
    "PUBLISH whose topic is longer than the packet": packet(0x30, b"\xff\xff" + b"a"),
}


@pytest.mark.parametrize("name", BEFORE_CONNECT)
def test_malformed_bytes_before_connect_close_the_connection(server, name):
    with connect(server.mqtt) as connection:
        connection.sendall(BEFORE_CONNECT[name])
        assert ACCEPTED not in read_to_end(connection)


@pytest.mark.parametrize("name", AFTER_CONNECT)
def test_malformed_bytes_after_connect_close_the_connection(server, name):
    with connect(server.mqtt) as connection:
        connection.sendall(connect_packet())
        assert connection.recv(4) == ACCEPTED
        connection.sendall(AFTER_CONNECT[name])
        assert read_to_end(connection) == b""


def test_an_unknown_protocol_level_is_answered(server):
    """MQTT 3.1.1, 3.1.2-2: CONNACK 0x01, then close."""
    with connect(server.mqtt) as connection:
        connection.sendall(connect_packet(level=9))
        assert read_to_end(connection) == b"\x20\x02\x00\x01"


@pytest.mark.parametrize("door", ["mqtt", "mqtts"])
@pytest.mark.parametrize("garbage", [b"\x00" * 64, b"\xff" * 4096, b"GET / HTTP/1.1\r\n\r\n"], ids=["zeros", "ones", "http"])
def test_garbage_at_both_doors_closes_the_connection(server, door, garbage):
    with connect(getattr(server, door)) as connection:
        connection.sendall(garbage)
        assert ACCEPTED not in read_to_end(connection)


def test_an_oversized_packet_is_refused_by_its_first_bytes(server):
    """The length alone closes the connection: 256 MB are announced and never sent."""
    with connect(server.mqtt) as connection:
        connection.sendall(connect_packet())
        assert connection.recv(4) == ACCEPTED
        connection.sendall(b"\x30\xff\xff\xff\x7f" + text(b"a"))
        assert read_to_end(connection) == b""


def test_an_oversized_connect_is_refused_by_its_first_bytes(server):
    with connect(server.mqtt) as connection:
        connection.sendall(b"\x10\xff\xff\xff\x7f" + text(b"MQTT"))
        assert ACCEPTED not in read_to_end(connection)


def test_a_tls_client_without_a_certificate_is_refused(server, exports):
    assert not publish(Door(server.mqtts, exports["ALTHING_CA"]), "nobody", "a", "x", seconds=4)
    context = ssl.create_default_context(cafile=exports["ALTHING_CA"])
    with connect(server.mqtts) as plain, pytest.raises((ssl.SSLError, ConnectionResetError)):
        # In TLS 1.3 the client learns of it at its first read.
        with context.wrap_socket(plain, server_hostname="localhost") as connection:
            connection.sendall(connect_packet())
            assert connection.recv(4) == b""
            raise ConnectionResetError


def test_a_tls_client_with_a_foreign_certificate_is_refused(server, exports, tmp_path):
    door = Door(server.mqtts, exports["ALTHING_CA"], *Issuer("foreign").write(tmp_path, "foreign"))
    assert not publish(door, "foreign", "a", "x", seconds=4)


def signed(exports, method: str, path: str, body: bytes = b"", **changes):
    keys = {"access_key": exports["AWS_ACCESS_KEY_ID"], "secret": exports["AWS_SECRET_ACCESS_KEY"]}
    return signed_request(exports["AWS_ENDPOINT_URL_IOT"] + path, method, body, **{**keys, **changes})


def test_a_good_signature_passes(exports):
    """So that the refusals below are refused for their own fault."""
    status, _, body = send(signed(exports, "GET", "/things"))
    assert (status, json.loads(body)["things"]) == (200, [])


def test_a_body_over_the_limit_is_refused(exports):
    status, error, _ = send(signed(exports, "POST", "/things/big/shadow", b" " * 2_097_152, service="iotdata"))
    assert (status, error) == (413, "RequestEntityTooLargeException")


@pytest.mark.parametrize(("before", "after"), [("[", "]"), ('{"a":', "}")], ids=["arrays", "objects"])
def test_json_of_depth_10_000_is_refused(exports, loopback, before, after):
    deep = before * 10_000 + "1" + after * 10_000
    document = f'{{"state":{{"desired":{deep}}}}}'
    status, error, _ = send(signed(exports, "POST", "/things/deep/shadow", document.encode(), service="iotdata"))
    assert (status, error) in [(400, "InvalidRequestException"), (413, "RequestEntityTooLargeException")]
    thing = f'{{"attributePayload":{{"attributes":{deep}}}}}'
    status, error, _ = send(signed(exports, "POST", "/things/deep", thing.encode()))
    assert status == 400 and error, error
    with Subscriber(loopback, "deep-observer", "$aws/things/deep/shadow/update/+") as observer:
        assert publish(loopback, "deep", "$aws/things/deep/shadow/update", document)
        rejected = json.loads(observer.wait_for("$aws/things/deep/shadow/update/rejected").payload)
        assert rejected["code"] in (400, 413)


def test_a_body_that_is_not_json_is_refused(exports):
    status, error, body = send(signed(exports, "POST", "/things/x", b'{"attributePayload":'))
    assert status == 400 and error and json.loads(body)["message"]


def refused(request) -> tuple[int, str, str]:
    status, error, body = send(request)
    return status, error, json.loads(body)["message"]


def test_a_request_without_a_signature_is_refused(exports):
    request = signed(exports, "GET", "/things")
    del request.headers["Authorization"]
    assert refused(request)[:2] == (403, "MissingAuthenticationTokenException")


def test_a_wrong_secret_is_refused(exports):
    status, error, message = refused(signed(exports, "GET", "/things", secret="wrong"))
    assert (status, error) == (403, "InvalidSignatureException")
    assert message.startswith("The request signature we calculated does not match the signature you provided.")


def test_a_changed_body_is_refused(exports):
    request = signed(exports, "POST", "/things/x", b"{}")
    request.data = b"{ }"
    assert refused(request)[:2] == (403, "InvalidSignatureException")


def test_an_unknown_access_key_is_refused(exports):
    status, error, message = refused(signed(exports, "GET", "/things", access_key="AKIAIOSFODNN7EXAMPLE"))
    assert (status, error) == (403, "UnrecognizedClientException")
    assert message == "The security token included in the request is invalid."


@pytest.mark.parametrize(("minutes", "text"), [(-20, "Signature expired"), (20, "Signature not yet current")])
def test_a_skewed_clock_is_refused(exports, minutes, text):
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=minutes)
    status, error, message = refused(signed(exports, "GET", "/things", at=at))
    assert (status, error) == (403, "InvalidSignatureException")
    assert message.startswith(text)


def test_a_clock_that_is_14_minutes_off_passes(exports):
    at = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(minutes=14)
    assert send(signed(exports, "GET", "/things", at=at))[0] == 200


def test_an_operation_that_is_not_there_says_so(aws):
    assert "NotImplementedException" in aws.refusal("iot", "list-audit-tasks", "--start-time", "0", "--end-time", "1")
