//! A subscriber's bounded queue: appended to under a short lock, drained in batches by the subscriber's own task.
//!
//! Above the soft limit a connection's mailbox drops QoS 0 and holds QoS 1, and above the hard limit it is given up.
//! Stored messages never fill it: those that find no room are read from the disk later.
//! A service's mailbox asks publishers to wait above the soft limit, and drops above the hard one. Publishers that do not
//! wait, or not for long, can reach that.

use std::collections::VecDeque;
use std::task::{Context, Poll, Waker};

use message::QoS;
use names::limits;
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::delivery::Delivery;

/// What happens when a mailbox is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overflow {
    /// A client's connection: drop QoS 0, hold QoS 1, give up above the hard limit.
    Connection,
    /// A service inside the house: publishers wait.
    Service,
}

/// Why a mailbox takes nothing more. The subscriber's task sees it after the messages that came before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailboxClosed {
    /// The subscriber did not keep up.
    Overflowed,
    /// A new connection took the client id over.
    TakenOver,
    /// The identity behind the subscriber lost its right to be connected.
    Revoked,
    /// The server is shutting down.
    ShuttingDown,
    /// Somebody asked for it by an API (AWS IoT API reference, DeleteConnection).
    Api {
        /// The will is not published.
        prevent_will: bool,
        /// The session ends with the connection.
        clean_session: bool,
    },
    /// The connection has lived as long as it may.
    TimeToLive,
    /// What is stored for the subscriber cannot be read.
    StoreFailed,
}

/// A bounded queue of deliveries with one reader.
#[derive(Debug)]
pub struct Mailbox {
    overflow: Overflow,
    /// Publishers are acknowledged when the reader is done with a message ([`Delivery::confirm`]), not when it has it.
    confirms: bool,
    queue: Mutex<Queue>,
    room: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    deliveries: VecDeque<Delivery>,
    bytes: usize,
    closed: Option<MailboxClosed>,
    /// Stored messages came for which there was no room: they must be read from the disk.
    is_behind: bool,
    reader: Option<Waker>,
}

/// What became of one delivery.
pub(crate) enum Pushed {
    /// It waits for the reader, who is to be woken if a waker is given.
    Queued { wake: Option<Waker>, is_congested: bool },
    /// It was dropped by the overflow policy, or the mailbox is closed.
    Dropped,
    /// The mailbox went over its hard limit with it and is closed now.
    GivenUp { wake: Option<Waker> },
}

/// How full a mailbox is with one message more.
struct Filling {
    bytes: usize,
    is_congested: bool,
    is_full: bool,
}

impl Queue {
    fn filling(&self, message_bytes: usize) -> Filling {
        let (bytes, waiting) = (self.bytes + message_bytes, self.deliveries.len());
        Filling {
            bytes,
            is_congested: waiting >= limits::MAILBOX_MESSAGES_SOFT || bytes > limits::MAILBOX_BYTES_SOFT,
            is_full: waiting >= limits::MAILBOX_MESSAGES_HARD || bytes > limits::MAILBOX_BYTES_HARD,
        }
    }
}

impl Mailbox {
    pub(crate) fn new(overflow: Overflow) -> Self {
        Self { overflow, confirms: false, queue: Mutex::default(), room: Notify::new() }
    }

    /// A service's, which confirms.
    pub(crate) fn confirming() -> Self {
        Self { confirms: true, ..Self::new(Overflow::Service) }
    }

    /// Whether publishers wait until the reader is done with a message.
    pub(crate) fn confirms(&self) -> bool {
        self.confirms
    }

    pub(crate) fn push(&self, delivery: Delivery) -> Pushed {
        let mut queue = self.queue.lock();
        if queue.closed.is_some() {
            return Pushed::Dropped;
        }
        let Filling { bytes, is_congested, is_full } = queue.filling(delivery.message.bytes());
        match self.overflow {
            Overflow::Connection if is_congested && delivery.qos == QoS::AtMostOnce => return Pushed::Dropped,
            Overflow::Connection if is_full => {
                queue.closed = Some(MailboxClosed::Overflowed);
                return Pushed::GivenUp { wake: queue.reader.take() };
            }
            Overflow::Service if is_full => return Pushed::Dropped,
            _ => {}
        }
        queue.bytes = bytes;
        queue.deliveries.push_back(delivery);
        Pushed::Queued { wake: queue.reader.take(), is_congested: is_congested && self.overflow == Overflow::Service }
    }

    /// Puts a delivery for this subscriber alone and wakes it; false when there is no room.
    pub fn put(&self, delivery: Delivery) -> bool {
        let wake = match self.push(delivery) {
            Pushed::Queued { wake, .. } => wake,
            Pushed::Dropped | Pushed::GivenUp { .. } => return false,
        };
        if let Some(reader) = wake {
            reader.wake();
        }
        true
    }

    /// Puts a stored message, which is on the disk already; gives the reader to wake.
    pub(crate) fn push_stored(&self, delivery: Delivery) -> Option<Waker> {
        let mut queue = self.queue.lock();
        if queue.closed.is_some() || queue.is_behind {
            return None;
        }
        let Filling { bytes, is_congested, .. } = queue.filling(delivery.message.bytes());
        if is_congested {
            queue.is_behind = true;
        } else {
            queue.bytes = bytes;
            queue.deliveries.push_back(delivery);
        }
        queue.reader.take()
    }

