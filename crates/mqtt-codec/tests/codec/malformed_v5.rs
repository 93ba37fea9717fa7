//! Malformed frames of MQTT 5, each with the clause that it breaks and the reason that the client is told.

use bytes::BytesMut;

use mqtt_codec::ReasonCode::{
    MalformedPacket, NotAuthorized, PacketTooLarge, ProtocolError, QuotaExceeded, SessionTakenOver, TopicAliasInvalid,
    TopicNameInvalid, UnsupportedProtocolVersion,
};
use mqtt_codec::{DecodeError, PacketType, Protocol, ReasonCode, decode};

use crate::{decode_bytes, field, framed};

#[test]
fn fixed_headers() {
    let flags = |packet_type, flags| DecodeError::FixedHeaderFlags { packet_type, flags };
    check(&[0x00, 0x00], DecodeError::ForbiddenPacketType(0), MalformedPacket);
    // [MQTT-2.1.3-1]
    check(&[0xC1], flags(PacketType::PingReq, 1), MalformedPacket);
    check(&[0x60], flags(PacketType::PubRel, 0), MalformedPacket);
    check(&[0x6A], flags(PacketType::PubRel, 10), MalformedPacket);
    check(&[0xE1], flags(PacketType::Disconnect, 1), MalformedPacket);
    check(&[0xF1], flags(PacketType::Auth, 1), MalformedPacket);
    // [MQTT-1.5.5-1]: the shortest form, also of a CONNECT that says only later that it is one of MQTT 5.
    check(&[0xC0, 0x80, 0x00], DecodeError::VariableByteIntegerNotShortest, MalformedPacket);
    check(&[0x30, 0x85, 0x80, 0x00], DecodeError::VariableByteIntegerNotShortest, MalformedPacket);
    let connect = b"\x10\x8E\x00\x00\x04MQTT\x05\x02\x00\x3C\x00\x00\x01c";
    assert_eq!(decode_bytes(connect, Protocol::V311), Err(DecodeError::VariableByteIntegerNotShortest));
    check(&[0x30, 0x80, 0x80, 0x80, 0x80, 0x01], DecodeError::RemainingLengthTooLong, MalformedPacket);
    check(&[0xC0, 0x01, 0x00], DecodeError::TrailingBytes(1), MalformedPacket);
    check(&[0xD0, 0x01, 0x00], DecodeError::TrailingBytes(1), MalformedPacket);
    let too_large = DecodeError::PacketTooLarge { bytes: 11, max: 10 };
    assert_eq!(decode(&mut BytesMut::from(&[0x30, 0x09][..]), 10, Protocol::V5), Err(too_large));
    assert_eq!(too_large.reason(), PacketTooLarge);
}

