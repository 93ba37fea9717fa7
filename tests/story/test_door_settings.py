"""What a listener's table and [tls] change: PROXY protocol, bounds, dialect, certificates by name, authorities, tickets."""

import json
import socket
import ssl
import struct
import time

import pytest
from aws import EVERYTHING, Cli, create_device
from certificates import Issuer
from mosquitto import Door, Subscriber, eventually, publish
from mqtt_websocket import websocket
from server import Server, clean_environment
from websockets.exceptions import InvalidStatus
from wire import ACCEPTED, connect_packet, subscribe_packet

ANONYMOUS = f"[anonymous]\npolicy_document = '{EVERYTHING}'\n"


def answer(port: int, *parts: bytes, seconds: float = 10) -> bytes:
    """What comes back for these bytes, sent one after the other, until four bytes or the end."""
    with socket.create_connection(("127.0.0.1", port), seconds) as stream:
        stream.settimeout(seconds)
        got = b""
        try:
            for part in parts:
                stream.sendall(part)
                time.sleep(0.02 if len(parts) > 1 else 0)
            while len(got) < 4 and (more := stream.recv(4 - len(got))):
                got += more
        except ConnectionError:
            pass
        return got


# PROXY protocol


def v2(source: str, port: int = 4711) -> bytes:
    addresses = socket.inet_aton(source) + socket.inet_aton("192.0.2.1") + struct.pack(">HH", port, 1883)
    return b"\r\n\r\n\x00\r\nQUIT\n\x21\x11" + struct.pack(">H", len(addresses)) + addresses


def v1(source: str) -> bytes:
    return f"PROXY TCP4 {source} 192.0.2.1 4711 1883\r\n".encode()


@pytest.fixture(scope="module")
def proxied(tmp_path_factory):
    """Every listener but plain HTTP, which the tests ask for readiness, is behind a proxy."""
    tables = ANONYMOUS + "".join(f"[{name}]\nproxy_protocol = true\nhandshake_seconds_max = 2\n" for name in ("mqtt", "mqtts", "https", "alpn"))
    with Server(tmp_path_factory.mktemp("althing"), tables, alpn=True) as server:
        yield server


def source_of(server: Server, client_id: str, *parts: bytes) -> str:
    """The address in the connected event of a client that sends these bytes; asked over HTTP's plain door."""
    with websocket(f"ws://127.0.0.1:{server.http}/mqtt") as watcher:
        watcher.send(connect_packet(b"watch-" + client_id.encode()))
        assert watcher.recv(10) == ACCEPTED
        watcher.send(subscribe_packet(f"$aws/events/presence/connected/{client_id}".encode()))
        assert watcher.recv(10)[:1] == b"\x90"
        assert answer(server.mqtt, *parts) == ACCEPTED
        message = watcher.recv(10)
        return json.loads(message[message.index(b"{") :])["ipAddress"]


def test_the_clients_address_is_the_one_that_the_proxy_tells(proxied):
    for number, header in enumerate((v2("198.51.100.7"), v1("198.51.100.7"))):
        name = f"p{number}"
        hello = connect_packet(name.encode())
        assert source_of(proxied, name, header + hello) == "198.51.100.7"
        cut = [bytes([byte]) for byte in header + hello]
        assert source_of(proxied, name, *cut) == "198.51.100.7"


def test_a_proxy_that_speaks_for_itself_has_its_own_address(proxied):
    local = b"\r\n\r\n\x00\r\nQUIT\n\x20\x00\x00\x00"
    assert source_of(proxied, "local", local + connect_packet(b"local")) == "127.0.0.1"
    assert source_of(proxied, "unknown", b"PROXY UNKNOWN\r\n" + connect_packet(b"unknown")) == "127.0.0.1"


def test_without_a_header_the_connection_is_refused_and_counted(proxied):
    before = proxied.metric("door_refused_proxy_header")
    assert answer(proxied.mqtt, connect_packet()) == b""
    assert answer(proxied.mqtt, b"PROXY TCP4 1.2.3.4\r\n" + connect_packet()) == b""
    assert answer(proxied.mqtt, v2("198.51.100.7")[:20], seconds=6) == b"", "and a half one, in time"
    assert eventually(lambda: proxied.metric("door_refused_proxy_header") == before + 3, "three refusals")


