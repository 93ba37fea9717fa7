//! A connected client's packets (MQTT 3.1.1, 3.3 to 3.14) in both dialects.

use std::time::Duration;

use bytes::{Bytes, BytesMut};

use message::{InvalidTopicFilter, QoS, TopicFilter};
use mqtt_codec::{
    ConnAck, Connect, ConnectReturnCode, Packet, PacketType, Publish, SubAck, SubAckCode, Unsubscribe, Will,
};
use names::Dialect;
use session::{Connected, Intent, PublishIntent, RequestedFilter, Violation};

use crate::{connect, connected, connected_with, handle, id, now, publish, subscribe, topic};

/// [MQTT-3.1.0-2], packets that only a server sends, and QoS 2, which is not served.
#[test]
fn packets_that_end_the_connection() {
    let check = |packet: Packet, expected: Violation| {
        for dialect in [Dialect::Aws, Dialect::Mqtt] {
            let (result, out) = handle(&mut connected(dialect), packet.clone());
            assert_eq!(result, Err(expected.clone()), "{packet:?}");
            assert!(out.is_empty(), "the server says nothing in 3.1.1");
        }
    };
    let two = |packet_type| Violation::QosNotSupported { packet_type, qos: QoS::ExactlyOnce };
    let code = ConnectReturnCode::Accepted;
    check(Packet::Connect(connect()), Violation::SecondConnect);
    check(Packet::ConnAck(ConnAck { session_present: false, code }), Violation::ServerPacket(PacketType::ConnAck));
    let suback = SubAck { packet_id: id(1), codes: vec![SubAckCode::Failure] };
    check(Packet::SubAck(suback), Violation::ServerPacket(PacketType::SubAck));
    check(Packet::UnsubAck(id(1)), Violation::ServerPacket(PacketType::UnsubAck));
    check(Packet::PingResp, Violation::ServerPacket(PacketType::PingResp));
    check(Packet::Publish(publish("t", QoS::ExactlyOnce)), two(PacketType::Publish));
    check(Packet::PubRec(id(1)), two(PacketType::PubRec));
    check(Packet::PubRel(id(1)), two(PacketType::PubRel));
    check(Packet::PubComp(id(1)), two(PacketType::PubComp));

    let invalid = |filter: &str, expected| {
        check(
            subscribe(1, &[("ok", QoS::AtMostOnce), (filter, QoS::AtMostOnce)]),
            Violation::InvalidTopicFilter(expected),
        );
        let unsubscribe = Unsubscribe { packet_id: id(1), filters: vec!["ok".into(), filter.into()] };
        check(Packet::Unsubscribe(unsubscribe), Violation::InvalidTopicFilter(expected));
    };
    invalid("", InvalidTopicFilter::Empty);
    invalid("a#", InvalidTopicFilter::MultiLevelWildcard);
    invalid("#/a", InvalidTopicFilter::MultiLevelWildcard);
    invalid("a/#/b", InvalidTopicFilter::MultiLevelWildcard);
    invalid("a+", InvalidTopicFilter::SingleLevelWildcard);
    invalid("a/+b", InvalidTopicFilter::SingleLevelWildcard);
}

/// [MQTT-3.3.4-1], [MQTT-2.3.1-6]; DUP changes nothing [MQTT-4.3.2-2].
#[test]
fn publishing() {
    let check = |publish: Publish, acknowledged: &[u8]| {
        let mut session = connected(Dialect::Mqtt);
        let Publish { qos, retain, topic, packet_id, payload, .. } = publish.clone();
        let expected = Intent::Publish(PublishIntent { topic, payload, qos, retain, packet_id });
        let (result, mut out) = handle(&mut session, Packet::Publish(publish));
        assert_eq!(result, Ok(Some(expected)));
        assert!(out.is_empty(), "no PUBACK before the broker has the message");
        session.publish_done(packet_id, &mut out);
        assert_eq!(out, acknowledged);
    };
    check(publish("t", QoS::AtMostOnce), b"");
    check(publish("t", QoS::AtLeastOnce), b"\x40\x02\x00\x07");
    check(Publish { dup: true, retain: true, ..publish("t", QoS::AtLeastOnce) }, b"\x40\x02\x00\x07");
    check(Publish { packet_id: Some(id(65_535)), ..publish("t", QoS::AtLeastOnce) }, b"\x40\x02\xFF\xFF");
    check(Publish { retain: true, payload: Bytes::new(), ..publish("$SYS/t", QoS::AtMostOnce) }, b"");
    check(Publish { payload: vec![0; 200_000].into(), ..publish(&"x/".repeat(200), QoS::AtMostOnce) }, b"");
}

