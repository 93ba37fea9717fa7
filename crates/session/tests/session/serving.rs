//! A connected client's packets (MQTT 3.1.1 and 5, 3.3 to 3.12) in both dialects.

use std::num::NonZeroU32;
use std::time::Duration;

use bytes::{Bytes, BytesMut};

use message::{InvalidTopicFilter, QoS, RetainHandling, SubscribeOptions, TopicFilter};
use mqtt_codec::{
    ConnAck, Connect, ConnectProperties, Packet, PacketType, Protocol, Publish, ReasonCode, RequestedOptions, SubAck,
    Subscribe, UnsubAck, Will,
};
use names::Dialect;
use session::{Connected, Intent, PublishIntent, RequestedFilter, Violation};

use crate::{
    DIALECTS, VERSIONS, ack, connect, connect_saying, connected, connected_of, connected_with, delivery, disconnect,
    handle, id, message, now, publish, requested, subscribe, topic, unsubscribe,
};

/// [MQTT-3.1.0-2], and packets that only a server sends.
#[test]
fn packets_that_end_the_connection() {
    let check = |packet: Packet, expected: Violation| {
        for (dialect, protocol) in DIALECTS.into_iter().zip(VERSIONS) {
            let (result, out) = handle(&mut connected_of(protocol, dialect), packet.clone());
            assert_eq!(result, Err(expected.clone()), "{packet:?}");
            assert!(out.is_empty(), "DISCONNECT is the broker's to ask for");
            assert_eq!(expected.reason(), ReasonCode::ProtocolError);
        }
    };
    let reason = ReasonCode::Success;
    check(Packet::Connect(Box::new(connect())), Violation::SecondConnect);
    let connack = ConnAck { session_present: false, reason, properties: None };
    check(Packet::ConnAck(connack), Violation::ServerPacket(PacketType::ConnAck));
    let (packet_id, reasons) = (id(1), vec![ReasonCode::UnspecifiedError]);
    let suback = SubAck { packet_id, reasons: reasons.clone() };
    check(Packet::SubAck(suback), Violation::ServerPacket(PacketType::SubAck));
    check(Packet::UnsubAck(UnsubAck { packet_id, reasons }), Violation::ServerPacket(PacketType::UnsubAck));
    check(Packet::PingResp, Violation::ServerPacket(PacketType::PingResp));
}

/// [MQTT-4.7.1-1], [MQTT-4.7.1-2], [MQTT-4.7.3-1]: a client of MQTT 3.1.1 is closed; one of MQTT 5 is told of each filter
/// in its SUBACK, and the others hold.
#[test]
fn filters_that_are_none() {
    let check = |filter: &str, expected| {
        let packet = subscribe(1, &[("ok", QoS::AtMostOnce), (filter, QoS::AtMostOnce)]);
        for dialect in DIALECTS {
            let mut old = connected_of(Protocol::V311, dialect);
            assert_eq!(handle(&mut old, packet.clone()).0, Err(Violation::InvalidTopicFilter(expected)));
            let unsubscribe = unsubscribe(1, &["ok", filter]);
            assert_eq!(handle(&mut old, unsubscribe.clone()).0, Err(Violation::InvalidTopicFilter(expected)));

            let mut new = connected_of(Protocol::V5, dialect);
            let Ok(Some(Intent::Subscribe { filters, .. })) = handle(&mut new, packet.clone()).0 else {
                panic!("{filter:?} ends the connection")
            };
            assert_eq!(filters[0], requested("ok", QoS::AtMostOnce, dialect, None));
            assert_eq!(filters[1].filter, None, "{filter:?}");
            assert_eq!(filters[1].refused, Some(ReasonCode::TopicFilterInvalid), "{filter:?}");
            let Ok(Some(Intent::Unsubscribe { filters, .. })) = handle(&mut new, unsubscribe).0 else {
                panic!("{filter:?} ends the connection")
            };
            assert_eq!(filters, [TopicFilter::new("ok").ok(), None], "{filter:?}");
        }
    };
    check("", InvalidTopicFilter::Empty);
    check("a#", InvalidTopicFilter::MultiLevelWildcard);
    check("#/a", InvalidTopicFilter::MultiLevelWildcard);
    check("a/#/b", InvalidTopicFilter::MultiLevelWildcard);
    check("a+", InvalidTopicFilter::SingleLevelWildcard);
    check("a/+b", InvalidTopicFilter::SingleLevelWildcard);
}

