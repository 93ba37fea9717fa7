//! CONNECT, CONNACK and refusals (MQTT 3.1.1, 3.1 and 3.2).

use std::time::Duration;

use bytes::{Bytes, BytesMut};

use message::QoS;
use mqtt_codec::{Connect, ConnectReturnCode, DecodeError, Packet, PacketType, Will, decode};
use names::{ClientId, Dialect};
use session::{ExpectConnect, Opening, Refusal, Violation};

use crate::{connect, id, now, publish, subscribe, topic};

/// [MQTT-3.1.0-1]: anything but CONNECT closes the connection without CONNACK.
#[test]
fn the_first_packet_is_connect() {
    let check = |packet: Packet, packet_type| {
        for dialect in [Dialect::Aws, Dialect::Mqtt] {
            let refusal = ExpectConnect { dialect }.handle(packet.clone()).unwrap_err();
            assert_eq!(refusal.reason, Violation::FirstPacketNotConnect(packet_type));
            check_written(&refusal, b"");
        }
    };
    check(Packet::Publish(publish("t", QoS::AtMostOnce)), PacketType::Publish);
    check(Packet::PingReq, PacketType::PingReq);
    check(Packet::Disconnect, PacketType::Disconnect);
    check(Packet::PubAck(id(1)), PacketType::PubAck);
    check(subscribe(1, &[("a", QoS::AtMostOnce)]), PacketType::Subscribe);
}

/// [MQTT-3.1.4-1]: malformed is answered with silence, [MQTT-3.1.2-2]: an unknown level with CONNACK 0x01.
#[test]
fn bytes_that_are_no_connect() {
    let check = |bytes: &[u8], reason: DecodeError, written: &[u8]| {
        let error = decode(&mut BytesMut::from(bytes), 1024).unwrap_err();
        assert_eq!(error, reason);
        let refusal = Refusal::from_decode_error(error);
        assert_eq!(refusal.reason, Violation::Malformed(reason));
        check_written(&refusal, written);
    };
    check(
        b"\x10\x0C\x00\x04MQTT\x05\x02\x00\x3C\x00\x00",
        DecodeError::UnacceptableProtocolLevel(5),
        b"\x20\x02\x00\x01",
    );
    check(
        b"\x10\x0C\x00\x04MQTT\x06\x02\x00\x3C\x00\x00",
        DecodeError::UnacceptableProtocolLevel(6),
        b"\x20\x02\x00\x01",
    );
    check(b"\x10\x0C\x00\x04MQTX\x04\x02\x00\x3C\x00\x00", DecodeError::ProtocolName, b"");
    check(b"\x10\x0C\x00\x04MQTT\x04\x03\x00\x3C\x00\x00", DecodeError::ReservedConnectFlag, b"");
    check(b"\x10\x0B\x00\x04MQTT\x04\x02\x00\x3C\x00", DecodeError::Truncated, b"");
    check(b"\x00\x00", DecodeError::ForbiddenPacketType(0), b"");
}

/// [MQTT-3.1.3-5], [MQTT-3.1.3-6], [MQTT-3.1.3-8].
#[test]
fn client_ids() {
    let open = |client_id: &str, clean_session| {
        let connect = Connect { client_id: client_id.into(), clean_session, ..connect() };
        ExpectConnect { dialect: Dialect::Mqtt }.handle(Packet::Connect(connect))
    };
    let long = "x".repeat(65_535);
    for text in ["a", "0123456789abcdefghijklm", "\u{e4} #+/", &long] {
        assert_eq!(open(text, false).unwrap().client_id, Some(ClientId::new(text).unwrap()));
    }
    assert_eq!(open("", true).unwrap().client_id, None);
    let refusal = open("", false).unwrap_err();
    assert_eq!(refusal.reason, Violation::EmptyClientIdOfStoredSession);
    check_written(&refusal, b"\x20\x02\x00\x02");
}

#[test]
fn an_opening_says_what_the_client_asked() {
    let will = Will { topic: topic("w"), payload: Bytes::from_static(b"x"), qos: QoS::ExactlyOnce, retain: true };
    let connect = Connect {
        will: Some(will.clone()),
        user_name: Some("u".into()),
        password: Some(Bytes::from_static(b"secret")),
        ..connect()
    };
    let opening = ExpectConnect { dialect: Dialect::Mqtt }.handle(Packet::Connect(connect)).unwrap();
    assert!(opening.clean_session);
    assert_eq!(opening.keep_alive, Some(Duration::from_secs(60)));
    assert_eq!(opening.will, Some(will));
    assert_eq!(opening.user_name.as_deref(), Some("u"));
    assert_eq!(opening.password.as_deref(), Some(&b"secret"[..]));
    assert!(!format!("{opening:?}").contains("secret"));
}

/// The will is kept as long as the connection, the read buffer is not.
#[test]
fn the_will_does_not_hold_the_read_buffer() {
    let mut buffer = BytesMut::from(&b"\x10\x15\x00\x04MQTT\x04\x06\x00\x3C\x00\x01c\x00\x01w\x00\x03bye"[..]);
    let packet = decode(&mut buffer, 1024).unwrap().unwrap();
    let Packet::Connect(Connect { will: Some(read), .. }) = packet.clone() else { panic!("a CONNECT with a will") };
    let kept = ExpectConnect { dialect: Dialect::Aws }.handle(packet).unwrap().will.unwrap();
    assert_eq!(kept, read);
    assert_ne!(kept.payload.as_ptr(), read.payload.as_ptr());
    assert_ne!(kept.topic.as_str().as_ptr(), read.topic.as_str().as_ptr());
}

/// [MQTT-3.1.4-4], [MQTT-3.2.2-1] to [MQTT-3.2.2-4].
#[test]
fn connack() {
    let opening = |clean_session| {
        let connect = Connect { clean_session, ..connect() };
        ExpectConnect { dialect: Dialect::Mqtt }.handle(Packet::Connect(connect)).unwrap()
    };
    let check = |clean_session, present, expected: &[u8]| {
        let mut out = BytesMut::new();
        let session = opening(clean_session).accept(ClientId::new("given").unwrap(), present, now(), &mut out);
        assert_eq!(out, expected, "{clean_session} {present}");
        assert_eq!(session.client_id().as_str(), "given");
        assert_eq!(session.clean_session(), clean_session);
        assert_eq!(session.dialect(), Dialect::Mqtt);
    };
    check(true, false, b"\x20\x02\x00\x00");
    check(true, true, b"\x20\x02\x00\x00");
    check(false, false, b"\x20\x02\x00\x00");
    check(false, true, b"\x20\x02\x01\x00");

    let check = |code, expected: &[u8]| {
        let mut out = BytesMut::new();
        Opening::refuse(opening(false), code, &mut out);
        assert_eq!(out, expected, "{code:?}");
    };
    check(ConnectReturnCode::ServerUnavailable, b"\x20\x02\x00\x03");
    check(ConnectReturnCode::BadUserNameOrPassword, b"\x20\x02\x00\x04");
    check(ConnectReturnCode::NotAuthorized, b"\x20\x02\x00\x05");
}

fn check_written(refusal: &Refusal, expected: &[u8]) {
    let mut out = BytesMut::new();
    refusal.write(&mut out);
    assert_eq!(out, expected, "{refusal:?}");
}
