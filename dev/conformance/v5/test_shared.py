"""Shared subscriptions (4.8.2): each message to one member, and what happens to it when the member goes."""

import pytest
from statements import statement
from v5 import packets
from v5.packets import RETAIN_AS_PUBLISHED, RETAIN_IF_NEW, Publish, Pubrel, Suback
from v5.properties import P
from v5.session import Session, connect, resume


@pytest.fixture
def publisher(address, names):
    with connect(address, names.client_id()) as client:
        if not client.server(P.SHARED_AVAILABLE, 1):
            pytest.skip("the server has no shared subscriptions")
        yield client


def share(topic_filter: bytes, name: bytes = b"group") -> bytes:
    return b"$share/" + name + b"/" + topic_filter


def who_gets(members: list[Session], timeout: float = 5) -> tuple[Session, Publish]:
    """The member that the one message under way goes to, and the message, not acknowledged."""
    for _ in range(int(timeout / 0.05 / len(members))):
        for member in members:
            try:
                return member, member.take(Publish, 0.05)
            except TimeoutError:
                pass
    raise AssertionError("no member got the message")


@statement("MQTT-4.8.2-1")
def test_each_message_goes_to_exactly_one_member(address, names, publisher):
    topic, total = names.topic(), 60
    members = [connect(address, names.client_id()) for _ in range(3)]
    for member in members:
        member.subscribe(share(topic))
    for number in range(total):
        publisher.publish(topic, b"%d" % number, number % 3)
    found = [message.payload for member in members for message in member.all_messages()]
    assert sorted(found, key=int) == [b"%d" % number for number in range(total)]
    for member in members:
        member.close()


@statement("MQTT-4.8.2-1", "MQTT-4.8.2-2")
@pytest.mark.parametrize("topic_filter", [b"$share//a", b"$share/", b"$share", b"$share/g", b"$share/g/", b"$share/g+/a", b"$share/g#/a", b"$share/#/a",
                                          b"$share/+/a", b"$share///a"], ids=bytes.decode)  # fmt: skip
def test_a_share_without_a_right_name_and_filter_is_refused(address, names, publisher, topic_filter):
    """`$share` alone is no shared subscription; a server may take it as any filter."""
    with connect(address, names.client_id()) as client:
        client.send(packets.subscribe(1, [(topic_filter, 0)]), packets.disconnect())
        for packet in client.refused(0x81, 0x82, 0x8F):
            assert packet.reasons == [0x8F] or topic_filter == b"$share", f"{packet} for {topic_filter}"


@statement("MQTT-4.8.2-2", "MQTT-4.7.1-1", "MQTT-4.7.1-2")
@pytest.mark.parametrize("topic_filter", [b"a#", b"a/#/b", b"a+", b"#/a"], ids=bytes.decode)
def test_a_share_of_a_wrong_filter_is_refused(address, names, publisher, topic_filter):
    with connect(address, names.client_id()) as client:
        client.send(packets.subscribe(1, [(share(topic_filter), 0)]), packets.disconnect())
        for packet in client.refused(0x81, 0x82, 0x8F):
            assert packet.reasons == [0x8F]


@statement("MQTT-4.8.2-2")
def test_the_filter_of_a_share_may_begin_with_a_slash(address, names, publisher):
    topic = b"/" + names.topic()
    with connect(address, names.client_id()) as member:
        member.subscribe(share(topic))
        publisher.publish(topic[1:], b"no", 1)
        publisher.publish(topic, b"yes", 1)
        message = member.message()
        assert (message.topic, message.payload) == (topic, b"yes")
        member.silent(0.1)


@statement("MQTT-4.8.2-1", "MQTT-4.7.3-4")
def test_a_filter_that_only_looks_like_a_share_is_an_ordinary_one(address, names, publisher):
    topic = names.topic()
    with connect(address, names.client_id()) as client:
        client.send(packets.subscribe(1, [(b"$SHARE/g/" + topic, 0), (topic + b"/$share/g/x", 0)]))
        assert client.take(Suback).reasons == [0, 0]
        publisher.publish(topic, b"no", 1)
        client.silent(0.2)
        publisher.publish(topic + b"/$share/g/x", b"yes", 1)
        assert client.message().payload == b"yes"


