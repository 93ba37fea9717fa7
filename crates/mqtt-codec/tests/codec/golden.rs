//! Golden bytes for each packet, both ways, written by hand from MQTT 3.1.1 chapter 3.

use bytes::{Bytes, BytesMut};

use message::{QoS, TopicName};
use mqtt_codec::{
    ConnAck, Connect, ConnectReturnCode, Packet, PacketId, Protocol, Publish, SubAck, SubAckCode, Subscribe,
    Unsubscribe, Will, decode, encode, encode_connack, encode_pingresp, encode_puback, encode_publish, encode_suback,
    encode_unsuback,
};

use crate::{PACKET_BYTES_MAX, decode_bytes};

#[test]
fn connect_both_ways() {
    let plain = Connect {
        protocol: Protocol::V311,
        clean_session: true,
        keep_alive_seconds: 60,
        client_id: "lamp".into(),
        will: None,
        user_name: None,
        password: None,
    };
    check(Packet::Connect(plain.clone()), b"\x10\x10\x00\x04MQTT\x04\x02\x00\x3C\x00\x04lamp");
    let stored = Connect { clean_session: false, keep_alive_seconds: 0, ..plain.clone() };
    check(Packet::Connect(stored), b"\x10\x10\x00\x04MQTT\x04\x00\x00\x00\x00\x04lamp");
    let anonymous = Connect { client_id: "".into(), ..plain.clone() };
    check(Packet::Connect(anonymous), b"\x10\x0C\x00\x04MQTT\x04\x02\x00\x3C\x00\x00");
    let named = Connect { user_name: Some("u".into()), ..plain.clone() };
    check(Packet::Connect(named), b"\x10\x13\x00\x04MQTT\x04\x82\x00\x3C\x00\x04lamp\x00\x01u");

    // Order [MQTT-3.1.3-1]: client id, will topic, will message, user name, password.
    let will = Will { topic: topic("w"), payload: Bytes::from_static(b"gone"), qos: QoS::AtLeastOnce, retain: true };
    let full = Connect {
        keep_alive_seconds: 65_535,
        will: Some(will.clone()),
        user_name: Some("u".into()),
        password: Some(Bytes::from_static(b"\x00\xFF")),
        ..plain.clone()
    };
    check(
        Packet::Connect(full),
        b"\x10\x20\x00\x04MQTT\x04\xEE\xFF\xFF\x00\x04lamp\x00\x01w\x00\x04gone\x00\x01u\x00\x02\x00\xFF",
    );
    let quiet = Will { payload: Bytes::new(), qos: QoS::ExactlyOnce, retain: false, ..will };
    let full = Connect { will: Some(quiet), ..plain };
    check(Packet::Connect(full), b"\x10\x15\x00\x04MQTT\x04\x16\x00\x3C\x00\x04lamp\x00\x01w\x00\x00");
}

#[test]
fn connack_both_ways() {
    use ConnectReturnCode::*;
    let check = |session_present, code, bytes: &[u8]| check(Packet::ConnAck(ConnAck { session_present, code }), bytes);
    check(false, Accepted, b"\x20\x02\x00\x00");
    check(true, Accepted, b"\x20\x02\x01\x00");
    check(false, UnacceptableProtocolLevel, b"\x20\x02\x00\x01");
    check(false, IdentifierRejected, b"\x20\x02\x00\x02");
    check(false, ServerUnavailable, b"\x20\x02\x00\x03");
    check(false, BadUserNameOrPassword, b"\x20\x02\x00\x04");
    check(false, NotAuthorized, b"\x20\x02\x00\x05");
}

#[test]
fn publish_both_ways() {
    let publish = Publish {
        dup: false,
        qos: QoS::AtMostOnce,
        retain: false,
        topic: topic("a/b"),
        packet_id: None,
        payload: Bytes::from_static(b"hi"),
    };
    check(Packet::Publish(publish.clone()), b"\x30\x07\x00\x03a/bhi");
    check(Packet::Publish(Publish { retain: true, payload: Bytes::new(), ..publish.clone() }), b"\x31\x05\x00\x03a/b");
    let once = Publish { qos: QoS::AtLeastOnce, packet_id: id(0x0102), ..publish.clone() };
    check(Packet::Publish(once.clone()), b"\x32\x09\x00\x03a/b\x01\x02hi");
    check(Packet::Publish(Publish { dup: true, retain: true, ..once }), b"\x3B\x09\x00\x03a/b\x01\x02hi");
    let twice = Publish { dup: true, qos: QoS::ExactlyOnce, packet_id: id(65_535), ..publish.clone() };
    check(Packet::Publish(twice), b"\x3C\x09\x00\x03a/b\xFF\xFFhi");
    // U+FEFF is never stripped [MQTT-1.5.3-3]; the payload may be any bytes.
    let marked = Publish { topic: topic("\u{feff}a"), payload: Bytes::from_static(b"\x00\xC0"), ..publish.clone() };
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
        let id = id(number).unwrap();
        check(Packet::PubAck(id), &[0x40, 2, high, low]);
        check(Packet::PubRec(id), &[0x50, 2, high, low]);
        check(Packet::PubRel(id), &[0x62, 2, high, low]);
        check(Packet::PubComp(id), &[0x70, 2, high, low]);
        check(Packet::UnsubAck(id), &[0xB0, 2, high, low]);
    }
}