    /// A stored message came that only the disk has; gives the reader to wake.
    pub(crate) fn fall_behind(&self) -> Option<Waker> {
        let mut queue = self.queue.lock();
        if std::mem::replace(&mut queue.is_behind, true) { None } else { queue.reader.take() }
    }

    /// Whether the disk has stored messages that did not come here; from now on new ones do again. Read the disk after
    /// this: what is not found there comes here.
    pub fn catch_up(&self) -> bool {
        std::mem::take(&mut self.queue.lock().is_behind)
    }

    /// Whether a message of so many bytes, at this QoS, would be queued.
    pub(crate) fn has_room_for(&self, qos: QoS, bytes: usize) -> bool {
        let queue = self.queue.lock();
        let Filling { is_congested, is_full, .. } = queue.filling(bytes);
        queue.closed.is_none() && !is_full && (qos > QoS::AtMostOnce || !is_congested)
    }

    /// Moves up to `max` deliveries into `buffer`; answers how many.
    pub fn drain(&self, buffer: &mut Vec<Delivery>, max: usize) -> usize {
        let mut queue = self.queue.lock();
        let count = queue.deliveries.len().min(max);
        let bytes: usize = queue.deliveries.iter().take(count).map(|delivery| delivery.message.bytes()).sum();
        queue.bytes -= bytes;
        buffer.extend(queue.deliveries.drain(..count));
        if queue.deliveries.is_empty() && queue.deliveries.capacity() > 64 {
            queue.deliveries = VecDeque::new();
        }
        let has_room = queue.deliveries.len() < limits::MAILBOX_MESSAGES_SOFT;
        drop(queue);
        if has_room && count > 0 && self.overflow == Overflow::Service {
            self.room.notify_waiters();
        }
        count
    }

    /// Takes everything that waits, in one move, into `buffer`, which must be empty; answers whether there was anything.
    /// What is taken does not count towards the limits any more.
    pub fn take(&self, buffer: &mut VecDeque<Delivery>) -> bool {
        debug_assert!(buffer.is_empty(), "deliveries would be lost");
        let mut queue = self.queue.lock();
        std::mem::swap(&mut queue.deliveries, buffer);
        queue.bytes = 0;
        drop(queue);
        if self.overflow == Overflow::Service {
            self.room.notify_waiters();
        }
        !buffer.is_empty()
    }

    /// Gives back the memory of a queue that was long once.
    pub fn shrink(&self) {
        let mut queue = self.queue.lock();
        if queue.deliveries.is_empty() && queue.deliveries.capacity() > 0 {
            queue.deliveries = VecDeque::new();
        }
    }

    /// Ready when there is something to drain, or when the mailbox is closed and empty.
    pub fn poll_waiting(&self, context: &mut Context<'_>) -> Poll<Result<(), MailboxClosed>> {
        let mut queue = self.queue.lock();
        if !queue.deliveries.is_empty() || (queue.is_behind && queue.closed.is_none()) {
            return Poll::Ready(Ok(()));
        }
        if let Some(reason) = queue.closed {
            return Poll::Ready(Err(reason));
        }
        match &mut queue.reader {
            Some(waker) => waker.clone_from(context.waker()),
            none => *none = Some(context.waker().clone()),
        }
        Poll::Pending
    }

    /// Ready when the mailbox is closed, whatever still waits in it.
    pub fn poll_closed(&self, context: &mut Context<'_>) -> Poll<MailboxClosed> {
        let mut queue = self.queue.lock();
        if let Some(reason) = queue.closed {
            return Poll::Ready(reason);
        }
        queue.reader = Some(context.waker().clone());
        Poll::Pending
    }

    /// Why the mailbox is closed, if it is.
    pub fn closed(&self) -> Option<MailboxClosed> {
        self.queue.lock().closed
    }

    /// Closes the mailbox and wakes its reader; the first reason stays.
    pub fn close(&self, reason: MailboxClosed) {
        let reader = {
            let mut queue = self.queue.lock();
            queue.closed.get_or_insert(reason);
            queue.reader.take()
        };
        self.room.notify_waiters();
        if let Some(reader) = reader {
            reader.wake();
        }
    }

    /// Waits until a service's mailbox is below its soft limit or closed.
    pub(crate) async fn wait_for_room(&self) {
        loop {
            let room = self.room.notified();
            if !self.is_congested() {
                return;
            }
            room.await;
        }
    }

