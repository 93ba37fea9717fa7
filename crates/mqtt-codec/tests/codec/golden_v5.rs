//! Golden bytes for each packet of MQTT 5, both ways, written by hand from MQTT 5 chapter 3.

use std::num::{NonZeroU16, NonZeroU32};
use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use message::{PayloadFormat, Properties, QoS, RetainHandling};
use mqtt_codec::{
    Ack, Auth, ConnAck, ConnAckProperties, Connect, ConnectProperties, Disconnect, Outgoing, Packet, PacketType,
    Protocol, Publish, ReasonCode, RequestedOptions, SubAck, Subscribe, UnsubAck, Unsubscribe, Will, decode,
    encode_ack, encode_connack, encode_disconnect, encode_publish, encode_suback, encode_unsuback, publish_bytes,
};

use crate::{PACKET_BYTES_MAX, check_both_ways, decode_bytes, field, framed, id, topic};

#[test]
fn connect_both_ways() {
    let plain = plain_connect();
    check(connect(plain.clone()), b"\x10\x11\x00\x04MQTT\x05\x02\x00\x3C\x00\x00\x04lamp");
    // A password without a user name is legal (3.1.2.9).
    let token = Connect { password: Some(Bytes::from_static(b"\x00\xFF")), ..plain.clone() };
    check(connect(token), b"\x10\x15\x00\x04MQTT\x05\x42\x00\x3C\x00\x00\x04lamp\x00\x02\x00\xFF");

    // Order [MQTT-3.1.3-1]: client id, will properties, will topic, will payload, user name, password.
    let will = Will {
        topic: topic("w"),
        payload: Bytes::from_static(b"gone"),
        qos: QoS::AtLeastOnce,
        retain: true,
        delay_seconds: 5,
        properties: Some(Arc::new(Properties { expiry_seconds: Some(60), ..Properties::default() })),
    };
    let full = Connect {
        will: Some(will.clone()),
        user_name: Some("u".into()),
        password: Some(Bytes::from_static(b"p")),
        ..plain.clone()
    };
    check(
        connect(full),
        b"\x10\x2B\x00\x04MQTT\x05\xEE\x00\x3C\x00\x00\x04lamp\
          \x0A\x18\x00\x00\x00\x05\x02\x00\x00\x00\x3C\x00\x01w\x00\x04gone\x00\x01u\x00\x01p",
    );
    let quiet = Will { delay_seconds: 0, properties: None, ..will };
    let full = Connect { will: Some(quiet), ..plain };
    check(connect(full), b"\x10\x1B\x00\x04MQTT\x05\x2E\x00\x3C\x00\x00\x04lamp\x00\x00\x01w\x00\x04gone");
}

#[test]
fn connect_properties_both_ways() {
    let properties = ConnectProperties {
        session_expiry_seconds: Some(u32::MAX),
        receive_max: NonZeroU16::new(20),
        packet_bytes_max: NonZeroU32::new(0x0001_0000),
        topic_alias_max: 10,
        request_response_information: true,
        request_problem_information: false,
        authentication_method: Some("m".into()),
        authentication_data: Some(Bytes::from_static(b"\x00\xFF")),
        user_properties: vec![("a".into(), "1".into()), ("a".into(), "".into())],
    };
    let block = [
        &b"\x11\xFF\xFF\xFF\xFF\x21\x00\x14\x27\x00\x01\x00\x00\x22\x00\x0A\x19\x01\x17\x00"[..],
        b"\x15\x00\x01m\x16\x00\x02\x00\xFF\x26\x00\x01a\x00\x011\x26\x00\x01a\x00\x00",
    ]
    .concat();
    let bytes = framed(0x10, &[&b"\x00\x04MQTT\x05\x02\x00\x3C\x2A"[..], &block, b"\x00\x04lamp"].concat());
    assert_eq!(block.len(), 0x2A);
    check(connect(Connect { properties, ..plain_connect() }), &bytes);

    // Any order, and the defaults said aloud.
    let block = b"\x17\x01\x19\x00\x22\x00\x00\x11\x00\x00\x00\x00";
    let bytes = framed(0x10, &[&b"\x00\x04MQTT\x05\x02\x00\x3C\x0C"[..], block, b"\x00\x04lamp"].concat());
    let properties = ConnectProperties { session_expiry_seconds: Some(0), ..ConnectProperties::default() };
    let expected = connect(Connect { properties, ..plain_connect() });
    assert_eq!(decode_bytes(&bytes, Protocol::V5), Ok(Some(expected)));
}

