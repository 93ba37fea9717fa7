//! Malformed frames of MQTT 3.1 and 3.1.1, each with the clause that it breaks (MQTT 3.1.1).

use bytes::BytesMut;

use message::InvalidTopicName;
use mqtt_codec::{DecodeError, Packet, PacketType, Protocol, connect_protocol, decode};

use crate::{decode_bytes, field, framed};

#[test]
fn fixed_headers() {
    let flags = |packet_type, flags| DecodeError::FixedHeaderFlags { packet_type, flags };
    check(&[0x00, 0x00], DecodeError::ForbiddenPacketType(0));
    check(&[0xF0, 0x00], DecodeError::ForbiddenPacketType(15));
    // [MQTT-2.2.2-2]: refused at the first byte, before the rest is there.
    check(&[0x11], flags(PacketType::Connect, 1));
    check(&[0x21], flags(PacketType::ConnAck, 1));
    check(&[0x41], flags(PacketType::PubAck, 1));
    check(&[0x5F], flags(PacketType::PubRec, 15));
    check(&[0x60, 0x02, 0x00, 0x01], flags(PacketType::PubRel, 0));
    check(&[0x72], flags(PacketType::PubComp, 2));
    check(&[0x80], flags(PacketType::Subscribe, 0));
    check(&[0x83], flags(PacketType::Subscribe, 3));
    check(&[0x92], flags(PacketType::SubAck, 2));
    check(&[0xA0], flags(PacketType::Unsubscribe, 0));
    check(&[0xB2], flags(PacketType::UnsubAck, 2));
    check(&[0xC1, 0x00], flags(PacketType::PingReq, 1));
    check(&[0xD1, 0x00], flags(PacketType::PingResp, 1));
    check(&[0xE1, 0x00], flags(PacketType::Disconnect, 1));
    // Only MQTT 3.1 knows repeated packets.
    check_in(Protocol::V311, &[0x6A], flags(PacketType::PubRel, 10));
    check_in(Protocol::V311, &[0x8A], flags(PacketType::Subscribe, 10));
    check_in(Protocol::V311, &[0xAA], flags(PacketType::Unsubscribe, 10));
    check(&[0xC0, 0x80, 0x80, 0x80, 0x80, 0x00], DecodeError::RemainingLengthTooLong);
    check(&[0x30, 0xFF, 0xFF, 0xFF, 0xFF], DecodeError::RemainingLengthTooLong);
}

#[test]
fn a_packet_too_large_is_refused_by_its_announced_length() {
    let check = |bytes: &[u8], max, expected| {
        assert_eq!(decode(&mut BytesMut::from(bytes), max, Protocol::V311), expected, "{bytes:?}")
    };
    check(&[0x30, 0xFF, 0xFF, 0xFF, 0x7F], 1024, Err(DecodeError::PacketTooLarge { bytes: 268_435_460, max: 1024 }));
    check(&[0x30, 0x09], 10, Err(DecodeError::PacketTooLarge { bytes: 11, max: 10 }));
    check(&[0x30, 0x08], 10, Ok(None));
    check(&[0xC0, 0x00], 2, Ok(Some(Packet::PingReq)));
}

#[test]
fn unfinished_packets_are_awaited() {
    let connect = framed(0x10, &connect_body(0x02, &[&field("c")]));
    for end in 0..connect.len() {
        let mut buffer = BytesMut::from(&connect[..end]);
        assert_eq!(decode(&mut buffer, 1024, Protocol::V311), Ok(None), "{end}");
        assert_eq!(buffer, &connect[..end], "nothing is taken from the buffer");
    }
}