#[test]
fn connect() {
    use DecodeError::*;
    let protocol = |name: &str, level| framed(0x10, &[&field(name)[..], &[level, 2, 0, 60, 0], &field("c")].concat());
    check(&protocol("mqtt", 5), ProtocolName, UnsupportedProtocolVersion);
    check(&protocol("MQIsdp", 5), UnacceptableProtocolLevel(5), UnsupportedProtocolVersion);
    check(&protocol("MQTT", 6), UnacceptableProtocolLevel(6), UnsupportedProtocolVersion);
    check(&protocol("MQTT", 0x85), UnacceptableProtocolLevel(0x85), UnsupportedProtocolVersion);

    let id = &field("c")[..];
    let check = |flags, payload: &[&[u8]], expected, reason| {
        check(&connect_with(flags, b"", &payload.concat()), expected, reason);
    };
    check(0x03, &[id], ReservedConnectFlag, MalformedPacket);
    check(0x0A, &[id], WillFlagsWithoutWill, MalformedPacket);
    check(0x22, &[id], WillFlagsWithoutWill, MalformedPacket);
    check(0x1E, &[id, b"\x00", &field("w"), &field("")], WillQosThree, MalformedPacket);
    check(0x02, &[], Truncated, MalformedPacket);
    // [MQTT-3.1.2-9]: will properties, topic and payload.
    check(0x06, &[id], Truncated, MalformedPacket);
    check(0x06, &[id, b"\x00"], Truncated, MalformedPacket);
    check(0x06, &[id, b"\x00", &field("w")], Truncated, MalformedPacket);
    check(0x82, &[id], Truncated, MalformedPacket);
    check(0x42, &[id], Truncated, MalformedPacket);
    check(0x02, &[id, &field("u")], TrailingBytes(3), MalformedPacket);
    check(0x02, &[&field(b"\xC3\x28")], InvalidUtf8, MalformedPacket);
    check(0x02, &[&field("a\0")], NullCharacter, MalformedPacket);
    check(0x82, &[id, &field(b"\xED\xA0\x80")], InvalidUtf8, MalformedPacket);
    let will = |topic: &[u8]| [id, b"\x00", &field(topic), &field("")].concat();
    let name = InvalidTopicName;
    check(0x06, &[&will(b"w/#")], name(message::InvalidTopicName::Wildcard), TopicNameInvalid);
    check(0x06, &[&will(b"")], name(message::InvalidTopicName::Empty), ProtocolError);
    check(0x06, &[&will(b"w\0")], name(message::InvalidTopicName::Null), MalformedPacket);
    check(0x06, &[&will(b"\xC0\xAF")], InvalidUtf8, MalformedPacket);
}

#[test]
fn connect_properties() {
    use DecodeError::*;
    let check = |block: &[u8], expected, reason| check(&connect_with(0x02, block, &field("c")), expected, reason);
    check(b"\x21\x00\x00", ReceiveMaximumZero, ProtocolError);
    check(b"\x27\x00\x00\x00\x00", MaximumPacketSizeZero, ProtocolError);
    check(b"\x17\x02", PropertyNeitherZeroNorOne { property: 0x17, value: 2 }, ProtocolError);
    check(b"\x19\x02", PropertyNeitherZeroNorOne { property: 0x19, value: 2 }, ProtocolError);
    check(b"\x16\x00\x01d", AuthenticationDataWithoutMethod, ProtocolError);
    check(b"\x11\x00\x00\x00", PropertyTruncated, MalformedPacket);
    check(b"\x21\x00", PropertyTruncated, MalformedPacket);
    check(b"\x15\x00\x02m", PropertyTruncated, MalformedPacket);
    check(b"\x16\x00", PropertyTruncated, MalformedPacket);
    check(b"\x26\x00\x01k", PropertyTruncated, MalformedPacket);
    check(b"\x17", PropertyTruncated, MalformedPacket);
    // [MQTT-1.5.4-1], [MQTT-1.5.4-2], [MQTT-1.5.7-1]: key and value.
    check(b"\x15\x00\x02\xC3\x28", InvalidUtf8, MalformedPacket);
    check(b"\x26\x00\x02\xC0\xAF\x00\x01v", InvalidUtf8, MalformedPacket);
    check(b"\x26\x00\x01k\x00\x03\xED\xA0\x80", InvalidUtf8, MalformedPacket);
    check(b"\x26\x00\x01\x00\x00\x01v", NullCharacter, MalformedPacket);
    check(b"\x26\x00\x01k\x00\x01\x00", NullCharacter, MalformedPacket);
    // Identifiers without a meaning, one of them in two bytes.
    for id in [0x00, 0x04, 0x14, 0x20, 0x2B, 0x7F, 0x81, 0xFF] {
        check(&[id, 0x00], UnknownProperty(id), MalformedPacket);
    }

    let body = |length: &[u8]| framed(0x10, &[&b"\x00\x04MQTT\x05\x02\x00\x3C"[..], length].concat());
    for (length, expected) in [
        (&b""[..], Truncated),
        (b"\x80", Truncated),
        (b"\x05\x11\x00\x00\x00", Truncated),
        (b"\x80\x00", VariableByteIntegerNotShortest),
        (b"\x80\x80\x80\x80\x01", VariableByteIntegerTooLong),
    ] {
        assert_eq!(decode_bytes(&body(length), Protocol::V5), Err(expected), "{length:02x?}");
    }
}

