//! The window of QoS 1 messages that went to the client and are not acknowledged, and their packet identifiers.

use std::collections::VecDeque;

use mqtt_codec::PacketId;
use names::limits;

/// At most [`limits::INFLIGHT_MAX`] identifiers are out at a time.
#[derive(Debug)]
pub(crate) struct Inflight {
    next: PacketId,
    /// In the order sent, which is the order that most clients acknowledge in. Short enough to search.
    held: VecDeque<PacketId>,
}

impl Inflight {
    pub(crate) fn new() -> Self {
        Self { next: PacketId::MIN, held: VecDeque::new() }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.held.len() >= limits::INFLIGHT_MAX
    }

    /// An identifier that is not in use [MQTT-2.3.1-4]; none when the window is full.
    pub(crate) fn take(&mut self) -> Option<PacketId> {
        if self.is_full() {
            return None;
        }
        let mut id = self.next;
        while self.held.contains(&id) {
            id = id.next();
        }
        self.next = id.next();
        self.held.push_back(id);
        Some(id)
    }

    /// The client acknowledged. An identifier that is not out is ignored: the standard asks nothing of it.
    pub(crate) fn release(&mut self, id: PacketId) {
        if let Some(place) = self.held.iter().position(|&held| held == id) {
            self.held.remove(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn id(number: u16) -> PacketId {
        PacketId::new(number).unwrap()
    }

    #[test]
    fn the_window_closes_at_its_limit_and_opens_with_an_acknowledgement() {
        let mut window = Inflight::new();
        let ids: BTreeSet<_> = (0..100).map(|_| window.take().unwrap()).collect();
        assert_eq!(ids.len(), 100, "the AWS quota");
        assert!(window.is_full());
        assert_eq!(window.take(), None);
        window.release(id(50));
        assert!(!window.is_full());
        assert_eq!(window.take(), Some(id(101)), "50 rests until the numbers went round");
        window.release(id(50));
        window.release(id(9_999));
        assert!(window.is_full(), "identifiers that are not out free nothing");
    }

    /// [MQTT-2.3.1-4]: not reused while held, also after 65,535 others.
    #[test]
    fn a_held_id_is_passed_over_when_the_numbers_go_round() {
        let mut window = Inflight::new();
        let held: Vec<_> = (0..3).map(|_| window.take().unwrap()).collect();
        assert_eq!(held, [id(1), id(2), id(3)]);
        for expected in 4..=65_535 {
            let taken = window.take().unwrap();
            assert_eq!(taken, id(expected));
            window.release(taken);
        }
        window.release(id(2));
        assert_eq!(window.take(), Some(id(2)));
        assert_eq!(window.take(), Some(id(4)));
    }
}
