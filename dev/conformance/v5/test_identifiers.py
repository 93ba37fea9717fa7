"""Subscription Identifiers (3.8.2.1.2, 3.3.4): a client's own, on everything that its subscriptions bring."""

import pytest
from statements import statement
from v5.packets import RETAIN_IF_NEW
from v5.properties import P
from v5.session import Session, connect, resume


@pytest.fixture
def client(address, names):
    with connect(address, names.client_id(), expiry=0) as client:
        if not client.server(P.SUBSCRIPTION_IDENTIFIER_AVAILABLE, 1):
            pytest.skip("the server has no subscription identifiers")
        yield client


def identifiers(client: Session) -> list[int]:
    """All identifiers that the copies of one message brought, each copy once."""
    found = [message.properties.all(P.SUBSCRIPTION_IDENTIFIER) for message in client.all_messages()]
    assert len(found) == 1 or all(len(copy) <= 1 for copy in found), f"several copies with several identifiers [MQTT-3.3.4-5]: {found}"
    return sorted(identifier for copy in found for identifier in copy)


@statement("MQTT-3.3.4-3")
@pytest.mark.parametrize("identifier", [1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152, 268_435_455])
def test_an_identifier_of_every_size_comes_back(client, names, identifier):
    topic = names.topic()
    client.subscribe(topic, identifier=identifier)
    for qos in range(3):
        client.publish(topic, b"x", qos)
        assert client.message().properties.pairs == [(P.SUBSCRIPTION_IDENTIFIER, identifier)]


@statement("MQTT-3.3.4-3", "MQTT-3.3.4-4", "MQTT-3.3.4-5")
def test_all_matching_subscriptions_identifiers_come(client, names):
    topic = names.topic()
    client.subscribe(topic + b"/a", identifier=1)
    client.subscribe(topic + b"/+", identifier=7)
    client.subscribe(topic + b"/#")
    client.subscribe(topic + b"/b", identifier=9)
    client.publish(topic + b"/a", b"x", 1)
    assert identifiers(client) == [1, 7]


@statement("MQTT-3.3.4-3", "MQTT-3.3.4-4")
def test_two_subscriptions_may_share_an_identifier(client, names):
    """One copy may have it twice or once."""
    topic = names.topic()
    client.subscribe(topic + b"/a", topic + b"/#", identifier=5)
    client.publish(topic + b"/a", b"x", 1)
    assert identifiers(client) in ([5], [5, 5])


@statement("MQTT-3.3.4-3")
def test_one_identifier_holds_for_all_filters_of_its_packet(client, names):
    topic = names.topic()
    client.subscribe(topic + b"/a", topic + b"/b", identifier=6)
    for end in (b"/a", b"/b"):
        client.publish(topic + end, b"x", 1)
        assert client.message().properties.all(P.SUBSCRIPTION_IDENTIFIER) == [6]


@statement("MQTT-3.3.4-5", "MQTT-3.3.4-3")
def test_another_clients_identifiers_never_come(address, client, names):
    topic = names.topic()
    client.subscribe(topic, identifier=1)
    with connect(address, names.client_id()) as other, connect(address, names.client_id()) as none:
        other.subscribe(topic + b"/#", identifier=2)
        none.subscribe(topic)
        other.publish(topic, b"x", 1)
        assert client.message().properties.all(P.SUBSCRIPTION_IDENTIFIER) == [1]
        assert other.message().properties.all(P.SUBSCRIPTION_IDENTIFIER) == [2]
        assert none.message().properties.all(P.SUBSCRIPTION_IDENTIFIER) == []


@statement("MQTT-3.3.4-3", "MQTT-3.8.4-3")
def test_a_new_subscription_replaces_the_identifier_also_by_none(client, names):
    topic = names.topic()
    for identifier in (3, 4, None, 5):
        client.subscribe(topic, identifier=identifier)
        client.publish(topic, b"x", 1)
        assert client.message().properties.all(P.SUBSCRIPTION_IDENTIFIER) == ([identifier] if identifier else [])


@statement("MQTT-3.3.4-3", "MQTT-3.1.2-5")
@pytest.mark.parametrize("qos", [1, 2])
def test_identifiers_come_with_queued_and_resent_messages(address, names, qos):
    name, topic = names.client_id(), names.topic()
    with connect(address, name, expiry=60) as first:
        first.subscribe(topic, identifier=11)
        first.drop()
    with connect(address, names.client_id()) as publisher:
        publisher.publish(topic, b"queued", qos)
    with resume(address, name) as second:
        assert second.message().properties.all(P.SUBSCRIPTION_IDENTIFIER) == [11]
        second.publish(topic, b"live", qos)
        message = second.receive()
        assert message.properties.all(P.SUBSCRIPTION_IDENTIFIER) == [11]
        second.drop()
    with resume(address, name) as third:
        again = third.message()
        assert (again.dup, again.properties.all(P.SUBSCRIPTION_IDENTIFIER)) == (True, [11])
        third.leave(0, [(P.SESSION_EXPIRY, 0)])


@statement("MQTT-3.3.4-3", "MQTT-3.3.1-9", "MQTT-3.3.1-10")
def test_retained_messages_come_with_the_identifier_of_the_subscription_that_fetched_them(client, names):
    topic = names.topic()
    client.publish(topic, b"kept", 1, retain=True)
    client.subscribe((topic, 1 | RETAIN_IF_NEW), identifier=8)
    assert client.message().properties.all(P.SUBSCRIPTION_IDENTIFIER) == [8]
    client.publish(topic, b"", 1, retain=True)


@statement("MQTT-3.3.4-3")
def test_a_shared_subscription_has_its_members_identifier(address, client, names):
    topic = names.topic()
    if not client.server(P.SHARED_AVAILABLE, 1):
        pytest.skip("the server has no shared subscriptions")
    with connect(address, names.client_id()) as other:
        client.subscribe(b"$share/g/" + topic, identifier=21)
        other.subscribe(b"$share/g/" + topic, identifier=22)
        for number in range(20):
            other.publish(topic, b"%d" % number, 1)
        mine, others = client.all_messages(), other.all_messages()
        assert len(mine) + len(others) == 20
        assert {tuple(message.properties.all(P.SUBSCRIPTION_IDENTIFIER)) for message in mine} <= {(21,)}
        assert {tuple(message.properties.all(P.SUBSCRIPTION_IDENTIFIER)) for message in others} <= {(22,)}


@statement("MQTT-3.3.4-3", "MQTT-3.3.4-4", "MQTT-3.3.4-5")
def test_a_plain_and_a_shared_subscription_of_one_client_each_have_theirs(client, names):
    topic = names.topic()
    if not client.server(P.SHARED_AVAILABLE, 1):
        pytest.skip("the server has no shared subscriptions")
    client.subscribe(topic, identifier=31)
    client.subscribe(b"$share/g/" + topic, identifier=32)
    client.publish(topic, b"x", 1)
    assert identifiers(client) == [31, 32]
