//! CONNACK of MQTT 5, byte by byte (MQTT 5, 3.2). The order of properties is free in the standard; here it is the
//! codec's.

use std::num::NonZeroU32;

use bytes::{Bytes, BytesMut};

use message::QoS;
use mqtt_codec::{
    ConnAck, Connect, ConnectProperties, DecodeError, Packet, PacketType, Protocol, ReasonCode, Will, decode,
};
use names::{ClientId, Dialect};
use session::{Refusal, Resumed, Violation};

use crate::connecting::check_written;
use crate::{connect_of, connect_saying, now, open, topic};

fn asking(session_expiry_seconds: u32) -> Connect {
    let session_expiry_seconds = Some(session_expiry_seconds);
    connect_saying(ConnectProperties { session_expiry_seconds, ..ConnectProperties::default() })
}

fn taking(packet_bytes_max: u32) -> Connect {
    let packet_bytes_max = NonZeroU32::new(packet_bytes_max);
    connect_saying(ConnectProperties { packet_bytes_max, ..ConnectProperties::default() })
}

fn check_accepted(connect: Connect, dialect: Dialect, resumed: Option<Resumed>, expected: &[u8]) {
    let mut out = BytesMut::new();
    let opening = open(connect, dialect).unwrap();
    assert!(opening.accept(ClientId::new("given").unwrap(), resumed, now(), &mut out).is_some());
    assert_eq!(out, expected);
}

/// What AWS IoT Core was seen to send: every flag, also where it is the standard's default. Receive Maximum 100,
/// Maximum QoS 1, Retain Available 1, Maximum Packet Size 149,504, Topic Alias Maximum 8, Wildcard 1, Subscription
/// Identifier 0, Shared 1, Server Keep Alive always, Session Expiry where one is asked.
#[test]
fn aws_says_all_that_it_has() {
    let check = |connect: Connect, expected: &[u8]| check_accepted(connect, Dialect::Aws, None, expected);
    let flags = b"\x24\x01\x25\x01\x28\x01\x29\x00\x2A\x01";
    let limits = b"\x21\x00\x64\x22\x00\x08";
    let size = b"\x27\x00\x02\x48\x00";
    let plain = |keep_alive: &[u8]| [b"\x20\x1B\x00\x00\x18", &flags[..], keep_alive, limits, size].concat();
    check(connect_of(Protocol::V5), &plain(b"\x13\x00\x3C"));
    for (asked, held_to) in [(0, b"\x13\x04\xB0"), (1200, b"\x13\x04\xB0"), (29, b"\x13\x00\x1E")] {
        check(Connect { keep_alive_seconds: asked, ..connect_of(Protocol::V5) }, &plain(held_to));
    }
    check(asking(0), &plain(b"\x13\x00\x3C"));
    for (asked, told) in
        [(3600, b"\x11\x00\x00\x0E\x10"), (7200, b"\x11\x00\x00\x0E\x10"), (5, b"\x11\x00\x00\x00\x05")]
    {
        let expected = [b"\x20\x20\x00\x00\x1D", &flags[..], b"\x13\x00\x3C", limits, told, size].concat();
        check(asking(asked), &expected);
    }
    // [MQTT-3.1.3-7]
    let nameless = Connect { client_id: "".into(), ..connect_of(Protocol::V5) };
    let given = b"\x12\x00\x05given";
    check(nameless, &[b"\x20\x23\x00\x00\x20", &flags[..], b"\x13\x00\x3C", limits, size, given].concat());
}

/// The standard's dialect says what differs from the defaults: no flags, no Server Keep Alive, and the expiry only when
/// it was lowered (MQTT 5, 3.2.2.3).
#[test]
fn mqtt_says_what_is_not_the_default() {
    let check = |connect: Connect, resumed, expected: &[u8]| check_accepted(connect, Dialect::Mqtt, resumed, expected);
    let rest = b"\x21\x03\xE8\x22\x00\x40\x27\x00\x10\x00\x00";
    let plain = [b"\x20\x0E\x00\x00\x0B", &rest[..]].concat();
    check(connect_of(Protocol::V5), None, &plain);
    check(Connect { keep_alive_seconds: 0, ..connect_of(Protocol::V5) }, None, &plain);
    check(asking(u32::MAX), None, &plain);
    // [MQTT-3.2.2-3]
    let resumed = [b"\x20\x0E\x01\x00\x0B", &rest[..]].concat();
    check(Connect { clean_start: false, ..asking(60) }, Some(Resumed::default()), &resumed);
    let nameless = Connect { client_id: "".into(), ..connect_of(Protocol::V5) };
    check(nameless, None, &[b"\x20\x16\x00\x00\x13", &rest[..], b"\x12\x00\x05given"].concat());
}

/// [MQTT-3.1.2-24]: not even the CONNACK may be larger than the client takes. It has 16 bytes in dialect `mqtt`.
#[test]
fn a_client_that_cannot_take_the_connack_is_told_so() {
    let accept = |packet_bytes_max| {
        let mut out = BytesMut::new();
        let opening = open(taking(packet_bytes_max), Dialect::Mqtt).unwrap();
        (opening.accept(ClientId::new("given").unwrap(), None, now(), &mut out).is_some(), out)
    };
    let (is_accepted, out) = accept(16);
    assert_eq!((is_accepted, out.len()), (true, 16));
    assert_eq!(accept(15), (false, BytesMut::from(&b"\x20\x03\x00\x95\x00"[..])));
    assert_eq!(accept(5), (false, BytesMut::from(&b"\x20\x03\x00\x95\x00"[..])));
    assert_eq!(accept(4), (false, BytesMut::new()));
}