/// [MQTT-4.8.2-1], [MQTT-4.8.2-2]: refused, and told as SUBACK 0x8F, or 0x80 in MQTT 3.1.1.
#[test]
fn shared_filters_that_name_no_group() {
    for (filter, protocol) in ["$share/", "$share/g", "$share/g/", "$share//a", "$share/+/a"]
        .into_iter()
        .flat_map(|f| VERSIONS.map(|v| (f, v)))
    {
        for dialect in DIALECTS {
            let mut session = connected_of(protocol, dialect);
            let result = handle(&mut session, subscribe(1, &[(filter, QoS::AtMostOnce)])).0;
            let Ok(Some(Intent::Subscribe { filters, .. })) = result else { panic!("{filter}: {result:?}") };
            assert_eq!((&filters[0].filter, filters[0].refused), (&None, Some(ReasonCode::TopicFilterInvalid)));
            let mut out = BytesMut::new();
            assert!(session.subscribe_done(id(1), &[ReasonCode::TopicFilterInvalid], &mut out));
            let expected: &[u8] =
                if protocol == Protocol::V5 { b"\x90\x04\x00\x01\x00\x8F" } else { b"\x90\x03\x00\x01\x80" };
            assert_eq!(out, expected);
        }
    }
}

/// [MQTT-3.3.4-1], [MQTT-2.2.1-5]; DUP changes nothing [MQTT-4.3.2-5].
#[test]
fn publishing() {
    let check = |publish: Publish, acknowledged: &[u8]| {
        for protocol in VERSIONS {
            let mut session = connected_of(protocol, Dialect::Mqtt);
            let Publish { qos, retain, topic, packet_id, payload, properties, .. } = publish.clone();
            let topic = topic.unwrap();
            let expected = Intent::Publish(PublishIntent { topic, payload, qos, retain, properties, packet_id });
            let (result, mut out) = handle(&mut session, Packet::Publish(publish.clone()));
            assert_eq!(result, Ok(Some(expected)));
            assert!(out.is_empty(), "no answer before the broker has the message");
            session.publish_done(packet_id, qos, ReasonCode::Success, &mut out);
            assert_eq!(out, acknowledged);
        }
    };
    check(publish("t", QoS::AtMostOnce), b"");
    check(publish("t", QoS::AtLeastOnce), b"\x40\x02\x00\x07");
    check(publish("t", QoS::ExactlyOnce), b"\x50\x02\x00\x07");
    check(Publish { dup: true, retain: true, ..publish("t", QoS::AtLeastOnce) }, b"\x40\x02\x00\x07");
    check(Publish { dup: true, ..publish("t", QoS::ExactlyOnce) }, b"\x50\x02\x00\x07");
    check(Publish { packet_id: Some(id(65_535)), ..publish("t", QoS::AtLeastOnce) }, b"\x40\x02\xFF\xFF");
    check(Publish { retain: true, payload: Bytes::new(), ..publish("$SYS/t", QoS::AtMostOnce) }, b"");
    check(Publish { payload: vec![0; 200_000].into(), ..publish(&"x/".repeat(200), QoS::AtMostOnce) }, b"");
}

/// MQTT 5, 3.4.2.1: a refused message is answered with a reason, where there is a word for it.
#[test]
fn a_refused_message() {
    let check = |protocol, qos, expected: &[u8]| {
        let mut out = BytesMut::new();
        let packet_id = (qos != QoS::AtMostOnce).then(|| id(7));
        connected_of(protocol, Dialect::Mqtt).publish_done(packet_id, qos, ReasonCode::NotAuthorized, &mut out);
        assert_eq!(out, expected);
    };
    check(Protocol::V5, QoS::AtMostOnce, b"");
    check(Protocol::V5, QoS::AtLeastOnce, b"\x40\x03\x00\x07\x87");
    check(Protocol::V5, QoS::ExactlyOnce, b"\x50\x03\x00\x07\x87");
}

