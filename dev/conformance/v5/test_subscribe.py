"""SUBSCRIBE and SUBACK (3.8, 3.9): what is granted, replaced, and delivered at which QoS."""

import pytest
from statements import statement
from v5 import packets
from v5.packets import NO_LOCAL, RETAIN_AS_PUBLISHED, RETAIN_NEVER, Puback, Publish, Suback
from v5.properties import SUBSCRIBE, P, block, string
from v5.session import Session, connect, resume

REFUSED = (0x81, 0x82, 0x8F)


def refused_filter(client: Session, topic_filter: bytes, options: int = 0, codes=(0x8F,)) -> None:
    """The server answers with a SUBACK of one of the codes, or closes."""
    client.send(packets.subscribe(1, [(topic_filter, options)]), packets.disconnect())
    for packet in client.refused(*REFUSED, *codes):
        assert isinstance(packet, Suback) and packet.reasons[0] in codes, f"{packet} for {topic_filter}"


@statement("MQTT-3.8.4-1", "MQTT-3.8.4-2", "MQTT-3.8.4-6", "MQTT-3.8.4-7")
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_a_subscription_is_granted(address, names, qos):
    with connect(address, names.client_id()) as client:
        client.send(packets.subscribe(77, [(names.topic(), qos)], [(P.USER_PROPERTY, (b"k", b"v"))]))
        suback = client.take(Suback)
        assert (suback.packet_id, suback.reasons) == (77, [qos])


@statement("MQTT-3.8.4-5", "MQTT-3.8.4-6", "MQTT-3.9.3-1")
def test_codes_are_in_the_order_of_the_filters(address, names):
    with connect(address, names.client_id()) as client:
        qos = [2, 0, 1, 1, 2, 0, 0, 2]
        assert client.subscribe(*((names.topic(), each) for each in qos)).reasons == qos


@statement("MQTT-3.9.3-1", "MQTT-3.8.4-6", "MQTT-3.8.4-7", "MQTT-3.9.3-2")
def test_a_refused_filter_stands_in_its_place_and_the_others_count(address, names):
    """The server may instead take the packet as malformed."""
    topic = names.topic()
    with connect(address, names.client_id()) as client, connect(address, names.client_id()) as publisher:
        client.send(packets.subscribe(1, [(topic + b"/1", 1), (topic + b"/#/2", 1), (topic + b"/3", 0)]))
        first = client.receive()
        if isinstance(first, packets.Disconnect):
            assert first.reason in REFUSED
            return
        assert first.reasons == [1, 0x8F, 0]
        publisher.publish(topic + b"/3", b"x", 1)
        assert client.message().payload == b"x"


@statement("MQTT-3.8.3-2", "MQTT-4.13.1-1")
def test_a_subscribe_without_filters_closes(address, names):
    with connect(address, names.client_id()) as client:
        client.send(packets.subscribe(1, []))
        client.refused(0x82, 0x81)


@statement("MQTT-3.8.3-5", "MQTT-4.13.1-1")
@pytest.mark.parametrize("options", [0x40, 0x80, 0xC0, 0xC1, 0x03, 0x07, 0x30, 0x31, 0xFF])
def test_reserved_bits_qos_3_and_retain_handling_3_close(address, names, options):
    topic = names.topic()
    with connect(address, names.client_id()) as client:
        client.send(packets.subscribe(1, [(topic, 0), (topic, options)]))
        assert client.refused(0x81, 0x82) == []


BROKEN = {
    "no options": string(b"a"),
    "half a filter": b"\x00\x05abc",
    "a second filter without options": string(b"a") + b"\0" + string(b"b"),
    "a byte left over": string(b"a") + b"\0\0",
}


@statement("MQTT-3.8.3-2", "MQTT-4.13.1-1")
@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_payload_closes(address, names, case):
    with connect(address, names.client_id()) as client:
        client.send(packets.frame(SUBSCRIBE, 2, packets.u16(1), block(), BROKEN[case]))
        assert client.refused(0x81, 0x82) == []


@statement("MQTT-3.8.4-3")
def test_a_second_subscription_to_the_same_filter_replaces_the_first(address, names):
    topic = names.topic()
    with connect(address, names.client_id()) as client:
        steps = [(0, 3), (2 | RETAIN_AS_PUBLISHED, 9), (1, None), (2, 4), (0 | RETAIN_AS_PUBLISHED, None)]
        for options, identifier in steps:
            client.subscribe((topic, options | RETAIN_NEVER), identifier=identifier)
            client.publish(topic, b"x", 2, retain=True)
            message = client.message()
            assert (message.qos, message.retain) == (options & 3, bool(options & RETAIN_AS_PUBLISHED))
            assert message.properties.all(P.SUBSCRIPTION_IDENTIFIER) == ([identifier] if identifier else [])
            client.silent(0.1)
        client.publish(topic, b"", 1, retain=True)


