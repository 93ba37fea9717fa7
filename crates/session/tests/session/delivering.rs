//! Messages to the client: QoS, flags, packet identifiers and the window (MQTT 3.1.1, 3.3 and 4.3).

use std::collections::BTreeSet;

use bytes::BytesMut;
use proptest::collection::vec;
use proptest::prelude::*;

use message::QoS;
use mqtt_codec::{Packet, PacketId, decode};
use names::Dialect;
use session::{Connected, Delivered};

use crate::{connected, handle, id, message};

/// [MQTT-3.8.4-6]: the lower QoS; [MQTT-3.3.1-8], [MQTT-3.3.1-9]: RETAIN as the broker says; DUP 0 [MQTT-4.3.2-1].
#[test]
fn a_delivery_has_the_lower_qos() {
    let check = |published, granted, retain, expected: &[u8]| {
        let mut out = BytesMut::new();
        let delivered = connected(Dialect::Mqtt).deliver(&message("a/b", published), granted, retain, &mut out);
        assert_eq!(delivered, Delivered::Written);
        assert_eq!(out, expected, "{published:?} {granted:?} {retain}");
    };
    let (zero, one, two) = (QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce);
    let at_most_once: &[u8] = b"\x30\x07\x00\x03a/bhi";
    let at_least_once: &[u8] = b"\x32\x09\x00\x03a/b\x00\x01hi";
    for (published, granted) in [(zero, zero), (zero, one), (zero, two), (one, zero), (two, zero)] {
        check(published, granted, false, at_most_once);
    }
    // QoS 2 is not served, so it goes out as QoS 1.
    for (published, granted) in [(one, one), (one, two), (two, one), (two, two)] {
        check(published, granted, false, at_least_once);
    }
    check(zero, zero, true, b"\x31\x07\x00\x03a/bhi");
    check(one, one, true, b"\x33\x09\x00\x03a/b\x00\x01hi");
}

/// AWS quotas, message broker: 100 unacknowledged QoS 1 messages to a client.
#[test]
fn a_full_window_holds_qos_1_and_lets_qos_0_pass() {
    let mut session = connected(Dialect::Aws);
    for _ in 0..100 {
        assert!(!session.window_is_full());
        deliver(&mut session, QoS::AtLeastOnce).unwrap();
    }
    assert!(session.window_is_full());
    let mut out = BytesMut::new();
    let waiting = message("t", QoS::AtLeastOnce);
    assert_eq!(session.deliver(&waiting, QoS::AtLeastOnce, false, &mut out), Delivered::WindowFull);
    assert!(out.is_empty());
    assert_eq!(session.deliver(&waiting, QoS::AtMostOnce, false, &mut out), Delivered::Written);
    // A PUBACK for something else frees nothing.
    assert_eq!(handle(&mut session, Packet::PubAck(id(5_000))).0, Ok(None));
    assert!(session.window_is_full());
    assert_eq!(handle(&mut session, Packet::PubAck(id(50))), (Ok(None), BytesMut::new()));
    assert!(!session.window_is_full());
    assert_eq!(deliver(&mut session, QoS::AtLeastOnce), Some(id(101)));
}

proptest! {
    /// [MQTT-2.3.1-4], whatever the order of acknowledgements, sensible or not.
    #[test]
    fn ids_are_distinct_while_held(acknowledged in vec(prop::option::of((any::<bool>(), 1_u16..200)), 1..600)) {
        let mut session = connected(Dialect::Aws);
        let mut held = BTreeSet::new();
        for step in acknowledged {
            match step {
                Some((first, number)) => {
                    let id = if first { held.first().copied().unwrap_or(PacketId::MIN) } else { id(number) };
                    handle(&mut session, Packet::PubAck(id)).0.unwrap();
                    held.remove(&id);
                }
                None if held.len() == 100 => prop_assert_eq!(deliver(&mut session, QoS::AtLeastOnce), None),
                None => prop_assert!(held.insert(deliver(&mut session, QoS::AtLeastOnce).unwrap())),
            }
            prop_assert_eq!(session.window_is_full(), held.len() == 100);
        }
    }
}

/// The packet identifier of one delivery; none when the window is full.
fn deliver(session: &mut Connected, qos: QoS) -> Option<PacketId> {
    let mut out = BytesMut::new();
    match session.deliver(&message("t", qos), qos, false, &mut out) {
        Delivered::WindowFull => None,
        Delivered::Written => match decode(&mut out, 1024).unwrap() {
            Some(Packet::Publish(publish)) => publish.packet_id,
            other => panic!("not a PUBLISH: {other:?}"),
        },
    }
}
