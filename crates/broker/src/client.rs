//! A connected client: its session, its subscriptions, what it owes and what is owed to it.

use std::collections::{BTreeMap, VecDeque};
use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::BytesMut;
use message::{Origin, TopicFilter};
use mqtt_codec::{PacketId, ReasonCode};
use names::ThingName;
use router::{Delivery, Publisher, RetainedCursor, Subscriber};
use tokio::sync::oneshot;
use tracing::warn;
use uuid::Uuid;

use crate::authorize::Authorizer;
use crate::clients::Broker;
use crate::connection_info::ConnectionInfo;
use crate::exchange::{DisconnectReason, Now, Progress};
use crate::presence::{self, Event, Subject};
use crate::stored_session::StoredSession;
use crate::unsettled::{NotKept, Unsettled};

/// Everything a connected client has on this side.
pub(crate) struct Client {
    pub(crate) broker: Arc<Broker>,
    pub(crate) session: session::Connected,
    pub(crate) subscriber: Subscriber,
    pub(crate) publisher: Publisher,
    pub(crate) authorizer: Authorizer,
    pub(crate) origin: Arc<Origin>,
    pub(crate) visit: Visit,
    /// The session's part on the disk, if it outlives the connection.
    pub(crate) stored: Option<Box<StoredSession>>,
    /// Retained messages owed to new subscriptions. One entry a filter: subscribing again starts its entry anew, so
    /// that a client which takes nothing cannot pile them up.
    pub(crate) retained: BTreeMap<TopicFilter, RetainedCursor>,
    /// Retained messages that were given to the stored session in this turn.
    pub(crate) kept: usize,
    /// What must be on the disk before the output may be sent.
    pub(crate) unsettled: Vec<Unsettled>,
    /// Taken from the mailbox and not yet written, because the window was full.
    pub(crate) pending: VecDeque<Delivery>,
    /// What was sent and is not acknowledged, of the deliveries that somebody keeps or waits for.
    pub(crate) outstanding: BTreeMap<PacketId, Outstanding>,
    /// Why the connection is closed, if the session knows it more exactly than the [`DisconnectReason`] says.
    pub(crate) last_words: Option<Box<(ReasonCode, String)>>,
    /// Counted here for a batch, then added to what all connections share.
    pub(crate) messages_received: u64,
    pub(crate) messages_sent: u64,
    /// Dropped at the end: whoever takes the client id over waits for it.
    _gone: oneshot::Sender<()>,
}

/// What names this connection among all of its client id.
#[derive(Clone)]
pub(crate) struct Visit {
    pub(crate) session_id: Uuid,
    pub(crate) version: u64,
    pub(crate) info: Arc<ConnectionInfo>,
}

/// A delivery that was sent and is not acknowledged.
pub(crate) struct Outstanding {
    /// Its number in the stored queue.
    pub(crate) seq: Option<NonZeroU64>,
    /// Kept where another member of a group may have to get it, or somebody waits for the acknowledgement.
    pub(crate) delivery: Option<Delivery>,
    /// PUBREC came: it is nobody else's any more.
    pub(crate) is_received: bool,
}

/// What a client is made of.
pub(crate) struct Parts {
    pub(crate) broker: Arc<Broker>,
    pub(crate) session: session::Connected,
    pub(crate) subscriber: Subscriber,
    pub(crate) authorizer: Authorizer,
    pub(crate) origin: Origin,
    pub(crate) visit: Visit,
    pub(crate) stored: Option<Box<StoredSession>>,
    pub(crate) gone: oneshot::Sender<()>,
}

