//! Golden bytes for each packet of MQTT 3.1.1, and of MQTT 3.1 where it differs, both ways, written by hand from MQTT
//! 3.1.1 chapter 3 and MQTT 3.1 chapter 3.

use std::num::NonZeroU16;

use bytes::{Bytes, BytesMut};

use message::{Properties, QoS};
use mqtt_codec::{
    Ack, ConnAck, ConnAckProperties, Connect, ConnectProperties, Disconnect, Outgoing, Packet, PacketType, Protocol,
    Publish, ReasonCode, RequestedOptions, SubAck, Subscribe, UnsubAck, Unsubscribe, Will, decode, encode_ack,
    encode_connack, encode_disconnect, encode_pingresp, encode_publish, encode_suback, encode_unsuback, publish_bytes,
};

use crate::{PACKET_BYTES_MAX, check_both_ways, decode_bytes, id, topic};

#[test]
fn connect_both_ways() {
    let plain = plain_connect();
    check(Packet::Connect(Box::new(plain.clone())), b"\x10\x10\x00\x04MQTT\x04\x02\x00\x3C\x00\x04lamp");
    let stored = Connect { clean_start: false, keep_alive_seconds: 0, ..plain.clone() };
    check(Packet::Connect(Box::new(stored)), b"\x10\x10\x00\x04MQTT\x04\x00\x00\x00\x00\x04lamp");
    let anonymous = Connect { client_id: "".into(), ..plain.clone() };
    check(Packet::Connect(Box::new(anonymous)), b"\x10\x0C\x00\x04MQTT\x04\x02\x00\x3C\x00\x00");
    let named = Connect { user_name: Some("u".into()), ..plain.clone() };
    check(Packet::Connect(Box::new(named)), b"\x10\x13\x00\x04MQTT\x04\x82\x00\x3C\x00\x04lamp\x00\x01u");

    // Order [MQTT-3.1.3-1]: client id, will topic, will message, user name, password.
    let will = Will {
        topic: topic("w"),
        payload: Bytes::from_static(b"gone"),
        qos: QoS::AtLeastOnce,
        retain: true,
        delay_seconds: 0,
        properties: None,
    };
    let full = Connect {
        keep_alive_seconds: 65_535,
        will: Some(will.clone()),
        user_name: Some("u".into()),
        password: Some(Bytes::from_static(b"\x00\xFF")),
        ..plain.clone()
    };
    check(
        Packet::Connect(Box::new(full)),
        b"\x10\x20\x00\x04MQTT\x04\xEE\xFF\xFF\x00\x04lamp\x00\x01w\x00\x04gone\x00\x01u\x00\x02\x00\xFF",
    );
    let quiet = Will { payload: Bytes::new(), qos: QoS::ExactlyOnce, retain: false, ..will };
    let full = Connect { will: Some(quiet), ..plain };
    check(Packet::Connect(Box::new(full)), b"\x10\x15\x00\x04MQTT\x04\x16\x00\x3C\x00\x04lamp\x00\x01w\x00\x00");
}

#[test]
fn a_connect_of_mqtt_31_has_the_old_name() {
    let connect = Connect { protocol: Protocol::V31, ..plain_connect() };
    check(Packet::Connect(Box::new(connect.clone())), b"\x10\x12\x00\x06MQIsdp\x03\x02\x00\x3C\x00\x04lamp");
    // MQTT 3.1, 3.1: a user name or password that the flags announce may be missing; the length decides.
    let read = |bytes: &[u8]| decode_bytes(bytes, Protocol::V311).unwrap().unwrap();
    let bare = read(b"\x10\x12\x00\x06MQIsdp\x03\xC2\x00\x3C\x00\x04lamp");
    assert_eq!(bare, Packet::Connect(Box::new(connect.clone())));
    let named = Connect { user_name: Some("u".into()), ..connect };
    let read_named = read(b"\x10\x15\x00\x06MQIsdp\x03\xC2\x00\x3C\x00\x04lamp\x00\x01u");
    assert_eq!(read_named, Packet::Connect(Box::new(named)));
}