    /// Whether publishers are to wait: a service's mailbox above its soft limit.
    pub(crate) fn is_congested(&self) -> bool {
        let queue = self.queue.lock();
        self.overflow == Overflow::Service
            && queue.closed.is_none()
            && (queue.deliveries.len() >= limits::MAILBOX_MESSAGES_SOFT || queue.bytes > limits::MAILBOX_BYTES_SOFT)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use message::{Message, Origin, TopicName};
    use names::Timestamp;

    use super::*;

    fn delivery(qos: QoS, payload_bytes: usize) -> Delivery {
        delivery_on("t", qos, payload_bytes)
    }

    fn delivery_on(topic: &str, qos: QoS, payload_bytes: usize) -> Delivery {
        let message = Message {
            topic: TopicName::new(topic.to_owned()).unwrap(),
            payload: vec![0; payload_bytes].into(),
            qos,
            retain: false,
            properties: None,
            received_at: Timestamp::from_millis(0),
            origin: Arc::new(Origin::default()),
        };
        Delivery::plain(Arc::new(message), qos, false)
    }

    fn is_queued(mailbox: &Mailbox, qos: QoS, payload_bytes: usize) -> bool {
        matches!(mailbox.push(delivery(qos, payload_bytes)), Pushed::Queued { .. })
    }

    /// All of a packet may be user properties.
    #[test]
    fn properties_count_as_bytes() {
        let mailbox = Mailbox::new(Overflow::Connection);
        let mut delivery = delivery(QoS::AtLeastOnce, 0);
        let pair = ("n".repeat(limits::MAILBOX_BYTES_HARD / 2).into(), "v".into());
        let properties = message::Properties { user_properties: vec![pair], ..Default::default() };
        Arc::make_mut(&mut delivery.message).properties = Some(Arc::new(properties));
        assert!(matches!(mailbox.push(delivery.clone()), Pushed::Queued { .. }));
        assert!(!mailbox.has_room_for(QoS::AtLeastOnce, delivery.message.bytes()));
        assert!(matches!(mailbox.push(delivery), Pushed::GivenUp { .. }));
    }

    #[test]
    fn a_slow_connection_loses_qos_0_keeps_qos_1_and_is_given_up_at_the_hard_limit() {
        let mailbox = Mailbox::new(Overflow::Connection);
        for _ in 0..limits::MAILBOX_MESSAGES_SOFT {
            assert!(is_queued(&mailbox, QoS::AtMostOnce, 1));
        }
        assert!(!is_queued(&mailbox, QoS::AtMostOnce, 1));
        for _ in limits::MAILBOX_MESSAGES_SOFT..limits::MAILBOX_MESSAGES_HARD {
            assert!(is_queued(&mailbox, QoS::AtLeastOnce, 1));
        }
        assert!(matches!(mailbox.push(delivery(QoS::AtLeastOnce, 1)), Pushed::GivenUp { .. }));
        assert_eq!(mailbox.closed(), Some(MailboxClosed::Overflowed));
        assert!(!is_queued(&mailbox, QoS::AtLeastOnce, 1), "a closed mailbox takes nothing");
    }

    #[test]
    fn bytes_are_bounded_as_well_as_messages() {
        let mailbox = Mailbox::new(Overflow::Connection);
        assert!(is_queued(&mailbox, QoS::AtMostOnce, limits::MAILBOX_BYTES_SOFT - 1));
        assert!(!is_queued(&mailbox, QoS::AtMostOnce, 1));
        assert_eq!(mailbox.drain(&mut Vec::new(), 10), 1);
        assert!(is_queued(&mailbox, QoS::AtMostOnce, 1), "draining makes room");
    }

    #[test]
    fn long_topics_count_as_payloads_do() {
        let mailbox = Mailbox::new(Overflow::Connection);
        let topic = "t".repeat(65_535);
        let pushed = (0..limits::MAILBOX_MESSAGES_HARD)
            .take_while(|_| matches!(mailbox.push(delivery_on(&topic, QoS::AtLeastOnce, 0)), Pushed::Queued { .. }));
        assert_eq!(pushed.count(), limits::MAILBOX_BYTES_HARD / 65_535);
        assert_eq!(mailbox.closed(), Some(MailboxClosed::Overflowed));
    }

    #[test]
    fn a_service_asks_its_publishers_to_wait_and_drops_only_above_the_hard_limit() {
        let mailbox = Mailbox::new(Overflow::Service);
        for n in 0..limits::MAILBOX_MESSAGES_HARD {
            let Pushed::Queued { is_congested, .. } = mailbox.push(delivery(QoS::AtMostOnce, 1)) else {
                panic!("message {n} was dropped");
            };
            assert_eq!(is_congested, n >= limits::MAILBOX_MESSAGES_SOFT);
        }
        assert!(!is_queued(&mailbox, QoS::AtLeastOnce, 1));
        assert_eq!(mailbox.closed(), None);
    }

    #[test]
    fn what_was_queued_before_the_close_is_still_read() {
        let mailbox = Mailbox::new(Overflow::Connection);
        assert!(is_queued(&mailbox, QoS::AtMostOnce, 1));
        mailbox.close(MailboxClosed::TakenOver);
        mailbox.close(MailboxClosed::ShuttingDown);
        let mut context = Context::from_waker(Waker::noop());
        assert_eq!(mailbox.poll_waiting(&mut context), Poll::Ready(Ok(())));
        assert_eq!(mailbox.drain(&mut Vec::new(), 10), 1);
        assert_eq!(mailbox.poll_waiting(&mut context), Poll::Ready(Err(MailboxClosed::TakenOver)));
    }
}
