"""mosquitto_pub and mosquitto_sub against the plain listener, in 3.1, 3.1.1 and 5."""

import signal
import subprocess

import pytest
from clients.programs import Versioned, run
from mosquitto import Message, Subscriber, eventually

VERSIONS = ("mqttv31", "mqttv311", "mqttv5")
PERSISTENT = {"mqttv31": ("-c",), "mqttv311": ("-c",), "mqttv5": ("-c", "-x", "300")}


@pytest.fixture
def door(address):
    """`door(version, *options)` leads to the plain listener."""
    host, port = address[:2]
    return lambda version, *more: Versioned(port, host=host, version=version, more=more)


@pytest.fixture
def topic(names) -> str:
    return names.topic().decode()


@pytest.fixture
def identifier(names):
    return lambda: names.client_id().decode()


@pytest.mark.parametrize("qos", [0, 1, 2])
@pytest.mark.parametrize("subscriber", VERSIONS)
def test_each_version_hears_all_versions(door, topic, identifier, subscriber, qos):
    with Subscriber(door(subscriber), identifier(), topic, qos=qos) as listening:
        for publisher in VERSIONS:
            run("mosquitto_pub", door(publisher), identifier(), "-t", topic, "-q", str(qos), "-m", f"from {publisher}")
            assert listening.wait_for(topic, publisher) == Message(topic, f"from {publisher}", False)
        assert len(listening.messages()) == 3


@pytest.mark.parametrize("version", VERSIONS)
def test_a_session_keeps_what_was_published(door, topic, identifier, version):
    client_id, own = identifier(), door(version, *PERSISTENT[version])
    run("mosquitto_sub", own, client_id, "-t", topic, "-q", "2", "-E")
    for qos in ("1", "2"):
        run("mosquitto_pub", door(version), identifier(), "-t", topic, "-q", qos, "-m", f"queued at {qos}")
    printed = run("mosquitto_sub", own, client_id, "-t", topic, "-q", "2", "-C", "2", "-W", "5")
    assert printed.splitlines() == ["queued at 1", "queued at 2"]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_retained_message_waits(door, topic, identifier, version):
    run("mosquitto_pub", door(version), identifier(), "-t", topic, "-q", "1", "-m", "stored", "-r")
    printed = run("mosquitto_sub", door(version), identifier(), "-t", topic, "-q", "1", "-C", "1", "-W", "5", "-F", "%r %q %p")
    assert printed == "1 1 stored\n"


@pytest.mark.parametrize("version", VERSIONS)
def test_a_will_is_heard(door, topic, identifier, version):
    mortal = door(version, "--will-topic", topic, "--will-payload", "gone", "--will-qos", "1")
    with Subscriber(door(version), identifier(), topic) as watcher:
        with Subscriber(mortal, identifier(), f"{topic}/none") as client:
            client.process.send_signal(signal.SIGKILL)
        assert watcher.wait_for(topic).payload == "gone"


@pytest.mark.parametrize("version", ["mqttv311", "mqttv5"])
def test_a_shared_subscription_divides_the_work(door, topic, identifier, version):
    share = f"$share/{topic}/{topic}"
    with Subscriber(door(version), identifier(), share) as first, Subscriber(door(version), identifier(), share) as second:
        run("mosquitto_pub", door(version), identifier(), "-t", topic, "-q", "1", "-m", "work", "--repeat", "20")
        eventually(lambda: len(first.messages()) + len(second.messages()) == 20, "all of the work, once")


def test_properties_of_a_message(door, topic, identifier):
    given = (
        ("content-type", "text/plain"), ("response-topic", f"{topic}/answers"), ("correlation-data", "42"),
        ("payload-format-indicator", "1"),
    )  # fmt: skip
    options = [part for name, value in given for part in ("-D", "publish", name, value)]
    options += ["-D", "publish", "user-property", "k", "v"]
    run("mosquitto_pub", door("mqttv5"), identifier(), "-t", topic, "-q", "1", "-m", "stored", "-r", *options)
    form = ("-F", "%C|%R|%D|%F|%P|%p")
    printed = run("mosquitto_sub", door("mqttv5"), identifier(), "-t", topic, "-q", "1", "-C", "1", "-W", "5", *form)
    assert printed == f"text/plain|{topic}/answers|42|1|k:v|stored\n"


def test_lines_of_standard_input_come_in_order(door, topic, identifier):
    """mosquitto_pub -l: many messages on one connection, as fast as they are read."""
    lines = [str(number) for number in range(500)]
    with Subscriber(door("mqttv311"), identifier(), topic) as listening:
        command = ["mosquitto_pub", *door("mqttv311").options(identifier()), "-t", topic, "-q", "1", "-l"]
        subprocess.run(command, input="\n".join(lines) + "\n", text=True, timeout=20, check=True)
        eventually(lambda: len(listening.messages()) == len(lines), "every line")
        assert [message.payload for message in listening.messages()] == lines
