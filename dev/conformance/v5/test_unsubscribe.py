"""UNSUBSCRIBE and UNSUBACK (3.10, 3.11)."""

import pytest
from statements import statement
from v5 import packets
from v5.packets import Publish, Pubrel, Unsuback
from v5.properties import UNSUBSCRIBE, P, block
from v5.session import connect, resume


@statement("MQTT-3.10.4-2", "MQTT-3.10.4-4", "MQTT-3.11.3-2")
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_no_message_comes_after_unsuback(address, names, qos):
    topic = names.topic()
    with connect(address, names.client_id()) as client, connect(address, names.client_id()) as publisher:
        client.subscribe(topic)
        assert client.unsubscribe(topic).reasons == [0x00]
        client.publish(topic, b"x", qos)
        publisher.publish(topic, b"x", qos)
        client.silent()


@statement("MQTT-3.10.4-1")
def test_only_the_filter_of_the_same_characters_is_removed(address, names):
    topic = names.topic()
    with connect(address, names.client_id()) as client:
        client.subscribe((topic + b"/b", 0))
        others = (topic + b"/+", topic + b"/#", topic + b"/B", topic + b"/b/", b"/" + topic + b"/b", topic + b"/b ", topic, b"#")
        assert client.unsubscribe(*others).reasons == [0x11] * len(others)
        client.publish(topic + b"/b", b"x", 1)
        assert client.message().payload == b"x"
        client.subscribe((topic + b"/+", 0))
        assert client.unsubscribe(topic + b"/b").reasons == [0x00]
        client.publish(topic + b"/b", b"y", 1)
        assert client.message().payload == b"y"
        client.silent(0.1)


@statement("MQTT-3.10.4-5", "MQTT-3.10.4-4", "MQTT-3.11.3-2")
def test_an_unknown_filter_is_answered_with_no_subscription_existed(address, names):
    with connect(address, names.client_id()) as client:
        client.send(packets.unsubscribe(513, [names.topic()], [(P.USER_PROPERTY, (b"k", b"v"))]))
        unsuback = client.take(Unsuback)
        assert (unsuback.packet_id, unsuback.reasons) == (513, [0x11])


@statement("MQTT-3.11.3-1", "MQTT-3.10.4-6", "MQTT-3.11.3-2")
def test_codes_are_in_the_order_of_the_filters(address, names):
    topic = names.topic()
    with connect(address, names.client_id()) as client:
        client.subscribe(topic + b"/1", topic + b"/3")
        ends = (b"/0", b"/1", b"/2", b"/3", b"/1")
        assert client.unsubscribe(*(topic + end for end in ends)).reasons == [0x11, 0x00, 0x11, 0x00, 0x11]


@statement("MQTT-3.10.4-6")
def test_the_same_filter_twice_is_removed_once(address, names):
    topic = names.topic()
    with connect(address, names.client_id()) as client:
        client.subscribe(topic)
        assert client.unsubscribe(topic, topic).reasons == [0x00, 0x11]


@statement("MQTT-3.10.3-2", "MQTT-4.13.1-1")
def test_an_unsubscribe_without_filters_closes(address, names):
    with connect(address, names.client_id()) as client:
        client.send(packets.unsubscribe(1, []))
        client.refused(0x82, 0x81)


BROKEN = {"half a filter": b"\x00\x05ab", "a byte left over": b"\x00\x01a\x00", "an empty filter": b"\x00\x00"}


@statement("MQTT-4.13.1-1", "MQTT-4.7.3-1")
@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_payload_closes(address, names, case):
    """An empty filter may also be answered with 0x8F."""
    with connect(address, names.client_id()) as client:
        client.send(packets.frame(UNSUBSCRIBE, 2, packets.u16(1), block(), BROKEN[case]), packets.disconnect())
        found = client.refused(0x81, 0x82, 0x8F)
        assert not found or (case == "an empty filter" and found[0].reasons == [0x8F])


@statement("MQTT-4.13.1-1")
@pytest.mark.parametrize(
    "properties",
    [[(P.SUBSCRIPTION_IDENTIFIER, 1)], [(P.REASON_STRING, b"r")], [(P.TOPIC_ALIAS, 1)], [b"\x7f\x00"]],
    ids=["Subscription Identifier", "Reason String", "Topic Alias", "unknown"],
)
def test_a_wrong_property_closes(address, names, properties):
    with connect(address, names.client_id()) as client:
        client.send(packets.unsubscribe(1, [names.topic()], properties))
        assert client.refused(0x81, 0x82) == []


@statement("MQTT-3.10.4-3")
@pytest.mark.parametrize("reconnect", [False, True])
def test_a_qos_1_message_under_way_is_finished(address, names, reconnect):
    name, topic = names.client_id(), names.topic()
    client = connect(address, name, expiry=60)
    client.subscribe(topic)
    client.publish(topic, b"x", 1)
    message = client.take(Publish)
    client.unsubscribe(topic)
    if reconnect:
        client.drop()
        client = resume(address, name)
        again = client.take(Publish)
        assert (again.packet_id, again.dup, again.payload) == (message.packet_id, True, b"x")
    client.acknowledge(message)
    client.silent(0.2)
    client.leave(0, [(P.SESSION_EXPIRY, 0)])


@statement("MQTT-3.10.4-3")
@pytest.mark.parametrize("reconnect", [False, True])
@pytest.mark.parametrize("step", ["before PUBREC", "before PUBCOMP"])
def test_a_qos_2_message_under_way_is_finished(address, names, step, reconnect):
    name, topic = names.client_id(), names.topic()
    client = connect(address, name, expiry=60)
    client.subscribe(topic)
    client.publish(topic, b"x", 2)
    message = client.take(Publish)
    if step == "before PUBCOMP":
        client.send(packets.pubrec(message.packet_id))
        assert client.take(Pubrel).reason == 0
    client.unsubscribe(topic)
    if reconnect:
        client.drop()
        client = resume(address, name)
        again = client.take(Publish if step == "before PUBREC" else Pubrel)
        assert again.packet_id == message.packet_id
    if step == "before PUBREC":
        client.acknowledge(message)
    else:
        client.send(packets.pubcomp(message.packet_id))
    client.silent(0.2)
    client.leave(0, [(P.SESSION_EXPIRY, 0)])
