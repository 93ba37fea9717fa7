"""`althing shadow`: a person reads, changes and follows a shadow at a terminal, and a script in JSON."""

import json
import re
import subprocess
import time

import pytest
from aws import Cli, create_device
from server import IOT, Server, binary, clean_environment


@pytest.fixture
def house(tmp_path):
    with Server(tmp_path) as server:
        yield server


def command(house, *arguments: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess:
    line = [binary(), "shadow", *arguments]
    if "--tls" not in arguments:
        line += ["--address", f"127.0.0.1:{house.mqtt}"]
    environment = clean_environment(house.folder, **environment)
    return subprocess.run(line, capture_output=True, text=True, timeout=30, input=stdin, env=environment)


def said(house, *arguments: str, **more) -> str:
    done = command(house, *arguments, **more)
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout


def test_a_shadow_is_made_read_and_deleted(house):
    missing = command(house, "get", "lamp")
    assert (missing.returncode, missing.stdout) == (1, "")
    assert missing.stderr == "althing shadow: No shadow exists with name: 'lamp' (404)\n"

    said(house, "update", "lamp", "--desired", '{"colour":"red","level":3}')
    said(house, "update", "lamp", "--document", "-", stdin='{"state":{"reported":{"colour":"green","level":3.0}}}')
    expected = """lamp, version 2, 1 field differs
desired:
  colour: "red"  # reported: "green"
  level: 3
reported:
  colour: "green"
  level: 3.0
"""
    assert said(house, "get", "lamp") == expected
    coloured = said(house, "get", "lamp", CLICOLOR_FORCE="1")
    assert '\x1b[33mcolour: "red"  # reported: "green"\x1b[0m' in coloured
    assert re.sub("\x1b\\[[0-9]*m", "", coloured) == expected
    document = json.loads(said(house, "get", "lamp", "--json"))
    assert (document["version"], document["state"]["delta"]) == (2, {"colour": "red"})

    stale = command(house, "update", "lamp", "--reported", "{}", "--if-version", "7")
    assert (stale.returncode, stale.stderr) == (1, "althing shadow: Version conflict (409)\n")
    said(house, "update", "lamp", "--name", "cfg", "--reported", '{"on":true}')
    assert said(house, "get", "lamp", "--name", "cfg").startswith("lamp, shadow cfg, version 1, nothing differs\n")
    assert said(house, "delete", "lamp") == "lamp, version 2, deleted\n"
    assert command(house, "get", "lamp").returncode == 1


def wait_for_line(path, text: str, seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while text not in path.read_text():
        assert time.monotonic() < deadline, f"no {text!r} in {path.read_text()!r}"
        time.sleep(0.05)


def test_a_watcher_follows_through_a_restart(house):
    lines = house.folder / "lines"
    line = [binary(), "shadow", "watch", "lamp", "--json", "--address", f"127.0.0.1:{house.mqtt}"]
    with lines.open("w") as out:
        watcher = subprocess.Popen(line, stdout=out, stderr=subprocess.PIPE, text=True)
    try:
        wait_for_line(lines, '{"absent"')
        said(house, "update", "lamp", "--desired", '{"on":true}')
        wait_for_line(lines, '"version":1')
        house.kill()
        house.start()
        said(house, "update", "lamp", "--reported", '{"on":true}')
        wait_for_line(lines, '"version":2')
        # The watcher is there again, whichever way it heard of version 2.
        said(house, "delete", "lamp")
        wait_for_line(lines, '{"deleted"')
    finally:
        watcher.kill()
        _, complaints = watcher.communicate(timeout=10)
    events = [json.loads(line) for line in lines.read_text().splitlines()]
    assert [next(iter(event)) for event in events][:2] == ["absent", "documents"]
    assert events[1]["documents"]["current"]["state"] == {"desired": {"on": True}}
    assert "deleted" in events[-1]
    assert "trying again" in complaints and "connected again" in complaints


def test_it_may_do_what_its_certificate_may(house):
    aws = Cli(clean_environment(house.folder, **house.exports()))
    topics = "$aws/things/lamp/shadow/get"
    statements = [
        {"Effect": "Allow", "Action": "iot:Connect", "Resource": f"{IOT}:client/*"},
        {"Effect": "Allow", "Action": "iot:Publish", "Resource": f"{IOT}:topic/{topics}"},
        {"Effect": "Allow", "Action": "iot:Subscribe", "Resource": f"{IOT}:topicfilter/{topics}/*"},
        {"Effect": "Allow", "Action": "iot:Receive", "Resource": f"{IOT}:topic/{topics}/*"},
    ]
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    reader = create_device(aws, house.folder, "reader", policy)
    ca = house.exports()["ALTHING_CA"]
    door = ["--tls", "--address", f"localhost:{house.mqtts}", "--ca", ca]
    door += ["--cert", str(reader.certificate), "--key", str(reader.key)]
    said(house, "update", "lamp", "--reported", '{"on":true}')
    assert said(house, "get", "lamp", *door) == "lamp, version 1, nothing differs\nreported:\n  on: true\n"
    refused = command(house, "update", "lamp", "--reported", '{"on":false}', *door)
    topic = "$aws/things/lamp/shadow/update/accepted"
    why = f"althing shadow: the broker refused the subscription to {topic}: no reason given (code 128)\n"
    assert (refused.returncode, refused.stderr) == (1, why)
    assert json.loads(said(house, "get", "lamp", "--json"))["version"] == 1
