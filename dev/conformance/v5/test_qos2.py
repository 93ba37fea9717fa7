"""QoS 2 (4.3.3): once, whatever is repeated, lost or broken off. A server may deliver on PUBLISH or on PUBREL."""

import pytest
from statements import statement
from v5 import packets
from v5.packets import Pubcomp, Publish, Pubrec, Pubrel
from v5.properties import P
from v5.session import Session, connect, resume
from wire import Closed


def drop_and_resume(address, client: Session, name: bytes) -> Session:
    client.drop()
    return resume(address, name)


@statement("MQTT-4.3.3-10", "MQTT-4.3.3-8", "MQTT-4.3.3-11")
@pytest.mark.parametrize("reconnect", [False, True])
def test_a_repeated_publish_is_answered_again_and_delivered_once(address, names, reconnect):
    name, topic = names.client_id(), names.topic()
    with connect(address, names.client_id()) as subscriber:
        subscriber.subscribe(topic)
        client = connect(address, name, expiry=60)
        for number in range(4):
            client.send(packets.publish(topic, b"once", 2, 9, dup=number > 0))
            pubrec = client.take(Pubrec)
            assert pubrec.packet_id == 9 and pubrec.reason < 0x80
            if reconnect:
                client = drop_and_resume(address, client, name)
        assert client.release(9).reason == 0
        assert subscriber.message().payload == b"once"
        subscriber.silent()
        client.leave(0, [(P.SESSION_EXPIRY, 0)])


@statement("MQTT-4.3.3-10")
def test_a_first_publish_with_dup_1_is_delivered(address, names):
    """Its sender may know of a first try that never arrived."""
    topic = names.topic()
    with connect(address, names.client_id()) as client:
        client.subscribe(topic)
        client.send(packets.publish(topic, b"x", 2, 3, dup=True))
        assert client.take(Pubrec).reason < 0x80
        assert client.release(3).reason == 0
        message = client.message()
        assert (message.payload, message.dup) == (b"x", False)


@statement("MQTT-4.3.3-10")
def test_the_identifier_is_remembered_while_time_passes(address, names):
    topic = names.topic()
    with connect(address, names.client_id()) as subscriber, connect(address, names.client_id()) as client:
        subscriber.subscribe(topic)
        client.send(packets.publish(topic, b"once", 2, 9))
        assert client.take(Pubrec).reason < 0x80
        client.silent(4)
        client.send(packets.publish(topic, b"once", 2, 9, dup=True))
        assert client.take(Pubrec).reason < 0x80
        assert client.release(9).reason == 0
        assert subscriber.message().payload == b"once"
        subscriber.silent()


@statement("MQTT-4.3.3-12", "MQTT-4.3.3-11")
def test_after_pubcomp_the_same_identifier_is_a_new_message(address, names):
    topic = names.topic()
    with connect(address, names.client_id()) as subscriber, connect(address, names.client_id()) as client:
        subscriber.subscribe(topic)
        for number in range(3):
            client.publish(topic, b"%d" % number, 2, packet_id=4)
        assert subscriber.payloads(3) == [b"0", b"1", b"2"]
        subscriber.silent(0.1)


@statement("MQTT-4.3.3-11", "MQTT-3.7.2-1")
@pytest.mark.parametrize("reconnect", [False, True])
def test_a_repeated_pubrel_is_answered_again(address, names, reconnect):
    """The second PUBCOMP says that the identifier is not known any more, or 0 again."""
    name = names.client_id()
    client = connect(address, name, expiry=60)
    client.send(packets.publish(names.topic(), b"x", 2, 6))
    assert client.take(Pubrec).reason < 0x80
    assert client.release(6).reason == 0
    if reconnect:
        client = drop_and_resume(address, client, name)
    assert client.release(6).reason in (0, 0x92)
    client.fence()
    client.leave(0, [(P.SESSION_EXPIRY, 0)])