#[test]
fn connack_both_ways() {
    let plain = ConnAck { session_present: false, reason: ReasonCode::Success, properties: None };
    check(Packet::ConnAck(plain.clone()), b"\x20\x03\x00\x00\x00");
    check(Packet::ConnAck(ConnAck { session_present: true, ..plain.clone() }), b"\x20\x03\x01\x00\x00");
    check(Packet::ConnAck(ConnAck { reason: ReasonCode::MalformedPacket, ..plain.clone() }), b"\x20\x03\x00\x81\x00");

    let properties = ConnAckProperties {
        session_expiry_seconds: Some(10),
        receive_max: NonZeroU16::new(1),
        maximum_qos: Some(QoS::AtLeastOnce),
        retain_available: Some(false),
        packet_bytes_max: Some(1024),
        assigned_client_id: Some("x".into()),
        topic_alias_max: Some(2),
        reason_string: Some("r".into()),
        user_properties: vec![("k".into(), "v".into())],
        wildcard_subscription_available: Some(true),
        subscription_ids_available: Some(false),
        shared_subscription_available: Some(true),
        server_keep_alive_seconds: Some(30),
        response_information: Some("i".into()),
        server_reference: Some("s".into()),
        authentication_method: Some("m".into()),
        authentication_data: Some(Bytes::from_static(b"\x00")),
    };
    let block = [
        &b"\x24\x01\x25\x00\x28\x01\x29\x00\x2A\x01"[..],
        b"\x13\x00\x1E\x21\x00\x01\x22\x00\x02\x11\x00\x00\x00\x0A\x27\x00\x00\x04\x00",
        b"\x12\x00\x01x\x15\x00\x01m\x1A\x00\x01i\x1C\x00\x01s\x1F\x00\x01r\x16\x00\x01\x00\x26\x00\x01k\x00\x01v",
    ]
    .concat();
    let bytes = framed(0x20, &[&[0, 0, u8::try_from(block.len()).unwrap()], &block[..]].concat());
    check(Packet::ConnAck(ConnAck { properties: Some(Box::new(properties)), ..plain.clone() }), &bytes);

    // What the standard does not allow to be said is not said: QoS 2, a size of 0, a session with a refusal.
    let properties = ConnAckProperties {
        maximum_qos: Some(QoS::ExactlyOnce),
        packet_bytes_max: Some(0),
        ..ConnAckProperties::default()
    };
    let refusal =
        ConnAck { session_present: true, reason: ReasonCode::NotAuthorized, properties: Some(Box::new(properties)) };
    let mut out = BytesMut::new();
    encode_connack(&refusal, Protocol::V5, &mut out);
    assert_eq!(out, &b"\x20\x03\x00\x87\x00"[..]);
}

