"""Chapter 4.6: messages and acknowledgements in order."""

import pytest
from statements import statement
from v311.packets import puback, pubcomp, publish, pubrec, pubrel

MANY = 1000
STEP = 50


def numbered(count: int) -> list[bytes]:
    return [b"%d" % number for number in range(count)]


@statement("MQTT-4.6.0-1")
@pytest.mark.parametrize("qos", [1, 2])
def test_what_is_sent_again_comes_in_the_original_order(join, names, qos):
    client_id, topic = names.client_id(), names.topic()
    first, publisher = join(client_id, clean=False), join()
    first.subscribe(topic, qos)
    for payload in numbered(15):
        publisher.publish(topic, payload, qos)
    sent = [first.receive(acknowledge=False) for _ in range(15)]
    assert [message.payload for message in sent] == numbered(15)
    first.abort()
    again = join(client_id, clean=False)
    resent = [again.receive(acknowledge=False) for _ in range(15)]
    assert [(message.payload, message.packet_id) for message in resent] == [(m.payload, m.packet_id) for m in sent]


@statement("MQTT-4.6.0-2", "MQTT-4.6.0-6")
def test_pubacks_come_in_the_order_of_the_publishes(join, names):
    topic, publisher = names.topic(), join()
    identifiers = [7 * number % 101 + 1 for number in range(100)]
    publisher.send(*(publish(topic, b"x", 1, identifier) for identifier in identifiers))
    for identifier in identifiers:
        publisher.expect(puback(identifier))


@statement("MQTT-4.6.0-3", "MQTT-4.6.0-6")
def test_pubrecs_come_in_the_order_of_the_publishes(join, names):
    topic, publisher = names.topic(), join()
    identifiers = [7 * number % 31 + 1 for number in range(30)]
    publisher.send(*(publish(topic, b"x", 2, identifier) for identifier in identifiers))
    for identifier in identifiers:
        publisher.expect(pubrec(identifier))
    publisher.send(*map(pubrel, identifiers))
    for identifier in identifiers:
        publisher.expect(pubcomp(identifier))


@statement("MQTT-4.6.0-4", "MQTT-4.6.0-6")
def test_pubrels_come_in_the_order_of_the_pubrecs(join, names):
    topic, peer, publisher = names.topic(), join(), join()
    peer.subscribe(topic, 2)
    for payload in numbered(10):
        publisher.publish(topic, payload, 2)
    messages = [peer.receive(acknowledge=False) for _ in range(10)]
    peer.send(*(pubrec(message.packet_id) for message in messages))
    for message in messages:
        peer.expect(pubrel(message.packet_id))
    peer.send(*(pubcomp(message.packet_id) for message in messages))
    peer.expect_silence()


def publish_in_steps(publisher, topic: bytes, payloads: list[bytes], qos: int) -> None:
    """Pipelined: each step is one write, and is answered before the next."""
    for begin in range(0, len(payloads), STEP):
        step = payloads[begin : begin + STEP]
        identifiers = range(1, len(step) + 1)
        publisher.send(*(publish(topic, payload, qos, i if qos else None) for i, payload in zip(identifiers, step, strict=True)))
        if qos == 1:
            for identifier in identifiers:
                publisher.expect(puback(identifier))
        if qos == 2:
            for identifier in identifiers:
                publisher.expect(pubrec(identifier))
            publisher.send(*map(pubrel, identifiers))
            for identifier in identifiers:
                publisher.expect(pubcomp(identifier))
        publisher.fence()


@statement("MQTT-4.6.0-5", "MQTT-4.6.0-6")
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_a_thousand_messages_come_in_order(join, names, qos):
    topic, peer, publisher = names.topic(), join(timeout=15), join(timeout=15)
    peer.subscribe(topic, qos)
    got = []
    for begin in range(0, MANY, STEP):
        publish_in_steps(publisher, topic, numbered(MANY)[begin : begin + STEP], qos)
        got += [peer.receive() for _ in range(STEP)]
    assert [message.payload for message in got] == numbered(MANY)
    assert {message.qos for message in got} == {qos}
    peer.expect_silence()


@statement("MQTT-4.6.0-5", "MQTT-4.6.0-6")
@pytest.mark.parametrize("qos", [1, 2])
def test_messages_come_in_order_through_the_queue(join, names, qos):
    """More than a window of them, half sent while the subscriber is away, half while it is back and still reading."""
    client_id, topic, count = names.client_id(), names.topic(), 300
    sleeper, publisher = join(client_id, clean=False), join(timeout=15)
    sleeper.subscribe(topic, qos)
    sleeper.disconnect()
    payloads = numbered(count)
    publish_in_steps(publisher, topic, payloads[: count // 2], qos)
    again = join(client_id, clean=False, timeout=15)
    got = [again.receive() for _ in range(10)]
    publish_in_steps(publisher, topic, payloads[count // 2 :], qos)
    got += [again.receive() for _ in range(count - 10)]
    assert [message.payload for message in got] == payloads
    again.expect_silence()


@statement("MQTT-4.6.0-6")
def test_messages_of_two_publishers_keep_each_ones_order(join, names):
    topic, peer, publishers = names.topic(), join(), (join(), join())
    peer.subscribe(topic, 1)
    for number in range(20):
        for name, publisher in zip(b"ab", publishers, strict=True):
            publisher.send(publish(topic, b"%c%d" % (name, number), 1, number + 1))
    got = [peer.receive().payload for _ in range(40)]
    for name in (b"a", b"b"):
        assert [payload for payload in got if payload[:1] == name] == [name + b"%d" % number for number in range(20)]