/// [MQTT-3.8.4-1], [MQTT-3.8.4-5], [MQTT-3.8.4-6], [MQTT-3.9.3-1]; every QoS is served as it is asked.
#[test]
fn subscribing() {
    let check = |protocol, expected: &[u8]| {
        let mut session = connected_of(protocol, Dialect::Mqtt);
        let asked = [("a/#", QoS::AtLeastOnce), ("b", QoS::AtMostOnce), ("c/+", QoS::ExactlyOnce)];
        let (result, mut out) = handle(&mut session, subscribe(258, &asked));
        let filters = asked.map(|(filter, qos)| requested(filter, qos, Dialect::Mqtt, None)).to_vec();
        assert_eq!(result, Ok(Some(Intent::Subscribe { packet_id: id(258), filters })));
        assert!(out.is_empty());
        let reasons = [ReasonCode::GrantedQos1, ReasonCode::NotAuthorized, ReasonCode::GrantedQos2];
        assert!(session.subscribe_done(id(258), &reasons, &mut out));
        assert_eq!(out, expected);
    };
    check(Protocol::V311, b"\x90\x05\x01\x02\x01\x80\x02");
    check(Protocol::V5, b"\x90\x06\x01\x02\x00\x01\x87\x02");

    // No AWS limits here: nine filters, deep ones, long ones.
    let long = "x".repeat(300);
    let many: Vec<_> = [&long, "1/2/3/4/5/6/7/8/9"].into_iter().chain(["a"; 7]).map(|f| (f, QoS::AtMostOnce)).collect();
    assert!(handle(&mut connected(Dialect::Mqtt), subscribe(1, &many)).0.is_ok());
}

/// MQTT 5, 3.8.3.1: the options are each filter's, the identifier is that of all [MQTT-3.3.4-3]. AWS IoT Core has no
/// identifiers.
#[test]
fn subscribing_with_options() {
    let asked = RequestedOptions {
        qos: QoS::AtLeastOnce,
        no_local: true,
        retain_as_published: true,
        retain_handling: RetainHandling::SendIfNew,
    };
    let packet = |subscription_id| {
        let filters = vec![("a".into(), asked), ("b".into(), RequestedOptions::plain(QoS::AtMostOnce))];
        Packet::Subscribe(Subscribe { packet_id: id(1), subscription_id, filters, user_properties_bytes: 0 })
    };
    for (dialect, subscription_id) in [(Dialect::Mqtt, Some(268_435_455)), (Dialect::Mqtt, None), (Dialect::Aws, None)]
    {
        let result = handle(&mut connected_of(Protocol::V5, dialect), packet(subscription_id)).0;
        let options = |qos, asks, retain_handling| SubscribeOptions {
            qos,
            no_local: asks,
            retain_as_published: asks,
            retain_handling,
            subscription_id,
            dialect,
        };
        let filter = |text| Some(TopicFilter::new(text).unwrap());
        let first = options(QoS::AtLeastOnce, true, RetainHandling::SendIfNew);
        let second = options(QoS::AtMostOnce, false, RetainHandling::Send);
        let filters = vec![
            RequestedFilter { filter: filter("a"), options: first, refused: None },
            RequestedFilter { filter: filter("b"), options: second, refused: None },
        ];
        assert_eq!(result, Ok(Some(Intent::Subscribe { packet_id: id(1), filters })));
    }
    let result = handle(&mut connected_of(Protocol::V5, Dialect::Aws), packet(Some(1))).0;
    assert_eq!(result, Err(Violation::SubscriptionIdentifier));
    assert_eq!(result.unwrap_err().reason().byte(), 0xA1);
}

/// [MQTT-3.8.3-4]
#[test]
fn no_local_on_a_shared_subscription() {
    let no_local = RequestedOptions { no_local: true, ..RequestedOptions::plain(QoS::AtMostOnce) };
    let filters = vec![("$share/g/a".into(), no_local)];
    let packet =
        Packet::Subscribe(Subscribe { packet_id: id(1), subscription_id: None, filters, user_properties_bytes: 0 });
    let result = handle(&mut connected_of(Protocol::V5, Dialect::Mqtt), packet).0;
    assert_eq!(result, Err(Violation::NoLocalOnShared));
    assert_eq!(result.unwrap_err().reason(), ReasonCode::ProtocolError);
}

