//! A connected client: its session, its subscriptions, and the way from its mailbox to its output.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use bytes::BytesMut;
use message::{Origin, TopicFilter};
use router::{Delivery, MailboxClosed, Publisher, RetainedCursor, RetainedWrite, Subscriber};
use session::Delivered;
use tracing::{info, warn};
use uuid::Uuid;

use crate::authorize::Authorizer;
use crate::clients::Broker;
use crate::exchange::{DisconnectReason, Now, Progress};
use crate::identity::Peer;
use crate::presence::{self, Event, Subject};

/// Everything a connected client has on this side.
pub(crate) struct Client {
    pub(crate) broker: Arc<Broker>,
    pub(crate) session: session::Connected,
    pub(crate) subscriber: Subscriber,
    pub(crate) publisher: Publisher,
    pub(crate) authorizer: Authorizer,
    pub(crate) origin: Arc<Origin>,
    visit: Visit,
    /// Retained messages owed to new subscriptions. One entry a filter: subscribing again starts its entry anew, so
    /// that a client which takes nothing cannot pile them up.
    pub(crate) retained: BTreeMap<TopicFilter, RetainedCursor>,
    /// Retained messages that were published and are not on disk yet.
    pub(crate) unsettled: Vec<RetainedWrite>,
    /// Taken from the mailbox and not yet written, because the window was full.
    pending: VecDeque<Delivery>,
    /// Counted here for a batch, then added to what all connections share.
    pub(crate) messages_received: u64,
    messages_sent: u64,
}

/// What names this connection among all of its client id.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Visit {
    pub(crate) session_id: Uuid,
    pub(crate) version: u64,
}

/// Output that one call may write before the door has sent it.
const OUTPUT_BYTES_MAX: usize = 256 * 1024;

impl Client {
    pub(crate) fn new(
        broker: Arc<Broker>,
        peer: &Peer,
        session: session::Connected,
        subscriber: Subscriber,
        authorizer: Authorizer,
        visit: Visit,
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
            visit,
            retained: BTreeMap::new(),
            unsettled: Vec::new(),
            pending: VecDeque::new(),
            messages_received: 0,
            messages_sent: 0,
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
    pub(crate) fn poll_closed(&mut self, context: &mut Context<'_>) -> Poll<DisconnectReason> {
        self.subscriber.mailbox().poll_closed(context).map(reason_of)
    }

    pub(crate) fn deliver(&mut self, out: &mut BytesMut) -> Progress {
        if let Some(reason) = self.subscriber.mailbox().closed() {
            return Progress::Close(reason_of(reason));
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
        let sent = std::mem::take(&mut self.messages_sent);
        self.broker.metrics().messages_sent.fetch_add(sent, Ordering::Relaxed);
        Progress::Open
    }

    /// A read has been handled whole: whoever got something is woken, once.
    pub(crate) fn received(&mut self) {
        let received = std::mem::take(&mut self.messages_received);
        self.broker.metrics().messages_received.fetch_add(received, Ordering::Relaxed);
        self.publisher.wake();
    }

    /// Gives back the buffers that only a busy connection needs.
    pub(crate) fn rest(&mut self) {
        if self.pending.is_empty() && self.pending.capacity() > 0 {
            self.pending = VecDeque::new();
            self.subscriber.mailbox().shrink();
        }
    }

    /// Fetches what is to be written next; answers whether there was anything.
    fn refill(&mut self) -> bool {
        while let Some(mut owed) = self.retained.first_entry() {
            match owed.get_mut().next_page() {
                Ok(page) if page.is_empty() => drop(owed.remove()),
                Ok(page) => {
                    self.pending.extend(page);
                    return true;
                }
                Err(error) => {
                    warn!(client_id = %self.session.client_id(), %error, "retained messages cannot be read");
                    owed.remove();
                }
            }
        }
        self.subscriber.mailbox().take(&mut self.pending)
    }

    /// Writes one delivery, or drops it when the policies say that this client may not receive it. False when the
    /// window is full.
    fn write(&mut self, delivery: &Delivery, out: &mut BytesMut) -> bool {
        if !self.authorizer.may_receive(&delivery.message.topic) {
            return true;
        }
        match self.session.deliver(&delivery.message, delivery.qos, delivery.retain, out) {
            Delivered::Written => {
                self.messages_sent += 1;
                true
            }
            Delivered::WindowFull => false,
        }
    }

    pub(crate) fn is_settled(&self) -> bool {
        self.unsettled.is_empty()
    }

    pub(crate) async fn settle(&mut self) -> Progress {
        // In order; those that are durable already answer at once.
        let mut progress = Progress::Open;
        for write in self.unsettled.drain(..) {
            // After a failure the others are awaited too: a write that nobody awaits stays on its way for ever.
            if let Err(error) = write.await {
                warn!(client_id = %self.session.client_id(), %error, "a retained message could not be stored: closing");
                progress = Progress::Close(DisconnectReason::ServerError);
            }
        }
        progress
    }

    pub(crate) async fn end(mut self, reason: DisconnectReason, now: Now) {
        info!(client_id = %self.session.client_id(), reason = reason.as_str(), "disconnected");
        self.publish_will(now);
        self.announce(&Event::Disconnected { version: self.visit.version, reason }, now);
        self.publisher.wake();
        self.broker.leave(self.session.client_id(), self.subscriber.mailbox(), now.timestamp);
        let _ = self.settle().await; // a failure is logged there, and nobody is left to be told
    }

    /// Publishes an event about this client. Its subscribers are woken with those of what the client publishes.
    pub(crate) fn announce(&mut self, event: &Event<'_>, now: Now) {
        let client_id = self.session.client_id().as_str();
        let subject =
            Subject { client_id, principal: self.origin.principal.as_deref(), session_id: self.visit.session_id };
        if let Some(message) = presence::message(&subject, event, now.timestamp) {
            let _ = self.publisher.publish_once(message); // not retained: there is nothing to wait for
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.broker.abandon(self.session.client_id(), self.subscriber.mailbox());
        self.broker.metrics().connections.fetch_sub(1, Ordering::Relaxed);
    }
}

fn reason_of(closed: MailboxClosed) -> DisconnectReason {
    match closed {
        MailboxClosed::Overflowed => DisconnectReason::Throttled,
        MailboxClosed::TakenOver => DisconnectReason::DuplicateClientId,
        MailboxClosed::Revoked => DisconnectReason::ForbiddenAccess,
        MailboxClosed::ShuttingDown => DisconnectReason::ServerInitiatedDisconnect,
    }
}