/// Where each property may stand, from table 2-4; twice it may stand nowhere, but user properties everywhere and
/// subscription identifiers in PUBLISH (2.2.2.2).
#[test]
fn properties_in_their_places() {
    type Row = (&'static [u8], &'static [Place]);
    use Place::*;
    const ROWS: &[Row] = &[
        (b"\x01\x01", &[Publish, Will]),
        (b"\x02\x00\x00\x00\x01", &[Publish, Will]),
        (b"\x03\x00\x01c", &[Publish, Will]),
        (b"\x08\x00\x01r", &[Publish, Will]),
        (b"\x09\x00\x01d", &[Publish, Will]),
        (b"\x0B\x01", &[Publish, Subscribe]),
        (b"\x11\x00\x00\x00\x01", &[Connect, ConnAck, Disconnect]),
        (b"\x12\x00\x01i", &[ConnAck]),
        (b"\x13\x00\x01", &[ConnAck]),
        (b"\x15\x00\x01m", &[Connect, ConnAck, Auth]),
        (b"\x16\x00\x01d", &[Connect, ConnAck, Auth]),
        (b"\x17\x01", &[Connect]),
        (b"\x18\x00\x00\x00\x01", &[Will]),
        (b"\x19\x01", &[Connect]),
        (b"\x1A\x00\x01i", &[ConnAck]),
        (b"\x1C\x00\x01s", &[ConnAck, Disconnect]),
        (b"\x1F\x00\x01r", &[ConnAck, PubAck, PubRec, PubRel, PubComp, SubAck, UnsubAck, Disconnect, Auth]),
        (b"\x21\x00\x01", &[Connect, ConnAck]),
        (b"\x22\x00\x01", &[Connect, ConnAck]),
        (b"\x23\x00\x01", &[Publish]),
        (b"\x24\x01", &[ConnAck]),
        (b"\x25\x01", &[ConnAck]),
        (b"\x26\x00\x01k\x00\x01v", &Place::ALL),
        (b"\x27\x00\x00\x00\x01", &[Connect, ConnAck]),
        (b"\x28\x01", &[ConnAck]),
        (b"\x29\x01", &[ConnAck]),
        (b"\x2A\x01", &[ConnAck]),
    ];
    assert_eq!(ROWS.len(), 27, "every property");
    for (property, places) in ROWS {
        let id = property[0];
        for place in Place::ALL {
            // Data goes with a method, and an AUTH has one.
            let needs_method = id == 0x16 && [Connect, ConnAck].contains(&place) || id != 0x15 && place == Auth;
            let method: &[u8] = if needs_method { b"\x15\x00\x01m" } else { b"" };
            let read = |times: usize| {
                let block = [method, &property.repeat(times)].concat();
                decode_bytes(&place.packet(&block), Protocol::V5).map(|_| ())
            };
            let (once, twice) = if !places.contains(&place) {
                (Err(DecodeError::PropertyNotAllowed(id)), Err(DecodeError::PropertyNotAllowed(id)))
            } else if id == 0x26 || id == 0x0B && place == Publish {
                (Ok(()), Ok(()))
            } else {
                (Ok(()), Err(DecodeError::DuplicateProperty(id)))
            };
            assert_eq!(read(1), once, "{id:#04x} {place:?}");
            assert_eq!(read(2), twice, "{id:#04x} {place:?} twice");
        }
    }
    assert_eq!(DecodeError::DuplicateProperty(1).reason(), ProtocolError);
    assert_eq!(DecodeError::PropertyNotAllowed(1).reason(), MalformedPacket);
}