#[test]
fn publish_both_ways() {
    let publish = plain_publish();
    check(Packet::Publish(publish.clone()), b"\x30\x08\x00\x03a/b\x00hi");
    let once = Publish { qos: QoS::AtLeastOnce, packet_id: Some(id(0x0102)), ..publish.clone() };
    check(Packet::Publish(once.clone()), b"\x32\x0A\x00\x03a/b\x01\x02\x00hi");
    check(Packet::Publish(Publish { dup: true, retain: true, ..once }), b"\x3B\x0A\x00\x03a/b\x01\x02\x00hi");
    // The alias is set, and then stands for the topic (3.3.2.3.4).
    let set = Publish { topic_alias: NonZeroU16::new(1), ..publish.clone() };
    check(Packet::Publish(set), b"\x30\x0B\x00\x03a/b\x03\x23\x00\x01hi");
    let used = Publish { topic: None, topic_alias: NonZeroU16::new(65_535), ..publish.clone() };
    check(Packet::Publish(used), b"\x30\x08\x00\x00\x03\x23\xFF\xFFhi");
    // Subscription identifiers come again, also the same one [MQTT-3.3.4-4].
    let matched = Publish { subscription_ids: vec![1, 268_435_455, 1], ..publish.clone() };
    check(Packet::Publish(matched), b"\x30\x11\x00\x03a/b\x09\x0B\x01\x0B\xFF\xFF\xFF\x7F\x0B\x01hi");

    let properties = Properties {
        payload_format: Some(PayloadFormat::Utf8),
        expiry_seconds: Some(256),
        content_type: Some("c".into()),
        response_topic: Some(topic("r")),
        correlation_data: Some(Bytes::from_static(b"\x00\xFF")),
        user_properties: vec![("k".into(), "1".into()), ("".into(), "".into()), ("k".into(), "2".into())],
    };
    let block = [
        &b"\x01\x01\x02\x00\x00\x01\x00\x03\x00\x01c\x08\x00\x01r\x09\x00\x02\x00\xFF"[..],
        b"\x26\x00\x01k\x00\x011\x26\x00\x00\x00\x00\x26\x00\x01k\x00\x012",
    ]
    .concat();
    let bytes = framed(0x30, &[&b"\x00\x03a/b"[..], &[u8::try_from(block.len()).unwrap()], &block, b"hi"].concat());
    check(Packet::Publish(Publish { properties: Some(Arc::new(properties)), ..publish.clone() }), &bytes);

    // A property length of two bytes, and a remaining length of two.
    let text = "x".repeat(200);
    let properties = Properties { content_type: Some(text.clone().into()), ..Properties::default() };
    let bytes = [&b"\x30\xD4\x01\x00\x03a/b\xCB\x01\x03"[..], &field(text), b"hi"].concat();
    check(Packet::Publish(Publish { properties: Some(Arc::new(properties)), ..publish }), &bytes);
}

/// Payload Format 0 said is not the same as not said.
#[test]
fn an_unspecified_payload_format_is_kept() {
    let properties = Properties { payload_format: Some(PayloadFormat::UnspecifiedBytes), ..Properties::default() };
    let publish = Publish { properties: Some(Arc::new(properties)), ..plain_publish() };
    check(Packet::Publish(publish), b"\x30\x0A\x00\x03a/b\x02\x01\x00hi");
}

#[test]
fn outgoing_publish() {
    let properties = Properties { expiry_seconds: Some(60), content_type: Some("c".into()), ..Properties::default() };
    let plain = Outgoing {
        topic: "t",
        topic_alias: None,
        payload: b"x",
        qos: QoS::AtMostOnce,
        dup: false,
        retain: false,
        packet_id: None,
        properties: None,
        expiry_seconds: None,
        subscription_ids: &[],
    };
    let check = |publish: Outgoing<'_>, expected: &[u8]| {
        let mut out = BytesMut::new();
        encode_publish(&publish, Protocol::V5, &mut out);
        assert_eq!(out, expected, "{publish:?}");
        assert_eq!(publish_bytes(&publish, Protocol::V5), expected.len(), "{publish:?}");
    };
    check(plain, b"\x30\x05\x00\x01t\x00x");
    // The time that is left stands in place of the whole [MQTT-3.3.2-6].
    let left = Outgoing { properties: Some(&properties), expiry_seconds: Some(55), ..plain };
    check(left, b"\x30\x0E\x00\x01t\x09\x02\x00\x00\x00\x37\x03\x00\x01cx");
    let whole = Outgoing { properties: Some(&properties), ..plain };
    check(whole, b"\x30\x0E\x00\x01t\x09\x02\x00\x00\x00\x3C\x03\x00\x01cx");
    let alone = Outgoing { expiry_seconds: Some(1), ..plain };
    check(alone, b"\x30\x0A\x00\x01t\x05\x02\x00\x00\x00\x01x");
    let alias = Outgoing { topic: "", topic_alias: NonZeroU16::new(7), subscription_ids: &[128, 2], ..plain };
    check(alias, b"\x30\x0C\x00\x00\x08\x23\x00\x07\x0B\x80\x01\x0B\x02x");
}

