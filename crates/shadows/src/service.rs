//! The service: one request on one shadow, from the store and back to it.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use bytes::Bytes;
use message::{Message, Origin, QoS};
use names::Timestamp;
use parking_lot::Mutex;
use router::Router;
use shadow_document::{Limits, Problem, ShadowError, Stored, UpdateRequest, read_client_token};
use store::{Store, StoreError};

use crate::error::ServiceError;
use crate::operation::Operation;
use crate::reserved_topics::ReplyTopic;
use crate::shadow_id::ShadowId;
use crate::table;

/// Reads and changes shadows, and tells of it through the router.
pub struct ShadowService {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) router: Arc<Router>,
    limits: Limits,
    origin: Arc<Origin>,
    /// Blocking changes of one shadow wait here for each other instead of colliding in the store. Other writers, the
    /// MQTT side and other nodes, are met there.
    turns: [Mutex<()>; TURNS],
}

impl ShadowService {
    /// A service over `store` that publishes to `router`.
    pub fn new(store: Arc<dyn Store>, router: Arc<Router>, limits: Limits) -> Self {
        Self {
            store,
            router,
            limits,
            origin: Arc::new(Origin::default()),
            turns: std::array::from_fn(|_| Mutex::new(())),
        }
    }

    /// The document with its delta, as GetThingShadow answers it. Publishes nothing. Blocks on the store.
    ///
    /// # Errors
    /// [`ServiceError::Shadow`] with 404 when there is no such shadow, [`ServiceError::Store`] when the store fails.
    pub fn get(&self, id: &ShadowId, payload: &[u8], now: Timestamp) -> Result<Bytes, ServiceError> {
        let record = table::read(&*self.store, id)?;
        Ok(self.answer(id, record.stored.as_ref(), Operation::Get, payload, now)?.accepted)
    }

    /// Changes or makes a shadow, as UpdateThingShadow does, and publishes `update/accepted`, `update/documents` and,
    /// when something differs, `update/delta`. Durable when it returns. Blocks on the store: not for async tasks.
    ///
    /// # Errors
    /// [`ServiceError::Shadow`] with 400, 409, 413 or 415; nothing is published then. [`ServiceError::Store`] when the
    /// store fails.
    pub fn update(&self, id: &ShadowId, payload: &[u8], now: Timestamp) -> Result<Bytes, ServiceError> {
        self.change(id, Operation::Update, payload, now)
    }

    /// Deletes a shadow, as DeleteThingShadow does, and publishes `delete/accepted`. Durable when it returns. Blocks
    /// on the store: not for async tasks.
    ///
    /// # Errors
    /// [`ServiceError::Shadow`] with 404 when there is no such shadow, [`ServiceError::Store`] when the store fails.
    pub fn delete(&self, id: &ShadowId, payload: &[u8], now: Timestamp) -> Result<Bytes, ServiceError> {
        self.change(id, Operation::Delete, payload, now)
    }

    fn change(
        &self,
        id: &ShadowId,
        operation: Operation,
        payload: &[u8],
        now: Timestamp,
    ) -> Result<Bytes, ServiceError> {
        let _turn = self.turn(id).map(Mutex::lock);
        for _ in 0..ATTEMPTS_MAX {
            let record = table::read(&*self.store, id)?;
            let answer = self.answer(id, record.stored.as_ref(), operation, payload, now)?;
            if let Some(changed) = &answer.changed {
                match self.store.commit(record.replace(id, changed)).wait() {
                    Err(StoreError::Conflict) => continue,
                    committed => committed?,
                };
            }
            let accepted = answer.accepted.clone();
            for message in self.messages(id, operation, answer, now) {
                let _ = self.router.publish(message);
            }
            return Ok(accepted);
        }
        Err(StoreError::Conflict.into())
    }

    /// What one request comes to, given what is stored of its shadow. Writes and publishes nothing yet.
    pub(crate) fn answer(
        &self,
        id: &ShadowId,
        stored: Option<&Stored>,
        operation: Operation,
        payload: &[u8],
        now: Timestamp,
    ) -> Result<Answer, ShadowError> {
        let now = now.as_seconds();
        if operation == Operation::Update {
            let request = UpdateRequest::parse(payload, &self.limits)?;
            let updated = shadow_document::update(stored, &request, now, &self.limits)?;
            let news = std::iter::once((ReplyTopic::Documents, updated.documents))
                .chain(updated.delta.map(|delta| (ReplyTopic::Delta, delta)));
            let changed = Some(Stored::Live(updated.shadow));
            return Ok(Answer { accepted: updated.accepted, changed, news: news.collect() });
        }
        let token = read_client_token(payload);
        let Some(shadow) = stored.and_then(Stored::live) else {
            return Err(ShadowError::new(Problem::NotFound(id.title().to_owned()), token.as_deref()));
        };
        if operation == Operation::Get {
            let accepted = shadow_document::get(shadow, now, token.as_deref());
            return Ok(Answer { accepted, changed: None, news: Vec::new() });
        }
        let (deleted, accepted) = shadow_document::delete(shadow, now, token.as_deref());
        Ok(Answer { accepted, changed: Some(deleted), news: Vec::new() })
    }

    /// All that is published of an accepted request.
    pub(crate) fn messages(
        &self,
        id: &ShadowId,
        operation: Operation,
        answer: Answer,
        now: Timestamp,
    ) -> impl Iterator<Item = Message> {
        std::iter::once((ReplyTopic::Accepted(operation), answer.accepted))
            .chain(answer.news)
            .map(move |(reply, payload)| self.message(id, reply, payload, now))
    }

    /// A reply: QoS 1, not retained, as AWS sends it.
    pub(crate) fn message(&self, id: &ShadowId, reply: ReplyTopic, payload: Bytes, now: Timestamp) -> Message {
        Message {
            topic: reply.of(id),
            payload,
            qos: QoS::AtLeastOnce,
            retain: false,
            properties: None,
            received_at: now,
            origin: Arc::clone(&self.origin),
        }
    }

    fn turn(&self, id: &ShadowId) -> Option<&Mutex<()>> {
        let mut hasher = DefaultHasher::new();
        id.hash(&mut hasher);
        let index = hasher.finish() % self.turns.len() as u64;
        self.turns.get(usize::try_from(index).ok()?)
    }
}

/// What an accepted request comes to.
pub(crate) struct Answer {
    /// The body of the answer.
    pub(crate) accepted: Bytes,
    /// What is to be stored; none for a get.
    pub(crate) changed: Option<Stored>,
    /// What else is told of an update.
    pub(crate) news: Vec<(ReplyTopic, Bytes)>,
}

/// A change is tried so often before it is given up with 500; each lost attempt is another writer's success.
pub(crate) const ATTEMPTS_MAX: usize = 32;
const TURNS: usize = 64;
