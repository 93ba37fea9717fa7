//! How many subscriptions the connection holds. Who gets which message is the router's question; here they are only
//! counted, because the limit is a rule of the connection (AWS quotas, message broker).

use std::collections::BTreeSet;

use message::TopicFilter;
use mqtt_codec::{PacketId, SubAckCode};

/// The filters held, and those asked for in a SUBSCRIBE that the broker has not answered.
#[derive(Debug)]
pub(crate) struct Subscriptions {
    held: BTreeSet<TopicFilter>,
    max: usize,
    asked: Vec<Asked>,
}

/// The filters of one SUBSCRIBE that were new, with their places in it.
#[derive(Debug)]
struct Asked {
    packet_id: PacketId,
    new: Vec<(usize, TopicFilter)>,
}

impl Subscriptions {
    /// At most `max` filters are held.
    pub(crate) fn new(max: usize) -> Self {
        Self { held: BTreeSet::new(), max, asked: Vec::new() }
    }

    /// Whether each filter of a SUBSCRIBE is beyond the limit. A filter that is held is replaced [MQTT-3.8.4-3] and
    /// never beyond it.
    pub(crate) fn ask<'a>(
        &mut self,
        packet_id: PacketId,
        filters: impl IntoIterator<Item = &'a TopicFilter>,
    ) -> Vec<bool> {
        let mut new = Vec::new();
        let mut over_limit = Vec::new();
        for (place, filter) in filters.into_iter().enumerate() {
            let held = self.held.contains(filter);
            let over = !held && self.held.len() >= self.max;
            if !held && !over {
                self.held.insert(filter.clone());
                new.push((place, filter.clone()));
            }
            over_limit.push(over);
        }
        self.asked.push(Asked { packet_id, new });
        over_limit
    }

    /// The broker's answer: a new filter that it did not grant is not held.
    pub(crate) fn answered(&mut self, packet_id: PacketId, codes: &[SubAckCode]) {
        let Some(place) = self.asked.iter().position(|asked| asked.packet_id == packet_id) else {
            return;
        };
        for (place, filter) in self.asked.remove(place).new {
            if !matches!(codes.get(place), Some(SubAckCode::Granted(_))) {
                self.held.remove(&filter);
            }
        }
    }

    pub(crate) fn remove(&mut self, filter: &TopicFilter) {
        self.held.remove(filter);
    }
}

#[cfg(test)]
mod tests {
    use message::QoS;

    use super::*;

    #[test]
    fn only_granted_filters_count() {
        let [a, b, c, d] = ["a", "b", "c", "d"].map(|text| TopicFilter::new(text).unwrap());
        let granted = SubAckCode::Granted(QoS::AtMostOnce);
        let mut subscriptions = Subscriptions::new(2);
        let mut check = |filters: &[&TopicFilter], expected: &[bool], codes: &[SubAckCode]| {
            assert_eq!(subscriptions.ask(PacketId::MIN, filters.iter().copied()), expected, "{filters:?}");
            subscriptions.answered(PacketId::MIN, codes);
        };
        check(
            &[&a, &a, &b, &c],
            &[false, false, false, true],
            &[granted, granted, SubAckCode::Failure, SubAckCode::Failure],
        );
        check(&[&c, &d], &[false, true], &[granted, SubAckCode::Failure]);
        check(&[&a], &[false], &[SubAckCode::Failure]);
        check(&[&d], &[true], &[SubAckCode::Failure]);
        subscriptions.remove(&a);
        assert_eq!(subscriptions.ask(PacketId::MIN, [&d]), [false]);
    }
}