@statement("MQTT-4.3.3-11", "MQTT-4.3.3-10")
def test_a_pubrel_after_a_reconnect_completes_the_exchange(address, names):
    name, topic = names.client_id(), names.topic()
    with connect(address, names.client_id()) as subscriber:
        subscriber.subscribe(topic)
        client = connect(address, name, expiry=60)
        client.send(packets.publish(topic, b"x", 2, 6, [(P.CONTENT_TYPE, b"type")], retain=True))
        assert client.take(Pubrec).reason < 0x80
        client = drop_and_resume(address, client, name)
        assert client.release(6).reason == 0
        message = subscriber.message()
        assert (message.payload, message.qos, message.properties.pairs) == (b"x", 2, [(P.CONTENT_TYPE, b"type")])
        subscriber.subscribe(topic)
        assert subscriber.message().retain is True
        client.publish(topic, b"", 1, retain=True)
        client.leave(0, [(P.SESSION_EXPIRY, 0)])


@statement("MQTT-3.7.2-1", "MQTT-4.13.2-1")
def test_a_pubrel_for_an_unknown_identifier_is_answered_with_not_found(address, names):
    with connect(address, names.client_id()) as client:
        assert client.release(99).reason == 0x92
        client.fence()


@statement("MQTT-3.6.2-1", "MQTT-4.13.2-1")
def test_a_pubrec_for_an_unknown_identifier_is_answered_with_not_found(address, names):
    with connect(address, names.client_id()) as client:
        client.send(packets.pubrec(99))
        pubrel = client.take(Pubrel)
        assert (pubrel.packet_id, pubrel.reason) == (99, 0x92)
        client.fence()


@pytest.mark.parametrize("raw", [packets.puback(99), packets.pubcomp(99)], ids=["PUBACK", "PUBCOMP"])
def test_an_acknowledgement_for_nothing_is_ignored_or_a_protocol_error(address, names, raw):
    """Not prescribed; the server and others live on."""
    with connect(address, names.client_id()) as bystander, connect(address, names.client_id()) as client:
        client.send(raw, packets.disconnect())
        assert client.refused(0x82) == []
        bystander.fence()


@statement("MQTT-4.3.3-3", "MQTT-4.4.0-1", "MQTT-3.3.1-1")
def test_without_pubrec_the_publish_comes_again(address, names):
    name, topic = names.client_id(), names.topic()
    client = connect(address, name, expiry=60)
    client.subscribe(topic)
    client.publish(topic, b"x", 2)
    first = client.take(Publish)
    assert (first.qos, first.dup) == (2, False)
    client = drop_and_resume(address, client, name)
    again = client.take(Publish)
    assert (again.topic, again.payload, again.qos, again.packet_id, again.dup) == (topic, b"x", 2, first.packet_id, True)
    client.acknowledge(again)
    client.silent(0.1)
    client = drop_and_resume(address, client, name)
    client.silent()
    client.leave(0, [(P.SESSION_EXPIRY, 0)])


@statement("MQTT-4.3.3-5", "MQTT-4.3.3-6", "MQTT-4.4.0-1")
@pytest.mark.parametrize("seen", [True, False], ids=["after the PUBREL came", "before the PUBREL came"])
def test_after_pubrec_the_pubrel_comes_again_and_never_the_publish(address, names, seen):
    name, topic = names.client_id(), names.topic()
    client = connect(address, name, expiry=60)
    client.subscribe(topic)
    client.publish(topic, b"x", 2)
    message = client.take(Publish)
    client.send(packets.pubrec(message.packet_id))
    if seen:
        assert client.take(Pubrel).reason == 0
    for _ in range(2):
        client = drop_and_resume(address, client, name)
        pubrel = client.receive()
        assert isinstance(pubrel, Pubrel) and (pubrel.packet_id, pubrel.reason) == (message.packet_id, 0), pubrel
        client.silent(0.2)
    client.send(packets.pubcomp(message.packet_id))
    client.barrier()
    client = drop_and_resume(address, client, name)
    client.silent()
    client.leave(0, [(P.SESSION_EXPIRY, 0)])


