"""Eclipse Paho for Python against the plain listener, in 3.1.1 and 5."""

import time

import pytest
from clients.paho import Paho, properties
from paho.mqtt.client import MQTTv5, MQTTv311
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.subscribeoptions import SubscribeOptions

VERSIONS = pytest.mark.parametrize("version", [MQTTv311, MQTTv5], ids=["3.1.1", "5"])


@pytest.fixture
def paho(address, names, stack):
    """`paho(version)` is a client that is not connected yet."""

    def paho(version, client_id: str | None = None, **options) -> Paho:
        return stack.enter_context(Paho(address, client_id or names.client_id().decode(), version, **options))

    return paho


@pytest.fixture
def topic(names) -> str:
    return names.topic().decode()


def persistent(version, expiry: int = 300) -> tuple[dict, dict]:
    """What makes a session outlive its connection: the client's options, and those of its `connect`."""
    if version == MQTTv311:
        return {"clean_session": False}, {}
    return {}, {"clean_start": False, "properties": properties(PacketTypes.CONNECT, SessionExpiryInterval=expiry)}


@VERSIONS
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_messages_pass_at_every_qos(paho, topic, version, qos):
    subscriber, publisher = paho(version).connect(), paho(version).connect()
    assert subscriber.subscribe(topic, qos) == [qos]
    for number in range(20):
        publisher.publish(topic, b"%d" % number, qos)
    got = [subscriber.message() for _ in range(20)]
    assert [message.payload for message in got] == [b"%d" % number for number in range(20)]
    assert {message.qos for message in got} == {qos}
    subscriber.unsubscribe(topic)
    publisher.publish(topic, b"unheard", qos)
    subscriber.expect_silence()


@pytest.mark.parametrize("qos", [0, 1, 2])
def test_versions_hear_each_other(paho, topic, qos):
    three, five = paho(MQTTv311).connect(), paho(MQTTv5).connect()
    for client in (three, five):
        client.subscribe(topic, qos)
    three.publish(topic, b"from 3.1.1", qos)
    five.publish(topic, b"from 5", qos, properties=properties(PacketTypes.PUBLISH, ContentType="text/plain"))
    for client in (three, five):
        assert sorted(client.payloads(2)) == [b"from 3.1.1", b"from 5"]


@VERSIONS
def test_a_session_is_kept_and_its_queue_delivered(paho, names, topic, version):
    client_id, (made_with, connected_with) = names.client_id().decode(), persistent(version)
    client, publisher = paho(version, client_id, **made_with), paho(version).connect()
    client.connect(**connected_with)
    assert not client.flags.session_present
    client.subscribe(topic, 2)
    client.disconnect()
    for qos in (1, 2):
        publisher.publish(topic, b"queued at %d" % qos, qos)
    client.connect(**connected_with)
    assert client.flags.session_present
    assert client.payloads(2) == [b"queued at 1", b"queued at 2"]
    client.expect_silence()


@VERSIONS
def test_a_will_is_heard(paho, topic, version):
    watcher, mortal = paho(version).connect(), paho(version)
    watcher.subscribe(topic, 1)
    mortal.client.will_set(topic, b"gone", 1, retain=True)
    mortal.connect().vanish()
    assert watcher.message().payload == b"gone"
    later = paho(version).connect()
    later.subscribe(topic, 1)
    message = later.message()
    assert (message.payload, message.retain) == (b"gone", True)


@VERSIONS
def test_a_retained_message_waits(paho, topic, version):
    paho(version).connect().publish(topic, b"stored", 1, retain=True)
    client = paho(version).connect()
    client.subscribe(topic, 1)
    message = client.message()
    assert (message.payload, message.retain, message.qos) == (b"stored", True, 1)


@VERSIONS
def test_a_shared_subscription_divides_the_work(paho, topic, version):
    members = [paho(version).connect() for _ in range(2)]
    for member in members:
        member.subscribe(f"$share/{topic}/{topic}", 1)
    publisher = paho(version).connect()
    for number in range(30):
        publisher.publish(topic, b"%d" % number, 1)
    assert sorted(drain(members, 30)) == sorted(b"%d" % number for number in range(30))


def drain(members: list[Paho], count: int) -> list[bytes]:
    """What all members got, once it is as much as this."""
    end = time.monotonic() + 10
    while sum(member.messages.qsize() for member in members) < count and time.monotonic() < end:
        time.sleep(0.02)
    time.sleep(0.2)
    return [member.messages.get().payload for member in members for _ in range(member.messages.qsize())]


def test_properties_of_a_message(paho, topic):
    subscriber, publisher = paho(MQTTv5).connect(), paho(MQTTv5).connect()
    subscriber.subscribe(topic, options=SubscribeOptions(qos=1), properties=properties(PacketTypes.SUBSCRIBE, SubscriptionIdentifier=7))
    given = properties(
        PacketTypes.PUBLISH, ContentType="text/plain", ResponseTopic=f"{topic}/answers", CorrelationData=b"\x00\xff",
        PayloadFormatIndicator=1, MessageExpiryInterval=100, UserProperty=[("k", "1"), ("k", "2")],
    )  # fmt: skip
    publisher.publish(topic, b"with all", 1, properties=given)
    got = subscriber.message().properties
    assert (got.ContentType, got.ResponseTopic, got.CorrelationData) == ("text/plain", f"{topic}/answers", b"\x00\xff")
    assert (got.PayloadFormatIndicator, got.UserProperty, got.SubscriptionIdentifier) == (1, [("k", "1"), ("k", "2")], [7])
    assert 95 <= got.MessageExpiryInterval <= 100


def test_subscription_options(paho, topic):
    """No Local, Retain As Published and Retain Handling."""
    client, other = paho(MQTTv5).connect(), paho(MQTTv5).connect()
    other.publish(topic, b"stored", 1, retain=True)
    client.subscribe(topic, options=SubscribeOptions(qos=1, noLocal=True, retainAsPublished=True, retainHandling=2))
    client.publish(topic, b"own", 1)
    other.publish(topic, b"live", 1, retain=True)
    message = client.message()
    assert (message.payload, message.retain) == (b"live", True)
    client.expect_silence()


def test_a_takeover_is_told_in_5(paho, names):
    client_id = names.client_id().decode()
    first = paho(MQTTv5, client_id).connect()
    paho(MQTTv5, client_id).connect()
    assert first.ends.get(timeout=10).value == 0x8E


def test_an_assigned_client_id(address, stack):
    client = stack.enter_context(Paho(address, "", MQTTv5)).connect()
    assert client.properties.AssignedClientIdentifier


@VERSIONS
def test_a_large_message_passes(paho, topic, version):
    client, payload = paho(version).connect(), bytes(range(256)) * 2000
    client.subscribe(topic, 2)
    client.publish(topic, payload, 2)
    assert client.message().payload == payload