/// A CONNECT says its version, whatever the connection speaks.
#[test]
fn a_connect_is_read_by_its_own_version() {
    for protocol in [Protocol::V31, Protocol::V311, Protocol::V5] {
        let connect = Packet::Connect(Box::new(plain_connect()));
        let bytes = b"\x10\x10\x00\x04MQTT\x04\x02\x00\x3C\x00\x04lamp";
        assert_eq!(decode_bytes(bytes, protocol), Ok(Some(connect)));
    }
}

#[test]
fn connack_both_ways() {
    use ReasonCode::*;
    let connack = |session_present, reason| Packet::ConnAck(ConnAck { session_present, reason, properties: None });
    let check = |session_present, reason, bytes: &[u8]| check(connack(session_present, reason), bytes);
    check(false, Success, b"\x20\x02\x00\x00");
    check(false, UnsupportedProtocolVersion, b"\x20\x02\x00\x01");
    check(false, ClientIdentifierNotValid, b"\x20\x02\x00\x02");
    check(false, ServerUnavailable, b"\x20\x02\x00\x03");
    check(false, BadUserNameOrPassword, b"\x20\x02\x00\x04");
    check(false, NotAuthorized, b"\x20\x02\x00\x05");
    check_both_ways(connack(true, Success), Protocol::V311, b"\x20\x02\x01\x00");
    // MQTT 3.1 has no Session Present: the byte is not used, neither when written nor when read.
    let mut out = BytesMut::new();
    let resumed = ConnAck { session_present: true, reason: Success, properties: None };
    encode_connack(&resumed, Protocol::V31, &mut out);
    assert_eq!(out, &b"\x20\x02\x00\x00"[..]);
    assert_eq!(decode_bytes(b"\x20\x02\xFF\x00", Protocol::V31), Ok(Some(connack(false, Success))));
}

#[test]
fn publish_both_ways() {
    let publish = Publish {
        dup: false,
        qos: QoS::AtMostOnce,
        retain: false,
        topic: Some(topic("a/b")),
        topic_alias: None,
        packet_id: None,
        subscription_ids: Vec::new(),
        properties: None,
        payload: Bytes::from_static(b"hi"),
    };
    check(Packet::Publish(publish.clone()), b"\x30\x07\x00\x03a/bhi");
    check(Packet::Publish(Publish { retain: true, payload: Bytes::new(), ..publish.clone() }), b"\x31\x05\x00\x03a/b");
    let once = Publish { qos: QoS::AtLeastOnce, packet_id: Some(id(0x0102)), ..publish.clone() };
    check(Packet::Publish(once.clone()), b"\x32\x09\x00\x03a/b\x01\x02hi");
    check(Packet::Publish(Publish { dup: true, retain: true, ..once }), b"\x3B\x09\x00\x03a/b\x01\x02hi");
    let twice = Publish { dup: true, qos: QoS::ExactlyOnce, packet_id: Some(id(65_535)), ..publish.clone() };
    check(Packet::Publish(twice), b"\x3C\x09\x00\x03a/b\xFF\xFFhi");
    // U+FEFF is never stripped [MQTT-1.5.3-3]; the payload may be any bytes.
    let marked =
        Publish { topic: Some(topic("\u{feff}a")), payload: Bytes::from_static(b"\x00\xC0"), ..publish.clone() };
    check(Packet::Publish(marked), b"\x30\x08\x00\x04\xEF\xBB\xBFa\x00\xC0");
    // A remaining length of two bytes.
    let long = Publish { payload: Bytes::from(vec![7; 200]), ..publish };
    let bytes = [&b"\x30\xCD\x01\x00\x03a/b"[..], &[7; 200]].concat();
    check(Packet::Publish(long), &bytes);
}