#[test]
fn connack() {
    use DecodeError::*;
    check(b"\x20\x02\x00\x00", Truncated, MalformedPacket);
    check(b"\x20\x03\x02\x00\x00", ReservedConnAckFlag, MalformedPacket);
    check(b"\x20\x03\x01\x87\x00", SessionPresentOnRefusal, ProtocolError);
    check(b"\x20\x03\x00\x05\x00", UnknownReasonCode(5), MalformedPacket);
    check(b"\x20\x03\x00\x8E\x00", not_allowed(PacketType::ConnAck, SessionTakenOver), ProtocolError);
    check(b"\x20\x04\x00\x00\x00\x00", TrailingBytes(1), MalformedPacket);
    let check = |block: &[u8], expected| {
        check(&Place::ConnAck.packet(block), expected, ProtocolError);
    };
    check(b"\x21\x00\x00", ReceiveMaximumZero);
    check(b"\x27\x00\x00\x00\x00", MaximumPacketSizeZero);
    check(b"\x24\x02", PropertyNeitherZeroNorOne { property: 0x24, value: 2 });
    check(b"\x25\x02", PropertyNeitherZeroNorOne { property: 0x25, value: 2 });
    check(b"\x16\x00\x01d", AuthenticationDataWithoutMethod);
}

#[test]
fn publish() {
    use DecodeError::*;
    let name = InvalidTopicName;
    let check = |first, body: &[u8], expected, reason| check(&framed(first, body), expected, reason);
    check(0x36, b"\x00\x01t\x00\x01\x00", QosThree, MalformedPacket);
    check(0x38, b"\x00\x01t\x00", DupAtQosZero, MalformedPacket);
    check(0x32, b"\x00\x01t\x00\x00\x00", PacketIdZero, ProtocolError);
    check(0x30, b"\x00\x00\x00x", TopicEmptyWithoutAlias, ProtocolError);
    check(0x30, b"\x00\x00\x03\x23\x00\x00", TopicAliasZero, TopicAliasInvalid);
    check(0x30, b"\x00\x01t\x03\x23\x00\x00", TopicAliasZero, TopicAliasInvalid);
    check(0x30, b"\x00\x03a/#\x00", name(message::InvalidTopicName::Wildcard), TopicNameInvalid);
    check(0x30, b"\x00\x02a+\x00", name(message::InvalidTopicName::Wildcard), TopicNameInvalid);
    check(0x30, b"\x00\x02a\0\x00", name(message::InvalidTopicName::Null), MalformedPacket);
    check(0x30, b"\x00\x02\xC3\x28\x00", InvalidUtf8, MalformedPacket);
    check(0x30, b"\x00\x01t", Truncated, MalformedPacket);
    check(0x30, b"\x00\x01t\x02\x01", Truncated, MalformedPacket);
    check(0x30, b"\x00\x01t\x80\x00", VariableByteIntegerNotShortest, MalformedPacket);
    check(0x32, b"\x00\x01t\x00\x01", Truncated, MalformedPacket);

    let check = |block: &[u8], expected, reason| {
        for place in [Place::Publish, Place::Will] {
            let read = decode_bytes(&place.packet(block), Protocol::V5);
            assert_eq!(read, Err(expected), "{place:?} {block:02x?}");
        }
        assert_eq!(expected.reason(), reason, "{expected}");
    };
    check(b"\x01\x02", PropertyNeitherZeroNorOne { property: 0x01, value: 2 }, ProtocolError);
    // [MQTT-3.3.2-14]
    check(b"\x08\x00\x03r/+", InvalidResponseTopic(message::InvalidTopicName::Wildcard), ProtocolError);
    check(b"\x08\x00\x00", InvalidResponseTopic(message::InvalidTopicName::Empty), ProtocolError);
    check(b"\x08\x00\x01\x00", InvalidResponseTopic(message::InvalidTopicName::Null), MalformedPacket);
    check(b"\x08\x00\x02\xC0\xAF", InvalidUtf8, MalformedPacket);
    check(b"\x03\x00\x02\xC0\xAF", InvalidUtf8, MalformedPacket);
    check(b"\x03\x00\x01\x00", NullCharacter, MalformedPacket);
    check(b"\x02\x00\x00\x01", PropertyTruncated, MalformedPacket);
    check(b"\x09\x00\x02d", PropertyTruncated, MalformedPacket);
}