@statement("MQTT-3.8.4-3", "MQTT-3.1.2-5")
def test_a_replaced_subscription_is_what_a_resumed_session_has(address, names):
    name, topic = names.client_id(), names.topic()
    with connect(address, name, expiry=60) as client:
        client.subscribe((topic, 2), identifier=3)
        client.subscribe((topic, 1 | NO_LOCAL), identifier=4)
        client.drop()
    with resume(address, name) as client, connect(address, names.client_id()) as publisher:
        client.publish(topic, b"mine", 1)
        publisher.publish(topic, b"another's", 2)
        message = client.message()
        assert (message.payload, message.qos, message.properties.all(P.SUBSCRIPTION_IDENTIFIER)) == (b"another's", 1, [4])
        client.silent(0.1)
        client.leave(0, [(P.SESSION_EXPIRY, 0)])


@statement("MQTT-3.8.4-4", "MQTT-3.8.4-3")
def test_no_message_is_lost_while_a_subscription_is_replaced(address, names):
    topic, total = names.topic(), 200
    with connect(address, names.client_id()) as client, connect(address, names.client_id()) as publisher:
        client.subscribe((topic, 1))
        for number in range(total):
            publisher.send(packets.publish(topic, b"%d" % number, 1, number % 15 + 1))
            client.send(packets.subscribe(number + 1, [(topic, 1 | (RETAIN_AS_PUBLISHED if number % 2 else 0))]))
            if number % 15 == 14:
                for _ in range(15):
                    publisher.take(Puback)
        assert [int(payload) for payload in client.payloads(total)] == list(range(total))


@statement("MQTT-3.8.4-5", "MQTT-3.8.4-3")
def test_the_same_filter_twice_in_one_packet_is_granted_twice_and_the_last_counts(address, names):
    topic = names.topic()
    with connect(address, names.client_id()) as client:
        assert client.subscribe((topic, 2), (topic, 0)).reasons == [2, 0]
        client.publish(topic, b"x", 2)
        assert client.message().qos == 0
        client.silent(0.1)


@statement("MQTT-3.8.4-8", "MQTT-3.3.4-2")
@pytest.mark.parametrize("granted", [0, 1, 2])
@pytest.mark.parametrize("qos", [0, 1, 2])
@pytest.mark.parametrize("away", [False, True], ids=["live", "queued"])
def test_a_message_comes_at_the_lower_of_its_qos_and_the_granted(address, names, qos, granted, away):
    """A message of QoS 0 in the end may be dropped for a client that is away."""
    name, topic = names.client_id(), names.topic()
    with connect(address, name, expiry=60) as client, connect(address, names.client_id()) as publisher:
        assert client.subscribe((topic, granted)).reasons == [granted]
        if away:
            client.drop()
        publisher.publish(topic, b"x", qos)
        if away:
            client = resume(address, name)
        found = client.all_messages() if away and not min(qos, granted) else [client.message()]
        assert [message.qos for message in found] in ([[min(qos, granted)]] if found else [[]])
        client.leave(0, [(P.SESSION_EXPIRY, 0)])


@statement("MQTT-3.3.4-2")
@pytest.mark.parametrize("order", [1, -1])
def test_overlapping_subscriptions_deliver_at_the_highest_qos(address, names, order):
    """In one copy, or in several of which one has it."""
    topic = names.topic()
    with connect(address, names.client_id()) as client:
        client.subscribe(*[(topic + b"/#", 0), (topic + b"/+", 2), (topic + b"/b", 1)][::order])
        client.publish(topic + b"/b", b"x", 2)
        found = client.all_messages()
        assert 1 <= len(found) <= 3 and max(message.qos for message in found) == 2
        assert {message.payload for message in found} == {b"x"}


@statement("MQTT-3.3.4-2", "MQTT-3.3.1-12", "MQTT-3.3.1-13")
def test_overlapping_subscriptions_each_have_their_retain_as_published(address, names):
    """One copy has RETAIN of one of them; with several copies each has its own, so 1 is among them."""
    topic = names.topic()
    with connect(address, names.client_id()) as client:
        client.subscribe((topic + b"/#", 1 | RETAIN_NEVER), (topic + b"/b", 1 | RETAIN_AS_PUBLISHED | RETAIN_NEVER))
        client.publish(topic + b"/b", b"x", 1, retain=True)
        found = [message.retain for message in client.all_messages()]
        assert len(found) == 1 or sorted(found) == [False, True]
        client.publish(topic + b"/b", b"", 1, retain=True)


