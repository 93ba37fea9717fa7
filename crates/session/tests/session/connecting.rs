//! CONNECT and what the server makes of it; CONNACK and refusals of MQTT 3.1 and 3.1.1 (3.1 and 3.2).

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};

use message::{Properties, QoS};
use mqtt_codec::{Connect, ConnectProperties, DecodeError, Packet, PacketType, Protocol, ReasonCode, Will, decode};
use names::{ClientId, Dialect};
use session::{ExpectConnect, Opening, Quotas, Refusal, Resumed, Violation};

use crate::{
    DIALECTS, accept, ack, connect, connect_of, connect_saying, connected_with, disconnect, now, open, publish,
    subscribe, topic,
};

/// [MQTT-3.1.0-1]: anything but CONNECT closes the connection without CONNACK.
#[test]
fn the_first_packet_is_connect() {
    let check = |packet: Packet, packet_type| {
        for dialect in DIALECTS {
            let quotas = Arc::new(Quotas::of(dialect));
            let refusal = ExpectConnect { quotas }.handle(packet.clone()).unwrap_err();
            assert_eq!(refusal.reason, Violation::FirstPacketNotConnect(packet_type));
            check_written(&refusal, b"");
        }
    };
    check(Packet::Publish(publish("t", QoS::AtMostOnce)), PacketType::Publish);
    check(Packet::PingReq, PacketType::PingReq);
    check(disconnect(ReasonCode::Success), PacketType::Disconnect);
    check(Packet::PubAck(ack(1)), PacketType::PubAck);
    check(subscribe(1, &[("a", QoS::AtMostOnce)]), PacketType::Subscribe);
}

/// [MQTT-3.1.4-1]: malformed is answered with silence, [MQTT-3.1.2-2]: an unknown level with CONNACK 0x01.
#[test]
fn bytes_that_are_no_connect() {
    let check = |bytes: &[u8], reason: DecodeError, written: &[u8]| {
        let error = decode(&mut BytesMut::from(bytes), 1024, Protocol::V311).unwrap_err();
        assert_eq!(error, reason);
        let refusal = Refusal::from_decode_error(error, None);
        assert_eq!(refusal.reason, Violation::Malformed(reason));
        check_written(&refusal, written);
    };
    check(
        b"\x10\x0C\x00\x04MQTT\x06\x02\x00\x3C\x00\x00",
        DecodeError::UnacceptableProtocolLevel(6),
        b"\x20\x02\x00\x01",
    );
    check(
        b"\x10\x0C\x00\x04MQTT\x84\x02\x00\x3C\x00\x00",
        DecodeError::UnacceptableProtocolLevel(0x84),
        b"\x20\x02\x00\x01",
    );
    check(b"\x10\x0C\x00\x04MQTX\x04\x02\x00\x3C\x00\x00", DecodeError::ProtocolName, b"");
    check(b"\x10\x0C\x00\x04MQTT\x04\x03\x00\x3C\x00\x00", DecodeError::ReservedConnectFlag, b"");
    check(b"\x10\x0B\x00\x04MQTT\x04\x02\x00\x3C\x00", DecodeError::Truncated, b"");
    check(b"\x00\x00", DecodeError::ForbiddenPacketType(0), b"");
}

/// [MQTT-3.1.3-5] to [MQTT-3.1.3-8]. MQTT 5 has no link between an empty identifier and the session.
#[test]
fn client_ids() {
    let open = |protocol, client_id: &str, clean_start| {
        open(Connect { client_id: client_id.into(), clean_start, ..connect_of(protocol) }, Dialect::Mqtt)
    };
    let long = "x".repeat(65_535);
    for text in ["a", "0123456789abcdefghijklm", "\u{e4} #+/", &long] {
        for protocol in [Protocol::V311, Protocol::V5] {
            assert_eq!(open(protocol, text, false).unwrap().client_id, Some(ClientId::new(text).unwrap()));
        }
    }
    assert_eq!(open(Protocol::V311, "", true).unwrap().client_id, None);
    assert_eq!(open(Protocol::V5, "", true).unwrap().client_id, None);
    assert_eq!(open(Protocol::V5, "", false).unwrap().client_id, None);
    for (protocol, clean_start) in [(Protocol::V311, false), (Protocol::V31, false), (Protocol::V31, true)] {
        let refusal = open(protocol, "", clean_start).unwrap_err();
        assert_eq!(refusal.reason, Violation::EmptyClientIdOfStoredSession);
        check_written(&refusal, b"\x20\x02\x00\x02");
    }
}