/// The three forms of an acknowledgement (3.4.2.1); what is written is the shortest.
#[test]
fn acknowledgements_both_ways() {
    let types = [
        (PacketType::PubAck, 0x40, ReasonCode::NoMatchingSubscribers),
        (PacketType::PubRec, 0x50, ReasonCode::QuotaExceeded),
        (PacketType::PubRel, 0x62, ReasonCode::PacketIdentifierNotFound),
        (PacketType::PubComp, 0x70, ReasonCode::PacketIdentifierNotFound),
    ];
    for (packet_type, first, reason) in types {
        let packet = |reason| {
            let ack = Ack { packet_id: id(0x0102), reason };
            match packet_type {
                PacketType::PubAck => Packet::PubAck(ack),
                PacketType::PubRec => Packet::PubRec(ack),
                PacketType::PubRel => Packet::PubRel(ack),
                _ => Packet::PubComp(ack),
            }
        };
        let read = |bytes: &[u8]| decode_bytes(bytes, Protocol::V5);
        check(packet(ReasonCode::Success), &[first, 2, 1, 2]);
        check(packet(reason), &[first, 3, 1, 2, reason.byte()]);
        assert_eq!(read(&[first, 3, 1, 2, 0]), Ok(Some(packet(ReasonCode::Success))));
        assert_eq!(read(&[first, 4, 1, 2, 0, 0]), Ok(Some(packet(ReasonCode::Success))));
        let with_properties = framed(first, &[&[1, 2, reason.byte(), 11][..], EXPLAINED].concat());
        assert_eq!(read(&with_properties), Ok(Some(packet(reason))));

        let mut out = BytesMut::new();
        encode_ack(packet_type, id(0x0102), reason, Protocol::V5, &mut out);
        assert_eq!(out, &[first, 3, 1, 2, reason.byte()][..]);
    }
}

#[test]
fn subscriptions_both_ways() {
    let packet_id = id(10);
    // Table 4 of the options: QoS, No Local, Retain As Published, Retain Handling (3.8.3.1).
    let options = |qos, no_local, retain_as_published, retain_handling| RequestedOptions {
        qos,
        no_local,
        retain_as_published,
        retain_handling,
    };
    let filters = vec![
        ("a".into(), options(QoS::AtMostOnce, false, false, RetainHandling::Send)),
        ("b".into(), options(QoS::AtLeastOnce, true, false, RetainHandling::SendIfNew)),
        ("c".into(), options(QoS::ExactlyOnce, false, true, RetainHandling::DoNotSend)),
    ];
    let plain = Subscribe { packet_id, subscription_id: None, filters, user_properties_bytes: 0 };
    let payload = b"\x00\x01a\x00\x00\x01b\x15\x00\x01c\x2A";
    check(Packet::Subscribe(plain.clone()), &framed(0x82, &[&b"\x00\x0A\x00"[..], payload].concat()));
    let named = Subscribe { subscription_id: Some(128), ..plain.clone() };
    check(Packet::Subscribe(named.clone()), &framed(0x82, &[&b"\x00\x0A\x03\x0B\x80\x01"[..], payload].concat()));
    // User properties are counted and not kept.
    let bytes = framed(0x82, &[&b"\x00\x0A\x0A\x26\x00\x01k\x00\x01v\x0B\x80\x01"[..], payload].concat());
    let counted = Subscribe { user_properties_bytes: 2, ..named };
    assert_eq!(decode_bytes(&bytes, Protocol::V5), Ok(Some(Packet::Subscribe(counted))));

    let reasons = vec![ReasonCode::Success, ReasonCode::NotAuthorized, ReasonCode::GrantedQos2];
    let suback = Packet::SubAck(SubAck { packet_id, reasons });
    check(suback.clone(), b"\x90\x06\x00\x0A\x00\x00\x87\x02");
    let explained = framed(0x90, &[&b"\x00\x0A\x0B"[..], EXPLAINED, b"\x00\x87\x02"].concat());
    assert_eq!(decode_bytes(&explained, Protocol::V5), Ok(Some(suback)));

    let filters = vec!["a/b".into(), "c/#".into()];
    let unsubscribe = Unsubscribe { packet_id, filters, user_properties_bytes: 0 };
    check(Packet::Unsubscribe(unsubscribe.clone()), b"\xA2\x0D\x00\x0A\x00\x00\x03a/b\x00\x03c/#");
    let bytes = framed(0xA2, b"\x00\x0A\x07\x26\x00\x01k\x00\x01v\x00\x03a/b\x00\x03c/#");
    let counted = Unsubscribe { user_properties_bytes: 2, ..unsubscribe };
    assert_eq!(decode_bytes(&bytes, Protocol::V5), Ok(Some(Packet::Unsubscribe(counted))));

    let reasons = vec![ReasonCode::Success, ReasonCode::NoSubscriptionExisted];
    let unsuback = Packet::UnsubAck(UnsubAck { packet_id, reasons });
    check(unsuback.clone(), b"\xB0\x05\x00\x0A\x00\x00\x11");
    let explained = framed(0xB0, &[&b"\x00\x0A\x0B"[..], EXPLAINED, b"\x00\x11"].concat());
    assert_eq!(decode_bytes(&explained, Protocol::V5), Ok(Some(unsuback)));
}