#[test]
fn connect() {
    use DecodeError::*;
    let check_body = |body: &[u8], expected| check(&framed(0x10, body), expected);
    let protocol = |name: &str, level: u8| [field(name), vec![level, 0x02, 0, 60], field("c")].concat();
    check_body(&protocol("MQTX", 4), ProtocolName);
    check_body(&protocol("mqtt", 4), ProtocolName);
    check_body(&protocol("", 4), ProtocolName);
    for level in [0, 3, 6, 0x7F, 0x84, 0x85] {
        check_body(&protocol("MQTT", level), UnacceptableProtocolLevel(level));
    }
    for level in [0, 4, 5, 0x83] {
        check_body(&protocol("MQIsdp", level), UnacceptableProtocolLevel(level));
    }

    let id = &field("c")[..];
    let check = |flags: u8, payload: &[&[u8]], expected| check_body(&connect_body(flags, payload), expected);
    check(0x03, &[id], ReservedConnectFlag);
    check(0x0A, &[id], WillFlagsWithoutWill);
    check(0x12, &[id], WillFlagsWithoutWill);
    check(0x22, &[id], WillFlagsWithoutWill);
    check(0x1E, &[id, &field("w"), &field("")], WillQosThree);
    check(0x42, &[id, &field("p")], PasswordWithoutUserName);

    // [MQTT-3.1.3-3], [MQTT-3.1.2-9], [MQTT-3.1.2-19], [MQTT-3.1.2-21]: a field is missing.
    check(0x02, &[], Truncated);
    check(0x06, &[id], Truncated);
    check(0x06, &[id, &field("w")], Truncated);
    check(0x82, &[id], Truncated);
    check(0xC2, &[id, &field("u")], Truncated);
    check(0x02, &[b"\x00\x05c"], Truncated);
    // [MQTT-3.1.2-18], [MQTT-3.1.2-20]: a field is there that was not announced.
    check(0x02, &[id, &field("u")], TrailingBytes(3));
    check(0x82, &[id, &field("u"), &field("p")], TrailingBytes(3));

    check(0x02, &[&field(b"\xC3\x28")], InvalidUtf8);
    check(0x02, &[&field("a\0")], NullCharacter);
    check(0x06, &[id, &field(b"\xC0\xAF"), &field("")], InvalidUtf8);
    check(0x06, &[id, &field("w\0"), &field("")], InvalidTopicName(message::InvalidTopicName::Null));
    check(0x06, &[id, &field(""), &field("")], InvalidTopicName(message::InvalidTopicName::Empty));
    check(0x06, &[id, &field("w/#"), &field("")], InvalidTopicName(message::InvalidTopicName::Wildcard));
    check(0x82, &[id, &field(b"\xED\xA0\x80")], InvalidUtf8);
    check(0x82, &[id, &field("u\0")], NullCharacter);
    for body in [&b""[..], b"\x00", b"\x00\x04MQT", b"\x00\x04MQTT", b"\x00\x04MQTT\x04", b"\x00\x04MQTT\x04\x02\x00"] {
        check_body(body, Truncated);
    }
}

/// MQTT 3.1 lets announced fields be missing at the end, but not broken off.
#[test]
fn connect_of_mqtt_31() {
    let connect = |flags, payload: &[u8]| framed(0x10, &[&field("MQIsdp")[..], &[3, flags, 0, 60], payload].concat());
    let check = |flags, payload: &[&[u8]], expected| check(&connect(flags, &payload.concat()), expected);
    let id = &field("c")[..];
    check(0x42, &[id, &field("p")], DecodeError::PasswordWithoutUserName);
    check(0x82, &[id, b"\x00"], DecodeError::Truncated);
    check(0xC2, &[id, &field("u"), b"\x00\x02p"], DecodeError::Truncated);
    check(0xC2, &[id, &field("u"), &field("p"), b"x"], DecodeError::TrailingBytes(1));
    check(0x06, &[id], DecodeError::Truncated);
}

