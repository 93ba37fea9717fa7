//! The version numbers of presence events: each connection of a client id has the next one, and a client id that was
//! away for an hour starts at 0 again (developer guide, life-cycle-events).
//!
//! This remembers those who left; the number of a connected client stands with it. A node remembers for itself.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use names::{ClientId, Timestamp, limits};

use crate::connection_info::ConnectionInfo;

/// Who left, when, and with which number. Bounded: who left first is forgotten first.
#[derive(Default)]
pub(crate) struct Departed {
    by_id: HashMap<ClientId, Departure>,
    in_order: BTreeMap<u64, ClientId>,
    departures: u64,
}

struct Departure {
    order: u64,
    version: u64,
    info: Option<Arc<ConnectionInfo>>,
    at: Timestamp,
}

impl Departed {
    /// The number for a client that comes now; its past is forgotten.
    pub(crate) fn next_version(&mut self, id: &ClientId, now: Timestamp) -> u64 {
        let Some(departure) = self.by_id.remove(id) else { return 0 };
        self.in_order.remove(&departure.order);
        if departure.is_over(now) { 0 } else { departure.version.saturating_add(1) }
    }

    /// Remembers a client that leaves.
    pub(crate) fn remember(&mut self, id: &ClientId, version: u64, info: Option<Arc<ConnectionInfo>>, at: Timestamp) {
        self.forget_old(at);
        self.departures += 1;
        let departure = Departure { order: self.departures, version, info, at };
        self.in_order.insert(departure.order, id.clone());
        if let Some(before) = self.by_id.insert(id.clone(), departure) {
            self.in_order.remove(&before.order);
        }
    }

    /// How a client was connected that left a short while ago (AWS IoT API reference, GetConnection: half an hour).
    pub(crate) fn info(&self, id: &ClientId, now: Timestamp) -> Option<Arc<ConnectionInfo>> {
        let departure = self.by_id.get(id)?;
        let away_millis = now.as_millis().saturating_sub(departure.at.as_millis());
        departure.info.clone().filter(|_| away_millis < limits::CONNECTION_INFO_SECONDS * 1000)
    }

    fn forget_old(&mut self, now: Timestamp) {
        while let Some(first) = self.in_order.first_entry() {
            let is_full = self.by_id.len() >= limits::PRESENCE_VERSIONS_MAX;
            if !is_full && self.by_id.get(first.get()).is_some_and(|departure| !departure.is_over(now)) {
                break;
            }
            self.by_id.remove(&first.remove());
        }
    }
}

impl Departure {
    fn is_over(&self, now: Timestamp) -> bool {
        now.as_millis().saturating_sub(self.at.as_millis()) >= limits::PRESENCE_VERSION_SECONDS * 1000
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3_600_000;

    fn id(text: impl ToString) -> ClientId {
        ClientId::new(text.to_string()).unwrap()
    }

    #[test]
    fn a_version_is_remembered_for_an_hour() {
        for (away_millis, expected) in [(0, 5), (HOUR - 1, 5), (HOUR, 0), (9 * HOUR, 0)] {
            let mut departed = Departed::default();
            departed.remember(&id("c"), 4, None, Timestamp::from_millis(HOUR));
            let next = departed.next_version(&id("c"), Timestamp::from_millis(HOUR + away_millis));
            assert_eq!(next, expected, "{away_millis}");
            assert_eq!(departed.next_version(&id("c"), Timestamp::from_millis(HOUR)), 0, "told once");
        }
    }

    #[test]
    fn what_is_over_is_let_go_and_the_oldest_when_it_is_full() {
        let mut departed = Departed::default();
        for n in 0..limits::PRESENCE_VERSIONS_MAX {
            departed.remember(&id(n), 7, None, Timestamp::from_millis(0));
        }
        departed.remember(&id("last"), 7, None, Timestamp::from_millis(1));
        assert_eq!(departed.by_id.len(), limits::PRESENCE_VERSIONS_MAX);
        assert_eq!(departed.in_order.len(), limits::PRESENCE_VERSIONS_MAX);
        let now = Timestamp::from_millis(2);
        assert_eq!([id(0), id(1), id("last")].map(|id| departed.next_version(&id, now)), [0, 8, 8]);
        departed.remember(&id("later"), 0, None, Timestamp::from_millis(2 * HOUR));
        assert_eq!((departed.by_id.len(), departed.in_order.len()), (1, 1));
    }

    #[test]
    fn coming_and_going_leaves_one_entry() {
        let mut departed = Departed::default();
        for n in 0..1000 {
            let now = Timestamp::from_millis(n);
            let version = departed.next_version(&id("c"), now);
            assert_eq!(version, n);
            departed.remember(&id("c"), version, None, now);
            departed.remember(&id("c"), version, None, now);
        }
        assert_eq!((departed.by_id.len(), departed.in_order.len()), (1, 1));
    }
}