#[test]
fn subscription_ids() {
    use DecodeError::*;
    for place in [Place::Publish, Place::Subscribe] {
        let check = |block: &[u8], expected, reason| check(&place.packet(block), expected, reason);
        check(b"\x0B\x00", SubscriptionIdZero, ProtocolError);
        check(b"\x0B\x80\x00", VariableByteIntegerNotShortest, MalformedPacket);
        check(b"\x0B\x80\x80\x80\x80\x01", VariableByteIntegerTooLong, MalformedPacket);
        check(b"\x0B\x80", PropertyTruncated, MalformedPacket);
    }
    check(&Place::Subscribe.packet(b"\x0B\x01\x0B\x02"), DuplicateProperty(0x0B), ProtocolError);
}

#[test]
fn acknowledgements() {
    use DecodeError::*;
    let types = [
        (PacketType::PubAck, 0x40),
        (PacketType::PubRec, 0x50),
        (PacketType::PubRel, 0x62),
        (PacketType::PubComp, 0x70),
    ];
    for (packet_type, first) in types {
        let check = |body: &[u8], expected, reason| check(&framed(first, body), expected, reason);
        check(b"", Truncated, MalformedPacket);
        check(b"\x00", Truncated, MalformedPacket);
        check(b"\x00\x00", PacketIdZero, ProtocolError);
        check(b"\x00\x00\x00", PacketIdZero, ProtocolError);
        check(b"\x00\x00\x00\x00", PacketIdZero, ProtocolError);
        check(b"\x00\x01\x05", UnknownReasonCode(5), MalformedPacket);
        check(b"\x00\x01\x05\x00", UnknownReasonCode(5), MalformedPacket);
        let not_allowed = not_allowed(packet_type, SessionTakenOver);
        check(b"\x00\x01\x8E", not_allowed, ProtocolError);
        check(b"\x00\x01\x8E\x00", not_allowed, ProtocolError);
        check(b"\x00\x01\x00\x01", Truncated, MalformedPacket);
        check(b"\x00\x01\x00\x00\x00", TrailingBytes(1), MalformedPacket);
        check(b"\x00\x01\x00\x04\x1F\x00\x02r", PropertyTruncated, MalformedPacket);
        check(b"\x00\x01\x00\x05\x1F\x00\x02\xC3\x28", InvalidUtf8, MalformedPacket);
    }
}

#[test]
fn subscribe() {
    use DecodeError::*;
    let check = |body: &[u8], expected, reason| check(&framed(0x82, body), expected, reason);
    check(b"\x00\x00\x00\x00\x01a\x00", PacketIdZero, ProtocolError);
    check(b"\x00\x01", Truncated, MalformedPacket);
    check(b"\x00\x01\x00", SubscribeWithoutFilter, ProtocolError);
    check(b"\x00\x01\x00\x00\x01a", Truncated, MalformedPacket);
    check(b"\x00\x01\x00\x00\x02\xC3\x28\x00", InvalidUtf8, MalformedPacket);
    // [MQTT-3.8.3-5] and 3.8.3.1
    for options in [0x40, 0x80, 0xFF] {
        check(&[0, 1, 0, 0, 1, b'a', options], ReservedSubscriptionOption(options), MalformedPacket);
    }
    check(&[0, 1, 0, 0, 1, b'a', 0x03], RequestedQos(3), ProtocolError);
    check(&[0, 1, 0, 0, 1, b'a', 0x30], RetainHandlingThree, ProtocolError);
}

#[test]
fn unsubscribe() {
    use DecodeError::*;
    let check = |body: &[u8], expected, reason| check(&framed(0xA2, body), expected, reason);
    check(b"\x00\x00\x00\x00\x01a", PacketIdZero, ProtocolError);
    check(b"\x00\x01", Truncated, MalformedPacket);
    check(b"\x00\x01\x00", UnsubscribeWithoutFilter, ProtocolError);
    check(b"\x00\x01\x00\x00\x02a", Truncated, MalformedPacket);
    check(b"\x00\x01\x00\x00\x01\x00", NullCharacter, MalformedPacket);
}