#[test]
fn disconnect_both_ways() {
    let normal = Disconnect { reason: ReasonCode::Success, session_expiry_seconds: None, reason_string: None };
    check(Packet::Disconnect(normal.clone()), b"\xE0\x00");
    let with_will = Disconnect { reason: ReasonCode::DisconnectWithWill, ..normal.clone() };
    check(Packet::Disconnect(with_will.clone()), b"\xE0\x02\x04\x00");
    assert_eq!(decode_bytes(b"\xE0\x01\x04", Protocol::V5), Ok(Some(Packet::Disconnect(with_will.clone()))));
    let kept = Disconnect { session_expiry_seconds: Some(60), ..normal.clone() };
    check(Packet::Disconnect(kept), b"\xE0\x07\x00\x05\x11\x00\x00\x00\x3C");
    let explained = Disconnect { reason_string: Some("r".into()), ..with_will.clone() };
    check(Packet::Disconnect(explained.clone()), b"\xE0\x06\x04\x04\x1F\x00\x01r");
    // Longer forms of the same, and what is not kept.
    let read = |bytes: &[u8]| decode_bytes(bytes, Protocol::V5);
    assert_eq!(read(b"\xE0\x01\x00"), Ok(Some(Packet::Disconnect(normal.clone()))));
    assert_eq!(read(b"\xE0\x02\x00\x00"), Ok(Some(Packet::Disconnect(normal))));
    let more = framed(0xE0, &[&b"\x04\x0F\x1C\x00\x01s"[..], EXPLAINED].concat());
    assert_eq!(read(&more), Ok(Some(Packet::Disconnect(explained))));
}

#[test]
fn auth_both_ways() {
    let auth = |reason, method: Option<&'static str>, data: Option<&'static [u8]>| {
        Packet::Auth(Auth { reason, method: method.map(Into::into), data: data.map(Bytes::from_static) })
    };
    check(auth(ReasonCode::Success, None, None), b"\xF0\x00");
    check(auth(ReasonCode::ContinueAuthentication, Some("m"), None), b"\xF0\x06\x18\x04\x15\x00\x01m");
    check(
        auth(ReasonCode::ReAuthenticate, Some("m"), Some(b"\x00\xFF")),
        b"\xF0\x0B\x19\x09\x15\x00\x01m\x16\x00\x02\x00\xFF",
    );
    let explained = framed(0xF0, &[&b"\x00\x0F\x15\x00\x01m"[..], EXPLAINED].concat());
    assert_eq!(decode_bytes(&explained, Protocol::V5), Ok(Some(auth(ReasonCode::Success, Some("m"), None))));
}