/// The reason and the words of a refusing CONNACK; none when nothing was written.
fn told(refusal: &Refusal) -> Option<(ReasonCode, Option<String>)> {
    let mut out = BytesMut::new();
    refusal.write(&mut out);
    let packet = decode(&mut out, 1024, Protocol::V5).unwrap()?;
    assert!(out.is_empty(), "one packet");
    let Packet::ConnAck(ConnAck { session_present: false, reason, properties }) = packet else {
        panic!("not a refusal: {packet:?}")
    };
    Some((reason, properties.and_then(|properties| properties.reason_string).map(|text| text.to_string())))
}

/// MQTT 5, 4.13: a client of MQTT 5 is told what it did, in CONNACK's codes and in words [MQTT-3.1.4-2].
#[test]
fn refusals_have_a_reason() {
    let check = |connect: Connect, dialect, violation: Violation, reason: u8| {
        let refusal = open(connect, dialect).unwrap_err();
        assert_eq!(refusal.reason, violation);
        let (told, words) = told(&refusal).unwrap();
        assert_eq!((told.byte(), words), (reason, Some(violation.to_string())));
        assert!(told.is_allowed_in(PacketType::ConnAck), "{told:?}");
    };
    let v5 = || connect_of(Protocol::V5);
    let long = Connect { client_id: "x".repeat(129).into(), ..v5() };
    check(long, Dialect::Aws, Violation::ClientIdTooLong { bytes: 129, max: 128 }, 0x85);
    let authenticating = ConnectProperties {
        authentication_method: Some("SCRAM-SHA-1".into()),
        authentication_data: Some(Bytes::from_static(b"n,,n=u")),
        ..ConnectProperties::default()
    };
    for dialect in crate::DIALECTS {
        check(connect_saying(authenticating.clone()), dialect, Violation::AuthenticationMethod, 0x8C);
    }
    let user_properties = vec![("n".into(), "x".repeat(8192).into())];
    let talkative = ConnectProperties { user_properties, ..ConnectProperties::default() };
    assert!(open(connect_saying(talkative.clone()), Dialect::Mqtt).is_ok());
    let too_long = Violation::PropertyTooLong { what: "user properties", bytes: 8193, max: 8192 };
    check(connect_saying(talkative), Dialect::Aws, too_long, 0x97);
    check(taking(511), Dialect::Aws, Violation::ClientPacketTooSmall { bytes: 511, min: 512 }, 0x97);
    let will = Will {
        topic: topic("w"),
        payload: Bytes::new(),
        qos: QoS::ExactlyOnce,
        retain: true,
        delay_seconds: 0,
        properties: None,
    };
    let two = Violation::QosNotSupported { packet_type: PacketType::Connect, qos: QoS::ExactlyOnce };
    check(Connect { will: Some(will.clone()), ..v5() }, Dialect::Aws, two, 0x9B);
    let reserved = Will { topic: topic("$aws/x"), qos: QoS::AtMostOnce, ..will };
    check(Connect { will: Some(reserved), ..v5() }, Dialect::Aws, Violation::RetainOnReservedTopic, 0x90);
}

/// [MQTT-3.2.2-19]: words that would make the CONNACK larger than the client takes are left out, and a CONNACK that is
/// too large all the same is not sent [MQTT-3.1.2-24].
#[test]
fn a_refusal_has_words_where_there_is_room() {
    let check = |packet_bytes_max: u32, expected: Option<(ReasonCode, Option<&str>)>| {
        let refusal = open(taking(packet_bytes_max), Dialect::Aws).unwrap_err();
        let told = told(&refusal);
        let told = told.as_ref().map(|(reason, words)| (*reason, words.as_deref()));
        assert_eq!(told, expected, "{packet_bytes_max}");
    };
    // 5 bytes of CONNACK, 3 bytes before the words, and the words.
    let words = |max: u32| format!("the client's Maximum Packet Size is {max}, 512 is the least");
    let whole = u32::try_from(5 + 3 + words(64).len()).unwrap();
    assert_eq!(words(whole).len(), words(64).len());
    check(whole, Some((ReasonCode::QuotaExceeded, Some(&words(whole)))));
    check(whole - 1, Some((ReasonCode::QuotaExceeded, None)));
    check(5, Some((ReasonCode::QuotaExceeded, None)));
    check(4, None);
    check_written(&open(taking(20), Dialect::Aws).unwrap_err(), b"\x20\x03\x00\x97\x00");
}

/// [MQTT-3.1.4-1], MQTT 5, 4.13.1: bytes that are no CONNECT of MQTT 5.
#[test]
fn what_cannot_be_read_is_refused_in_the_version_that_it_speaks() {
    let check = |error: DecodeError, reason: u8| {
        let (told, words) = told(&Refusal::from_decode_error(error, Some(Protocol::V5))).unwrap();
        assert_eq!((told.byte(), words), (reason, Some(error.to_string())));
    };
    check(DecodeError::ReservedConnectFlag, 0x81);
    check(DecodeError::Truncated, 0x81);
    check(DecodeError::PacketTooLarge { bytes: 200_000, max: 149_504 }, 0x95);
    check(DecodeError::ReceiveMaximumZero, 0x82);
    check_written(&Refusal::from_decode_error(DecodeError::Truncated, Some(Protocol::V311)), b"");
}