@statement("MQTT-4.8.2-3", "MQTT-3.8.4-8")
def test_each_member_gets_at_most_its_granted_qos(address, names, publisher):
    topic = names.topic()
    with connect(address, names.client_id()) as zero, connect(address, names.client_id()) as two:
        zero.subscribe((share(topic), 0))
        two.subscribe((share(topic), 2))
        for number in range(40):
            publisher.publish(topic, b"%d" % number, 2)
        of_zero, of_two = zero.all_messages(), two.all_messages()
        assert len(of_zero) + len(of_two) == 40
        assert {message.qos for message in of_zero} <= {0} and {message.qos for message in of_two} <= {2}


@statement("MQTT-4.8.2-3", "MQTT-3.8.4-3")
def test_subscribing_twice_is_one_membership_with_the_last_options(address, names, publisher):
    topic = names.topic()
    with connect(address, names.client_id()) as member:
        member.subscribe((share(topic), 2))
        member.subscribe((share(topic), 1))
        publisher.publish(topic, b"x", 2)
        assert member.message().qos == 1
        member.silent(0.2)


@statement("MQTT-4.8.2-1")
def test_two_share_names_get_one_copy_each(address, names, publisher):
    topic = names.topic()
    with connect(address, names.client_id()) as first, connect(address, names.client_id()) as second:
        for member in (first, second):
            member.subscribe(share(topic, b"one"), share(topic, b"two"))
        publisher.publish(topic, b"x", 1)
        assert len(first.all_messages()) + len(second.all_messages()) == 2


@statement("MQTT-4.8.2-1")
def test_a_plain_subscription_beside_a_shared_one_gets_its_own_copy(address, names, publisher):
    topic = names.topic()
    with connect(address, names.client_id()) as both, connect(address, names.client_id()) as plain:
        both.subscribe(topic, share(topic))
        plain.subscribe(topic)
        publisher.publish(topic, b"x", 1)
        assert len(both.all_messages()) == 2
        assert len(plain.all_messages()) == 1


@statement("MQTT-4.8.2-1", "MQTT-4.7.1-1", "MQTT-4.7.1-2")
def test_a_share_may_have_wildcards(address, names, publisher):
    topic = names.topic()
    with connect(address, names.client_id()) as member:
        member.subscribe(share(topic + b"/+/b/#"))
        for end in (b"/a/b", b"/a/b/c", b"/a/c"):
            publisher.publish(topic + end, end, 1)
        assert member.payloads(2) == [b"/a/b", b"/a/b/c"]
        member.silent(0.1)


@pytest.mark.parametrize("options", [1, 1 | RETAIN_IF_NEW, 1 | RETAIN_AS_PUBLISHED])
def test_no_retained_messages_come_to_a_shared_subscription(address, names, publisher, options):
    topic = names.topic()
    publisher.publish(topic, b"kept", 1, retain=True)
    with connect(address, names.client_id()) as member:
        member.subscribe((share(topic), options))
        member.silent()
        publisher.publish(topic, b"live", 1, retain=True)
        message = member.message()
        assert (message.payload, message.retain) == (b"live", bool(options & RETAIN_AS_PUBLISHED))
    publisher.publish(topic, b"", 1, retain=True)


@statement("MQTT-3.10.4-1", "MQTT-3.10.4-2")
def test_a_member_leaves_with_the_full_text_of_its_share(address, names, publisher):
    topic = names.topic()
    with connect(address, names.client_id()) as member, connect(address, names.client_id()) as other:
        member.subscribe(share(topic))
        other.subscribe(share(topic))
        assert member.unsubscribe(topic, share(topic, b"other"), share(topic + b"/x")).reasons == [0x11] * 3
        assert member.unsubscribe(share(topic)).reasons == [0x00]
        for number in range(10):
            publisher.publish(topic, b"%d" % number, 1)
        assert len(other.all_messages()) == 10
        member.silent(0.1)


@statement("MQTT-4.8.2-4")
@pytest.mark.parametrize("step", ["before PUBREC", "before PUBCOMP"])
def test_a_qos_2_message_is_finished_to_its_member_after_a_reconnection(address, names, publisher, step):
    topic, ids = names.topic(), [names.client_id(), names.client_id()]
    members = [connect(address, name, expiry=60) for name in ids]
    for member in members:
        member.subscribe(share(topic))
    publisher.publish(topic, b"x", 2)
    chosen, message = who_gets(members)
    name, other = ids[members.index(chosen)], members[1 - members.index(chosen)]
    if step == "before PUBCOMP":
        chosen.send(packets.pubrec(message.packet_id))
        assert chosen.take(Pubrel).packet_id == message.packet_id
    chosen.drop()
    other.silent()
    with resume(address, name) as again:
        if step == "before PUBREC":
            resent = again.take(Publish)
            assert (resent.packet_id, resent.dup, resent.payload) == (message.packet_id, True, b"x")
            again.acknowledge(resent)
        else:
            assert again.take(Pubrel).packet_id == message.packet_id
            again.send(packets.pubcomp(message.packet_id))
        again.silent(0.1)
        other.silent(0.1)
        again.leave(0, [(P.SESSION_EXPIRY, 0)])
    other.leave(0, [(P.SESSION_EXPIRY, 0)])


