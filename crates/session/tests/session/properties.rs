//! What goes along with messages in MQTT 5: aliases, expiry, identifiers of subscriptions, sizes (MQTT 5, 3.3.2.3).

use std::num::{NonZeroU16, NonZeroU32};
use std::sync::Arc;

use bytes::BytesMut;

use message::{Message, PayloadFormat, Properties, QoS};
use mqtt_codec::{ConnectProperties, Packet, Protocol, Publish};
use names::{Dialect, Timestamp};
use session::{Connected, Delivered, Delivery, Intent, Violation};

use crate::{
    VERSIONS, connect_saying, connected_of, connected_with, deliver, deliver_at, delivery, handle, id, message,
    publish, topic,
};

fn taking_aliases(topic_alias_max: u16) -> ConnectProperties {
    ConnectProperties { topic_alias_max, ..ConnectProperties::default() }
}

fn taking_bytes(packet_bytes_max: u32) -> ConnectProperties {
    ConnectProperties { packet_bytes_max: NonZeroU32::new(packet_bytes_max), ..ConnectProperties::default() }
}

fn expiring(seconds: u32, qos: QoS) -> Message {
    let properties = Properties { expiry_seconds: Some(seconds), ..Properties::default() };
    Message { properties: Some(Arc::new(properties)), ..message("t", qos) }
}

/// [MQTT-3.3.2-8] to [MQTT-3.3.2-12]: the client's aliases, up to the server's maximum: 8 in dialect `aws`, 64 in
/// dialect `mqtt`.
#[test]
fn topic_aliases_from_the_client() {
    for (dialect, max) in [(Dialect::Aws, 8), (Dialect::Mqtt, 64)] {
        let mut session = connected_of(Protocol::V5, dialect);
        let mut check = |name: Option<&str>, alias: u16, expected: Result<&str, (Violation, u8)>| {
            let (topic, topic_alias) = (name.map(topic), NonZeroU16::new(alias));
            let packet = Publish { topic, topic_alias, ..publish("t", QoS::AtMostOnce) };
            let resolved = match handle(&mut session, Packet::Publish(packet)).0 {
                Ok(Some(Intent::Publish(publish))) => Ok(publish.topic.to_string()),
                Ok(other) => panic!("{other:?}"),
                Err(violation) => Err((violation.clone(), violation.reason().byte())),
            };
            assert_eq!(resolved, expected.map(str::to_owned), "{name:?} {alias}");
        };
        check(None, 1, Err((Violation::UnknownTopicAlias { alias: 1 }, 0x82)));
        check(Some("a"), 1, Ok("a"));
        check(Some("b"), max, Ok("b"));
        check(None, 1, Ok("a"));
        check(None, max, Ok("b"));
        check(Some("c"), 1, Ok("c"));
        check(None, 1, Ok("c"));
        check(Some("plain"), 0, Ok("plain"));
        check(None, 2, Err((Violation::UnknownTopicAlias { alias: 2 }, 0x82)));
        check(Some("d"), max + 1, Err((Violation::TopicAliasAboveMaximum { alias: max + 1, max }, 0x94)));
    }
}

/// What is forbidden for a topic is forbidden for the alias that stands for it.
#[test]
fn an_alias_does_not_hide_the_topic() {
    let mut session = connected_of(Protocol::V5, Dialect::Aws);
    let aliased = |topic, retain| {
        Packet::Publish(Publish { topic, retain, topic_alias: NonZeroU16::new(1), ..publish("t", QoS::AtMostOnce) })
    };
    handle(&mut session, aliased(Some(topic("$aws/x")), false)).0.unwrap();
    assert_eq!(handle(&mut session, aliased(None, true)).0, Err(Violation::RetainOnReservedTopic));
}

/// [MQTT-3.1.2-26], [MQTT-3.1.2-27]: the server's aliases, as many as the client takes; the topic is left out once the
/// client knows it.
#[test]
fn topic_aliases_to_the_client() {
    let mut session = connected_with(connect_saying(taking_aliases(1)), Dialect::Mqtt);
    let mut check = |topic: &str, expected: &[u8]| {
        let message = message(topic, QoS::AtMostOnce);
        assert_eq!(deliver(&mut session, &delivery(&message, QoS::AtMostOnce)).1, expected, "{topic}");
    };
    check("a/b", b"\x30\x0B\x00\x03a/b\x03\x23\x00\x01hi");
    check("a/b", b"\x30\x08\x00\x00\x03\x23\x00\x01hi");
    check("c/d", b"\x30\x08\x00\x03c/d\x00hi");
    check("a/b", b"\x30\x08\x00\x00\x03\x23\x00\x01hi");

    let mut none = connected_of(Protocol::V5, Dialect::Mqtt);
    let message = message("a/b", QoS::AtMostOnce);
    for _ in 0..2 {
        let out = deliver(&mut none, &delivery(&message, QoS::AtMostOnce)).1;
        assert_eq!(out, &b"\x30\x08\x00\x03a/b\x00hi"[..]);
    }
}

