"""A client id that connects again while it is connected (3.1.4): the old connection ends, the session and the will follow their rules."""

import pytest
from statements import statement
from v5 import packets
from v5.packets import Puback, Publish, Will
from v5.properties import P
from v5.session import connect, resume


@statement("MQTT-3.1.4-3", "MQTT-3.14.4-2", "MQTT-4.13.2-1")
@pytest.mark.parametrize("clean_start", [False, True])
@pytest.mark.parametrize("expiry", [0, 60])
def test_the_old_connection_gets_session_taken_over_and_is_closed(address, names, clean_start, expiry):
    name = names.client_id()
    with connect(address, name, expiry=expiry) as old:
        with connect(address, name, clean_start=clean_start) as new:
            assert old.refused(0x8E) == []
            new.fence()


@statement("MQTT-3.1.4-3", "MQTT-3.14.2-2", "MQTT-3.14.4-1")
def test_the_old_connection_is_told_session_taken_over(address, names):
    """3.1.4 step 3: the DISCONNECT with 0x8E is sent unless the network failed; this client reads all the time.

    It is the last packet, and has no Session Expiry Interval, though the session has one."""
    name = names.client_id()
    with connect(address, name, expiry=60) as old, connect(address, name):
        disconnect = old.receive()
        assert isinstance(disconnect, packets.Disconnect) and disconnect.reason == 0x8E
        assert P.SESSION_EXPIRY not in disconnect.properties
        assert old.refused() == []


@statement("MQTT-3.1.4-3", "MQTT-3.1.4-4", "MQTT-3.1.2-5")
def test_a_session_that_outlives_its_connection_is_handed_over(address, names):
    name, topic = names.client_id(), names.topic()
    with connect(address, name, expiry=60) as old:
        old.subscribe(topic)
        with resume(address, name) as new:
            new.publish(topic, b"x", 1)
            assert new.message().payload == b"x"
            old.refused(0x8E)
            new.leave(0, [(P.SESSION_EXPIRY, 0)])


@statement("MQTT-4.1.0-2", "MQTT-3.1.4-4", "MQTT-3.2.2-3")
def test_a_session_of_expiry_0_is_not_handed_over(address, names):
    """The close of the old connection ends it (3.1.2.11.2), so there is none for the new one."""
    for _ in range(5):
        name, topic = names.client_id(), names.topic()
        with connect(address, name) as old:
            old.subscribe(topic)
            with connect(address, name, clean_start=False, expiry=60) as new:
                assert not new.connack.session_present
                new.publish(topic, b"x", 1)
                new.silent(0.1)
                new.leave(0, [(P.SESSION_EXPIRY, 0)])


WILLS = {
    # name: (will delay, session expiry, Clean Start of the new connection, whether the will is published)
    "no delay": (0, 60, False, True),
    "no delay, Clean Start": (0, 60, True, True),
    "delay, session goes on": (30, 60, False, False),
    "delay, Clean Start ends the session": (30, 60, True, True),
    "delay, expiry 0 ends the session": (30, 0, False, True),
}


@statement("MQTT-3.1.4-3", "MQTT-3.1.2-8", "MQTT-3.1.3-9")
@pytest.mark.parametrize("case", WILLS)
def test_the_will_of_the_old_connection(address, names, case):
    delay, expiry, clean_start, published = WILLS[case]
    name, will = names.client_id(), Will(names.topic(), b"will", properties=[(P.WILL_DELAY, delay)])
    with connect(address, names.client_id()) as subscriber:
        subscriber.subscribe(will.topic)
        with connect(address, name, expiry=expiry, will=will) as old, connect(address, name, clean_start=clean_start) as new:
            old.refused(0x8E)
            if published:
                assert subscriber.message().payload == b"will"
            subscriber.silent()
            new.leave()
        subscriber.silent(0.1)


@statement("MQTT-3.1.4-3", "MQTT-4.5.0-1")
def test_no_message_is_lost_while_a_session_is_taken_over(address, names):
    """A stream of QoS 1 goes on while the session moves from connection to connection; each number comes, in order but for resends."""
    name, topic, seen = names.client_id(), names.topic(), []
    with connect(address, names.client_id()) as publisher:
        client = connect(address, name, expiry=60)
        client.subscribe((topic, 1))
        for number in range(60):
            publisher.send(packets.publish(topic, b"%d" % number, 1, number + 1))
            if number % 10 == 5:
                old, client = client, resume(address, name)
                seen += [packet.payload for packet in old.refused(0x8E) if isinstance(packet, Publish)]
                old.close()
            seen.append(client.message().payload)
        for _ in range(60):
            publisher.take(Puback)
        seen += [message.payload for message in client.all_messages()]
        client.leave(0, [(P.SESSION_EXPIRY, 0)])
    first_seen = list(dict.fromkeys(seen))
    assert first_seen == [b"%d" % number for number in range(60)]


@statement("MQTT-3.1.4-3")
def test_a_chain_of_takeovers_leaves_one_connection(address, names):
    name = names.client_id()
    clients = [connect(address, name, clean_start=False, expiry=60) for _ in range(10)]
    for old in clients[:-1]:
        old.refused(0x8E)
    clients[-1].fence()
    clients[-1].leave(0, [(P.SESSION_EXPIRY, 0)])
