//! Messages to the client: QoS, flags, packet identifiers and the window (MQTT 3.1.1 and 5, 3.3, 4.3 and 4.9).

use std::collections::BTreeSet;
use std::num::NonZeroU16;

use bytes::BytesMut;
use proptest::collection::vec;
use proptest::prelude::*;

use message::QoS;
use mqtt_codec::{ConnectProperties, Packet, PacketId, Protocol};
use names::Dialect;
use session::{Connected, Delivered, Delivery, Intent};

use crate::{
    ack, connect_saying, connected, connected_of, connected_with, deliver, deliver_at, delivery, handle, id, message,
};

/// RETAIN as the broker says [MQTT-3.3.1-8], [MQTT-3.3.1-9]; DUP 0 [MQTT-3.3.1-2]; an identifier above QoS 0
/// [MQTT-2.2.1-4].
#[test]
fn a_delivery_is_sent_as_the_broker_says() {
    let check = |protocol, qos, retain, expected: &[u8]| {
        let message = message("a/b", QoS::ExactlyOnce);
        let delivery = Delivery { retain, ..delivery(&message, qos) };
        let (delivered, out) = deliver(&mut connected_of(protocol, Dialect::Mqtt), &delivery);
        assert_eq!(delivered, Delivered::Written((qos != QoS::AtMostOnce).then(|| id(1))));
        assert_eq!(out, expected, "{protocol:?} {qos:?} {retain}");
    };
    let (zero, one, two) = (QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce);
    check(Protocol::V311, zero, false, b"\x30\x07\x00\x03a/bhi");
    check(Protocol::V311, one, false, b"\x32\x09\x00\x03a/b\x00\x01hi");
    check(Protocol::V311, two, false, b"\x34\x09\x00\x03a/b\x00\x01hi");
    check(Protocol::V311, zero, true, b"\x31\x07\x00\x03a/bhi");
    check(Protocol::V311, one, true, b"\x33\x09\x00\x03a/b\x00\x01hi");
    check(Protocol::V5, zero, false, b"\x30\x08\x00\x03a/b\x00hi");
    check(Protocol::V5, one, false, b"\x32\x0A\x00\x03a/b\x00\x01\x00hi");
    check(Protocol::V5, two, true, b"\x35\x0A\x00\x03a/b\x00\x01\x00hi");
}

/// [MQTT-3.3.1-1]: DUP when it was sent before, and then with the identifier that it had; never at QoS 0
/// [MQTT-3.3.1-2].
#[test]
fn a_message_is_sent_again_with_dup_and_its_identifier() {
    let mut session = connected(Dialect::Mqtt);
    let message = message("t", QoS::ExactlyOnce);
    let mut check = |dup, qos, packet_id: Option<PacketId>, expected: &[u8]| {
        let delivery = Delivery { dup, packet_id, ..delivery(&message, qos) };
        let (delivered, out) = deliver(&mut session, &delivery);
        assert!(matches!(delivered, Delivered::Written(_)));
        assert_eq!(out, expected);
    };
    check(true, QoS::AtLeastOnce, Some(id(9)), b"\x3A\x07\x00\x01t\x00\x09hi");
    check(true, QoS::ExactlyOnce, Some(id(8)), b"\x3C\x07\x00\x01t\x00\x08hi");
    check(false, QoS::AtLeastOnce, Some(id(300)), b"\x32\x07\x00\x01t\x01\x2Chi");
    check(true, QoS::AtMostOnce, Some(id(10)), b"\x30\x05\x00\x01thi");
    // One that is out is not given again [MQTT-2.2.1-4].
    check(false, QoS::AtLeastOnce, Some(id(9)), b"\x32\x07\x00\x01t\x00\x01hi");
}