/// A CONNECT that was refused is still there, and says who is to be answered.
#[test]
fn the_version_of_a_refused_connect() {
    let check = |bytes: &[u8], expected: Option<Protocol>| {
        let mut buffer = BytesMut::from(bytes);
        assert!(decode(&mut buffer, 1024, Protocol::V311).is_err(), "{bytes:02x?}");
        assert_eq!(connect_protocol(&buffer), expected, "{bytes:02x?}");
    };
    let connect = |name: &str, level: u8| framed(0x10, &[field(name), vec![level, 0x03]].concat());
    check(&connect("MQIsdp", 3), Some(Protocol::V31));
    check(&connect("MQTT", 4), Some(Protocol::V311));
    check(&connect("MQTT", 5), Some(Protocol::V5));
    check(&connect("MQTT", 6), None);
    check(&connect("MQTT", 3), None);
    check(&connect("MQIsdp", 5), None);
    check(&connect("MQTX", 5), None);
    check(&[&b"\x10\xFF\xFF\x7F"[..], &field("MQTT"), &[5]].concat(), Some(Protocol::V5));
    check(&[&b"\x11\x07"[..], &field("MQTT"), &[5]].concat(), Some(Protocol::V5));
    check(b"\x10\xFF\xFF\xFF\xFF\x00\x04MQTT\x05", None);
    check(b"\x10\x06\x00\x04MQTT", None);
    check(b"\x10\x04\x00\x04MQ", None);
    check(b"\x10\x01\x00", None);
    check(b"\x10\xFF\xFF\x7F", None);
    check(&framed(0x20, b"\x00\x04MQTT\x05"), None);
    assert_eq!(connect_protocol(b""), None);
    assert_eq!(connect_protocol(b"\x10"), None);
}

#[test]
fn connack() {
    check_in(Protocol::V311, &[0x20, 0x02, 0x02, 0x00], DecodeError::ReservedConnAckFlag);
    check_in(Protocol::V311, &[0x20, 0x02, 0x01, 0x05], DecodeError::SessionPresentOnRefusal);
    check(&[0x20, 0x02, 0x00, 0x06], DecodeError::ReservedReturnCode(6));
    check(&[0x20, 0x01, 0x00], DecodeError::Truncated);
    check(&[0x20, 0x03, 0x00, 0x00, 0x00], DecodeError::TrailingBytes(1));
}

#[test]
fn publish() {
    use DecodeError::*;
    let check = |first, body: &[u8], expected| check(&framed(first, body), expected);
    check(0x36, b"\x00\x01t\x00\x01", QosThree);
    check(0x38, b"\x00\x01t", DupAtQosZero);
    check(0x32, b"\x00\x01t\x00\x00", PacketIdZero);
    check(0x34, b"\x00\x01t\x00\x00x", PacketIdZero);
    check(0x32, b"\x00\x01t\x00", Truncated);
    check(0x32, b"\x00\x01t", Truncated);
    check(0x30, b"", Truncated);
    check(0x30, b"\x00", Truncated);
    check(0x30, b"\x00\x05t", Truncated);
    check(0x30, b"\x00\x00", InvalidTopicName(message::InvalidTopicName::Empty));
    check(0x30, b"\x00\x03a/#", InvalidTopicName(message::InvalidTopicName::Wildcard));
    check(0x30, b"\x00\x03a/+", InvalidTopicName(message::InvalidTopicName::Wildcard));
    check(0x30, b"\x00\x02a\0", InvalidTopicName(message::InvalidTopicName::Null));
    // [MQTT-1.5.3-1]: no continuation, overlong, a surrogate, above U+10FFFF, cut off.
    for topic in [&b"\xC3\x28"[..], b"\xC0\xAF", b"\xED\xA0\x80", b"\xF4\x90\x80\x80", b"a\xE2\x82"] {
        check(0x30, &field(topic), InvalidUtf8);
    }
}

#[test]
fn acknowledgements_and_bare_packets() {
    for first in [0x40, 0x50, 0x62, 0x70, 0xB0] {
        check(&[first, 0x02, 0, 0], DecodeError::PacketIdZero);
        check(&[first, 0x00], DecodeError::Truncated);
        check(&[first, 0x01, 0], DecodeError::Truncated);
        check(&[first, 0x03, 0, 1, 0], DecodeError::TrailingBytes(1));
    }
    for first in [0xC0, 0xD0, 0xE0] {
        check(&[first, 0x01, 0], DecodeError::TrailingBytes(1));
    }
}

