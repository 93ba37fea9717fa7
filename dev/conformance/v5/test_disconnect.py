"""DISCONNECT and AUTH (3.14, 3.15, 4.12) where no authentication method was agreed, and that errors end one connection only (4.13)."""

import pytest
from statements import statement
from v5 import packets
from v5.packets import Will
from v5.properties import AUTH, DISCONNECT, P, block
from v5.session import connect


@statement("MQTT-3.14.4-1", "MQTT-3.14.4-2")
@pytest.mark.parametrize("reason", [0x00, 0x04, 0x80])
def test_what_follows_a_disconnect_is_ignored_and_the_server_closes(address, names, reason):
    topic = names.topic()
    with connect(address, names.client_id()) as subscriber, connect(address, names.client_id()) as client:
        subscriber.subscribe(topic)
        client.send(packets.disconnect(reason), packets.publish(topic, b"x"), packets.publish(topic, b"x", 1, 1), b"\xc0\x00")
        assert client.refused() == []
        subscriber.silent()


@statement("MQTT-3.14.4-1")
def test_what_precedes_a_disconnect_is_processed(address, names):
    topic = names.topic()
    with connect(address, names.client_id()) as subscriber, connect(address, names.client_id()) as client:
        subscriber.subscribe(topic)
        client.send(*(packets.publish(topic, b"%d" % number, 1, number + 1) for number in range(10)), packets.disconnect())
        client.refused()
        assert subscriber.payloads(10) == [b"%d" % number for number in range(10)]


@statement("MQTT-3.14.2-1", "MQTT-4.13.1-1")
@pytest.mark.parametrize(
    "reason", [0x87, 0x89, 0x8B, 0x8D, 0x8E, 0x8F, 0x9A, 0x9B, 0x9C, 0x9D, 0x9E, 0x9F, 0xA0, 0xA1, 0xA2, 0x01, 0x05, 0x7F, 0xFF], ids=hex
)
def test_a_reason_code_that_no_client_sends_closes_and_publishes_the_will(address, names, reason):
    """A code that only a server sends, or none: not the valid DISCONNECT that removes a will."""
    will = Will(names.topic(), b"will")
    with connect(address, names.client_id()) as subscriber:
        subscriber.subscribe(will.topic)
        with connect(address, names.client_id(), will=will) as client:
            client.send(packets.disconnect(reason))
            assert client.refused(0x81, 0x82) == []
        assert subscriber.message().payload == b"will"


@statement("MQTT-3.14.2-1", "MQTT-3.14.4-2", "MQTT-3.14.4-3")
@pytest.mark.parametrize("reason", [0x00, 0x04, 0x80, 0x81, 0x82, 0x83, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99], ids=hex)
def test_every_reason_code_of_a_client_is_understood(address, names, reason):
    """The server closes without a DISCONNECT of its own: it has nothing to complain of."""
    will = Will(names.topic(), b"will")
    with connect(address, names.client_id()) as subscriber:
        subscriber.subscribe(will.topic)
        with connect(address, names.client_id(), will=will) as client:
            client.send(packets.disconnect(reason, [(P.REASON_STRING, b"so"), (P.USER_PROPERTY, (b"k", b"v"))]))
            assert client.refused() == []
        if reason:
            assert subscriber.message().payload == b"will"
        subscriber.silent(0.2)


BROKEN = {
    "Session Expiry twice": packets.disconnect(0, [(P.SESSION_EXPIRY, 0), (P.SESSION_EXPIRY, 0)]),
    "Reason String twice": packets.disconnect(0, [(P.REASON_STRING, b"a"), (P.REASON_STRING, b"a")]),
    "Topic Alias": packets.disconnect(0, [(P.TOPIC_ALIAS, 1)]),
    "Receive Maximum": packets.disconnect(0, [(P.RECEIVE_MAXIMUM, 1)]),
    "an unknown property": packets.disconnect(0, [b"\x7f\x00"]),
    "a property length past the end": packets.frame(DISCONNECT, 0, b"\x00\x05\x11"),
    "bytes left over": packets.frame(DISCONNECT, 0, b"\x00\x00\x00"),
    "wrong flags": b"\xe1\x00",
}


@statement("MQTT-4.13.1-1", "MQTT-3.14.1-1", "MQTT-3.1.2-8")
@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_disconnect_does_not_remove_the_will(address, names, case):
    will = Will(names.topic(), b"will")
    with connect(address, names.client_id()) as subscriber:
        subscriber.subscribe(will.topic)
        with connect(address, names.client_id(), will=will, expiry=0) as client:
            client.send(BROKEN[case])
            assert client.refused(0x81, 0x82) == []
        assert subscriber.message().payload == b"will"


METHOD = [(P.AUTH_METHOD, b"method")]
AUTHS = {
    "0x19": packets.auth(0x19, METHOD),
    "0x18": packets.auth(0x18, METHOD),
    "0x00": packets.auth(0x00, METHOD),
    "empty": packets.frame(AUTH, 0),
    "without a method": packets.auth(0x18),
    "data without a method": packets.auth(0x18, [(P.AUTH_DATA, b"x")]),
    "method twice": packets.auth(0x18, METHOD * 2),
    "0x80": packets.auth(0x80, METHOD),
    "a foreign property": packets.auth(0x18, [*METHOD, (P.SESSION_EXPIRY, 1)]),
    "a property length past the end": packets.frame(AUTH, 0, b"\x18\x09\x15"),
    "bytes left over": packets.frame(AUTH, 0, b"\x18", block(METHOD), b"\0"),
}


@statement("MQTT-4.12.0-7", "MQTT-4.13.1-1", "MQTT-3.2.0-2", "MQTT-3.15.2-1")
@pytest.mark.parametrize("case", AUTHS)
def test_auth_without_a_method_in_connect_closes(address, names, case):
    with connect(address, names.client_id()) as client:
        client.send(AUTHS[case])
        assert client.refused(0x81, 0x82, 0x8C) == []


@statement("MQTT-4.13.1-1", "MQTT-4.13.2-1")
def test_an_error_ends_one_connection_and_leaves_the_others(address, names):
    topic = names.topic()
    with connect(address, names.client_id()) as bystander:
        bystander.subscribe(topic)
        for number, raw in enumerate(
            (b"\x00\x00", b"\xf0\x00", packets.subscribe(0, []), packets.publish(b"#", b""), b"\x30\xff\xff\xff\xff\x7f")
        ):
            with connect(address, names.client_id()) as client:
                client.send(raw)
                client.refused(0x81, 0x82, 0x90, 0x95)
            bystander.publish(topic, b"%d" % number, 1)
            assert bystander.message().payload == b"%d" % number
