//! Where AWS IoT Core departs from the standard (developer guide, mqtt; AWS quotas, message broker). Each case says
//! what both dialects do.

use std::time::Duration;

use bytes::{Bytes, BytesMut};

use message::QoS;
use mqtt_codec::{Connect, Packet, PacketType, Publish, SubAckCode, Will};
use names::Dialect;
use session::{Connected, ExpectConnect, Intent, Violation};

use crate::serving::requested;
use crate::{connect, connected, handle, id, publish, subscribe, topic};

#[test]
fn connects() {
    let check = |connect: Connect, reason: Violation, written: &[u8]| {
        assert!(ExpectConnect { dialect: Dialect::Mqtt }.handle(Packet::Connect(connect.clone())).is_ok(), "{reason}");
        let refusal = ExpectConnect { dialect: Dialect::Aws }.handle(Packet::Connect(connect)).unwrap_err();
        assert_eq!(refusal.reason, reason);
        let mut out = BytesMut::new();
        refusal.write(&mut out);
        assert_eq!(out, written, "{reason}");
    };
    let id_of = |bytes| Connect { client_id: "x".repeat(bytes).into(), ..connect() };
    check(id_of(129), Violation::ClientIdTooLong { bytes: 129, max: 128 }, b"\x20\x02\x00\x02");
    assert!(ExpectConnect { dialect: Dialect::Aws }.handle(Packet::Connect(id_of(128))).is_ok());

    // Wills are held to what a PUBLISH may be; they are dropped without CONNACK.
    let will = Will { topic: topic("w"), payload: Bytes::new(), qos: QoS::AtLeastOnce, retain: true };
    let with = |will| Connect { will: Some(will), ..connect() };
    let two = Violation::QosNotSupported { packet_type: PacketType::Connect, qos: QoS::ExactlyOnce };
    check(with(Will { qos: QoS::ExactlyOnce, ..will.clone() }), two, b"");
    check(with(Will { topic: topic("$aws/x"), ..will.clone() }), Violation::RetainOnReservedTopic, b"");
    let deep = with(Will { topic: topic("1/2/3/4/5/6/7/8/9"), ..will.clone() });
    check(deep, Violation::TooManySlashes { slashes: 8, max: 7 }, b"");
    let accepted = with(Will { topic: topic("$aws/x"), retain: false, ..will });
    assert!(ExpectConnect { dialect: Dialect::Aws }.handle(Packet::Connect(accepted)).is_ok());
}

#[test]
fn keep_alives_are_brought_within_bounds() {
    for (asked, held_to) in [(0, 1200), (1, 30), (29, 30), (30, 30), (1200, 1200), (1201, 1200), (65_535, 1200)] {
        let connect = Connect { keep_alive_seconds: asked, ..connect() };
        let opening = ExpectConnect { dialect: Dialect::Aws }.handle(Packet::Connect(connect)).unwrap();
        assert_eq!(opening.keep_alive, Some(Duration::from_secs(held_to)), "{asked}");
    }
}

#[test]
fn publishes() {
    let check = |publish: Publish, expected: Option<Violation>| {
        let result = |dialect| handle(&mut connected(dialect), Packet::Publish(publish.clone())).0;
        assert!(result(Dialect::Mqtt).is_ok(), "{expected:?}");
        assert_eq!(result(Dialect::Aws).err(), expected);
    };
    let plain = publish("t", QoS::AtLeastOnce);
    let payload_of = |bytes| Publish { payload: vec![0; bytes].into(), ..plain.clone() };
    check(payload_of(131_072), None);
    check(payload_of(131_073), Some(Violation::PayloadTooLarge { bytes: 131_073, max: 131_072 }));
    check(publish(&"x".repeat(256), QoS::AtMostOnce), None);
    check(publish(&"x".repeat(257), QoS::AtMostOnce), Some(Violation::TopicTooLong { bytes: 257, max: 256 }));
    check(publish("1/2/3/4/5/6/7/8", QoS::AtMostOnce), None);
    check(publish("1/2/3/4/5/6/7/8/9", QoS::AtMostOnce), Some(Violation::TooManySlashes { slashes: 8, max: 7 }));
    check(publish("$aws/rules/r/1/2/3/4/5/6/7/8", QoS::AtMostOnce), None);
    check(publish("$aws/things/t/shadow/update", QoS::AtMostOnce), None);
    let retained = Publish { retain: true, ..publish("$aws/things/t/shadow/update", QoS::AtMostOnce) };
    check(retained, Some(Violation::RetainOnReservedTopic));
    check(Publish { retain: true, ..plain.clone() }, None);
}

#[test]
fn subscribes() {
    let check = |filters: &[(&str, QoS)], expected: Option<Violation>| {
        let result = |dialect| handle(&mut connected(dialect), subscribe(1, filters)).0;
        assert!(result(Dialect::Mqtt).is_ok(), "{expected:?}");
        assert_eq!(result(Dialect::Aws).err(), expected);
    };
    let zero = QoS::AtMostOnce;
    check(&[("a", zero); 8], None);
    check(&[("a", zero); 9], Some(Violation::TooManyFilters { filters: 9, max: 8 }));
    let two = Violation::QosNotSupported { packet_type: PacketType::Subscribe, qos: QoS::ExactlyOnce };
    check(&[("a", zero), ("b", QoS::ExactlyOnce)], Some(two));
    check(&[("1/2/3/4/5/6/7/#", zero)], None);
    check(&[("1/2/3/4/5/6/7/8/#", zero)], Some(Violation::TooManySlashes { slashes: 8, max: 7 }));
    check(&[(&"x".repeat(257), zero)], Some(Violation::TopicTooLong { bytes: 257, max: 256 }));
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
    let unsubscribe = mqtt_codec::Unsubscribe { packet_id: id(2), filters: vec![names[3].as_str().into()] };
    handle(&mut session, Packet::Unsubscribe(unsubscribe)).0.unwrap();
    ask(&mut session, &[&names[51]], &[false]);
    ask(&mut session, &[&names[3]], &[true]);
}

/// What the broker refuses does not count.
#[test]
fn a_refused_filter_leaves_its_place_free() {
    let mut session = connected(Dialect::Aws);
    for number in 0..60 {
        let name = format!("t/{number}");
        assert!(handle(&mut session, subscribe(1, &[(&name, QoS::AtMostOnce)])).0.is_ok());
        session.subscribe_done(id(1), &[SubAckCode::Failure], &mut BytesMut::new());
    }
    ask(&mut session, &["t/1"], &[false]);
}

/// Asks for the filters, checks which are over the limit, and answers as a broker does that allows everything.
fn ask(session: &mut Connected, filters: &[&str], over_limit: &[bool]) {
    let asked: Vec<_> = filters.iter().map(|&filter| (filter, QoS::AtMostOnce)).collect();
    let expected = filters.iter().zip(over_limit).map(|(filter, over)| requested(filter, QoS::AtMostOnce, *over));
    let intent = Intent::Subscribe { packet_id: id(1), filters: expected.collect() };
    assert_eq!(handle(session, subscribe(1, &asked)).0, Ok(Some(intent)));
    let code = |&over: &bool| if over { SubAckCode::Failure } else { SubAckCode::Granted(QoS::AtMostOnce) };
    let codes: Vec<_> = over_limit.iter().map(code).collect();
    session.subscribe_done(id(1), &codes, &mut BytesMut::new());
}
