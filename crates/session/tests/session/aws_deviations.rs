//! Where AWS IoT Core departs from the standard (developer guide, mqtt; AWS quotas, message broker). Each case says
//! what both dialects do.

use std::time::Duration;

use bytes::{Bytes, BytesMut};

use message::{QoS, TopicFilter};
use mqtt_codec::{Connect, Packet, PacketType, Protocol, Publish, ReasonCode, Will};
use names::Dialect;
use session::{Connected, Intent, Violation};

use crate::{
    VERSIONS, ack, connect, connected, connected_of, handle, id, open, publish, requested, subscribe, topic,
    unsubscribe,
};

#[test]
fn connects() {
    let check = |connect: Connect, reason: Violation, written: &[u8]| {
        assert!(open(connect.clone(), Dialect::Mqtt).is_ok(), "{reason}");
        let refusal = open(connect, Dialect::Aws).unwrap_err();
        assert_eq!(refusal.reason, reason);
        let mut out = BytesMut::new();
        refusal.write(&mut out);
        assert_eq!(out, written, "{reason}");
    };
    let id_of = |bytes| Connect { client_id: "x".repeat(bytes).into(), ..connect() };
    check(id_of(129), Violation::ClientIdTooLong { bytes: 129, max: 128 }, b"\x20\x02\x00\x02");
    assert!(open(id_of(128), Dialect::Aws).is_ok());

    // Wills are held to what a PUBLISH may be; they are dropped without CONNACK.
    let will = Will {
        topic: topic("w"),
        payload: Bytes::new(),
        qos: QoS::AtLeastOnce,
        retain: true,
        delay_seconds: 0,
        properties: None,
    };
    let with = |will| Connect { will: Some(will), ..connect() };
    let two = Violation::QosNotSupported { packet_type: PacketType::Connect, qos: QoS::ExactlyOnce };
    check(with(Will { qos: QoS::ExactlyOnce, ..will.clone() }), two, b"");
    check(with(Will { topic: topic("$aws/x"), ..will.clone() }), Violation::RetainOnReservedTopic, b"");
    let deep = with(Will { topic: topic("1/2/3/4/5/6/7/8/9"), ..will.clone() });
    check(deep, Violation::TooManySlashes { slashes: 8, max: 7 }, b"");
    let accepted = with(Will { topic: topic("$aws/x"), retain: false, ..will });
    assert!(open(accepted, Dialect::Aws).is_ok());
}

#[test]
fn keep_alives_are_brought_within_bounds() {
    for (asked, held_to) in [(0, 1200), (1, 30), (29, 30), (30, 30), (1200, 1200), (1201, 1200), (65_535, 1200)] {
        let opening = open(Connect { keep_alive_seconds: asked, ..connect() }, Dialect::Aws).unwrap();
        assert_eq!(opening.keep_alive, Some(Duration::from_secs(held_to)), "{asked}");
    }
}

#[test]
fn publishes() {
    let check = |publish: Publish, expected: Option<(Violation, u8)>| {
        for protocol in VERSIONS {
            let result = |dialect| handle(&mut connected_of(protocol, dialect), Packet::Publish(publish.clone())).0;
            assert!(result(Dialect::Mqtt).is_ok(), "{expected:?}");
            let violation = result(Dialect::Aws).err();
            assert_eq!(violation.map(|violation| (violation.clone(), violation.reason().byte())), expected);
        }
    };
    let plain = publish("t", QoS::AtLeastOnce);
    let payload_of = |bytes| Publish { payload: vec![0; bytes].into(), ..plain.clone() };
    check(payload_of(131_072), None);
    check(payload_of(131_073), Some((Violation::PayloadTooLarge { bytes: 131_073, max: 131_072 }, 0x97)));
    check(publish(&"x".repeat(256), QoS::AtMostOnce), None);
    check(publish(&"x".repeat(257), QoS::AtMostOnce), Some((Violation::TopicTooLong { bytes: 257, max: 256 }, 0x90)));
    check(publish("1/2/3/4/5/6/7/8", QoS::AtMostOnce), None);
    let too_deep = Violation::TooManySlashes { slashes: 8, max: 7 };
    check(publish("1/2/3/4/5/6/7/8/9", QoS::AtMostOnce), Some((too_deep, 0x90)));
    check(publish("$aws/rules/r/1/2/3/4/5/6/7/8", QoS::AtMostOnce), None);
    check(publish("$aws/things/t/shadow/update", QoS::AtMostOnce), None);
    let retained = Publish { retain: true, ..publish("$aws/things/t/shadow/update", QoS::AtMostOnce) };
    check(retained, Some((Violation::RetainOnReservedTopic, 0x90)));
    check(Publish { retain: true, ..plain.clone() }, None);
}

/// No QoS 2, in neither direction.
#[test]
fn qos_2_ends_the_connection() {
    let check = |packet: Packet, packet_type| {
        for protocol in VERSIONS {
            let expected = Violation::QosNotSupported { packet_type, qos: QoS::ExactlyOnce };
            let (result, out) = handle(&mut connected_of(protocol, Dialect::Aws), packet.clone());
            assert_eq!(result, Err(expected.clone()));
            assert_eq!(expected.reason().byte(), 0x9B);
            assert!(out.is_empty());
            assert!(handle(&mut connected_of(protocol, Dialect::Mqtt), packet.clone()).0.is_ok());
        }
    };
    check(Packet::Publish(publish("t", QoS::ExactlyOnce)), PacketType::Publish);
    check(Packet::PubRec(ack(1)), PacketType::PubRec);
    check(Packet::PubRel(ack(1)), PacketType::PubRel);
    check(Packet::PubComp(ack(1)), PacketType::PubComp);
    check(subscribe(1, &[("a", QoS::AtMostOnce), ("b", QoS::ExactlyOnce)]), PacketType::Subscribe);
}

