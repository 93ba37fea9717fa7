//! The way from a client's mailbox, and from its queue on the disk, to its output.

use std::num::NonZeroU64;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use bytes::BytesMut;
use message::QoS;
use mqtt_codec::PacketId;
use names::Timestamp;
use persistent_sessions::derived_packet_id;
use router::{Delivery, MailboxClosed};
use session::Delivered;
use tracing::warn;

use crate::client::{Client, Outstanding};
use crate::exchange::{DisconnectReason, Now, Progress};
use crate::metrics::count;
use crate::stored_session::FromDisk;

/// Output that one call may write before the door has sent it.
const OUTPUT_BYTES_MAX: usize = 256 * 1024;
/// Retained messages that one call may give to a stored session before it waits for the disk: a session that is owed a
/// hundred thousand must not hold its thread, and the store's queue, until all are kept.
const KEPT_PER_TURN: usize = 256;

/// What became of a delivery here.
#[derive(PartialEq, Eq)]
enum Written {
    /// It is written, or will never be.
    Done,
    /// The window is full: it has to wait.
    Waits,
}

/// The door's clocks, read only where the time matters.
type Clock<'a> = &'a dyn Fn() -> Now;

impl Client {
    /// While the window is full nothing more can be written, but the end must still be seen.
    pub(crate) fn poll_deliverable(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let mailbox = self.subscriber.mailbox();
        if self.session.window_is_full() {
            return mailbox.poll_closed(context).map(|_| ());
        }
        let has_more = self.stored.as_ref().is_some_and(|stored| stored.has_more());
        if has_more || !self.pending.is_empty() || !self.retained.is_empty() {
            return Poll::Ready(());
        }
        mailbox.poll_waiting(context).map(|_| ())
    }

    /// Ready when the client is to be disconnected, whatever still waits for it.
    pub(crate) fn poll_closed(&mut self, context: &mut Context<'_>) -> Poll<DisconnectReason> {
        self.subscriber.mailbox().poll_closed(context).map(reason_of)
    }

    pub(crate) fn deliver(&mut self, out: &mut BytesMut, clock: Clock<'_>) -> Progress {
        if let Some(reason) = self.subscriber.mailbox().closed() {
            return Progress::Close(reason_of(reason));
        }
        self.kept = 0;
        while out.len() < OUTPUT_BYTES_MAX && !self.session.window_is_full() && self.kept < KEPT_PER_TURN {
            let written = match self.next_from_disk() {
                Some(row) => self.write_from_disk(row, out, clock),
                None => match self.pending.pop_front() {
                    Some(delivery) => self.write_live(delivery, out, clock),
                    None if self.refill(clock) => Written::Done,
                    None => break,
                },
            };
            if written == Written::Waits {
                break;
            }
        }
        let sent = std::mem::take(&mut self.messages_sent);
        if sent > 0 {
            self.broker.metrics().messages_sent.fetch_add(sent, Ordering::Relaxed);
        }
        if self.stored.is_some() {
            self.flush();
        }
        Progress::Open
    }

    fn next_from_disk(&mut self) -> Option<FromDisk> {
        self.stored.as_mut()?.from_disk.pop_front()
    }

    fn write_from_disk(&mut self, row: FromDisk, out: &mut BytesMut, clock: Clock<'_>) -> Written {
        match row {
            FromDisk::Publish { delivery, packet_id, was_sent } => {
                let written = self.write(&delivery, packet_id, was_sent, out, clock);
                if written == Written::Waits
                    && let Some(stored) = &mut self.stored
                {
                    stored.from_disk.push_front(FromDisk::Publish { delivery, packet_id, was_sent });
                }
                written
            }
            FromDisk::Released { seq, packet_id: Some(packet_id) } => {
                self.session.release_again(packet_id, out);
                let outstanding = Outstanding { seq: NonZeroU64::new(seq), delivery: None, is_received: true };
                self.outstanding.insert(packet_id, outstanding);
                Written::Done
            }
            FromDisk::Released { packet_id: None, .. } => Written::Done, // no row has the identifier 0
        }
    }

    fn write_live(&mut self, delivery: Delivery, out: &mut BytesMut, clock: Clock<'_>) -> Written {
        let packet_id = match (delivery.seq, &mut self.stored) {
            (Some(seq), Some(stored)) => {
                if !stored.is_next(seq) {
                    return Written::Done; // it was read from the disk, or will be
                }
                PacketId::new(derived_packet_id(seq.get()))
            }
            _ => None,
        };
        let written = self.write(&delivery, packet_id, false, out, clock);
        if written == Written::Waits {
            match (delivery.seq, &mut self.stored) {
                // It counts as read: it waits with what was.
                (Some(_), Some(stored)) => {
                    stored.from_disk.push_front(FromDisk::Publish { delivery, packet_id, was_sent: false });
                }
                _ => self.pending.push_front(delivery),
            }
        }
        written
    }

