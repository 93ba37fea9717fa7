//! One publisher's window: what it has sent and what is still to arrive.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::link::Link;
use crate::template::Template;

/// What all publishers of a run send.
pub(crate) struct Message {
    pub(crate) qos: u8,
    /// Filled in for each message, when there is one.
    pub(crate) body: Option<Template>,
    pub(crate) payload: Vec<u8>,
}

/// A closed loop: no more is sent than has arrived, but for the window.
pub(crate) struct Publisher {
    number: usize,
    pub(crate) topic: Vec<u8>,
    window: usize,
    /// Deliveries that one message brings; 0 where only acknowledgements are awaited.
    copies: usize,
    /// Oldest first.
    in_flight: VecDeque<InFlight>,
    /// The sequence number of the oldest in flight.
    oldest: u64,
    unacknowledged: usize,
}

struct InFlight {
    sent_at: Instant,
    /// Deliveries still to come.
    awaited: usize,
}

impl Publisher {
    pub(crate) fn new(number: usize, topic: String, window: usize, copies: usize) -> Self {
        let in_flight = VecDeque::with_capacity(window);
        Self { number, topic: topic.into_bytes(), window, copies, in_flight, oldest: 0, unacknowledged: 0 }
    }

    /// Sends until the window is full.
    pub(crate) fn top_up(&mut self, link: &mut Link, message: &mut Message) {
        let unacknowledged_max = self.window.min(link.receive_maximum());
        let now = Instant::now();
        while self.in_flight.len() < self.window && self.unacknowledged < unacknowledged_max {
            let sequence = self.oldest + self.in_flight.len() as u64;
            if let Some(body) = &message.body {
                message.payload.clear();
                body.fill(self.number, sequence, &mut message.payload);
            }
            link.publish(message.qos, &self.topic, &message.payload);
            self.unacknowledged += usize::from(message.qos > 0);
            self.in_flight.push_back(InFlight { sent_at: now, awaited: self.copies });
        }
        link.flush();
    }

    /// A message was delivered: the `position`th that its receiver got, or the oldest when each has one receiver. Gives
    /// its age.
    pub(crate) fn delivered(&mut self, position: Option<u64>, now: Instant) -> Option<Duration> {
        let index = position.map_or(Some(0), |position| position.checked_sub(self.oldest))?;
        let entry = self.in_flight.get_mut(usize::try_from(index).ok()?)?;
        entry.awaited = entry.awaited.saturating_sub(1);
        let age = now.duration_since(entry.sent_at);
        while self.in_flight.front().is_some_and(|oldest| oldest.awaited == 0) {
            self.in_flight.pop_front();
            self.oldest += 1;
        }
        Some(age)
    }

    /// Publishes were acknowledged.
    pub(crate) fn acknowledged(&mut self, count: usize) {
        self.unacknowledged = self.unacknowledged.saturating_sub(count);
    }

    /// The oldest publish was acknowledged, and no delivery is awaited. Gives its age.
    pub(crate) fn acknowledged_oldest(&mut self, now: Instant) -> Option<Duration> {
        self.acknowledged(1);
        self.delivered(None, now)
    }

    /// Deliveries and acknowledgements still to come.
    pub(crate) fn missing(&self) -> (usize, usize) {
        (self.in_flight.iter().map(|message| message.awaited).sum(), self.unacknowledged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As if `count` messages had been sent.
    fn with_sent(count: usize, copies: usize, at: Instant) -> Publisher {
        let mut publisher = Publisher::new(0, "t".to_owned(), count, copies);
        publisher.in_flight.extend((0..count).map(|_| InFlight { sent_at: at, awaited: copies }));
        publisher.unacknowledged = count;
        publisher
    }

    #[test]
    fn one_receiver_takes_the_oldest() {
        let began = Instant::now();
        let mut publisher = with_sent(2, 1, began);
        let age = Duration::from_millis(3);
        assert_eq!(publisher.delivered(None, began + age), Some(age));
        assert_eq!(publisher.missing(), (1, 2));
        publisher.acknowledged(2);
        assert_eq!(publisher.delivered(None, began + age), Some(age));
        assert_eq!(publisher.missing(), (0, 0));
        assert_eq!(publisher.delivered(None, began + age), None, "nothing was in flight");
    }

    #[test]
    fn a_message_to_many_is_in_flight_until_the_last_has_it() {
        let now = Instant::now();
        let mut publisher = with_sent(2, 3, now);
        // One receiver is ahead of the others.
        for position in [0, 1, 0] {
            assert!(publisher.delivered(Some(position), now).is_some());
        }
        assert_eq!((publisher.in_flight.len(), publisher.missing().0), (2, 3));
        assert!(publisher.delivered(Some(0), now).is_some());
        assert_eq!((publisher.in_flight.len(), publisher.missing().0), (1, 2));
        assert!(publisher.delivered(Some(1), now).is_some());
        assert!(publisher.delivered(Some(1), now).is_some());
        assert_eq!((publisher.in_flight.len(), publisher.missing().0), (0, 0));
        assert!(publisher.delivered(Some(0), now).is_none(), "a copy too many");
    }
}
