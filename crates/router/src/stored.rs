//! Messages for sessions that outlive their connections: written to the disk first, and handed to the session's mailbox
//! when they are there, if it is connected. What it does not take then, it reads from the disk.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use message::SharedFilter;
use parking_lot::RwLock;
use persistent_sessions::{Enqueued, PersistentSessions, QueuedMessage, SessionId, Writes};
use store::StoreError;
use tokio::sync::oneshot;

use crate::delivery::{Delivery, extra};
use crate::mailbox::Mailbox;
use crate::metrics::{RouterMetrics, count};

/// The stored sessions and which of them are connected.
pub(crate) struct StoredQueues {
    pub(crate) sessions: Arc<PersistentSessions>,
    online: RwLock<HashMap<SessionId, Arc<Mailbox>>>,
}

/// Messages on their way to the disk. Await it before their publisher is acknowledged.
pub struct StoredWrite(oneshot::Receiver<Result<(), StoreError>>);

impl StoredQueues {
    pub(crate) fn new(sessions: Arc<PersistentSessions>) -> Arc<Self> {
        Arc::new(Self { sessions, online: RwLock::default() })
    }

    /// From now on the session's messages go to this mailbox as well. What is on the disk already must be read there.
    pub(crate) fn connect(&self, session: SessionId, mailbox: &Arc<Mailbox>) {
        self.online.write().insert(session, Arc::clone(mailbox));
    }

    /// Unless another connection of the session has come already.
    pub(crate) fn disconnect(&self, session: SessionId, mailbox: &Arc<Mailbox>) {
        let mut online = self.online.write();
        if online.get(&session).is_some_and(|known| Arc::ptr_eq(known, mailbox)) {
            online.remove(&session);
        }
    }

    /// Hands all writes to the disk as one.
    pub(crate) fn write(self: &Arc<Self>, writes: Writes, metrics: &Arc<RouterMetrics>) -> StoredWrite {
        let (answer, waiting) = oneshot::channel();
        let (queues, metrics) = (Arc::clone(self), Arc::clone(metrics));
        let copies = self.copies(&writes);
        let done = move |result: Result<Vec<Enqueued>, StoreError>| {
            let answered = result.map(|enqueued| queues.hand_over(&enqueued, copies, &metrics));
            let _nobody_waits = answer.send(answered);
        };
        self.sessions.enqueue(writes, Box::new(done));
        StoredWrite(waiting)
    }

    /// Of what goes to sessions that are connected now. Who comes in between reads it from the disk.
    fn copies(&self, writes: &Writes) -> Vec<Option<QueuedMessage>> {
        let online = self.online.read();
        if online.is_empty() {
            return Vec::new();
        }
        let copy = |(session, message): &(SessionId, QueuedMessage)| online.get(session).map(|_| message.clone());
        writes.messages.iter().map(copy).collect()
    }

    /// Runs on the store's writer thread: everything here is short and waits for nobody.
    fn hand_over(&self, enqueued: &[Enqueued], mut copies: Vec<Option<QueuedMessage>>, metrics: &RouterMetrics) {
        let mut to_wake = Vec::new();
        let online = self.online.read();
        for entry in enqueued {
            let Some(seq) = entry.seq else {
                count(&metrics.dropped_queue_full, 1);
                continue;
            };
            count(&metrics.queued, 1);
            let Some(mailbox) = online.get(&entry.session) else { continue };
            to_wake.extend(match copies.get_mut(entry.place).and_then(Option::take) {
                Some(copy) => mailbox.push_stored(delivery(copy, seq)),
                None => mailbox.fall_behind(),
            });
        }
        drop(online);
        to_wake.into_iter().for_each(std::task::Waker::wake);
    }
}

/// A stored message as a delivery.
pub fn delivery(queued: QueuedMessage, seq: u64) -> Delivery {
    let QueuedMessage { message, qos, retain, subscription_ids, share } = queued;
    let shared = share.map(|(share_name, filter)| SharedFilter { share_name, filter });
    Delivery { message, qos, retain, seq: std::num::NonZeroU64::new(seq), extra: extra(subscription_ids, shared) }
}

impl StoredWrite {
    /// One that has failed already.
    pub(crate) fn failed(error: StoreError) -> Self {
        let (answer, waiting) = oneshot::channel();
        let _ = answer.send(Err(error)); // the receiver is `waiting`, which is right here
        Self(waiting)
    }

    /// Blocks this thread until the messages are durable. Not for async tasks: those await it.
    ///
    /// # Errors
    /// [`StoreError`]: not all of the messages may have been kept.
    pub fn wait(self) -> Result<(), StoreError> {
        self.0.blocking_recv().unwrap_or(Err(StoreError::Closed))
    }
}

impl Future for StoredWrite {
    type Output = Result<(), StoreError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(|answer| answer.unwrap_or(Err(StoreError::Closed)))
    }
}