/// Ids 1, 256 and 65,535 [MQTT-2.3.1-6], [MQTT-2.3.1-7].
#[test]
fn acknowledgements_both_ways() {
    for (number, [high, low]) in [(1, [0, 1]), (256, [1, 0]), (65_535, [0xFF, 0xFF])] {
        let packet_id = id(number);
        let ack = Ack { packet_id, reason: ReasonCode::Success };
        check(Packet::PubAck(ack), &[0x40, 2, high, low]);
        check(Packet::PubRec(ack), &[0x50, 2, high, low]);
        check(Packet::PubRel(ack), &[0x62, 2, high, low]);
        check(Packet::PubComp(ack), &[0x70, 2, high, low]);
        check(Packet::UnsubAck(UnsubAck { packet_id, reasons: Vec::new() }), &[0xB0, 2, high, low]);
    }
}

#[test]
fn subscriptions_both_ways() {
    let packet_id = id(10);
    let plain = RequestedOptions::plain;
    let filters = vec![
        ("a/b".into(), plain(QoS::AtLeastOnce)),
        ("c/#".into(), plain(QoS::ExactlyOnce)),
        ("+".into(), plain(QoS::AtMostOnce)),
    ];
    let subscribe = Subscribe { packet_id, subscription_id: None, filters, user_properties_bytes: 0 };
    check(Packet::Subscribe(subscribe), b"\x82\x12\x00\x0A\x00\x03a/b\x01\x00\x03c/#\x02\x00\x01+\x00");

    let reasons =
        vec![ReasonCode::Success, ReasonCode::UnspecifiedError, ReasonCode::GrantedQos1, ReasonCode::GrantedQos2];
    check(Packet::SubAck(SubAck { packet_id, reasons }), b"\x90\x06\x00\x0A\x00\x80\x01\x02");

    let filters = vec!["a/b".into(), "c/#".into()];
    let unsubscribe = Unsubscribe { packet_id, filters, user_properties_bytes: 0 };
    check(Packet::Unsubscribe(unsubscribe), b"\xA2\x0C\x00\x0A\x00\x03a/b\x00\x03c/#");
}

#[test]
fn bare_packets_both_ways() {
    check(Packet::PingReq, &[0xC0, 0]);
    check(Packet::PingResp, &[0xD0, 0]);
    let disconnect = Disconnect { reason: ReasonCode::Success, session_expiry_seconds: None, reason_string: None };
    check(Packet::Disconnect(disconnect), &[0xE0, 0]);
}

/// What only MQTT 5 can say is left out, or said in the nearest way.
#[test]
fn the_server_s_own_writers_append() {
    let properties = Properties { expiry_seconds: Some(9), ..Properties::default() };
    let publish = Outgoing {
        topic: "t",
        topic_alias: NonZeroU16::new(3),
        payload: b"x",
        qos: QoS::AtLeastOnce,
        dup: true,
        retain: false,
        packet_id: Some(id(7)),
        properties: Some(&properties),
        expiry_seconds: Some(8),
        subscription_ids: &[1, 2],
    };
    let properties = Some(Box::new(ConnAckProperties { topic_alias_max: Some(1), ..ConnAckProperties::default() }));
    let refusal = ConnAck { session_present: true, reason: ReasonCode::Banned, properties };
    for protocol in BOTH {
        let mut out = BytesMut::new();
        encode_connack(&refusal, protocol, &mut out);
        encode_ack(PacketType::PubAck, id(7), ReasonCode::NoMatchingSubscribers, protocol, &mut out);
        encode_unsuback(id(7), &[ReasonCode::NoSubscriptionExisted], protocol, &mut out);
        encode_suback(id(7), &[ReasonCode::NotAuthorized, ReasonCode::GrantedQos1], protocol, &mut out);
        encode_disconnect(ReasonCode::ServerBusy, Some("busy"), protocol, &mut out);
        encode_pingresp(&mut out);
        let before = out.len();
        encode_publish(&publish, protocol, &mut out);
        assert_eq!(out.len() - before, publish_bytes(&publish, protocol));
        // A refusal never says that a session is present [MQTT-3.2.2-4]; a server has no DISCONNECT (3.14).
        let expected: &[u8] = b"\x20\x02\x00\x05\x40\x02\x00\x07\xB0\x02\x00\x07\x90\x04\x00\x07\x80\x01\xD0\x00\x3A\x06\x00\x01t\x00\x07x";
        assert_eq!(out, expected, "{protocol:?}");
    }
}

