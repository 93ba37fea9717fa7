//! The QoS 1 and 2 messages that went to the client and are not done with: their packet identifiers, and what each
//! waits for (MQTT 5, 4.3 and 4.9). The messages themselves are kept by whoever sent them.

use std::collections::VecDeque;

use message::QoS;
use mqtt_codec::PacketId;

/// At most as many identifiers are out at a time as the client's Receive Maximum and the server's own bound allow.
#[derive(Debug)]
pub(crate) struct Outbound {
    next: PacketId,
    max: usize,
    /// In the order sent, which is the order that most clients acknowledge in. Short enough to search.
    held: VecDeque<(PacketId, Awaits)>,
}

/// What an identifier that is out waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Awaits {
    /// PUBACK.
    Acknowledgement,
    /// PUBREC.
    Receipt,
    /// PUBCOMP.
    Completion,
}

/// What a PUBREC asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Received {
    /// The client has the message: it is never sent again, PUBREL is owed from here on [MQTT-4.3.3-6].
    Now,
    /// It said so before.
    Again,
    /// There is no such message.
    Unknown,
}

impl Outbound {
    pub(crate) fn new(max: u16) -> Self {
        Self { next: PacketId::MIN, max: usize::from(max), held: VecDeque::new() }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.held.len() >= self.max
    }

    /// An identifier that is not in use [MQTT-2.2.1-4], `wanted` if it is free; none when the window is full.
    pub(crate) fn take(&mut self, wanted: Option<PacketId>, qos: QoS) -> Option<PacketId> {
        if self.is_full() {
            return None;
        }
        let is_held = |id: PacketId| self.held.iter().any(|&(held, _)| held == id);
        let id = match wanted.filter(|&wanted| !is_held(wanted)) {
            Some(wanted) => wanted,
            None => {
                let mut id = self.next;
                while is_held(id) {
                    id = id.next();
                }
                self.next = id.next();
                id
            }
        };
        let awaits = if qos == QoS::ExactlyOnce { Awaits::Receipt } else { Awaits::Acknowledgement };
        self.held.push_back((id, awaits));
        Some(id)
    }

    /// A message that the client had before this connection, and whose PUBREL is owed [MQTT-4.4.0-1].
    pub(crate) fn hold_released(&mut self, id: PacketId) {
        self.held.push_back((id, Awaits::Completion));
    }

    /// PUBACK: whether it ends an exchange. An identifier that is not out is ignored: the standard asks nothing of it.
    pub(crate) fn acknowledge(&mut self, id: PacketId) -> bool {
        self.end(id, Awaits::Acknowledgement)
    }

    /// PUBREC.
    pub(crate) fn receive(&mut self, id: PacketId) -> Received {
        match self.held.iter_mut().find(|(held, _)| *held == id) {
            Some((_, awaits @ Awaits::Receipt)) => {
                *awaits = Awaits::Completion;
                Received::Now
            }
            Some((_, Awaits::Completion)) => Received::Again,
            Some((_, Awaits::Acknowledgement)) | None => Received::Unknown,
        }
    }

    /// PUBREC that refuses the message: whether it ends an exchange [MQTT-4.3.3-4].
    pub(crate) fn refuse(&mut self, id: PacketId) -> bool {
        self.end(id, Awaits::Receipt)
    }

    /// PUBCOMP: whether it ends an exchange.
    pub(crate) fn complete(&mut self, id: PacketId) -> bool {
        self.end(id, Awaits::Completion)
    }

    fn end(&mut self, id: PacketId, awaits: Awaits) -> bool {
        let place = self.held.iter().position(|&held| held == (id, awaits));
        let ended = place.and_then(|place| self.held.remove(place)).is_some();
        if self.held.is_empty() && self.held.capacity() > KEPT_WHEN_EMPTY {
            self.held = VecDeque::new();
        }
        ended
    }
}

/// Room that an empty window keeps: a steady stream with a short window must not allocate again and again.
const KEPT_WHEN_EMPTY: usize = 32;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn id(number: u16) -> PacketId {
        PacketId::new(number).unwrap()
    }

    fn take(window: &mut Outbound) -> Option<PacketId> {
        window.take(None, QoS::AtLeastOnce)
    }

    #[test]
    fn the_window_closes_at_its_limit_and_opens_with_an_acknowledgement() {
        let mut window = Outbound::new(100);
        let ids: BTreeSet<_> = (0..100).map(|_| take(&mut window).unwrap()).collect();
        assert_eq!(ids.len(), 100);
        assert!(window.is_full());
        assert_eq!(take(&mut window), None);
        assert!(window.acknowledge(id(50)));
        assert!(!window.is_full());
        assert_eq!(take(&mut window), Some(id(101)), "50 rests until the numbers went round");
        assert!(!window.acknowledge(id(50)));
        assert!(!window.acknowledge(id(9_999)));
        assert!(window.is_full(), "identifiers that are not out free nothing");
    }

    /// [MQTT-2.2.1-4]: not reused while held, also after 65,535 others.
    #[test]
    fn a_held_id_is_passed_over_when_the_numbers_go_round() {
        let mut window = Outbound::new(100);
        let held: Vec<_> = (0..3).map(|_| take(&mut window).unwrap()).collect();
        assert_eq!(held, [id(1), id(2), id(3)]);
        for expected in 4..=65_535 {
            let taken = take(&mut window).unwrap();
            assert_eq!(taken, id(expected));
            assert!(window.acknowledge(taken));
        }
        assert!(window.acknowledge(id(2)));
        assert_eq!(take(&mut window), Some(id(2)));
        assert_eq!(take(&mut window), Some(id(4)));
    }

    #[test]
    fn a_wanted_id_is_given_unless_it_is_out() {
        let mut window = Outbound::new(10);
        assert_eq!(window.take(Some(id(7)), QoS::AtLeastOnce), Some(id(7)));
        assert_eq!(window.take(Some(id(7)), QoS::AtLeastOnce), Some(id(1)));
    }

    /// MQTT 5, 4.9: PUBREC 0x00 frees nothing, PUBCOMP does, and so does a PUBREC that refuses.
    #[test]
    fn qos_2_holds_its_place_until_pubcomp() {
        let mut window = Outbound::new(1);
        let first = window.take(None, QoS::ExactlyOnce).unwrap();
        assert!(!window.acknowledge(first), "PUBACK says nothing of a QoS 2 message");
        assert!(!window.complete(first), "PUBCOMP comes after PUBREC");
        assert_eq!(window.receive(first), Received::Now);
        assert_eq!(window.receive(first), Received::Again);
        assert!(window.is_full());
        assert!(!window.refuse(first), "what was received cannot be refused any more");
        assert!(window.complete(first));
        assert_eq!(window.receive(first), Received::Unknown);
        let second = window.take(None, QoS::ExactlyOnce).unwrap();
        assert!(window.refuse(second) && !window.is_full());
        window.hold_released(id(9));
        assert_eq!(window.receive(id(9)), Received::Again);
        assert!(window.complete(id(9)));
    }
}