/// [MQTT-3.1.2-24], [MQTT-3.1.2-25]: what is larger than the client takes is not sent, holds no identifier and
/// introduces no alias.
#[test]
fn messages_that_are_too_large() {
    let mut session =
        connected_with(connect_saying(ConnectProperties { topic_alias_max: 1, ..taking_bytes(40) }), Dialect::Mqtt);
    let large = Message { payload: vec![0; 40].into(), ..message("a/b", QoS::AtLeastOnce) };
    assert_eq!(deliver(&mut session, &delivery(&large, QoS::AtLeastOnce)), (Delivered::TooLarge, BytesMut::new()));
    assert_eq!(deliver(&mut session, &delivery(&large, QoS::AtMostOnce)), (Delivered::TooLarge, BytesMut::new()));
    // Two bytes of fixed header, topic 5, identifier 2, properties 4: the alias is introduced with this one.
    let exact = Message { payload: vec![0; 27].into(), ..message("a/b", QoS::AtLeastOnce) };
    let (delivered, out) = deliver(&mut session, &delivery(&exact, QoS::AtLeastOnce));
    assert_eq!((delivered, out.len()), (Delivered::Written(Some(id(1))), 40));
    assert!(out.starts_with(b"\x32\x26\x00\x03a/b\x00\x01\x03\x23\x00\x01"));
    // Without the topic there is room for three bytes more.
    let more = Message { payload: vec![0; 30].into(), ..message("a/b", QoS::AtLeastOnce) };
    assert_eq!(deliver(&mut session, &delivery(&more, QoS::AtLeastOnce)).1.len(), 40);
    let over = Message { payload: vec![0; 31].into(), ..message("a/b", QoS::AtLeastOnce) };
    assert_eq!(deliver(&mut session, &delivery(&over, QoS::AtLeastOnce)).0, Delivered::TooLarge);
}

/// [MQTT-3.3.2-5], [MQTT-3.3.2-6]: the interval goes down by the whole seconds that the message waited; AWS IoT Core sends
/// the whole seconds that are left, 0 in the last one. Whoever publishes decides: it expires for a client of MQTT 3.1.1
/// too.
#[test]
fn messages_expire() {
    let check = |millis: u64, expected: Option<(u8, u8)>| {
        let cases = VERSIONS.into_iter().flat_map(|protocol| crate::DIALECTS.map(|dialect| (protocol, dialect)));
        for (protocol, dialect) in cases {
            let message = expiring(10, QoS::AtMostOnce);
            let mut out = BytesMut::new();
            let mut session = connected_of(protocol, dialect);
            let delivery = delivery(&message, QoS::AtMostOnce);
            let delivered = session.deliver(&delivery, Timestamp::from_millis(millis), &mut out);
            let left = expected.map(|(aws, mqtt)| if dialect == Dialect::Aws { aws } else { mqtt });
            let written = match (left, protocol) {
                (None, _) => Vec::new(),
                (Some(left), Protocol::V5) => [b"\x30\x0B\x00\x01t\x05\x02\x00\x00\x00", &[left][..], b"hi"].concat(),
                (Some(_), _) => b"\x30\x05\x00\x01thi".to_vec(),
            };
            let outcome = if expected.is_some() { Delivered::Written(None) } else { Delivered::Expired };
            assert_eq!((delivered, &out[..]), (outcome, &written[..]), "{millis} {dialect:?}");
        }
    };
    check(0, Some((10, 10)));
    check(999, Some((9, 10)));
    check(1_000, Some((9, 9)));
    check(3_500, Some((6, 7)));
    check(9_000, Some((1, 1)));
    check(9_999, Some((0, 1)));
    check(10_000, None);
    check(u64::MAX, None);
}

/// An interval beyond all clocks is never over.
#[test]
fn the_longest_expiry() {
    let message = expiring(u32::MAX, QoS::AtMostOnce);
    let mut out = BytesMut::new();
    let mut session = connected_of(Protocol::V5, Dialect::Mqtt);
    let delivered = session.deliver(&delivery(&message, QoS::AtMostOnce), Timestamp::from_millis(1_000_000), &mut out);
    assert_eq!(delivered, Delivered::Written(None));
    assert!(out.starts_with(b"\x30\x0B\x00\x01t\x05\x02\xFF\xFF\xFC\x17"), "{out:?}");
}