#[test]
fn suback_and_unsuback() {
    use DecodeError::*;
    check(&framed(0x90, b"\x00\x01\x00"), SubAckWithoutCode, ProtocolError);
    check(&framed(0xB0, b"\x00\x01\x00"), UnsubAckWithoutCode, ProtocolError);
    for (first, packet_type) in [(0x90, PacketType::SubAck), (0xB0, PacketType::UnsubAck)] {
        let check = |body: &[u8], expected, reason| check(&framed(first, body), expected, reason);
        check(b"\x00\x01", Truncated, MalformedPacket);
        check(b"\x00\x00\x00\x00", PacketIdZero, ProtocolError);
        check(b"\x00\x01\x00\x03", UnknownReasonCode(3), MalformedPacket);
        check(b"\x00\x01\x00\x8E", not_allowed(packet_type, SessionTakenOver), ProtocolError);
    }
}

#[test]
fn disconnect() {
    use DecodeError::*;
    let check = |body: &[u8], expected, reason| check(&framed(0xE0, body), expected, reason);
    check(b"\x05", UnknownReasonCode(5), MalformedPacket);
    check(b"\x84", not_allowed(PacketType::Disconnect, UnsupportedProtocolVersion), ProtocolError);
    check(b"\x00\x01", Truncated, MalformedPacket);
    check(b"\x00\x00\x00", TrailingBytes(1), MalformedPacket);
    check(b"\x00\x03\x11\x00\x00", PropertyTruncated, MalformedPacket);
}

#[test]
fn auth() {
    use DecodeError::*;
    let check = |body: &[u8], expected, reason| check(&framed(0xF0, body), expected, reason);
    check(b"\x18", Truncated, MalformedPacket);
    check(b"\x18\x00", AuthWithoutMethod, ProtocolError);
    check(b"\x18\x04\x16\x00\x01d", AuthWithoutMethod, ProtocolError);
    check(b"\x87\x04\x15\x00\x01m", not_allowed(PacketType::Auth, NotAuthorized), ProtocolError);
    check(b"\x07\x04\x15\x00\x01m", UnknownReasonCode(7), MalformedPacket);
    check(b"\x18\x04\x15\x00\x01m\x00", TrailingBytes(1), MalformedPacket);
}

/// Short properties and filters make a small packet large in memory, so their number is bounded.
#[test]
fn too_many_of_anything() {
    let long = |first: u8, head: &[u8], item: &[u8], count: usize, tail: &[u8]| {
        let items = item.repeat(count);
        let block = [&varint(items.len())[..], &items].concat();
        let body = [head, &block, tail].concat();
        decode_bytes(&[&[first], &varint(body.len())[..], &body].concat(), Protocol::V5).map(|_| ())
    };
    let max = names::limits::USER_PROPERTIES_PER_PACKET_MAX;
    let user_property = b"\x26\x00\x00\x00\x00";
    let publish = |count| long(0x30, b"\x00\x01t", user_property, count, b"");
    assert_eq!(publish(max), Ok(()));
    assert_eq!(publish(max + 1), Err(DecodeError::TooManyUserProperties { max }));
    let puback = |count| long(0x40, b"\x00\x01\x00", user_property, count, b"");
    assert_eq!(puback(max), Ok(()));
    assert_eq!(puback(max + 1), Err(DecodeError::TooManyUserProperties { max }));
    assert_eq!(DecodeError::TooManyUserProperties { max }.reason(), QuotaExceeded);

    let max = names::limits::SUBSCRIPTION_IDS_PER_PACKET_MAX;
    let publish = |count| long(0x30, b"\x00\x01t", b"\x0B\x01", count, b"");
    assert_eq!(publish(max), Ok(()));
    assert_eq!(publish(max + 1), Err(DecodeError::TooManySubscriptionIds { max }));
    assert_eq!(DecodeError::TooManySubscriptionIds { max }.reason(), QuotaExceeded);

    let max = names::limits::FILTERS_PER_PACKET_MAX;
    let subscribe = |count| long(0x82, b"\x00\x01", b"", 0, &b"\x00\x01a\x00".repeat(count));
    assert_eq!(subscribe(max), Ok(()));
    assert_eq!(subscribe(max + 1), Err(DecodeError::TooManyFilters { max }));
    assert_eq!(DecodeError::TooManyFilters { max }.reason(), QuotaExceeded);
}