#[test]
fn subscriptions_both_ways() {
    let packet_id = id(10).unwrap();
    let filters =
        vec![("a/b".into(), QoS::AtLeastOnce), ("c/#".into(), QoS::ExactlyOnce), ("+".into(), QoS::AtMostOnce)];
    let subscribe = Packet::Subscribe(Subscribe { packet_id, filters });
    check(subscribe, b"\x82\x12\x00\x0A\x00\x03a/b\x01\x00\x03c/#\x02\x00\x01+\x00");

    let granted = SubAckCode::Granted;
    let codes =
        vec![granted(QoS::AtMostOnce), SubAckCode::Failure, granted(QoS::AtLeastOnce), granted(QoS::ExactlyOnce)];
    check(Packet::SubAck(SubAck { packet_id, codes }), b"\x90\x06\x00\x0A\x00\x80\x01\x02");

    let filters = vec!["a/b".into(), "c/#".into()];
    check(Packet::Unsubscribe(Unsubscribe { packet_id, filters }), b"\xA2\x0C\x00\x0A\x00\x03a/b\x00\x03c/#");
}

#[test]
fn bare_packets_both_ways() {
    check(Packet::PingReq, &[0xC0, 0]);
    check(Packet::PingResp, &[0xD0, 0]);
    check(Packet::Disconnect, &[0xE0, 0]);
}

#[test]
fn the_server_s_own_writers_append() {
    let mut out = BytesMut::new();
    let seven = id(7).unwrap();
    encode_connack(true, ConnectReturnCode::NotAuthorized, &mut out);
    encode_puback(seven, &mut out);
    encode_unsuback(seven, &mut out);
    encode_suback(seven, &[SubAckCode::Failure], &mut out);
    encode_pingresp(&mut out);
    encode_publish("t", b"x", QoS::AtLeastOnce, true, false, Some(seven), &mut out);
    // A refusal never says that a session is present [MQTT-3.2.2-4].
    let expected: &[u8] =
        b"\x20\x02\x00\x05\x40\x02\x00\x07\xB0\x02\x00\x07\x90\x03\x00\x07\x80\xD0\x00\x3A\x06\x00\x01t\x00\x07x";
    assert_eq!(out, expected);
}

/// MQTT 3.1.1 does not demand the shortest remaining length.
#[test]
fn a_long_remaining_length_is_taken() {
    for bytes in [&[0xC0, 0x80, 0x00][..], &[0xC0, 0x80, 0x80, 0x80, 0x00]] {
        assert_eq!(decode_bytes(bytes), Ok(Some(Packet::PingReq)));
    }
    assert_eq!(decode_bytes(&[0x40, 0x82, 0x00, 0, 9]), Ok(Some(Packet::PubAck(id(9).unwrap()))));
}

#[test]
fn topic_and_payload_are_slices_of_the_read_buffer() {
    let mut buffer = BytesMut::from(&b"\x30\x07\x00\x03a/bhi"[..]);
    let start = buffer.as_ptr() as usize;
    let Ok(Some(Packet::Publish(publish))) = decode(&mut buffer, PACKET_BYTES_MAX) else { panic!("a PUBLISH") };
    assert_eq!(publish.topic.as_str().as_ptr() as usize, start + 4);
    assert_eq!(publish.payload.as_ptr() as usize, start + 7);
}

/// The password stays out of logs.
#[test]
fn debug_output_hides_the_password() {
    let packet =
        decode_bytes(b"\x10\x18\x00\x04MQTT\x04\xC2\x00\x3C\x00\x01c\x00\x01u\x00\x06secret").unwrap().unwrap();
    let text = format!("{packet:?}");
    assert!(text.contains("hidden") && !text.contains("secret"), "{text}");
}

fn check(packet: Packet, bytes: &[u8]) {
    let mut out = BytesMut::new();
    encode(&packet, &mut out);
    assert_eq!(out, bytes, "{packet:?}");
    assert_eq!(decode_bytes(bytes), Ok(Some(packet)));
}

fn topic(text: &'static str) -> TopicName {
    TopicName::new(text).unwrap()
}

fn id(number: u16) -> Option<PacketId> {
    PacketId::new(number)
}
