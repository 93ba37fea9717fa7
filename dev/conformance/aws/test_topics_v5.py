"""Topics, filters, limits and properties in dialect `aws` for MQTT 5, and the reason that each offence has."""

import pytest
from aws.endings import ended
from statements import statement
from v5 import packets as five
from v5.packets import Disconnect, Puback, Suback, Unsuback
from v5.properties import P

TOPIC_INVALID, FILTER_INVALID, NOT_AUTHORIZED, QUOTA, TOO_LARGE = 0x90, 0x8F, 0x87, 0x97, 0x95
MALFORMED, PROTOCOL_ERROR, UNSPECIFIED = 0x81, 0x82, 0x80


def answer(peer, raw: bytes, kind: type):
    """The reasons of the acknowledgement to this packet, or of the DISCONNECT in its place."""
    peer.send(raw)
    packet = peer.receive()
    if isinstance(packet, Disconnect):
        assert peer.refused() == []
        return [packet.reason]
    assert isinstance(packet, kind), packet
    return packet.reasons if hasattr(packet, "reasons") else [packet.reason]


@pytest.mark.parametrize("end", [b"/2/3/4/5/6/7/8/9", b"/" + b"x" * 256], ids=["slashes", "long"])
def test_a_topic_over_the_limits_has_0x90(join5, names, end):
    """In PUBACK or in DISCONNECT."""
    assert answer(join5(), five.publish(names.topic(end), b"never", 1, 1), Puback) == [TOPIC_INVALID]


@pytest.mark.parametrize("end", [b"/#", b"/+/a", b"/a+"])
def test_a_wildcard_in_a_topic_is_refused(join5, names, end):
    """The standard leaves the code open, and AWS lists all three."""
    reasons = answer(join5(), five.publish(names.topic(end), b"never", 1, 1), Puback)
    assert reasons[0] in (TOPIC_INVALID, MALFORMED, PROTOCOL_ERROR)


@pytest.mark.parametrize("end", [b"/2/3/4/5/6/7/8/9", b"/" + b"x" * 256], ids=["slashes", "long"])
def test_a_filter_over_the_limits_has_0x8f(join5, names, end):
    """In SUBACK or in DISCONNECT."""
    assert answer(join5(), five.subscribe(1, [(names.topic(end), 1)]), Suback) == [FILTER_INVALID]


@pytest.mark.parametrize("end", [b"/a#", b"/#/a", b"/a+"])
def test_a_filter_that_is_malformed_is_refused(join5, names, end):
    """The standard leaves the code open, and AWS lists all three."""
    reasons = answer(join5(), five.subscribe(1, [(names.topic(end), 1)]), Suback)
    assert reasons[0] in (FILTER_INVALID, MALFORMED, PROTOCOL_ERROR)


@pytest.mark.parametrize("topic", [b"$mine/a", b"$SYS/a", b"$aws/events/presence/connected/x"])
def test_reserved_topics_cannot_be_published_to(join5, topic):
    assert answer(join5(), five.publish(topic, b"forged", 1, 1), Puback)[0] in (NOT_AUTHORIZED, TOPIC_INVALID, UNSPECIFIED)


def test_the_51st_subscription_has_0x97(join5, names):
    peer, topics = join5(), [names.topic() for _ in range(51)]
    for begin in range(0, 48, 8):
        peer.subscribe(*((topic, 1) for topic in topics[begin : begin + 8]))
    assert peer.subscribe(*((topic, 1) for topic in topics[48:])).reasons == [1, 1, QUOTA]


def test_nine_filters_are_too_many_for_a_subscribe(join5, names):
    """A DISCONNECT, or SUBACK codes for all or for the one too many: not documented."""
    reasons = answer(join5(), five.subscribe(1, [(names.topic(), 1) for _ in range(9)]), Suback)
    refused = [reason for reason in reasons if reason >= 0x80]
    assert len(reasons) - len(refused) <= 8 and refused
    assert set(refused) <= {QUOTA, UNSPECIFIED, PROTOCOL_ERROR, MALFORMED}