def test_tls_comes_after_the_header(proxied):
    context = ssl.create_default_context(cafile=proxied.exports()["ALTHING_CA"])
    for port in (proxied.https, proxied.alpn):
        with socket.create_connection(("127.0.0.1", port), 10) as plain:
            plain.sendall(v2("198.51.100.7"))
            with context.wrap_socket(plain, server_hostname="localhost") as stream:
                stream.sendall(b"GET /things HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
                assert b" 403 " in stream.recv(4096)


def test_whoever_comes_through_a_proxy_is_not_from_this_machine(tmp_path):
    """Anonymous clients are let in without a configuration where only this machine reaches the listener."""
    with Server(tmp_path, "[mqtt]\nproxy_protocol = true\n") as server:
        assert answer(server.mqtt, v2("198.51.100.7") + connect_packet()) == b"\x20\x02\x00\x05"
        assert "anonymous clients are refused" in server.output()
        with pytest.raises(InvalidStatus):
            websocket(f"ws://127.0.0.1:{server.http}/mqtt")


def test_where_no_proxy_is_configured_a_header_is_no_packet(tmp_path):
    with Server(tmp_path) as server:
        assert answer(server.mqtt, v2("198.51.100.7") + connect_packet()) == b""
        assert answer(server.mqtt, connect_packet()) == ACCEPTED


# Bounds


def test_connections_over_the_limit_are_closed_and_counted(tmp_path):
    with Server(tmp_path, "[mqtt]\nconnections_max = 3\n") as server:
        kept = [socket.create_connection(("127.0.0.1", server.mqtt), 10) for _ in range(3)]
        for number, stream in enumerate(kept):
            stream.sendall(connect_packet(b"k%d" % number))
            assert stream.recv(4) == ACCEPTED
        assert answer(server.mqtt, connect_packet(b"more")) == b""
        assert server.metric("door_refused_full") == 1
        kept.pop().close()
        assert eventually(lambda: answer(server.mqtt, connect_packet(b"more")) == ACCEPTED, "room again")
        assert server.metric("door_connections_let_in") >= 4
        for stream in kept:
            stream.close()


def test_an_address_that_connects_too_often_is_refused_and_others_are_not(tmp_path):
    settings = "[mqtt]\nproxy_protocol = true\nconnects_per_second_per_ip = 1\nconnects_burst_per_ip = 4\n"
    with Server(tmp_path, ANONYMOUS + settings) as server:

        def connects(address: str) -> bool:
            return answer(server.mqtt, v2(address) + connect_packet(address.encode())) == ACCEPTED

        taken = [connects("198.51.100.7") for _ in range(8)]
        assert taken[:4] == [True] * 4 and 2 <= taken.count(False), taken
        assert connects("198.51.100.8")
        assert server.metric("door_refused_rate") >= 2
        assert eventually(lambda: connects("198.51.100.7"), "a connection a second later", 3)


def test_silent_clients_are_let_go_in_the_configured_time(tmp_path):
    tables = "[mqtt]\nconnect_seconds_max = 1\n[mqtts]\nhandshake_seconds_max = 1\n"
    with Server(tmp_path, tables) as server:
        for port in (server.mqtt, server.mqtts):
            began = time.monotonic()
            assert answer(port, b"") == b""
            assert 0.8 < time.monotonic() - began < 4
        assert eventually(lambda: server.metric("door_refused_handshake") == 1, "the TLS handshake that never came")


def test_a_listener_may_speak_the_other_dialect(tmp_path):
    """`#` and the parent level: AWS's does not match it, the standard's does [MQTT-4.7.1-2]."""
    with Server(tmp_path, '[mqtt]\ndialect = "aws"\n') as server:
        with Subscriber(Door(server.mqtt), "s", "sport/#") as subscriber:
            assert publish(Door(server.mqtt), "p", "sport", "parent")
            assert publish(Door(server.mqtt), "p", "sport/tennis", "child")
            subscriber.wait_for("sport/tennis")
            assert [message.topic for message in subscriber.messages()] == ["sport/tennis"]


# Certificates


def registered(server: Server, aws: Cli, issued: Issuer, name: str):
    """A device with this certificate, registered and allowed everything; gives its files."""
    files = issued.write(server.folder, name)
    answered = aws("iot", "register-certificate-without-ca", "--certificate-pem", issued.pem(), "--status", "ACTIVE")
    aws("iot", "attach-policy", "--policy-name", "own", "--target", answered["certificateArn"])
    return files


def test_the_clients_name_for_the_server_chooses_its_certificate(tmp_path):
    authority = Issuer("Some CA", is_authority=True)
    exact = Issuer("exact", authority, ("broker.example.org",))
    wild = Issuer("wild", authority, ("*.devices.example.org",))
    tables = ""
    for issued, name in ((exact, "broker.example.org"), (wild, "*.devices.example.org")):
        chain, key = issued.write(tmp_path, issued.certificate.subject.rfc4514_string()[3:])
        tables += f'[[tls.certificates]]\nnames = ["{name}"]\nchain_file = "{chain}"\nkey_file = "{key}"\n'
    with Server(tmp_path, tables, alpn=True) as server:
        own = ssl.create_default_context(cafile=server.exports()["ALTHING_CA"])
        others = ssl.create_default_context(cadata=authority.pem())

        def shown(port: int, trust: ssl.SSLContext, host: str) -> bool:
            with socket.create_connection(("127.0.0.1", port), 10) as plain:
                try:
                    with trust.wrap_socket(plain, server_hostname=host):
                        return True
                except ssl.SSLCertVerificationError:
                    return False

        for port in (server.mqtts, server.https, server.alpn):
            assert shown(port, others, "broker.example.org")
            assert shown(port, others, "Broker.Example.Org")
            assert shown(port, others, "lamp.devices.example.org")
            assert not shown(port, others, "a.b.devices.example.org")
            assert not shown(port, others, "localhost") and shown(port, own, "localhost")


def test_clients_must_have_been_issued_by_a_configured_authority(tmp_path):
    authority, stranger = Issuer("Fleet CA", is_authority=True), Issuer("Stranger CA", is_authority=True)
    ca_file = tmp_path / "fleet-ca.pem"
    ca_file.write_text(authority.pem())
    with Server(tmp_path, f'[tls]\nclient_ca_files = ["{ca_file}"]\n') as server:
        exports = server.exports()
        aws = Cli(clean_environment(server.folder, **exports))
        own = create_device(aws, tmp_path, "own")

        def connects(files) -> bool:
            door = Door(server.mqtts, exports["ALTHING_CA"], *files)
            return publish(door, "device", "a/b", "1", seconds=4)

        assert connects(registered(server, aws, Issuer("fleet", authority), "fleet"))
        assert connects(registered(server, aws, Issuer("self-signed"), "self-signed"))
        assert connects((own.certificate, own.key)), "this server's own authority"
        assert not connects(registered(server, aws, Issuer("stranger", stranger), "stranger"))
        assert not connects(Issuer("unregistered", authority).write(tmp_path, "unregistered"))


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_deactivated_certificate_does_not_come_back_with_a_ticket(tmp_path, version):
    """A resumed handshake verifies no certificate, so its status is asked afterwards."""
    with Server(tmp_path) as server:
        exports = server.exports()
        aws = Cli(clean_environment(server.folder, **exports))
        lamp = create_device(aws, tmp_path, "lamp")
        context = ssl.create_default_context(cafile=exports["ALTHING_CA"])
        context.minimum_version = context.maximum_version = version
        context.load_cert_chain(lamp.certificate, lamp.key)

        def connects(session):
            """The answer to CONNECT, whether the session was resumed, and the session for the next time."""
            with socket.create_connection(("127.0.0.1", server.mqtts), 10) as plain:
                with context.wrap_socket(plain, server_hostname="localhost", session=session) as stream:
                    stream.sendall(connect_packet(b"lamp"))
                    return stream.recv(4), stream.session_reused, stream.session

        first, was_resumed, session = connects(None)
        assert (first, was_resumed) == (ACCEPTED, False)
        again, was_resumed, session = connects(session)
        assert (again, was_resumed) == (ACCEPTED, True)
        aws("iot", "update-certificate", "--certificate-id", lamp.certificate_id, "--new-status", "INACTIVE")
        refused, was_resumed, _ = connects(session)
        assert (refused, was_resumed) == (b"", True)