/// MQTT 3.1, 3.1: 1 to 23 characters. Dialect `aws` speaks 3.1.1 and 5 only.
#[test]
fn mqtt_3_1() {
    let connect = |client_id: &str| Connect { client_id: client_id.into(), ..connect_of(Protocol::V31) };
    assert!(open(connect("0123456789abcdefghijklm"), Dialect::Mqtt).is_ok());
    assert!(open(connect(&"\u{e4}".repeat(23)), Dialect::Mqtt).is_ok());
    let refusal = open(connect("0123456789abcdefghijklmn"), Dialect::Mqtt).unwrap_err();
    assert_eq!(refusal.reason, Violation::ClientIdTooLong { bytes: 24, max: 23 });
    check_written(&refusal, b"\x20\x02\x00\x02");
    let refusal = open(connect("a"), Dialect::Aws).unwrap_err();
    assert_eq!(refusal.reason, Violation::ProtocolNotServed(Protocol::V31));
    check_written(&refusal, b"\x20\x02\x00\x01");
}

#[test]
fn an_opening_says_what_the_client_asked() {
    let properties = Properties { expiry_seconds: Some(5), content_type: Some("c".into()), ..Properties::default() };
    let will = Will {
        topic: topic("w"),
        payload: Bytes::from_static(b"x"),
        qos: QoS::ExactlyOnce,
        retain: true,
        delay_seconds: 9,
        properties: Some(Arc::new(properties)),
    };
    let connect = Connect {
        will: Some(will.clone()),
        user_name: Some("u".into()),
        password: Some(Bytes::from_static(b"secret")),
        ..connect_of(Protocol::V5)
    };
    let opening = open(connect, Dialect::Mqtt).unwrap();
    assert!(opening.clean_start);
    assert_eq!(opening.protocol, Protocol::V5);
    assert_eq!(opening.keep_alive, Some(Duration::from_secs(60)));
    assert_eq!(opening.will, Some(will));
    assert_eq!(opening.user_name.as_deref(), Some("u"));
    assert_eq!(opening.password.as_deref(), Some(&b"secret"[..]));
    assert!(!format!("{opening:?}").contains("secret"));
}

/// The will is kept as long as the connection, the read buffer is not.
#[test]
fn the_will_does_not_hold_the_read_buffer() {
    let bytes = b"\x10\x1D\x00\x04MQTT\x05\x06\x00\x3C\x00\x00\x01c\x06\x09\x00\x03abc\x00\x01w\x00\x03bye";
    let mut buffer = BytesMut::from(&bytes[..]);
    let packet = decode(&mut buffer, 1024, Protocol::V5).unwrap().unwrap();
    let Packet::Connect(connect) = packet else { panic!("not a CONNECT") };
    let read = connect.will.clone().unwrap();
    let kept = open(*connect, Dialect::Aws).unwrap().will.unwrap();
    assert_eq!(kept, read);
    assert_ne!(kept.payload.as_ptr(), read.payload.as_ptr());
    assert_ne!(kept.topic.as_str().as_ptr(), read.topic.as_str().as_ptr());
    let data = |will: &Will| will.properties.clone().unwrap().correlation_data.clone().unwrap();
    assert_eq!(data(&kept), "abc");
    assert_ne!(data(&kept).as_ptr(), data(&read).as_ptr());
}