@statement("MQTT-4.3.3-4", "MQTT-4.4.0-2", "MQTT-4.13.2-1")
@pytest.mark.parametrize("reason", [0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99])
def test_after_a_pubrec_with_an_error_no_pubrel_comes_and_nothing_is_resent(address, names, reason):
    name, topic = names.client_id(), names.topic()
    client = connect(address, name, expiry=60)
    client.subscribe(topic)
    client.publish(topic, b"x", 2)
    client.send(packets.pubrec(client.take(Publish).packet_id, reason))
    client.silent()
    client = drop_and_resume(address, client, name)
    client.silent()
    client.publish(topic, b"next", 2)
    assert client.message().payload == b"next"
    client.leave(0, [(P.SESSION_EXPIRY, 0)])


@statement("MQTT-4.3.3-4")
def test_a_pubrec_of_no_matching_subscribers_or_success_goes_on(address, names):
    topic = names.topic()
    with connect(address, names.client_id()) as client:
        client.subscribe(topic)
        for raw in (lambda packet_id: packets.frame(5, 0, packets.u16(packet_id), b"\0\0"), packets.pubrec):
            client.publish(topic, b"x", 2)
            message = client.take(Publish)
            client.send(raw(message.packet_id))
            assert client.take(Pubrel).packet_id == message.packet_id
            client.send(packets.pubcomp(message.packet_id))
        client.silent(0.1)


def test_acknowledgements_in_another_order_are_tolerated(address, names):
    """The order of PUBREC binds the client [MQTT-4.6.0-3]; a server has no rule for another one."""
    topic = names.topic()
    with connect(address, names.client_id()) as client:
        client.subscribe(topic)
        for number in range(4):
            client.publish(topic, b"%d" % number, 2)
        ids = [client.take(Publish).packet_id for _ in range(4)]
        for order in (ids[2], ids[0], ids[3], ids[1]):
            client.send(packets.pubrec(order))
        assert sorted(client.take(Pubrel).packet_id for _ in ids) == sorted(ids)
        for order in reversed(ids):
            client.send(packets.pubcomp(order))
        client.silent(0.1)


@statement("MQTT-4.3.3-11")
def test_pubrels_in_another_order_are_answered(address, names):
    topic = names.topic()
    with connect(address, names.client_id()) as subscriber, connect(address, names.client_id()) as client:
        subscriber.subscribe(topic)
        client.send(*(packets.publish(topic, b"%d" % number, 2, number) for number in range(1, 5)))
        assert [client.take(Pubrec).packet_id for _ in range(4)] == [1, 2, 3, 4]
        client.send(*(packets.pubrel(number) for number in (3, 1, 4, 2)))
        assert sorted(client.take(Pubcomp).packet_id for _ in range(4)) == [1, 2, 3, 4]
        assert sorted(subscriber.payloads(4)) == [b"1", b"2", b"3", b"4"]


@statement("MQTT-4.3.3-9")
def test_after_an_error_in_pubrec_the_identifier_means_a_new_message(address, names):
    """Refused is a topic of the server's own. Another server may take it, or close."""
    topic = names.topic()
    with connect(address, names.client_id()) as client:
        client.subscribe((topic, 0))
        client.send(packets.publish(b"$SYS/" + topic, b"x", 2, 9))
        try:
            answer = client.receive()
        except Closed:
            pytest.skip("the server closes for it, as it may")
        if not isinstance(answer, Pubrec) or answer.reason < 0x80:
            pytest.skip("the server does not refuse it with PUBREC, as it need not")
        assert answer.packet_id == 9
        client.send(packets.publish(topic, b"right", 2, 9))
        assert client.take(Pubrec).reason < 0x80
        assert client.release(9).reason == 0
        assert client.message().payload == b"right"
        client.silent(0.1)