@statement("MQTT-4.8.2-5")
def test_a_qos_2_message_whose_members_session_ends_goes_to_nobody_else(address, names, publisher):
    topic = names.topic()
    members = [connect(address, names.client_id()) for _ in range(2)]
    for member in members:
        member.subscribe(share(topic))
    publisher.publish(topic, b"x", 2)
    chosen, _ = who_gets(members)
    chosen.drop()
    other = members[1 - members.index(chosen)]
    other.silent(1)
    other.close()


def test_a_qos_1_message_whose_members_session_ends_goes_to_another_member(address, names, publisher):
    """4.8.2 says SHOULD."""
    topic = names.topic()
    members = [connect(address, names.client_id()) for _ in range(2)]
    for member in members:
        member.subscribe((share(topic), 1))
    publisher.publish(topic, b"x", 1)
    chosen, _ = who_gets(members)
    other = members[1 - members.index(chosen)]
    chosen.drop()
    assert other.message().payload == b"x"
    other.silent(0.1)
    other.close()


def test_what_waits_for_a_member_behind_its_quota_goes_to_another_when_its_session_ends(address, names, publisher):
    """4.8.2 says SHOULD for QoS 1; not one of the messages is lost or comes twice to the one who stays."""
    topic = names.topic()
    with connect(address, names.client_id(), [(P.RECEIVE_MAXIMUM, 1)]) as leaving, connect(address, names.client_id()) as staying:
        leaving.subscribe((share(topic), 1))
        for number in range(5):
            publisher.publish(topic, b"%d" % number, 1)
        assert leaving.take(Publish).payload == b"0"
        staying.subscribe((share(topic), 1))
        leaving.drop()
        assert sorted(message.payload for message in staying.all_messages()) == [b"%d" % number for number in range(5)]


@statement("MQTT-4.8.2-6")
@pytest.mark.parametrize("qos", [1, 2])
def test_a_message_refused_by_its_member_is_discarded(address, names, publisher, qos):
    topic = names.topic()
    members = [connect(address, names.client_id()) for _ in range(2)]
    for member in members:
        member.subscribe(share(topic))
    publisher.publish(topic, b"x", qos)
    chosen, message = who_gets(members)
    chosen.send((packets.puback if qos == 1 else packets.pubrec)(message.packet_id, 0x80))
    for member in members:
        member.silent()
        member.close()


def test_a_message_is_queued_for_a_share_whose_only_member_is_away(address, names, publisher):
    name, topic = names.client_id(), names.topic()
    with connect(address, name, expiry=60) as member:
        member.subscribe(share(topic))
        member.drop()
    publisher.publish(topic, b"x", 1)
    with resume(address, name) as member:
        assert member.message().payload == b"x"
        member.leave(0, [(P.SESSION_EXPIRY, 0)])


def test_a_share_without_members_is_gone(address, names, publisher):
    topic = names.topic()
    with connect(address, names.client_id()) as member:
        member.subscribe(share(topic))
        member.leave()
    publisher.publish(topic, b"to nobody", 1)
    with connect(address, names.client_id()) as member:
        member.subscribe(share(topic))
        member.silent()
        publisher.publish(topic, b"live", 1)
        assert member.message().payload == b"live"


def test_a_message_too_big_for_one_member_stalls_nobody(address, names, publisher):
    """4.8.2: the server may drop it or choose a member that can take it."""
    topic = names.topic()
    with connect(address, names.client_id(), [(P.MAXIMUM_PACKET_SIZE, 100)]) as small, connect(address, names.client_id()) as large:
        for member in (small, large):
            member.subscribe((share(topic), 1))
        for number in range(20):
            publisher.publish(topic, (b"%d" % number).ljust(300 if number % 2 else 1), 1)
        found = [int(message.payload) for member in (small, large) for message in member.all_messages()]
        assert len(set(found)) == len(found) and set(range(0, 20, 2)) <= set(found)