    /// Writes one delivery, or drops it when the policies say that this client may not receive it, when it is larger
    /// than the client takes, or when its time is over.
    fn write(
        &mut self,
        delivery: &Delivery,
        packet_id: Option<PacketId>,
        was_sent: bool,
        out: &mut BytesMut,
        clock: Clock<'_>,
    ) -> Written {
        if !self.authorizer.may_receive(&delivery.message.topic) {
            self.settle_unwritten(delivery);
            return Written::Done;
        }
        let outgoing = session::Delivery {
            message: &delivery.message,
            qos: delivery.qos,
            retain: delivery.retain,
            subscription_ids: delivery.subscription_ids(),
            dup: was_sent,
            packet_id,
        };
        match self.session.deliver(&outgoing, self.time_of(delivery, clock), out) {
            Delivered::WindowFull => return Written::Waits,
            Delivered::Written(None) => {
                self.messages_sent += 1;
                delivery.confirm();
            }
            Delivered::Written(Some(packet_id)) => {
                self.messages_sent += 1;
                self.hold(delivery, packet_id);
            }
            Delivered::TooLarge => {
                count(&self.broker.metrics().dropped_too_large);
                self.settle_unwritten(delivery);
            }
            Delivered::Expired => {
                count(&self.broker.metrics().dropped_expired);
                self.settle_unwritten(delivery);
            }
        }
        Written::Done
    }

    /// The time, where the delivery asks for it: only what has properties can expire.
    fn time_of(&self, delivery: &Delivery, clock: Clock<'_>) -> Timestamp {
        if delivery.message.properties.is_some() { clock().timestamp } else { delivery.message.received_at }
    }

    /// Remembers what somebody keeps or waits for until the client acknowledges it.
    fn hold(&mut self, delivery: &Delivery, packet_id: PacketId) {
        if let (Some(seq), Some(stored)) = (delivery.seq, &mut self.stored) {
            stored.sent(seq, packet_id);
        }
        let is_awaited = delivery.extra.as_ref().is_some_and(|extra| extra.is_awaited());
        if delivery.seq.is_some() || is_awaited {
            let kept = is_awaited.then(|| delivery.clone());
            self.outstanding.insert(packet_id, Outstanding { seq: delivery.seq, delivery: kept, is_received: false });
        }
    }

    fn settle_unwritten(&mut self, delivery: &Delivery) {
        if let (Some(seq), Some(stored)) = (delivery.seq, &mut self.stored) {
            stored.acknowledge(seq);
        }
    }

    /// Fetches what is to be written next; answers whether there was anything. What came before goes first: retained
    /// messages of new subscriptions, then what the disk has, then the mailbox.
    fn refill(&mut self, clock: Clock<'_>) -> bool {
        if self.refill_retained(clock) {
            return true;
        }
        if self.stored.as_ref().is_some_and(|stored| stored.has_more()) && self.read_disk() {
            return true;
        }
        if !self.subscriber.mailbox().take(&mut self.pending) {
            return self.read_disk();
        }
        // Nothing stored is left in the mailbox: what only the disk has must not wait until a flood of QoS 0 ends.
        if self.stored.is_some() && self.pending.iter().all(|delivery| delivery.seq.is_none()) {
            self.read_disk();
        }
        true
    }

    fn refill_retained(&mut self, clock: Clock<'_>) -> bool {
        while let Some(mut owed) = self.retained.first_entry() {
            match owed.get_mut().next_page(clock().timestamp) {
                Ok(page) if page.is_empty() => drop(owed.remove()),
                Ok(page) => {
                    self.owe(page);
                    return true;
                }
                Err(error) => {
                    warn!(client_id = %self.session.client_id(), %error, "retained messages cannot be read");
                    owed.remove();
                }
            }
        }
        false
    }

    /// Retained messages of QoS 1 and 2 are part of the session from here on [MQTT-4.5.0-1]: one that outlives the
    /// connection keeps them on the disk, from where they come back.
    fn owe(&mut self, page: Vec<Delivery>) {
        let Some(stored) = &self.stored else { return self.pending.extend(page) };
        let id = stored.id;
        for delivery in page {
            if delivery.qos == QoS::AtMostOnce {
                self.pending.push_back(delivery);
            } else {
                self.publisher.keep(id, delivery);
                self.kept += 1;
            }
        }
        if self.publisher.must_flush() {
            self.flush();
            self.kept = KEPT_PER_TURN;
        }
    }

    fn read_disk(&mut self) -> bool {
        let Some(stored) = &mut self.stored else { return false };
        stored.read(self.broker.router().sessions(), self.subscriber.mailbox()).unwrap_or_else(|error| {
            warn!(client_id = %self.session.client_id(), %error, "queued messages cannot be read: closing");
            self.subscriber.mailbox().close(MailboxClosed::StoreFailed);
            false
        })
    }
}

pub(crate) fn reason_of(closed: MailboxClosed) -> DisconnectReason {
    match closed {
        MailboxClosed::Overflowed => DisconnectReason::Throttled,
        MailboxClosed::TakenOver => DisconnectReason::DuplicateClientId,
        MailboxClosed::Revoked => DisconnectReason::ForbiddenAccess,
        MailboxClosed::ShuttingDown => DisconnectReason::ServerInitiatedDisconnect,
        MailboxClosed::Api { .. } => DisconnectReason::ApiInitiatedDisconnect,
        MailboxClosed::TimeToLive => DisconnectReason::WebsocketTtlExpiration,
        MailboxClosed::StoreFailed => DisconnectReason::ServerError,
    }
}