/// [MQTT-4.3.3-7]: what was sent once is sent to the end, with nothing left of its time. An expired message that was not
/// sent holds no place in the window.
#[test]
fn a_message_that_was_sent_before_does_not_expire() {
    let mut session = connected_of(Protocol::V5, Dialect::Mqtt);
    let message = expiring(1, QoS::ExactlyOnce);
    let later = Timestamp::from_millis(60_000);
    let first = delivery(&message, QoS::ExactlyOnce);
    let mut out = BytesMut::new();
    assert_eq!(session.deliver(&first, later, &mut out), Delivered::Expired);
    assert!(out.is_empty());
    let again = Delivery { dup: true, packet_id: Some(id(5)), ..first };
    assert_eq!(session.deliver(&again, later, &mut out), Delivered::Written(Some(id(5))));
    assert_eq!(out, &b"\x3C\x0D\x00\x01t\x00\x05\x05\x02\x00\x00\x00\x00hi"[..]);
    assert_eq!(deliver_at(&mut session, QoS::AtLeastOnce), Some(id(1)));
}

/// AWS IoT Core developer guide, mqtt: 1 to 604,800 seconds; what is beyond becomes the bound. The standard has none.
#[test]
fn expiry_is_bounded() {
    let check = |asked: Option<u32>, aws: Option<u32>| {
        for (dialect, expected) in [(Dialect::Aws, aws), (Dialect::Mqtt, asked)] {
            let asking = |expiry_seconds| {
                Some(Arc::new(Properties { expiry_seconds, content_type: Some("c".into()), ..Properties::default() }))
            };
            let packet = Publish { properties: asking(asked), ..publish("t", QoS::AtMostOnce) };
            let result = handle(&mut connected_of(Protocol::V5, dialect), Packet::Publish(packet)).0;
            let Ok(Some(Intent::Publish(publish))) = result else { panic!("{result:?}") };
            assert_eq!(publish.properties, asking(expected));
        }
    };
    check(None, None);
    check(Some(0), Some(1));
    check(Some(1), Some(1));
    check(Some(604_800), Some(604_800));
    check(Some(604_801), Some(604_800));
    check(Some(u32::MAX), Some(604_800));
}

/// [MQTT-3.3.4-3], [MQTT-3.3.4-4]: all identifiers of the matching subscriptions, also the same one twice; none in MQTT
/// 3.1.1. [MQTT-3.3.4-6]: a client sends none.
#[test]
fn subscription_identifiers() {
    let check = |protocol, subscription_ids: &[u32], expected: &[u8]| {
        let message = message("t", QoS::AtMostOnce);
        let delivery = Delivery { subscription_ids, ..delivery(&message, QoS::AtMostOnce) };
        assert_eq!(deliver(&mut connected_of(protocol, Dialect::Mqtt), &delivery).1, expected);
    };
    check(Protocol::V5, &[], b"\x30\x06\x00\x01t\x00hi");
    check(Protocol::V5, &[1, 7], b"\x30\x0A\x00\x01t\x04\x0B\x01\x0B\x07hi");
    check(Protocol::V5, &[7, 7], b"\x30\x0A\x00\x01t\x04\x0B\x07\x0B\x07hi");
    check(Protocol::V5, &[268_435_455], b"\x30\x0B\x00\x01t\x05\x0B\xFF\xFF\xFF\x7Fhi");
    check(Protocol::V311, &[1, 7], b"\x30\x05\x00\x01thi");

    let packet = Publish { subscription_ids: vec![1], ..publish("t", QoS::AtMostOnce) };
    let result = handle(&mut connected_of(Protocol::V5, Dialect::Mqtt), Packet::Publish(packet)).0;
    assert_eq!(result, Err(Violation::SubscriptionIdentifierInPublish));
    assert_eq!(result.unwrap_err().reason().byte(), 0x82);
}

/// [MQTT-3.3.2-4], [MQTT-3.3.2-15] to [MQTT-3.3.2-20]: all else goes along as it came, in order.
#[test]
fn properties_go_along() {
    let properties = Properties {
        payload_format: Some(PayloadFormat::Utf8),
        expiry_seconds: None,
        content_type: Some("c".into()),
        response_topic: Some(topic("r")),
        correlation_data: Some(vec![0, 255].into()),
        user_properties: vec![("b".into(), "1".into()), ("a".into(), "2".into()), ("b".into(), "3".into())],
    };
    let message = Message { properties: Some(Arc::new(properties.clone())), ..message("t", QoS::AtMostOnce) };
    let sent = |session: &mut Connected| deliver(session, &delivery(&message, QoS::AtMostOnce)).1;
    let mut out = sent(&mut connected_of(Protocol::V5, Dialect::Mqtt));
    let Some(Packet::Publish(read)) = mqtt_codec::decode(&mut out, 1024, Protocol::V5).unwrap() else {
        panic!("not a PUBLISH")
    };
    assert_eq!(read.properties.as_deref(), Some(&properties));
    assert_eq!(sent(&mut connected_of(Protocol::V311, Dialect::Mqtt)), &b"\x30\x05\x00\x01thi"[..]);
}
