//! QoS 2 in both directions: exactly once, whatever comes again (MQTT 3.1.1 and 5, 4.3.3), and Receive Maximum from the
//! client (MQTT 5, 4.9).

use bytes::BytesMut;

use message::QoS;
use mqtt_codec::{Ack, Packet, Protocol, Publish, ReasonCode};
use names::{ClientId, Dialect};
use session::{Connected, Intent, Quotas, Resumed, Violation};

use crate::{VERSIONS, accept, ack, connect_of, connected_of, deliver_at, handle, id, now, open, open_under, publish};

/// One step of a conversation: what the session does with the packet.
fn check(session: &mut Connected, packet: Packet, intent: Option<Intent>, written: &[u8]) {
    let (result, out) = handle(session, packet.clone());
    assert_eq!((result, &out[..]), (Ok(intent), written), "{packet:?}");
}

fn publish_of(packet_id: u16) -> Packet {
    Packet::Publish(Publish { packet_id: Some(id(packet_id)), ..publish("t", QoS::ExactlyOnce) })
}

/// Publishes a message that is news, and answers as a broker does that takes it.
fn take(session: &mut Connected, packet_id: u16, reason: ReasonCode) -> BytesMut {
    let (result, mut out) = handle(session, publish_of(packet_id));
    assert!(matches!(result, Ok(Some(Intent::Publish(_)))), "{result:?}");
    assert!(out.is_empty());
    session.publish_done(Some(id(packet_id)), QoS::ExactlyOnce, reason, &mut out);
    out
}

fn refusing(packet_id: u16, reason: ReasonCode) -> Ack {
    Ack { packet_id: id(packet_id), reason }
}

/// [MQTT-4.3.3-8], [MQTT-4.3.3-10] to [MQTT-4.3.3-12]. 0x92 is told to a client of MQTT 5 alone (MQTT 5, 3.7.2.1).
#[test]
fn from_the_client() {
    for protocol in VERSIONS {
        let unknown: &[u8] = if protocol == Protocol::V5 { b"\x70\x03\x00\x07\x92" } else { b"\x70\x02\x00\x07" };
        let mut session = connected_of(protocol, Dialect::Mqtt);
        check(&mut session, Packet::PubRel(ack(7)), None, unknown);
        for _ in 0..2 {
            assert_eq!(take(&mut session, 7, ReasonCode::Success), &b"\x50\x02\x00\x07"[..]);
            for dup in [true, false, true] {
                let again = Publish { dup, ..publish("t", QoS::ExactlyOnce) };
                check(&mut session, Packet::Publish(again), None, b"\x50\x02\x00\x07");
            }
            check(&mut session, Packet::PubRel(ack(7)), Some(Intent::Released(id(7))), b"\x70\x02\x00\x07");
            check(&mut session, Packet::PubRel(ack(7)), None, unknown);
        }
    }
}

/// The directions number for themselves [MQTT-2.2.1-5], and QoS 1 does not touch what is received at QoS 2.
#[test]
fn identifiers_of_the_other_direction_and_of_qos_1_are_others() {
    let mut session = connected_of(Protocol::V5, Dialect::Mqtt);
    assert_eq!(deliver_at(&mut session, QoS::ExactlyOnce), Some(id(1)));
    let _ = take(&mut session, 1, ReasonCode::Success);
    check(&mut session, Packet::PubRec(ack(1)), Some(Intent::Received(id(1))), b"\x62\x02\x00\x01");
    check(&mut session, Packet::PubRel(ack(1)), Some(Intent::Released(id(1))), b"\x70\x02\x00\x01");
    check(&mut session, Packet::PubComp(ack(1)), Some(Intent::Acknowledged(id(1))), b"");
}

/// [MQTT-4.3.3-9]: after a PUBREC that refuses, the identifier stands for a new message.
#[test]
fn a_refused_message_may_be_sent_anew() {
    let mut session = connected_of(Protocol::V5, Dialect::Mqtt);
    assert_eq!(take(&mut session, 7, ReasonCode::NotAuthorized), &b"\x50\x03\x00\x07\x87"[..]);
    assert_eq!(take(&mut session, 7, ReasonCode::QuotaExceeded), &b"\x50\x03\x00\x07\x97"[..]);
    check(&mut session, Packet::PubRel(ack(7)), None, b"\x70\x03\x00\x07\x92");
    assert_eq!(take(&mut session, 7, ReasonCode::NoMatchingSubscribers), &b"\x50\x03\x00\x07\x10"[..]);
    check(&mut session, publish_of(7), None, b"\x50\x02\x00\x07");
}

/// [MQTT-4.3.3-10] over a reconnect: what was received before is not taken again.
#[test]
fn what_was_received_before_the_connection_is_not_taken_again() {
    for protocol in VERSIONS {
        let resumed = Resumed { received: vec![id(3), id(65_535)] };
        let opening = open(connect_of(protocol), Dialect::Mqtt).unwrap();
        let mut out = BytesMut::new();
        let mut session = opening.accept(ClientId::new("lamp").unwrap(), Some(resumed), now(), &mut out).unwrap();
        check(&mut session, publish_of(3), None, b"\x50\x02\x00\x03");
        check(&mut session, publish_of(65_535), None, b"\x50\x02\xFF\xFF");
        check(&mut session, Packet::PubRel(ack(3)), Some(Intent::Released(id(3))), b"\x70\x02\x00\x03");
        let _ = take(&mut session, 3, ReasonCode::Success);
        let _ = take(&mut session, 4, ReasonCode::Success);
    }
}