/// [MQTT-3.1.4-4], [MQTT-3.2.2-1] to [MQTT-3.2.2-4]; MQTT 3.1 has no Session Present.
#[test]
fn connack() {
    let opening = |protocol| open(Connect { clean_start: false, ..connect_of(protocol) }, Dialect::Mqtt).unwrap();
    let check = |protocol, resumed: Option<Resumed>, expected: &[u8]| {
        let mut out = BytesMut::new();
        let given = ClientId::new("given").unwrap();
        let session = opening(protocol).accept(given, resumed, now(), &mut out).unwrap();
        assert_eq!(out, expected, "{protocol:?}");
        assert_eq!(session.client_id().as_str(), "given");
        assert_eq!((session.protocol(), session.dialect()), (protocol, Dialect::Mqtt));
    };
    check(Protocol::V311, None, b"\x20\x02\x00\x00");
    check(Protocol::V311, Some(Resumed::default()), b"\x20\x02\x01\x00");
    check(Protocol::V31, Some(Resumed::default()), b"\x20\x02\x00\x00");

    // MQTT 3.1.1, table 3.1.
    let check = |reason, expected: &[u8]| {
        let mut out = BytesMut::new();
        Opening::refuse(&opening(Protocol::V311), reason, Some("why"), &mut out);
        assert_eq!(out, expected, "{reason:?}");
    };
    check(ReasonCode::ServerUnavailable, b"\x20\x02\x00\x03");
    check(ReasonCode::BadUserNameOrPassword, b"\x20\x02\x00\x04");
    check(ReasonCode::NotAuthorized, b"\x20\x02\x00\x05");
}

/// [MQTT-3.1.2-23]: absent is 0, 0xFFFFFFFF is for ever. MQTT 3.1.1 asks with CleanSession 0 [MQTT-3.1.2-4],
/// [MQTT-3.1.2-6]. AWS quotas, message broker: 3600 seconds.
#[test]
fn how_long_the_session_outlives_its_connection() {
    let check = |connect: Connect, aws: u32, mqtt: u32| {
        for (dialect, expected) in [(Dialect::Aws, aws), (Dialect::Mqtt, mqtt)] {
            let opening = open(connect.clone(), dialect).unwrap();
            assert_eq!(opening.session_expiry_seconds, expected, "{dialect:?}");
            assert_eq!(accept(opening).session_expiry_seconds(), expected, "{dialect:?}");
        }
    };
    check(connect(), 0, 0);
    check(Connect { clean_start: false, ..connect() }, 3600, u32::MAX);
    check(connect_of(Protocol::V5), 0, 0);
    check(Connect { clean_start: false, ..connect_of(Protocol::V5) }, 0, 0);
    for (asked, aws) in [(0, 0), (1, 1), (3600, 3600), (3601, 3600), (u32::MAX, 3600)] {
        let asking = ConnectProperties { session_expiry_seconds: Some(asked), ..ConnectProperties::default() };
        check(connect_saying(asking), aws, asked);
    }
}

/// [MQTT-3.1.2-24] of 3.1.1: 0 is off; [MQTT-3.1.2-21]: dialect `aws` brings it within bounds.
#[test]
fn keep_alive() {
    for (asked, aws, mqtt) in [(0, 1200, None), (1, 30, Some(1)), (60, 60, Some(60)), (65_535, 1200, Some(65_535))] {
        for protocol in [Protocol::V311, Protocol::V5] {
            let session =
                |dialect| connected_with(Connect { keep_alive_seconds: asked, ..connect_of(protocol) }, dialect);
            assert_eq!(session(Dialect::Aws).keep_alive(), Some(Duration::from_secs(aws)), "{asked}");
            assert_eq!(session(Dialect::Mqtt).keep_alive(), mqtt.map(Duration::from_secs), "{asked}");
        }
    }
}

pub(crate) fn check_written(refusal: &Refusal, expected: &[u8]) {
    let mut out = BytesMut::new();
    refusal.write(&mut out);
    assert_eq!(out, expected, "{refusal:?}");
}