/// [MQTT-3.10.4-4] to [MQTT-3.10.4-6], [MQTT-3.11.3-1].
#[test]
fn unsubscribing() {
    let check = |protocol, expected: &[u8]| {
        let mut session = connected_of(protocol, Dialect::Aws);
        let filters = ["a/+", "never/subscribed"].map(|text| TopicFilter::new(text).ok()).to_vec();
        let (result, mut out) = handle(&mut session, unsubscribe(9, &["a/+", "never/subscribed"]));
        assert_eq!(result, Ok(Some(Intent::Unsubscribe { packet_id: id(9), filters })));
        assert!(out.is_empty());
        let reasons = [ReasonCode::Success, ReasonCode::NoSubscriptionExisted];
        assert!(session.unsubscribe_done(id(9), &reasons, &mut out));
        assert_eq!(out, expected);
    };
    check(Protocol::V311, b"\xB0\x02\x00\x09");
    check(Protocol::V5, b"\xB0\x05\x00\x09\x00\x00\x11");
}

/// [MQTT-3.1.2-24]: an answer that is larger than the client takes is not sent. The CONNACK has 16 bytes there.
#[test]
fn answers_that_are_too_large() {
    let properties = ConnectProperties { packet_bytes_max: NonZeroU32::new(20), ..ConnectProperties::default() };
    let mut session = connected_with(connect_saying(properties), Dialect::Mqtt);
    let mut out = BytesMut::from(&b"before"[..]);
    assert!(!session.subscribe_done(id(1), &[ReasonCode::Success; 16], &mut out));
    assert!(!session.unsubscribe_done(id(1), &[ReasonCode::Success; 16], &mut out));
    assert_eq!(out, "before");
    assert!(session.subscribe_done(id(1), &[ReasonCode::Success; 15], &mut out));
    assert!(session.unsubscribe_done(id(1), &[ReasonCode::Success; 15], &mut out));
    assert_eq!(out.len(), 6 + 20 + 20);
}

/// [MQTT-3.12.4-1]
#[test]
fn pinging() {
    for protocol in VERSIONS {
        let (result, out) = handle(&mut connected_of(protocol, Dialect::Mqtt), Packet::PingReq);
        assert_eq!((result, &out[..]), (Ok(None), &b"\xD0\x00"[..]));
    }
}

/// [MQTT-3.1.2-8], [MQTT-3.1.2-10], [MQTT-3.14.4-3].
#[test]
fn the_will_is_taken_once_and_disconnect_drops_it() {
    let will = Will {
        topic: topic("w"),
        payload: Bytes::from_static(b"x"),
        qos: QoS::AtLeastOnce,
        retain: false,
        delay_seconds: 0,
        properties: None,
    };
    let session = |will| connected_with(Connect { will, ..connect() }, Dialect::Mqtt);
    assert_eq!(session(None).take_will(), None);

    let mut lost = session(Some(will.clone()));
    assert_eq!(lost.take_will(), Some(will.clone()));
    assert_eq!(lost.take_will(), None);

    let mut violating = session(Some(will.clone()));
    assert!(handle(&mut violating, Packet::Connect(Box::new(connect()))).0.is_err());
    assert_eq!(violating.take_will(), Some(will.clone()));

    let mut closing = session(Some(will));
    let (result, out) = handle(&mut closing, disconnect(ReasonCode::Success));
    assert_eq!((result, out.is_empty()), (Ok(Some(Intent::Disconnect)), true));
    assert_eq!(closing.take_will(), None);
}

/// [MQTT-3.1.2-22]: one and a half periods after the last packet from the client; deliveries to it do not count.
#[test]
fn keep_alive() {
    let session = |keep_alive_seconds, dialect| connected_with(Connect { keep_alive_seconds, ..connect() }, dialect);
    assert_eq!(session(0, Dialect::Mqtt).keep_alive_deadline(), None);
    assert_eq!(session(0, Dialect::Mqtt).keep_alive(), None);
    assert_eq!(session(0, Dialect::Aws).keep_alive(), Some(Duration::from_secs(1200)));

    let start = now();
    let check = |session: &Connected, after: Duration, grace: Duration| {
        assert_eq!(session.keep_alive_deadline(), Some(start + after + grace));
    };
    let mut session = session(3, Dialect::Mqtt);
    let after = |seconds| Duration::from_secs(seconds);
    for (seconds, packet) in
        [(1, Packet::PingReq), (2, Packet::PubAck(ack(1))), (5, Packet::Publish(publish("t", QoS::AtMostOnce)))]
    {
        session.handle(packet, start + after(seconds), &mut BytesMut::new()).unwrap();
        check(&session, after(seconds), Duration::from_millis(4_500));
    }
    let _ = crate::deliver(&mut session, &delivery(&message("t", QoS::AtMostOnce), QoS::AtMostOnce));
    check(&session, after(5), Duration::from_millis(4_500));
}