/// MQTT 3.1.1 does not demand the shortest remaining length.
#[test]
fn a_long_remaining_length_is_taken() {
    for bytes in [&[0xC0, 0x80, 0x00][..], &[0xC0, 0x80, 0x80, 0x80, 0x00]] {
        assert_eq!(decode_bytes(bytes, Protocol::V311), Ok(Some(Packet::PingReq)));
    }
    let ack = Ack { packet_id: id(9), reason: ReasonCode::Success };
    assert_eq!(decode_bytes(&[0x40, 0x82, 0x00, 0, 9], Protocol::V311), Ok(Some(Packet::PubAck(ack))));
    let connect = Packet::Connect(Box::new(plain_connect()));
    let bytes = b"\x10\x90\x00\x00\x04MQTT\x04\x02\x00\x3C\x00\x04lamp";
    assert_eq!(decode_bytes(bytes, Protocol::V311), Ok(Some(connect)));
}

/// PUBREL, SUBSCRIBE and UNSUBSCRIBE are QoS 1 messages in MQTT 3.1, and have DUP when they come again (MQTT 3.1, 2.1).
#[test]
fn a_packet_of_mqtt_31_may_come_again() {
    let read = |bytes: &[u8]| decode_bytes(bytes, Protocol::V31).map(|packet| packet.unwrap().packet_type());
    assert_eq!(read(b"\x6A\x02\x00\x01"), Ok(PacketType::PubRel));
    assert_eq!(read(b"\x8A\x06\x00\x01\x00\x01a\x00"), Ok(PacketType::Subscribe));
    assert_eq!(read(b"\xAA\x05\x00\x01\x00\x01a"), Ok(PacketType::Unsubscribe));
}

#[test]
fn topic_and_payload_are_slices_of_the_read_buffer() {
    let mut buffer = BytesMut::from(&b"\x30\x07\x00\x03a/bhi"[..]);
    let start = buffer.as_ptr() as usize;
    let packet = decode(&mut buffer, PACKET_BYTES_MAX, Protocol::V311);
    let Ok(Some(Packet::Publish(publish))) = packet else { panic!("a PUBLISH") };
    assert_eq!(publish.topic.unwrap().as_str().as_ptr() as usize, start + 4);
    assert_eq!(publish.payload.as_ptr() as usize, start + 7);
}

/// The password stays out of logs.
#[test]
fn debug_output_hides_the_password() {
    let bytes = b"\x10\x18\x00\x04MQTT\x04\xC2\x00\x3C\x00\x01c\x00\x01u\x00\x06secret";
    let packet = decode_bytes(bytes, Protocol::V311).unwrap().unwrap();
    let text = format!("{packet:?}");
    assert!(text.contains("hidden") && !text.contains("secret"), "{text}");
}

/// The packet is the same in MQTT 3.1 and 3.1.1.
fn check(packet: Packet, bytes: &[u8]) {
    for protocol in BOTH {
        check_both_ways(packet.clone(), protocol, bytes);
    }
}

fn plain_connect() -> Connect {
    Connect {
        protocol: Protocol::V311,
        clean_start: true,
        keep_alive_seconds: 60,
        client_id: "lamp".into(),
        properties: ConnectProperties::default(),
        will: None,
        user_name: None,
        password: None,
    }
}

const BOTH: [Protocol; 2] = [Protocol::V31, Protocol::V311];
