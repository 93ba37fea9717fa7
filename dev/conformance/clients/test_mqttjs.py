"""MQTT.js against the plain listener, in 3.1, 3.1.1 and 5."""

import pytest
from clients.mqttjs import MqttJs

VERSIONS = pytest.mark.parametrize("version", [3, 4, 5], ids=["3.1", "3.1.1", "5"])


@pytest.fixture
def js():
    with MqttJs() as js:
        yield js


@pytest.fixture
def connect(js, address, names):
    """`connect(name, version)` connects a client of the test under its name."""

    def connect(name: str, version: int, client_id: str | None = None, **options) -> dict:
        protocol = "MQIsdp" if version == 3 else "MQTT"
        chosen = {"protocolVersion": version, "protocolId": protocol, "clientId": client_id or names.client_id().decode(), **options}
        return js.ask("connect", name, url=f"mqtt://{address[0]}:{address[1]}", options=chosen)

    return connect


@pytest.fixture
def topic(names) -> str:
    return names.topic().decode()


@VERSIONS
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_messages_pass_at_every_qos(js, connect, topic, version, qos):
    for name in ("subscriber", "publisher"):
        assert connect(name, version) == {"sessionPresent": False, "code": 0}
    assert js.ask("subscribe", "subscriber", filter=topic, options={"qos": qos}) == [qos]
    for number in range(10):
        js.ask("publish", "publisher", topic=topic, payload=str(number), options={"qos": qos})
    got = [js.event("message", "subscriber") for _ in range(10)]
    assert [(message["payload"], message["qos"], message["retain"]) for message in got] == [(str(n), qos, False) for n in range(10)]


@pytest.mark.parametrize("version", [4, 5], ids=["3.1.1", "5"])
def test_a_session_is_resumed(js, connect, names, topic, version):
    session = {"clean": False, "properties": {"sessionExpiryInterval": 300}} if version == 5 else {"clean": False}
    client_id = names.client_id().decode()
    connect("publisher", version)
    assert not connect("sleeper", version, client_id, **session)["sessionPresent"]
    js.ask("subscribe", "sleeper", filter=topic, options={"qos": 2})
    js.ask("end", "sleeper")
    js.ask("publish", "publisher", topic=topic, payload="queued", options={"qos": 2})
    assert connect("sleeper", version, client_id, **session)["sessionPresent"]
    message = js.event("message", "sleeper")
    assert (message["payload"], message["qos"]) == ("queued", 2)


@VERSIONS
def test_a_retained_will_is_published(js, connect, topic, version):
    connect("watcher", version)
    js.ask("subscribe", "watcher", filter=topic, options={"qos": 1})
    connect("mortal", version, will={"topic": topic, "payload": "gone", "qos": 1, "retain": True})
    js.ask("vanish", "mortal")
    assert js.event("message", "watcher")["payload"] == "gone"
    connect("later", version)
    js.ask("subscribe", "later", filter=topic, options={"qos": 1})
    assert js.event("message", "later")["retain"] is True


def test_properties_of_a_message(js, connect, topic):
    for name in ("subscriber", "publisher"):
        connect(name, 5)
    js.ask("subscribe", "subscriber", filter=topic, options={"qos": 1, "properties": {"subscriptionIdentifier": 9}})
    given = {"contentType": "text/plain", "responseTopic": f"{topic}/answers", "userProperties": {"k": ["1", "2"]}}
    js.ask("publish", "publisher", topic=topic, payload="with all", options={"qos": 1, "properties": given})
    got = js.event("message", "subscriber")["properties"]
    assert {name: got[name] for name in given} == given
    assert got["subscriptionIdentifier"] == 9


def test_a_takeover_is_told_in_5(js, connect, names):
    client_id = names.client_id().decode()
    connect("first", 5, client_id)
    connect("second", 5, client_id)
    assert js.event("disconnect", "first")["code"] == 0x8E


def test_aliases_of_the_client(js, connect, topic):
    """MQTT.js gives aliases by itself when it is let; the subscriber sees full topics."""
    connect("publisher", 5, autoUseTopicAlias=True, autoAssignTopicAlias=True)
    connect("subscriber", 5)
    js.ask("subscribe", "subscriber", filter=topic, options={"qos": 1})
    for number in range(5):
        js.ask("publish", "publisher", topic=topic, payload=str(number), options={"qos": 1})
    got = [js.event("message", "subscriber") for _ in range(5)]
    assert [(message["topic"], message["payload"]) for message in got] == [(topic, str(number)) for number in range(5)]