#[test]
fn subscribe() {
    use DecodeError::*;
    let check = |body: &[u8], expected| check(&framed(0x82, body), expected);
    check(b"\x00\x00\x00\x01a\x00", PacketIdZero);
    check(b"\x00\x01", SubscribeWithoutFilter);
    check(b"\x00", Truncated);
    check(b"\x00\x01\x00\x01a", Truncated);
    check(b"\x00\x01\x00\x02a", Truncated);
    check(b"\x00\x01\x00\x01a\x00\x00", Truncated);
    for options in [0x03, 0x04, 0x80, 0xFF] {
        check(&[0, 1, 0, 1, b'a', options], RequestedQos(options));
    }
    check(b"\x00\x01\x00\x02\xC3\x28\x00", InvalidUtf8);
    check(b"\x00\x01\x00\x01\x00\x00", NullCharacter);
}

#[test]
fn suback() {
    check(&framed(0x90, b"\x00\x01"), DecodeError::SubAckWithoutCode);
    check(&framed(0x90, b"\x00\x01\x00\x03"), DecodeError::ReservedSubAckCode(3));
    check(&framed(0x90, b"\x00\x01\x81"), DecodeError::ReservedSubAckCode(0x81));
    check(&framed(0x90, b"\x00\x00\x00"), DecodeError::PacketIdZero);
    check(&framed(0x90, b"\x00"), DecodeError::Truncated);
}

#[test]
fn unsubscribe() {
    use DecodeError::*;
    let check = |body: &[u8], expected| check(&framed(0xA2, body), expected);
    check(b"\x00\x00\x00\x01a", PacketIdZero);
    check(b"\x00\x01", UnsubscribeWithoutFilter);
    check(b"\x00\x01\x00\x02a", Truncated);
    check(b"\x00\x01\x00", Truncated);
    check(b"\x00\x01\x00\x02\xC3\x28", InvalidUtf8);
    check(b"\x00\x01\x00\x01\x00", NullCharacter);
}

/// Short filters make a small packet large in memory, so their number is bounded.
#[test]
fn too_many_filters() {
    let max = names::limits::FILTERS_PER_PACKET_MAX;
    let check = |first: u8, filter: &[u8], count: usize, expected: bool| {
        let body = [&b"\x00\x01"[..], &filter.repeat(count)].concat();
        let length = [body.len() & 0x7F | 0x80, body.len() >> 7 & 0x7F | 0x80, body.len() >> 14];
        let bytes = [&[first], &length.map(|seven| u8::try_from(seven).unwrap())[..], &body].concat();
        let refused = decode_bytes(&bytes, Protocol::V311) == Err(DecodeError::TooManyFilters { max });
        assert_eq!(refused, expected, "{first:#04x} {count}");
    };
    check(0x82, b"\x00\x01a\x00", max, false);
    check(0x82, b"\x00\x01a\x00", max + 1, true);
    check(0xA2, b"\x00\x01a", max, false);
    check(0xA2, b"\x00\x01a", max + 1, true);
}

/// The rule holds in MQTT 3.1 and 3.1.1.
fn check(bytes: &[u8], expected: DecodeError) {
    check_in(Protocol::V31, bytes, expected);
    check_in(Protocol::V311, bytes, expected);
}

fn check_in(protocol: Protocol, bytes: &[u8], expected: DecodeError) {
    assert_eq!(decode_bytes(bytes, protocol), Err(expected), "{protocol:?} {bytes:02x?}");
}

fn connect_body(flags: u8, payload: &[&[u8]]) -> Vec<u8> {
    [&field("MQTT")[..], &[4, flags, 0, 60], &payload.concat()].concat()
}

/// The error names its clause for the log.
#[test]
fn errors_read_well() {
    let check = |error: DecodeError, expected: &str| assert_eq!(error.to_string(), expected);
    let flags = DecodeError::FixedHeaderFlags { packet_type: PacketType::PingReq, flags: 1 };
    check(flags, "PINGREQ has the fixed-header flags 0b0001 [MQTT-2.2.2-2], [MQTT-2.1.3-1]");
    check(DecodeError::PacketTooLarge { bytes: 9, max: 8 }, "the packet has 9 bytes, 8 are accepted");
    check(InvalidTopicName::Wildcard.into(), "the topic name has a wildcard");
}