#[test]
fn subscribes() {
    let check = |filters: &[(&str, QoS)], expected: Option<(Violation, u8)>| {
        for protocol in VERSIONS {
            let result = |dialect| handle(&mut connected_of(protocol, dialect), subscribe(1, filters)).0;
            assert!(result(Dialect::Mqtt).is_ok(), "{expected:?}");
            let violation = result(Dialect::Aws).err();
            assert_eq!(violation.map(|violation| (violation.clone(), violation.reason().byte())), expected);
        }
    };
    let zero = QoS::AtMostOnce;
    check(&[("a", zero); 8], None);
    check(&[("a", zero); 9], Some((Violation::TooManyFilters { filters: 9, max: 8 }, 0x97)));
    check(&[("1/2/3/4/5/6/7/#", zero)], None);
    check(&[("1/2/3/4/5/6/7/8/#", zero)], Some((Violation::FilterTooDeep { slashes: 8, max: 7 }, 0x8F)));
    check(&[("$share/g/1/2/3/4/5/6/7/8", zero)], None);
    check(&[("$share/g/1/2/3/4/5/6/7/8/9", zero)], Some((Violation::FilterTooDeep { slashes: 8, max: 7 }, 0x8F)));
    check(&[(&"x".repeat(257), zero)], Some((Violation::FilterTooLong { bytes: 257, max: 256 }, 0x8F)));
}

/// A share name has 128 characters at most; a longer one is refused in SUBACK.
#[test]
fn share_names() {
    let refused = |dialect, characters| {
        let filter = format!("$share/{}/a", "\u{e4}".repeat(characters));
        let result = handle(&mut connected(dialect), subscribe(1, &[(&filter, QoS::AtMostOnce)])).0;
        let Ok(Some(Intent::Subscribe { filters, .. })) = result else { panic!("{result:?}") };
        filters[0].refused
    };
    assert_eq!(refused(Dialect::Aws, 128), None);
    assert_eq!(refused(Dialect::Aws, 129), Some(ReasonCode::TopicFilterInvalid));
    assert_eq!(refused(Dialect::Mqtt, 129), None);
}

/// SUBACK failure beyond 50 subscriptions; a filter that is held may be asked for again, a removed one makes room.
#[test]
fn the_fifty_first_subscription_is_over_the_limit() {
    let mut session = connected(Dialect::Aws);
    let names: Vec<_> = (0..52).map(|number| format!("t/{number}")).collect();
    for name in &names[..49] {
        ask(&mut session, &[name], &[false]);
    }
    // The same filter twice is one subscription; the order of the SUBACK is the order of the filters.
    ask(&mut session, &[&names[50], &names[51], &names[0], &names[50]], &[false, true, false, false]);
    ask(&mut session, &[&names[51]], &[true]);
    handle(&mut session, unsubscribe(2, &[&names[3]])).0.unwrap();
    ask(&mut session, &[&names[51]], &[false]);
    ask(&mut session, &[&names[3]], &[true]);
}

/// What the broker refuses does not count, nor does what is no filter.
#[test]
fn a_refused_filter_leaves_its_place_free() {
    let mut session = connected_of(Protocol::V5, Dialect::Aws);
    for number in 0..60 {
        let name = format!("t/{number}");
        let filters = [("a/#/b", QoS::AtMostOnce), (name.as_str(), QoS::AtMostOnce)];
        assert!(handle(&mut session, subscribe(1, &filters)).0.is_ok());
        let reasons = [ReasonCode::TopicFilterInvalid, ReasonCode::NotAuthorized];
        assert!(session.subscribe_done(id(1), &reasons, &mut BytesMut::new()));
    }
    ask(&mut session, &["t/1"], &[false]);
}

/// The subscriptions of a session that goes on count as well.
#[test]
fn subscriptions_from_before_the_connection_count() {
    let mut session = connected(Dialect::Aws);
    for number in 0..50 {
        session.hold_subscription(TopicFilter::new(&format!("t/{number}")).unwrap());
        session.hold_subscription(TopicFilter::new(&format!("t/{number}")).unwrap());
    }
    ask(&mut session, &["t/49", "t/50"], &[false, true]);
    handle(&mut session, unsubscribe(2, &["t/7"])).0.unwrap();
    ask(&mut session, &["t/50"], &[false]);
}

/// Asks for the filters, checks which are over the limit, and answers as a broker does that allows everything.
fn ask(session: &mut Connected, filters: &[&str], over_limit: &[bool]) {
    let asked: Vec<_> = filters.iter().map(|&filter| (filter, QoS::AtMostOnce)).collect();
    let refused = |over: &bool| over.then_some(ReasonCode::QuotaExceeded);
    let expected = filters
        .iter()
        .zip(over_limit)
        .map(|(filter, over)| requested(filter, QoS::AtMostOnce, Dialect::Aws, refused(over)));
    let intent = Intent::Subscribe { packet_id: id(1), filters: expected.collect() };
    assert_eq!(handle(session, subscribe(1, &asked)).0, Ok(Some(intent)));
    let reasons: Vec<_> = over_limit.iter().map(|over| refused(over).unwrap_or(ReasonCode::Success)).collect();
    assert!(session.subscribe_done(id(1), &reasons, &mut BytesMut::new()));
}