/// [MQTT-4.3.3-2], [MQTT-4.3.3-5], [MQTT-4.3.3-6]: PUBLISH, PUBREC, PUBREL, PUBCOMP; what comes again is answered again
/// and is no news.
#[test]
fn to_the_client() {
    for protocol in VERSIONS {
        let mut session = connected_of(protocol, Dialect::Mqtt);
        assert_eq!(deliver_at(&mut session, QoS::ExactlyOnce), Some(id(1)));
        check(&mut session, Packet::PubAck(ack(1)), None, b"");
        check(&mut session, Packet::PubComp(ack(1)), None, b"");
        check(&mut session, Packet::PubRec(ack(1)), Some(Intent::Received(id(1))), b"\x62\x02\x00\x01");
        check(&mut session, Packet::PubRec(ack(1)), None, b"\x62\x02\x00\x01");
        check(&mut session, Packet::PubComp(ack(1)), Some(Intent::Acknowledged(id(1))), b"");
        check(&mut session, Packet::PubComp(ack(1)), None, b"");
    }
}

/// MQTT 5, 3.6.2.1: PUBREL 0x92 for an identifier that is not known, or that is one of a QoS 1 message.
#[test]
fn a_pubrec_for_nothing() {
    for protocol in VERSIONS {
        let mut session = connected_of(protocol, Dialect::Mqtt);
        assert_eq!(deliver_at(&mut session, QoS::AtLeastOnce), Some(id(1)));
        for number in [1, 2] {
            let expected: &[u8] =
                if protocol == Protocol::V5 { &[0x62, 3, 0, number, 0x92] } else { &[0x62, 2, 0, number] };
            check(&mut session, Packet::PubRec(ack(u16::from(number))), None, expected);
        }
        // The QoS 1 message still waits for its PUBACK.
        check(&mut session, Packet::PubAck(ack(1)), Some(Intent::Acknowledged(id(1))), b"");
    }
}

/// [MQTT-4.3.3-4]: no PUBREL after a PUBREC that refuses; the identifier is free again (MQTT 5, 4.9).
#[test]
fn a_pubrec_that_refuses_ends_the_exchange() {
    let mut session = connected_of(Protocol::V5, Dialect::Mqtt);
    for _ in 0..100 {
        deliver_at(&mut session, QoS::ExactlyOnce).unwrap();
    }
    assert!(session.window_is_full());
    let refused = refusing(9, ReasonCode::QuotaExceeded);
    check(&mut session, Packet::PubRec(refused), Some(Intent::Acknowledged(id(9))), b"");
    assert!(!session.window_is_full());
    check(&mut session, Packet::PubRec(refused), None, b"");
    // Below 0x80 is no refusal.
    let taken = refusing(10, ReasonCode::NoMatchingSubscribers);
    check(&mut session, Packet::PubRec(taken), Some(Intent::Received(id(10))), b"\x62\x02\x00\x0A");
}

/// MQTT 5, 4.9: PUBREC frees no place, PUBCOMP does.
#[test]
fn a_place_in_the_window_is_free_after_pubcomp() {
    let mut session = connected_of(Protocol::V5, Dialect::Mqtt);
    for number in 0..100 {
        let qos = if number % 2 == 0 { QoS::ExactlyOnce } else { QoS::AtLeastOnce };
        deliver_at(&mut session, qos).unwrap();
    }
    handle(&mut session, Packet::PubRec(ack(1))).0.unwrap();
    assert!(session.window_is_full());
    assert_eq!(deliver_at(&mut session, QoS::AtLeastOnce), None);
    handle(&mut session, Packet::PubComp(ack(1))).0.unwrap();
    assert!(!session.window_is_full());
}

/// [MQTT-3.3.4-7], [MQTT-3.3.4-8]: what is received and not released counts, what comes again does not. MQTT 3.1.1 has no
/// Receive Maximum.
#[test]
fn the_servers_receive_maximum() {
    let quotas = || Quotas { receive_max: 2, ..Quotas::of(Dialect::Mqtt) };
    let mut session = accept(open_under(connect_of(Protocol::V5), quotas()).unwrap());
    let _ = take(&mut session, 1, ReasonCode::Success);
    let _ = take(&mut session, 2, ReasonCode::Success);
    check(&mut session, publish_of(2), None, b"\x50\x02\x00\x02");
    handle(&mut session, Packet::PubRel(ack(1))).0.unwrap();
    let _ = take(&mut session, 3, ReasonCode::UnspecifiedError);
    let _ = take(&mut session, 3, ReasonCode::Success);
    let (result, out) = handle(&mut session, publish_of(4));
    assert_eq!(result, Err(Violation::ReceiveMaximumExceeded { max: 2 }));
    assert_eq!(result.unwrap_err().reason().byte(), 0x93);
    assert!(out.is_empty());

    let mut session = accept(open_under(connect_of(Protocol::V311), quotas()).unwrap());
    for packet_id in 1..=10 {
        let _ = take(&mut session, packet_id, ReasonCode::Success);
    }
}