/// AWS quotas, message broker: 100 unacknowledged QoS 1 messages to a client.
#[test]
fn a_full_window_holds_qos_1_and_lets_qos_0_pass() {
    let mut session = connected(Dialect::Aws);
    for _ in 0..100 {
        assert!(!session.window_is_full());
        deliver_at(&mut session, QoS::AtLeastOnce).unwrap();
    }
    assert!(session.window_is_full());
    let waiting = message("t", QoS::AtLeastOnce);
    assert_eq!(deliver(&mut session, &delivery(&waiting, QoS::AtLeastOnce)), (Delivered::WindowFull, BytesMut::new()));
    assert_eq!(deliver(&mut session, &delivery(&waiting, QoS::AtMostOnce)).0, Delivered::Written(None));
    // A PUBACK for something else frees nothing.
    assert_eq!(handle(&mut session, Packet::PubAck(ack(5_000))).0, Ok(None));
    assert!(session.window_is_full());
    let acknowledged = Ok(Some(Intent::Acknowledged(id(50))));
    assert_eq!(handle(&mut session, Packet::PubAck(ack(50))), (acknowledged, BytesMut::new()));
    assert!(!session.window_is_full());
    assert_eq!(deliver_at(&mut session, QoS::AtLeastOnce), Some(id(101)));
    // The same PUBACK again is no news.
    assert_eq!(handle(&mut session, Packet::PubAck(ack(50))).0, Ok(None));
}

/// [MQTT-3.3.4-9]: no more than the client's Receive Maximum, and no more than the server's own bound of 100.
#[test]
fn the_clients_receive_maximum_bounds_the_window() {
    let check = |receive_max: Option<u16>, expected: usize| {
        for dialect in crate::DIALECTS {
            let receive_max = receive_max.and_then(NonZeroU16::new);
            let properties = ConnectProperties { receive_max, ..ConnectProperties::default() };
            let mut session = connected_with(connect_saying(properties), dialect);
            let sent = (0..200).map_while(|_| deliver_at(&mut session, QoS::AtLeastOnce)).count();
            assert_eq!(sent, expected);
            handle(&mut session, Packet::PubAck(ack(1))).0.unwrap().unwrap();
            let sent = (0..200).map_while(|_| deliver_at(&mut session, QoS::AtLeastOnce)).count();
            assert_eq!(sent, 1, "{receive_max:?}");
        }
    };
    check(None, 100);
    check(Some(1), 1);
    check(Some(2), 2);
    check(Some(99), 99);
    check(Some(101), 100);
    check(Some(u16::MAX), 100);
}

proptest! {
    /// [MQTT-2.2.1-4], whatever the order of acknowledgements, sensible or not.
    #[test]
    fn ids_are_distinct_while_held(acknowledged in vec(prop::option::of((any::<bool>(), 1_u16..200)), 1..600)) {
        let mut session = connected(Dialect::Aws);
        let mut held = BTreeSet::new();
        for step in acknowledged {
            match step {
                Some((first, number)) => {
                    let id = if first { held.first().copied().unwrap_or(PacketId::MIN) } else { id(number) };
                    handle(&mut session, Packet::PubAck(ack(id.get()))).0.unwrap();
                    held.remove(&id);
                }
                None if held.len() == 100 => prop_assert_eq!(deliver_at(&mut session, QoS::AtLeastOnce), None),
                None => prop_assert!(held.insert(deliver_at(&mut session, QoS::AtLeastOnce).unwrap())),
            }
            prop_assert_eq!(session.window_is_full(), held.len() == 100);
        }
    }
}

/// [MQTT-4.4.0-1]: PUBREL is sent again after a reconnect; the identifier stays taken until PUBCOMP.
#[test]
fn a_release_is_sent_again() {
    for protocol in crate::VERSIONS {
        let mut session: Connected = connected_of(protocol, Dialect::Mqtt);
        let mut out = BytesMut::new();
        session.release_again(id(1), &mut out);
        assert_eq!(out, &b"\x62\x02\x00\x01"[..]);
        assert_eq!(deliver_at(&mut session, QoS::AtLeastOnce), Some(id(2)), "1 is taken");
        // PUBREC may come again: the message is not news, PUBREL is owed still.
        let (result, out) = handle(&mut session, Packet::PubRec(ack(1)));
        assert_eq!((result, &out[..]), (Ok(None), &b"\x62\x02\x00\x01"[..]));
        let (result, out) = handle(&mut session, Packet::PubComp(ack(1)));
        assert_eq!((result, &out[..]), (Ok(Some(Intent::Acknowledged(id(1)))), &b""[..]));
        assert_eq!(handle(&mut session, Packet::PubComp(ack(1))).0, Ok(None));
    }
}