#[test]
fn bare_packets_both_ways() {
    check(Packet::PingReq, &[0xC0, 0]);
    check(Packet::PingResp, &[0xD0, 0]);
}

#[test]
fn the_server_s_own_writers_append() {
    let mut out = BytesMut::new();
    let accepted = ConnAck { session_present: true, reason: ReasonCode::Success, properties: None };
    encode_connack(&accepted, Protocol::V5, &mut out);
    encode_unsuback(id(7), &[ReasonCode::NoSubscriptionExisted], Protocol::V5, &mut out);
    encode_suback(id(7), &[ReasonCode::SharedSubscriptionsNotSupported], Protocol::V5, &mut out);
    encode_disconnect(ReasonCode::Success, None, Protocol::V5, &mut out);
    encode_disconnect(ReasonCode::SessionTakenOver, None, Protocol::V5, &mut out);
    encode_disconnect(ReasonCode::ServerBusy, Some("r"), Protocol::V5, &mut out);
    let expected: &[u8] = b"\x20\x03\x01\x00\x00\xB0\x04\x00\x07\x00\x11\x90\x04\x00\x07\x00\x9E\xE0\x00\
        \xE0\x02\x8E\x00\xE0\x06\x89\x04\x1F\x00\x01r";
    assert_eq!(out, expected);
}

#[test]
fn all_of_a_publish_is_slices_of_the_read_buffer() {
    let mut buffer = BytesMut::from(&b"\x30\x0C\x00\x03a/b\x04\x03\x00\x01chi"[..]);
    let start = buffer.as_ptr() as usize;
    let packet = decode(&mut buffer, PACKET_BYTES_MAX, Protocol::V5);
    let Ok(Some(Packet::Publish(publish))) = packet else { panic!("a PUBLISH") };
    assert_eq!(publish.topic.unwrap().as_str().as_ptr() as usize, start + 4);
    let content_type = publish.properties.as_ref().unwrap().content_type.as_ref().unwrap().as_ptr() as usize;
    assert_eq!(content_type, start + 11);
    assert_eq!(publish.payload.as_ptr() as usize, start + 12);
}

/// Authentication data stays out of logs.
#[test]
fn debug_output_hides_authentication_data() {
    let data = Some(Bytes::from_static(b"secret"));
    let properties = ConnectProperties { authentication_data: data.clone(), ..ConnectProperties::default() };
    let granted = ConnAckProperties { authentication_data: data.clone(), ..ConnAckProperties::default() };
    let packets = [
        connect(Connect { properties, ..plain_connect() }),
        Packet::ConnAck(ConnAck {
            session_present: false,
            reason: ReasonCode::Success,
            properties: Some(Box::new(granted)),
        }),
        Packet::Auth(Auth { reason: ReasonCode::Success, method: None, data }),
    ];
    for packet in packets {
        let text = format!("{packet:?}");
        assert!(text.contains("hidden") && !text.contains("secret"), "{text}");
    }
}

fn check(packet: Packet, bytes: &[u8]) {
    check_both_ways(packet, Protocol::V5, bytes);
}

fn connect(connect: Connect) -> Packet {
    Packet::Connect(Box::new(connect))
}

fn plain_connect() -> Connect {
    Connect {
        protocol: Protocol::V5,
        clean_start: true,
        keep_alive_seconds: 60,
        client_id: "lamp".into(),
        properties: ConnectProperties::default(),
        will: None,
        user_name: None,
        password: None,
    }
}

fn plain_publish() -> Publish {
    Publish {
        dup: false,
        qos: QoS::AtMostOnce,
        retain: false,
        topic: Some(topic("a/b")),
        topic_alias: None,
        packet_id: None,
        subscription_ids: Vec::new(),
        properties: None,
        payload: Bytes::from_static(b"hi"),
    }
}

/// A reason string and a user property, 11 bytes.
const EXPLAINED: &[u8] = b"\x1F\x00\x01r\x26\x00\x01k\x00\x01v";
