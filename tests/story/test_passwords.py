"""Users with passwords, told with mosquitto_pub -u -P."""

import json
import os
import pty
import socket
import ssl
import subprocess
import time
from dataclasses import replace

import pytest
from aws import Cli, create_device
from mosquitto import Door, Subscriber, publish
from mqtt_websocket import websocket
from server import Server, binary, clean_environment
from websockets.exceptions import ConnectionClosed
from wire import packet, text

ONLY_LAMPS = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iot:Connect","iot:Subscribe","iot:Receive"],'
    '"Resource":"*"},{"Effect":"Allow","Action":"iot:Publish","Resource":"arn:aws:iot:*:*:topic/lamps/*"}]}'
)


def hash_password(password: str) -> str:
    done = subprocess.run([binary(), "hash-password"], input=password, capture_output=True, text=True, timeout=20, check=True)
    return done.stdout.strip()


def settings(more: str = "") -> str:
    return f"""
{more}
[[users]]
name = "ann"
password_hash = "{hash_password("correct horse")}"

[[users]]
name = "lamp"
password_hash = "{hash_password("light")}"
policy_document = '{ONLY_LAMPS}'
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    with Server(tmp_path_factory.mktemp("althing"), settings(), alpn=True) as server:
        yield server


@pytest.fixture(scope="module")
def ann(house) -> Door:
    return Door(house.mqtt, user="ann", password="correct horse")


def connack(house, flags: int, *fields: bytes) -> int | None:
    """The return code on a fresh plain connection; none when it is closed without one."""
    with socket.create_connection(("127.0.0.1", house.mqtt), 10) as stream:
        stream.sendall(packet(0x10, text(b"MQTT") + bytes([4, flags, 0, 60]) + b"".join(map(text, (b"raw", *fields)))))
        answer = stream.recv(4)
        return answer[3] if len(answer) == 4 else None


def test_the_password_opens_the_plain_and_the_tls_listener(house, ann):
    assert publish(ann, "ann", "a/b", "1")
    assert publish(replace(ann, port=house.mqtts, ca=house.exports()["ALTHING_CA"]), "ann", "a/b", "1")


def test_the_alpn_name_mqtt_takes_passwords(house, ann):
    shared = replace(ann, port=house.alpn, ca=house.exports()["ALTHING_CA"], protocol="mqtt")
    assert publish(shared, "ann", "a/b", "1")
    assert not publish(replace(shared, password="wrong"), "ann", "a/b", "1", seconds=4)
    assert not publish(replace(shared, user=None, password=None), "ann", "a/b", "1", seconds=4)


def test_wrong_passwords_and_unknown_users_look_alike(house):
    """MQTT 3.1.1, 3.2.2.3: 4, bad user name or password."""
    assert connack(house, 0xC2, b"ann", b"correct horse") == 0
    wrong = [(b"ann", b"wrong"), (b"nobody", b"correct horse"), (b"ann", b""), (b"", b""), (b"ann\x00", b"correct horse")]
    assert [connack(house, 0xC2, *claim) for claim in wrong[:4]] == [4] * 4
    assert connack(house, 0x82, b"ann") == 4, "a name without a password"

    def seconds(name: bytes) -> float:
        began = time.monotonic()
        assert connack(house, 0xC2, name, b"guess") == 4
        return time.monotonic() - began

    known, unknown = (min(seconds(name) for _ in range(5)) for name in (b"ann", b"nobody"))
    assert 0.4 < known / unknown < 2.5, (known, unknown)


def test_without_a_name_the_plain_listener_is_as_anonymous_as_ever(house):
    assert connack(house, 0x02) == 0


def test_tls_without_certificate_and_name_is_refused(house):
    door = Door(house.mqtts, house.exports()["ALTHING_CA"])
    assert not publish(door, "nobody", "a/b", "1", seconds=4)


def test_a_certificate_still_counts_whatever_name_is_sent_along(house):
    exports = house.exports()
    aws = Cli(clean_environment(house.folder, **exports))
    device = create_device(aws, house.folder, "c", ONLY_LAMPS)
    ca, sdk = exports["ALTHING_CA"], "?SDK=Python&Version=1.0"
    door = Door(house.mqtts, ca, device.certificate, device.key, user=sdk, password="x")
    assert publish(door, "c", "lamps/1", "1")


def test_a_users_policy_decides(house):
    lamp = Door(house.mqtt, user="lamp", password="light")
    assert publish(lamp, "lamp", "lamps/1", "on")
    assert not publish(lamp, "lamp", "doors/1", "open", seconds=4)


def test_events_name_the_user(house, ann):
    with Subscriber(Door(house.mqtt), "watch", "$aws/events/presence/connected/#") as watcher:
        assert publish(ann, "by-ann", "a/b", "1")
        event = json.loads(watcher.wait_for("$aws/events/presence/connected/by-ann").payload)
        assert event["principalIdentifier"] == "ann"


def test_websockets_take_passwords_over_tls(house):
    context = ssl.create_default_context(cafile=house.exports()["ALTHING_CA"])
    for password, code in ((b"correct horse", 0), (b"wrong", None)):
        with websocket(f"wss://localhost:{house.https}/mqtt", context) as client:
            flags_and_more = bytes([4, 0xC2, 0, 60]) + text(b"ws") + text(b"ann") + text(password)
            client.send(packet(0x10, text(b"MQTT") + flags_and_more))
            if code is None:  # dialect aws closes without CONNACK
                with pytest.raises(ConnectionClosed):
                    client.recv(10)
            else:
                assert client.recv(10) == bytes([0x20, 2, 0, code])


def test_many_checks_at_once_do_not_hold_up_those_who_are_connected(house):
    """Argon2 takes 19 MiB and two rounds each: they wait for each other, and nobody else for them."""
    with Subscriber(Door(house.mqtt), "bystander", "quick") as bystander:
        guess = packet(0x10, text(b"MQTT") + bytes([4, 0xC2, 0, 60]) + text(b"g") + text(b"ann") + text(b"guess"))
        guessing = []
        for _ in range(60):
            stream = socket.create_connection(("127.0.0.1", house.mqtt), 10)
            stream.sendall(guess)
            guessing.append(stream)
        began = time.monotonic()
        assert publish(Door(house.mqtt), "quick", "quick", "1")
        bystander.wait_for("quick")
        assert time.monotonic() - began < 3
        for stream in guessing:
            stream.close()


def test_anonymous_clients_can_be_shut_out(tmp_path):
    with Server(tmp_path, settings("[anonymous]\n")) as server:
        assert connack(server, 0x02) == 5
        assert connack(server, 0xC2, b"ann", b"correct horse") == 0
        with websocket(f"ws://127.0.0.1:{server.http}/mqtt") as client:
            client.send(packet(0x10, text(b"MQTT") + b"\x04\x02\x00\x3c" + text(b"ws")))
            assert client.recv(10) == b"\x20\x02\x00\x04", "a name and password are wanted"


def test_without_users_the_alpn_name_mqtt_is_refused_and_the_log_says_why(tmp_path):
    with Server(tmp_path, alpn=True) as server:
        shared = Door(server.alpn, server.exports()["ALTHING_CA"], protocol="mqtt", user="a", password="b")
        assert not publish(shared, "a", "a/b", "1", seconds=3)
        assert "custom authorizers" in server.output() and "[[users]]" in server.output()
        assert server.metric("door_refused_protocol") >= 1


def test_a_hash_that_is_none_is_told_in_one_line(tmp_path):
    (tmp_path / "althing.toml").write_text('[[users]]\nname = "ann"\npassword_hash = "secret"\n')
    command = [binary(), "--config", str(tmp_path / "althing.toml"), "--data-dir", str(tmp_path / "data")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, env=clean_environment(tmp_path))
    assert done.returncode == 1
    assert 'user "ann": password_hash: not a PHC string' in done.stderr and "secret" not in done.stderr


def test_hash_password_asks_at_a_terminal_without_echo():
    child, terminal = pty.fork()
    if child == 0:
        os.execv(binary(), [binary(), "hash-password"])
    shown = b""
    for prompt in (b"Password: ", b"Again: "):
        while prompt not in shown:
            shown += os.read(terminal, 1024)
        time.sleep(0.2)
        os.write(terminal, b"hidden\n")
    try:
        while b"$argon2id$" not in shown or not shown.endswith(b"\n"):
            shown += os.read(terminal, 1024)
    except OSError:
        pass
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert b"hidden" not in shown and b"$argon2id$v=19$m=19456,t=2,p=1$" in shown
