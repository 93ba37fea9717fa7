//! The quotas on requests: how many may be unanswered, and how many may come in a second.

use std::collections::HashMap;
use std::sync::Arc;

use message::{Message, Origin};
use names::{ThingName, Timestamp};
use parking_lot::Mutex;

use crate::settings::ShadowSettings;

/// Counts requests against the quotas.
pub(crate) struct Throttle {
    settings: ShadowSettings,
    unanswered: Arc<Mutex<HashMap<ConnectionAndThing, usize>>>,
    second: Mutex<Second>,
}

/// A connection and the thing that it asks for. The address of its origin stands for the connection, and is nobody
/// else's as long as the origin is held.
type ConnectionAndThing = (usize, ThingName);

/// What came in the second that runs.
#[derive(Default)]
struct Second {
    seconds: u64,
    all: u32,
    by_thing: HashMap<ThingName, u32>,
}

/// A request that is not answered yet. Dropping it is the answer's sign.
pub(crate) struct Unanswered {
    key: ConnectionAndThing,
    counts: Arc<Mutex<HashMap<ConnectionAndThing, usize>>>,
    _origin: Arc<Origin>,
}

/// The request is over a quota.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Throttled;

impl Throttle {
    pub(crate) fn new(settings: ShadowSettings) -> Self {
        Self { settings, unanswered: Arc::default(), second: Mutex::default() }
    }

    /// Counts a client's request that is now under way; none for messages of services and of the HTTP API, which have no
    /// connection.
    pub(crate) fn begin(&self, message: &Message, thing: &ThingName) -> Result<Option<Unanswered>, Throttled> {
        let origin = &message.origin;
        if self.settings.in_flight_max == 0 || origin.client_id.is_none() {
            return Ok(None);
        }
        let key = (Arc::as_ptr(origin).addr(), thing.clone());
        let mut counts = self.unanswered.lock();
        let count = counts.entry(key.clone()).or_insert(0);
        if *count >= self.settings.in_flight_max {
            return Err(Throttled);
        }
        *count += 1;
        drop(counts);
        Ok(Some(Unanswered { key, counts: Arc::clone(&self.unanswered), _origin: Arc::clone(origin) }))
    }

    /// Counts a request in the second in which it came. A second begins afresh, so that nothing is kept of quiet things.
    pub(crate) fn pass(&self, thing: &ThingName, now: Timestamp) -> Result<(), Throttled> {
        let ShadowSettings { requests_per_second_per_thing_max: each, requests_per_second_max: all, .. } =
            self.settings;
        if each == 0 && all == 0 {
            return Ok(());
        }
        let mut second = self.second.lock();
        // An older second, of a request that waited, counts in the one that runs.
        if now.as_seconds() > second.seconds {
            *second = Second { seconds: now.as_seconds(), ..Second::default() };
        }
        if all > 0 && second.all >= all {
            return Err(Throttled);
        }
        if each > 0 {
            let of_thing = second.by_thing.entry(thing.clone()).or_insert(0);
            if *of_thing >= each {
                return Err(Throttled);
            }
            *of_thing += 1;
        }
        second.all += 1;
        Ok(())
    }
}

impl Drop for Unanswered {
    fn drop(&mut self) {
        let mut counts = self.counts.lock();
        if let Some(count) = counts.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use message::{QoS, TopicName};

    use super::*;

    fn thing(name: &str) -> ThingName {
        ThingName::new(name).unwrap()
    }

    fn message(origin: &Arc<Origin>) -> Message {
        Message {
            topic: TopicName::new("$aws/things/t/shadow/get").unwrap(),
            payload: Default::default(),
            qos: QoS::AtMostOnce,
            retain: false,
            properties: None,
            received_at: Timestamp::from_millis(0),
            origin: Arc::clone(origin),
        }
    }

    fn client() -> Arc<Origin> {
        Arc::new(Origin { client_id: Some(Arc::from("c")), ..Origin::default() })
    }

    #[test]
    fn ten_requests_of_a_connection_and_a_thing_may_be_unanswered() {
        let throttle = Throttle::new(ShadowSettings::default());
        let (one, other, service) = (client(), client(), Arc::new(Origin::default()));
        let mut unanswered: Vec<_> = (0..10).map(|_| throttle.begin(&message(&one), &thing("t")).unwrap()).collect();
        assert_eq!(throttle.begin(&message(&one), &thing("t")).err(), Some(Throttled));
        assert!(throttle.begin(&message(&one), &thing("u")).is_ok());
        assert!(throttle.begin(&message(&other), &thing("t")).is_ok());
        assert!((0..99).all(|_| throttle.begin(&message(&service), &thing("t")).is_ok_and(|none| none.is_none())));
        unanswered.pop();
        unanswered.extend(throttle.begin(&message(&one), &thing("t")));
        assert_eq!(throttle.begin(&message(&one), &thing("t")).err(), Some(Throttled));
        drop(unanswered);
        assert!(throttle.unanswered.lock().is_empty());
        let unbounded = Throttle::new(ShadowSettings { in_flight_max: 0, ..ShadowSettings::default() });
        assert!((0..99).all(|_| unbounded.begin(&message(&one), &thing("t")).is_ok_and(|none| none.is_none())));
    }

    #[test]
    fn each_second_has_its_own_count() {
        let settings = ShadowSettings {
            requests_per_second_per_thing_max: 2,
            requests_per_second_max: 5,
            ..ShadowSettings::default()
        };
        let throttle = Throttle::new(settings);
        let check = |name: &str, millis: u64, expected: bool| {
            let passed = throttle.pass(&thing(name), Timestamp::from_millis(millis)).is_ok();
            assert_eq!(passed, expected, "{name} at {millis}");
        };
        check("a", 1000, true);
        check("a", 1999, true);
        check("a", 1999, false);
        check("b", 1999, true);
        check("c", 1999, true);
        check("d", 1999, true);
        check("e", 1999, false);
        check("a", 2000, true);
        check("e", 2000, true);
        check("a", 1999, true);
        check("a", 1000, false);
    }
}