@statement("MQTT-3.8.3-3")
def test_no_local_keeps_a_clients_own_messages_from_it(address, names):
    name, topic = names.client_id(), names.topic()
    with connect(address, name, expiry=60) as client, connect(address, names.client_id()) as other:
        client.subscribe((topic, 2 | NO_LOCAL))
        for qos in range(3):
            client.publish(topic, b"mine", qos)
        client.silent()
        other.publish(topic, b"another's", 1)
        assert client.message().payload == b"another's"
        client.subscribe((topic, 2))
        client.publish(topic, b"mine", 1)
        assert client.message().payload == b"mine"


@statement("MQTT-3.8.3-3")
def test_no_local_holds_after_a_reconnection(address, names):
    name, topic = names.client_id(), names.topic()
    with connect(address, name, expiry=60) as client:
        client.subscribe((topic, 2 | NO_LOCAL))
        client.drop()
    with resume(address, name) as client:
        client.publish(topic, b"mine", 1)
        client.silent()
        client.leave(0, [(P.SESSION_EXPIRY, 0)])


@statement("MQTT-3.8.3-3")
def test_no_local_of_one_subscription_does_not_touch_another(address, names):
    topic = names.topic()
    with connect(address, names.client_id()) as client:
        client.subscribe((topic + b"/#", 1 | NO_LOCAL), (topic + b"/+", 1))
        client.publish(topic + b"/a", b"mine", 1)
        assert [message.payload for message in client.all_messages()] == [b"mine"]
        client.publish(topic + b"/a/b", b"mine", 1)
        client.silent()


@statement("MQTT-3.8.3-4", "MQTT-4.13.1-1")
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_no_local_on_a_shared_subscription_closes(address, names, qos):
    with connect(address, names.client_id()) as client:
        client.send(packets.subscribe(1, [(b"$share/g/" + names.topic(), qos | NO_LOCAL)]))
        client.refused(0x82, 0x81, 0x9E)


@statement("MQTT-3.8.4-1")
def test_a_subscription_counts_as_soon_as_its_suback_came(address, names):
    for _ in range(50):
        topic = names.topic()
        with connect(address, names.client_id()) as client:
            client.subscribe((topic, 1))
            client.send(packets.publish(topic, b"x", 0))
            assert client.message().payload == b"x"


@statement("MQTT-3.8.4-1", "MQTT-3.8.4-5")
def test_many_filters_in_one_packet(address, names):
    topic = names.topic()
    with connect(address, names.client_id()) as client:
        assert client.subscribe(*((topic + b"/%d" % number, number % 3) for number in range(500))).reasons == [
            number % 3 for number in range(500)
        ]
        client.publish(topic + b"/499", b"x", 1)
        assert client.message().topic == topic + b"/499"


PROPERTY_ERRORS = {
    "Subscription Identifier 0": [(P.SUBSCRIPTION_IDENTIFIER, 0)],
    "Subscription Identifier twice": [(P.SUBSCRIPTION_IDENTIFIER, 1), (P.SUBSCRIPTION_IDENTIFIER, 2)],
    "Subscription Identifier above the largest": [b"\x0b\xff\xff\xff\xff\x01"],
    "Topic Alias": [(P.TOPIC_ALIAS, 1)],
    "Reason String": [(P.REASON_STRING, b"r")],
    "Session Expiry": [(P.SESSION_EXPIRY, 1)],
    "an unknown property": [b"\x7f\x00"],
}


@statement("MQTT-4.13.1-1")
@pytest.mark.parametrize("case", PROPERTY_ERRORS)
def test_a_wrong_property_closes_and_subscribes_to_nothing(address, names, case):
    name, topic = names.client_id(), names.topic()
    with connect(address, name, expiry=60) as client:
        client.send(packets.subscribe(1, [(topic, 1)], PROPERTY_ERRORS[case]))
        assert client.refused(0x81, 0x82) == []
    with resume(address, name) as client:
        client.publish(topic, b"x", 1)
        client.silent()
        client.leave(0, [(P.SESSION_EXPIRY, 0)])


@statement("MQTT-2.2.1-3")
def test_an_identifier_in_use_is_refused_or_taken_but_never_breaks_the_exchange_it_is_in(address, names):
    """A client must not; 0x91 is the answer that the standard offers."""
    topic = names.topic()
    with connect(address, names.client_id()) as subscriber, connect(address, names.client_id()) as client:
        subscriber.subscribe(topic)
        client.send(packets.publish(topic, b"x", 2, 7))
        assert client.take(packets.Pubrec).reason < 0x80
        client.send(packets.subscribe(7, [(names.topic(), 0)]))
        assert client.take(Suback).reasons[0] in (0, 0x91)
        assert client.release(7).reason == 0
        assert subscriber.take(Publish).payload == b"x"