def test_a_subscription_identifier_ends_with_0xa1(join5, names):
    peer = join5()
    peer.send(five.subscribe(1, [(names.topic(), 1)], [(P.SUBSCRIPTION_IDENTIFIER, 1)]))
    assert ended(peer, 0xA1) == []


def test_unsuback_has_none_but_the_codes_that_aws_lists(join5, names):
    """0x11 is not among them: an unknown filter is a success."""
    peer, topic = join5(), names.topic()
    peer.subscribe((topic, 1))
    assert answer(peer, five.unsubscribe(9, [topic, names.topic()]), Unsuback) == [0, 0]


def test_a_publish_to_nobody_has_0x00(join5, names):
    """0x10, no matching subscribers, is not among AWS's codes."""
    assert answer(join5(), five.publish(names.topic(), b"nobody", 1, 1), Puback) == [0]


def test_a_payload_of_128_kb_is_accepted(join5, names):
    topic, peer, payload = names.topic(), join5(), b"x" * 131_072
    peer.subscribe((topic, 1))
    peer.publish(topic, payload, 1)
    assert peer.message().payload == payload


def test_a_larger_payload_ends_the_connection(join5, names, events):
    client_id = names.client_id()
    peer = join5(client_id)
    peer.send(five.publish(names.topic(), b"x" * 131_073, 1, 1))
    assert peer.refused(TOO_LARGE, QUOTA, PROTOCOL_ERROR, MALFORMED, UNSPECIFIED) == []
    assert events.reason(client_id) == "CLIENT_ERROR"


@statement("MQTT-3.2.2-15")
def test_a_packet_over_146_kb_ends_the_connection(join5):
    """Known by its first bytes: the rest is never sent."""
    peer = join5()
    peer.send(b"\x32" + five.varint(149_600))
    assert peer.refused(TOO_LARGE, QUOTA, PROTOCOL_ERROR, MALFORMED, UNSPECIFIED) == []


def test_properties_are_forwarded_unchanged(join5, names):
    topic, subscriber = names.topic(), join5()
    subscriber.subscribe((topic, 1))
    given = [
        (P.PAYLOAD_FORMAT, 1),
        (P.CONTENT_TYPE, b"c" * 256),
        (P.RESPONSE_TOPIC, names.topic(b"/answers")),
        (P.CORRELATION_DATA, bytes(range(256)) * 32),
        (P.USER_PROPERTY, (b"a", b"1")),
        (P.USER_PROPERTY, (b"b", b"2")),
        (P.USER_PROPERTY, (b"a", b"3")),
    ]
    join5().publish(topic, b"payload", 1, given)
    assert subscriber.message().properties.by_identifier() == sorted(given, key=lambda pair: pair[0])


@pytest.mark.parametrize(
    "given",
    [
        pytest.param([(P.CONTENT_TYPE, b"c" * 257)], id="content type of 257 bytes"),
        pytest.param([(P.CORRELATION_DATA, b"c" * 8193)], id="correlation data over 8 KB"),
        pytest.param([(P.USER_PROPERTY, (b"k" * 100, b"v" * 4000))] * 3, id="user properties over 8 KB together"),
        pytest.param([(P.RESPONSE_TOPIC, b"answers/#")], id="response topic with a wildcard"),
    ],
)
def test_properties_over_the_limits_are_refused(join5, names, given):
    """In PUBACK or DISCONNECT; with which code is not documented."""
    topic, watcher = names.topic(), join5()
    watcher.subscribe((topic, 1))
    assert answer(join5(), five.publish(topic, b"never", 1, 1, given), Puback)[0] >= 0x80
    watcher.silent()


@pytest.mark.parametrize("given", [b"answers/#", b"answers/+/x"])
def test_a_response_topic_has_no_wildcard(join5, names, given):
    assert answer(join5(), five.publish(names.topic(), b"never", 1, 1, [(P.RESPONSE_TOPIC, given)]), Puback)[0] >= 0x80


def test_a_subscription_identifier_in_a_publish_ends_the_connection(join5, names):
    peer = join5()
    peer.send(five.publish(names.topic(), b"never", 1, 1, [(P.SUBSCRIPTION_IDENTIFIER, 1)]))
    assert ended(peer, PROTOCOL_ERROR, MALFORMED, 0xA1) == []