impl Client {
    pub(crate) fn new(parts: Parts) -> Self {
        let Parts { broker, session, subscriber, authorizer, origin, visit, stored, gone } = parts;
        let client_id = session.client_id().shared();
        let publisher = broker.router().client_publisher(client_id);
        broker.metrics().connections.fetch_add(1, Ordering::Relaxed);
        broker.metrics().stored_connections.fetch_add(u64::from(stored.is_some()), Ordering::Relaxed);
        Self {
            broker,
            session,
            subscriber,
            publisher,
            authorizer,
            origin: Arc::new(origin),
            visit,
            stored,
            retained: BTreeMap::new(),
            kept: 0,
            unsettled: Vec::new(),
            pending: VecDeque::new(),
            outstanding: BTreeMap::new(),
            last_words: None,
            messages_received: 0,
            messages_sent: 0,
            _gone: gone,
        }
    }

    /// A read has been handled whole: what it published goes to the disk as one, and whoever got something is woken,
    /// once.
    pub(crate) fn received(&mut self) {
        let received = std::mem::take(&mut self.messages_received);
        self.broker.metrics().messages_received.fetch_add(received, Ordering::Relaxed);
        self.flush();
        self.publisher.wake();
    }

    /// Hands to the disk what this client's packets changed.
    pub(crate) fn flush(&mut self) {
        self.unsettled.extend(self.publisher.flush().map(Unsettled::Stored));
        if let Some(stored) = &mut self.stored {
            stored.flush(self.broker.router().sessions(), &mut self.unsettled);
        }
    }

    /// Gives back the buffers that only a busy connection needs.
    pub(crate) fn rest(&mut self) {
        if self.pending.is_empty() && self.pending.capacity() > 0 {
            self.pending = VecDeque::new();
            self.subscriber.mailbox().shrink();
        }
    }

    pub(crate) fn is_settled(&self) -> bool {
        self.unsettled.is_empty()
    }

    pub(crate) async fn settle(&mut self) -> Progress {
        match self.settled().await {
            Ok(()) => Progress::Open,
            Err(error) => {
                warn!(client_id = %self.session.client_id(), %error, "what is to be kept could not be kept: closing");
                Progress::Close(DisconnectReason::ServerError)
            }
        }
    }

    async fn settled(&mut self) -> Result<(), NotKept> {
        // In order; those that are durable already answer at once.
        for write in self.unsettled.drain(..) {
            let received = write.received_then();
            write.await?;
            if let (Some(packet_id), Some(stored)) = (received, &self.stored) {
                self.publisher.receive(stored.id, packet_id.get());
            }
        }
        if let Some(received) = self.publisher.flush() {
            received.await?;
        }
        Ok(())
    }

    /// Publishes an event about this client. Its subscribers are woken with those of what the client publishes.
    pub(crate) fn announce(&mut self, event: &Event<'_>, now: Now) {
        let (client_id, principal) = (self.session.client_id().as_str(), self.origin.principal.as_deref());
        let subject = Subject { client_id, principal, thing_name: None, session_id: self.visit.session_id };
        let (broker, identity) = (&self.broker, &self.visit.info.peer.identity);
        if let Some(topic) = presence::topic(&subject, event) {
            self.publisher.publish_if_heard(&topic, || {
                let thing_name = broker.exclusive_thing(identity);
                let thing_name = thing_name.as_ref().map(ThingName::as_str);
                presence::message(&Subject { thing_name, ..subject }, event, now.timestamp)
            });
        }
    }

    /// Tells a client of MQTT 5 why the connection is closed.
    pub(crate) fn farewell(&mut self, reason: DisconnectReason, out: &mut BytesMut) {
        match self.last_words.take() {
            Some(last_words) => self.session.disconnect(last_words.0, Some(&last_words.1), out),
            None => {
                if let Some(code) = reason.code() {
                    self.session.disconnect(code, None, out);
                }
            }
        }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.broker.abandon(self.session.client_id(), self.subscriber.mailbox());
        self.broker.metrics().connections.fetch_sub(1, Ordering::Relaxed);
        self.broker.metrics().stored_connections.fetch_sub(u64::from(self.stored.is_some()), Ordering::Relaxed);
    }
}
