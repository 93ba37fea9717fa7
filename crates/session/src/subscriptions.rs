//! How many subscriptions the connection holds. Who gets which message is the router's question; here they are only
//! counted, because the limit is a rule of the connection (AWS quotas, message broker).

use std::collections::BTreeSet;

use message::TopicFilter;
use mqtt_codec::{PacketId, ReasonCode};
use names::limits;

/// The filters held, and those asked for in a SUBSCRIBE that the broker has not answered.
#[derive(Debug)]
pub(crate) struct Subscriptions {
    held: BTreeSet<TopicFilter>,
    max: usize,
    /// What the held filters take, see [`limits::SUBSCRIPTION_BYTES_PER_CONNECTION_MAX`].
    bytes: usize,
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
        Self { held: BTreeSet::new(), max, bytes: 0, asked: Vec::new() }
    }

    /// Whether each filter of a SUBSCRIBE is beyond the limit. A filter that is held is replaced [MQTT-3.8.4-3] and
    /// never beyond it; what is no filter stands in its place as none.
    pub(crate) fn ask<'a>(
        &mut self,
        packet_id: PacketId,
        filters: impl IntoIterator<Item = Option<&'a TopicFilter>>,
    ) -> Vec<bool> {
        let mut new = Vec::new();
        let mut over_limit = Vec::new();
        for (place, filter) in filters.into_iter().enumerate() {
            let Some(filter) = filter else {
                over_limit.push(false);
                continue;
            };
            let held = self.held.contains(filter);
            let is_too_much = self.bytes + bytes_of(filter) > limits::SUBSCRIPTION_BYTES_PER_CONNECTION_MAX;
            let over = !held && (self.held.len() >= self.max || is_too_much);
            if !held && !over {
                self.bytes += bytes_of(filter);
                self.held.insert(filter.clone());
                new.push((place, filter.clone()));
            }
            over_limit.push(over);
        }
        self.asked.push(Asked { packet_id, new });
        over_limit
    }

    /// The broker's answer: a new filter that it did not grant is not held.
    pub(crate) fn answered(&mut self, packet_id: PacketId, reasons: &[ReasonCode]) {
        let Some(place) = self.asked.iter().position(|asked| asked.packet_id == packet_id) else {
            return;
        };
        for (place, filter) in self.asked.remove(place).new {
            if reasons.get(place).is_none_or(|reason| reason.is_error()) {
                self.remove(&filter);
            }
        }
    }

    /// A subscription of the session's past.
    pub(crate) fn hold(&mut self, filter: TopicFilter) {
        let bytes = bytes_of(&filter);
        if self.held.insert(filter) {
            self.bytes += bytes;
        }
    }

    pub(crate) fn remove(&mut self, filter: &TopicFilter) {
        if self.held.remove(filter) {
            self.bytes -= bytes_of(filter);
        }
    }
}

/// What a filter takes in the filter tree at most, when it shares no level with others.
fn bytes_of(filter: &TopicFilter) -> usize {
    filter.as_str().len() + 512 * filter.levels().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_granted_filters_count() {
        let [a, b, c, d] = ["a", "b", "c", "d"].map(|text| TopicFilter::new(text).unwrap());
        let (granted, refused) = (ReasonCode::Success, ReasonCode::NotAuthorized);
        let mut subscriptions = Subscriptions::new(2);
        let mut check = |filters: &[&TopicFilter], expected: &[bool], reasons: &[ReasonCode]| {
            assert_eq!(subscriptions.ask(PacketId::MIN, filters.iter().copied().map(Some)), expected, "{filters:?}");
            subscriptions.answered(PacketId::MIN, reasons);
        };
        check(&[&a, &a, &b, &c], &[false, false, false, true], &[granted, granted, refused, refused]);
        check(&[&c, &d], &[false, true], &[granted, refused]);
        check(&[&a], &[false], &[refused]);
        check(&[&d], &[true], &[refused]);
        subscriptions.remove(&a);
        assert_eq!(subscriptions.ask(PacketId::MIN, [Some(&d)]), [false]);
    }

    /// A filter of 127 levels takes about 66 KB, so a few thousand of them are as many as there may be.
    #[test]
    fn deep_filters_count_for_what_they_take() {
        let mut subscriptions = Subscriptions::new(limits::SUBSCRIPTIONS_PER_CONNECTION_MAX);
        let deep = |n: usize| TopicFilter::new(&format!("{n}{}", "/x".repeat(126))).unwrap();
        let granted =
            (0..20_000).take_while(|&n| subscriptions.ask(PacketId::MIN, [Some(&deep(n))]) == [false]).count();
        assert!((7_000..9_000).contains(&granted), "{granted}");
        subscriptions.remove(&deep(0));
        assert_eq!(subscriptions.ask(PacketId::MIN, [Some(&deep(0))]), [false]);
    }
}
