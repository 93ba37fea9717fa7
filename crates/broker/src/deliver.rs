//! A connected client: its session, its subscriptions, and the way from its mailbox to its output.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use bytes::BytesMut;
use message::Origin;
use router::{Delivery, MailboxClosed, Publisher, RetainedCursor, RetainedWrite, Subscriber};
use session::Delivered;
use tracing::{info, warn};

use crate::authorize::Authorizer;
use crate::clients::Broker;
use crate::exchange::{Now, Progress};
use crate::identity::Peer;
use crate::metrics::count;

/// Everything a connected client has on this side.
pub(crate) struct Client {
    pub(crate) broker: Arc<Broker>,
    pub(crate) session: session::Connected,
    pub(crate) subscriber: Subscriber,
    pub(crate) publisher: Publisher,
    pub(crate) authorizer: Authorizer,
    pub(crate) origin: Arc<Origin>,
    /// Retained messages owed to new subscriptions.
    pub(crate) retained: VecDeque<RetainedCursor>,
    /// Retained messages that were published and are not on disk yet.
    pub(crate) unsettled: Vec<RetainedWrite>,
    /// Taken from the mailbox and not yet written, because the window was full.
    pending: VecDeque<Delivery>,
    drained: Vec<Delivery>,
}

/// Output that one call may write before the door has sent it.
const OUTPUT_BYTES_MAX: usize = 256 * 1024;
/// Deliveries taken from the mailbox at a time.
const DELIVERIES_PER_DRAIN: usize = 128;

impl Client {
    pub(crate) fn new(
        broker: Arc<Broker>,
        peer: &Peer,
        session: session::Connected,
        subscriber: Subscriber,
        authorizer: Authorizer,
    ) -> Self {
        let origin = Origin {
            client_id: Some(Arc::from(session.client_id().as_str())),
            principal: peer.identity.principal(),
            source_ip: Some(peer.source_ip),
            is_will: false,
        };
        let publisher = broker.router().publisher();
        broker.metrics().connections.fetch_add(1, Ordering::Relaxed);
        Self {
            broker,
            session,
            subscriber,
            publisher,
            authorizer,
            origin: Arc::new(origin),
            retained: VecDeque::new(),
            unsettled: Vec::new(),
            pending: VecDeque::new(),
            drained: Vec::new(),
        }
    }

    /// While the window is full nothing more can be written, but the end must still be seen.
    pub(crate) fn poll_deliverable(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let mailbox = self.subscriber.mailbox();
        if self.session.window_is_full() {
            return mailbox.poll_closed(context).map(|_| ());
        }
        if !self.pending.is_empty() || !self.retained.is_empty() {
            return Poll::Ready(());
        }
        mailbox.poll_waiting(context).map(|_| ())
    }

    /// Ready when the client is to be disconnected, whatever still waits for it.
    pub(crate) fn poll_closed(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.subscriber.mailbox().poll_closed(context).map(|_| ())
    }

    pub(crate) fn deliver(&mut self, out: &mut BytesMut) -> Progress {
        if let Some(reason) = self.subscriber.mailbox().closed() {
            return self.closed(reason);
        }
        while out.len() < OUTPUT_BYTES_MAX && !self.session.window_is_full() {
            if self.pending.is_empty() && !self.refill() {
                break;
            }
            while let Some(delivery) = self.pending.pop_front() {
                if !self.write(&delivery, out) {
                    self.pending.push_front(delivery);
                    break;
                }
                if out.len() >= OUTPUT_BYTES_MAX {
                    break;
                }
            }
        }
        if self.pending.is_empty() && self.pending.capacity() > DELIVERIES_PER_DRAIN {
            self.pending = VecDeque::new();
        }
        Progress::Open
    }

    /// Fetches what is to be written next; answers whether there was anything.
    fn refill(&mut self) -> bool {
        while let Some(cursor) = self.retained.front_mut() {
            match cursor.next_page() {
                Ok(page) if page.is_empty() => drop(self.retained.pop_front()),
                Ok(page) => {
                    self.pending.extend(page);
                    return true;
                }
                Err(error) => {
                    warn!(client_id = %self.session.client_id(), %error, "retained messages cannot be read");
                    self.retained.pop_front();
                }
            }
        }
        self.subscriber.mailbox().drain(&mut self.drained, DELIVERIES_PER_DRAIN);
        self.pending.extend(self.drained.drain(..));
        !self.pending.is_empty()
    }

    /// Writes one delivery, or drops it when the policies say that this client may not receive it. False when the
    /// window is full.
    fn write(&mut self, delivery: &Delivery, out: &mut BytesMut) -> bool {
        if !self.authorizer.may_receive(&delivery.message.topic) {
            return true;
        }
        match self.session.deliver(&delivery.message, delivery.qos, delivery.retain, out) {
            Delivered::Written => {
                count(&self.broker.metrics().messages_sent);
                true
            }
            Delivered::WindowFull => false,
        }
    }

    fn closed(&self, reason: MailboxClosed) -> Progress {
        info!(client_id = %self.session.client_id(), ?reason, "closing");
        Progress::Close
    }

    pub(crate) fn is_settled(&self) -> bool {
        self.unsettled.is_empty() && !self.publisher.is_congested()
    }

    pub(crate) async fn settle(&mut self) -> Progress {
        // In order; those that are durable already answer at once.
        for write in self.unsettled.drain(..) {
            if let Err(error) = write.await {
                warn!(client_id = %self.session.client_id(), %error, "a retained message could not be stored: closing");
                return Progress::Close;
            }
        }
        self.publisher.wait_for_room().await;
        Progress::Open
    }

    pub(crate) async fn end(mut self, why: &str, now: Now) {
        info!(client_id = %self.session.client_id(), why, "disconnected");
        self.publish_will(now);
        let _ = self.settle().await; // a failure is logged there, and nobody is left to be told
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.broker.leave(self.session.client_id(), self.subscriber.mailbox());
        self.broker.metrics().connections.fetch_sub(1, Ordering::Relaxed);
    }
}