/// A block of properties in a packet that is otherwise in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Connect,
    Will,
    ConnAck,
    Publish,
    PubAck,
    PubRec,
    PubRel,
    PubComp,
    Subscribe,
    SubAck,
    Unsubscribe,
    UnsubAck,
    Disconnect,
    Auth,
}

impl Place {
    const ALL: [Self; 14] = [
        Self::Connect,
        Self::Will,
        Self::ConnAck,
        Self::Publish,
        Self::PubAck,
        Self::PubRec,
        Self::PubRel,
        Self::PubComp,
        Self::Subscribe,
        Self::SubAck,
        Self::Unsubscribe,
        Self::UnsubAck,
        Self::Disconnect,
        Self::Auth,
    ];

    fn packet(self, block: &[u8]) -> Vec<u8> {
        let around = |first: u8, head: &[u8], tail: &[u8]| {
            framed(first, &[head, &[u8::try_from(block.len()).unwrap()], block, tail].concat())
        };
        match self {
            Self::Connect => around(0x10, b"\x00\x04MQTT\x05\x02\x00\x3C", b"\x00\x01c"),
            Self::Will => around(0x10, b"\x00\x04MQTT\x05\x06\x00\x3C\x00\x00\x01c", b"\x00\x01w\x00\x00"),
            Self::ConnAck => around(0x20, b"\x00\x00", b""),
            Self::Publish => around(0x30, b"\x00\x01t", b"x"),
            Self::PubAck => around(0x40, b"\x00\x01\x00", b""),
            Self::PubRec => around(0x50, b"\x00\x01\x00", b""),
            Self::PubRel => around(0x62, b"\x00\x01\x00", b""),
            Self::PubComp => around(0x70, b"\x00\x01\x00", b""),
            Self::Subscribe => around(0x82, b"\x00\x01", b"\x00\x01a\x00"),
            Self::SubAck => around(0x90, b"\x00\x01", b"\x00"),
            Self::Unsubscribe => around(0xA2, b"\x00\x01", b"\x00\x01a"),
            Self::UnsubAck => around(0xB0, b"\x00\x01", b"\x00"),
            Self::Disconnect => around(0xE0, b"\x00", b""),
            Self::Auth => around(0xF0, b"\x18", b""),
        }
    }
}

fn connect_with(flags: u8, block: &[u8], payload: &[u8]) -> Vec<u8> {
    let block_bytes = u8::try_from(block.len()).unwrap();
    framed(0x10, &[&field("MQTT")[..], &[5, flags, 0, 60, block_bytes], block, payload].concat())
}

fn not_allowed(packet_type: PacketType, reason: ReasonCode) -> DecodeError {
    DecodeError::ReasonCodeNotAllowed { packet_type, reason }
}

/// Up to 2,097,151, as in table 1-1.
fn varint(number: usize) -> Vec<u8> {
    let seven = |shift: usize| u8::try_from(number >> shift & 0x7F).unwrap();
    match number {
        0..=127 => vec![seven(0)],
        128..=16_383 => vec![seven(0) | 0x80, seven(7)],
        _ => vec![seven(0) | 0x80, seven(7) | 0x80, seven(14)],
    }
}

fn check(bytes: &[u8], expected: DecodeError, reason: ReasonCode) {
    assert_eq!(decode_bytes(bytes, Protocol::V5), Err(expected), "{bytes:02x?}");
    assert_eq!(expected.reason(), reason, "{expected}");
}
