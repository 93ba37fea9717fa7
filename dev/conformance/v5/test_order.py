"""Order of messages (4.6): as published, for each topic and QoS, through queues and reconnections."""

import pytest
from statements import statement
from v5 import packets
from v5.packets import Puback, Publish, Pubrec
from v5.properties import P
from v5.session import connect, resume


@statement("MQTT-4.6.0-5", "MQTT-4.6.0-6")
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_a_thousand_messages_come_in_order(address, names, qos):
    topic = names.topic()
    with connect(address, names.client_id()) as publisher, connect(address, names.client_id()) as subscriber:
        subscriber.subscribe(topic)
        publisher.publish_numbers(topic, qos, 1000)
        if qos:
            assert [int(payload) for payload in subscriber.payloads(1000)] == list(range(1000))
        else:
            found = [int(message.payload) for message in subscriber.all_messages()]
            assert found == sorted(set(found)) and len(found) > 100
        subscriber.silent(0.1)


@statement("MQTT-4.6.0-5", "MQTT-4.6.0-6")
@pytest.mark.parametrize("qos", [1, 2])
def test_the_queue_of_an_absent_session_keeps_the_order(address, names, qos):
    name, topic = names.client_id(), names.topic()
    with connect(address, name, expiry=60) as subscriber:
        subscriber.subscribe(topic)
        subscriber.drop()
    with connect(address, names.client_id()) as publisher:
        publisher.publish_numbers(topic, qos, 300)
    with resume(address, name, [(P.RECEIVE_MAXIMUM, 7)]) as subscriber:
        assert [int(payload) for payload in subscriber.payloads(300)] == list(range(300))
        subscriber.leave(0, [(P.SESSION_EXPIRY, 0)])


@statement("MQTT-4.6.0-5", "MQTT-4.4.0-1")
@pytest.mark.parametrize("qos", [1, 2])
def test_reconnections_repeat_but_never_reorder(address, names, qos):
    """1 2 3 2 3 4 is in order, 1 3 2 is not: each first copy comes after those of all lower numbers."""
    name, topic, seen = names.client_id(), names.topic(), []
    with connect(address, name, expiry=60) as subscriber:
        subscriber.subscribe(topic)
        subscriber.drop()
    with connect(address, names.client_id()) as publisher:
        publisher.publish_numbers(topic, qos, 60)
    for _ in range(6):
        with resume(address, name, [(P.RECEIVE_MAXIMUM, 20)]) as subscriber:
            held = [subscriber.take(Publish) for _ in range(12)]
            seen += [int(message.payload) for message in held]
            for message in held[:8]:
                subscriber.acknowledge(message)
            subscriber.barrier()
            subscriber.drop()
    with resume(address, name) as subscriber:
        seen += [int(message.payload) for message in subscriber.all_messages()]
        subscriber.leave(0, [(P.SESSION_EXPIRY, 0)])
    assert list(dict.fromkeys(seen)) == list(range(60))


@statement("MQTT-4.6.0-5", "MQTT-4.6.0-6")
def test_each_topic_and_publisher_keeps_its_order_among_others(address, names):
    topic = names.topic()
    publishers = [connect(address, names.client_id()) for _ in range(3)]
    with connect(address, names.client_id()) as subscriber:
        subscriber.subscribe(topic + b"/+", topic + b"/+/+")
        for number in range(60):
            for index, publisher in enumerate(publishers):
                publisher.send(packets.publish(topic + b"/%d" % index, b"%d" % number, 1, number % 15 + 1))
            if number % 15 == 14:
                for publisher in publishers:
                    for _ in range(15):
                        publisher.take(Puback)
        found = {index: [] for index in range(3)}
        for _ in range(180):
            message = subscriber.message()
            found[int(message.topic.rsplit(b"/")[-1])].append(int(message.payload))
        assert all(numbers == list(range(60)) for numbers in found.values())
    for publisher in publishers:
        publisher.close()


@statement("MQTT-4.6.0-5")
@pytest.mark.parametrize("qos", [1, 2])
def test_a_quota_keeps_the_order(address, names, qos):
    topic = names.topic()
    with connect(address, names.client_id(), [(P.RECEIVE_MAXIMUM, 2)]) as subscriber, connect(address, names.client_id()) as publisher:
        subscriber.subscribe(topic)
        publisher.publish_numbers(topic, qos, 50)
        assert [int(payload) for payload in subscriber.payloads(50)] == list(range(50))


def test_a_publisher_may_resend_in_any_order(address, names):
    """The order of resent messages binds the client [MQTT-4.6.0-1]; a server has no rule for another one."""
    name, topic = names.client_id(), names.topic()
    with connect(address, names.client_id()) as subscriber:
        subscriber.subscribe(topic)
        with connect(address, name, expiry=60) as publisher:
            publisher.send(*(packets.publish(topic, b"%d" % number, 2, number) for number in (1, 2, 3)))
            for _ in range(3):
                publisher.take(Pubrec)
            publisher.drop()
        with resume(address, name) as publisher:
            for number in (3, 1, 2):
                publisher.send(packets.publish(topic, b"%d" % number, 2, number, dup=True))
                assert publisher.take(Pubrec).reason < 0x80
                publisher.release(number)
            publisher.leave(0, [(P.SESSION_EXPIRY, 0)])
        assert sorted(subscriber.payloads(3)) == [b"1", b"2", b"3"]
        subscriber.silent(0.1)