/// [MQTT-3.8.4-1], [MQTT-3.8.4-4], [MQTT-3.8.4-5], [MQTT-3.9.3-1]; QoS 2 is granted as QoS 1 [MQTT-3.8.4-6].
#[test]
fn subscribing() {
    let mut session = connected(Dialect::Mqtt);
    let asked = [("a/#", QoS::AtLeastOnce), ("b", QoS::AtMostOnce), ("c/+", QoS::ExactlyOnce)];
    let (result, mut out) = handle(&mut session, subscribe(258, &asked));
    let expected = [("a/#", QoS::AtLeastOnce), ("b", QoS::AtMostOnce), ("c/+", QoS::AtLeastOnce)];
    let filters = expected.map(|(filter, qos)| requested(filter, qos, false)).to_vec();
    assert_eq!(result, Ok(Some(Intent::Subscribe { packet_id: id(258), filters })));
    assert!(out.is_empty());
    let codes = [SubAckCode::Granted(QoS::AtLeastOnce), SubAckCode::Failure, SubAckCode::Granted(QoS::AtLeastOnce)];
    session.subscribe_done(id(258), &codes, &mut out);
    assert_eq!(out, &b"\x90\x05\x01\x02\x01\x80\x01"[..]);

    // No AWS limits here: nine filters, deep ones, long ones.
    let long = "x".repeat(300);
    let many: Vec<_> = [&long, "1/2/3/4/5/6/7/8/9"].into_iter().chain(["a"; 7]).map(|f| (f, QoS::AtMostOnce)).collect();
    assert!(handle(&mut session, subscribe(1, &many)).0.is_ok());
}

/// [MQTT-3.10.4-4] to [MQTT-3.10.4-6].
#[test]
fn unsubscribing() {
    let mut session = connected(Dialect::Aws);
    let filters = vec!["a/+".into(), "never/subscribed".into()];
    let unsubscribe = Unsubscribe { packet_id: id(9), filters: filters.clone() };
    let (result, mut out) = handle(&mut session, Packet::Unsubscribe(unsubscribe));
    assert_eq!(result, Ok(Some(Intent::Unsubscribe { packet_id: id(9), filters })));
    assert!(out.is_empty());
    session.unsubscribe_done(id(9), &mut out);
    assert_eq!(out, &b"\xB0\x02\x00\x09"[..]);
}

/// [MQTT-3.12.4-1]
#[test]
fn pinging() {
    let (result, out) = handle(&mut connected(Dialect::Mqtt), Packet::PingReq);
    assert_eq!((result, &out[..]), (Ok(None), &b"\xD0\x00"[..]));
}

/// [MQTT-3.1.2-8], [MQTT-3.1.2-10], [MQTT-3.1.2-12], [MQTT-3.14.4-3].
#[test]
fn the_will_is_taken_once_and_disconnect_drops_it() {
    let will = Will { topic: topic("w"), payload: Bytes::from_static(b"x"), qos: QoS::AtLeastOnce, retain: false };
    let session = |will| connected_with(Connect { will, ..connect() }, Dialect::Mqtt);
    assert_eq!(session(None).take_will(), None);

    let mut lost = session(Some(will.clone()));
    assert_eq!(lost.take_will(), Some(will.clone()));
    assert_eq!(lost.take_will(), None);

    let mut violating = session(Some(will.clone()));
    assert!(handle(&mut violating, Packet::Connect(connect())).0.is_err());
    assert_eq!(violating.take_will(), Some(will.clone()));

    let mut closing = session(Some(will));
    let (result, out) = handle(&mut closing, Packet::Disconnect);
    assert_eq!((result, out.is_empty()), (Ok(Some(Intent::Disconnect)), true));
    assert_eq!(closing.take_will(), None);
}

/// [MQTT-3.1.2-24]: one and a half periods after the last packet from the client; deliveries to it do not count.
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
        [(1, Packet::PingReq), (2, Packet::PubAck(id(1))), (5, Packet::Publish(publish("t", QoS::AtMostOnce)))]
    {
        session.handle(packet, start + after(seconds), &mut BytesMut::new()).unwrap();
        check(&session, after(seconds), Duration::from_millis(4_500));
    }
    let _ = session.deliver(&crate::message("t", QoS::AtMostOnce), QoS::AtMostOnce, false, &mut BytesMut::new());
    check(&session, after(5), Duration::from_millis(4_500));
}

pub(crate) fn requested(filter: &str, qos: QoS, over_limit: bool) -> RequestedFilter {
    RequestedFilter { filter: TopicFilter::new(filter).unwrap(), qos, over_limit }
}
