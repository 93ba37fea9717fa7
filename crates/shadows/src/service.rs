//! The service's functions: what the HTTP API calls.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use bytes::Bytes;
use names::{Timestamp, limits};
use parking_lot::Mutex;
use router::Router;
use shadow_document::{Problem, ShadowError, read_client_token};
use store::{Store, StoreError};
use tokio::sync::{Semaphore, mpsc, oneshot};

use crate::error::ServiceError;
use crate::metrics::{ShadowMetrics, count};
use crate::operation::Operation;
use crate::outcome::Outcome;
use crate::request::{Asker, Request};
use crate::settings::ShadowSettings;
use crate::shadow_id::ShadowId;
use crate::table;
use crate::throttle::Throttle;

/// Reads and changes shadows, and tells of it through the router.
pub struct ShadowService {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) router: Arc<Router>,
    pub(crate) settings: ShadowSettings,
    pub(crate) throttle: Throttle,
    pub(crate) metrics: ShadowMetrics,
    /// A queue for each worker. A shadow's requests all go through one of them, from both ways in, so they never collide
    /// in the store. Other nodes' are met there.
    queues: Vec<mpsc::Sender<Request>>,
    /// The workers' ends, until they run.
    pub(crate) waiting: Mutex<Vec<mpsc::Receiver<Request>>>,
    /// For the payloads of unanswered messages, in bytes.
    pub(crate) room: Arc<Semaphore>,
}

impl ShadowService {
    /// A service over `store` that publishes to `router`. Changes are made when it runs.
    pub fn new(store: Arc<dyn Store>, router: Arc<Router>, settings: ShadowSettings) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let queue = |_| mpsc::channel(limits::SHADOW_REQUESTS_WAITING_MAX);
        let (queues, waiting) = (0..cores.min(limits::SHADOW_WORKERS_MAX)).map(queue).unzip();
        Self {
            store,
            router,
            settings,
            throttle: Throttle::new(settings),
            metrics: ShadowMetrics::default(),
            queues,
            waiting: Mutex::new(waiting),
            room: Arc::new(Semaphore::new(limits::SHADOW_REQUESTS_BYTES_MAX)),
        }
    }

    /// What the service has counted.
    pub fn metrics(&self) -> &ShadowMetrics {
        &self.metrics
    }

    /// The document with its delta, as GetThingShadow answers it. Publishes nothing. Blocks on the store.
    ///
    /// # Errors
    /// [`ServiceError::Shadow`] with 404 when there is no such shadow and 429 over a quota, [`ServiceError::Store`] when
    /// the store fails.
    pub fn get(&self, id: &ShadowId, payload: &[u8], now: Timestamp) -> Result<Bytes, ServiceError> {
        self.pass(id, payload, now)?;
        let stored = table::read(&*self.store, id, |_| None).inspect_err(|_| count(&self.metrics.failed))?.stored;
        let done = Outcome::of(id, stored.as_ref(), Operation::Get, payload, now, &self.settings.document);
        self.count(&done);
        Ok(done?.accepted())
    }

    /// Changes or makes a shadow, as UpdateThingShadow does, and publishes `update/accepted`, `update/documents` and,
    /// when something differs, `update/delta`. Durable when it returns. Blocks this thread until a worker has done it: not
    /// for async tasks, and not before the service runs.
    ///
    /// # Errors
    /// [`ServiceError::Shadow`] with 400, 409, 413, 415 or 429; nothing is published then. [`ServiceError::Store`] when
    /// the store fails.
    pub fn update(&self, id: &ShadowId, payload: Bytes, now: Timestamp) -> Result<Bytes, ServiceError> {
        self.ask(id, Operation::Update, payload, now)
    }

    /// Deletes a shadow, as DeleteThingShadow does, and publishes `delete/accepted`. Durable when it returns. Blocks as
    /// [`update`](Self::update) does.
    ///
    /// # Errors
    /// [`ServiceError::Shadow`] with 404 when there is no such shadow and 429 over a quota, [`ServiceError::Store`] when
    /// the store fails.
    pub fn delete(&self, id: &ShadowId, payload: Bytes, now: Timestamp) -> Result<Bytes, ServiceError> {
        self.ask(id, Operation::Delete, payload, now)
    }

    fn ask(&self, id: &ShadowId, operation: Operation, payload: Bytes, now: Timestamp) -> Result<Bytes, ServiceError> {
        self.pass(id, &payload, now)?;
        let (caller, answer) = oneshot::channel();
        let request = Request { id: id.clone(), operation, payload, now, asker: Asker::Caller(caller) };
        let queue = self.queue(id).ok_or(StoreError::Closed)?;
        queue.blocking_send(request).map_err(|_| StoreError::Closed)?;
        answer.blocking_recv().unwrap_or(Err(StoreError::Closed.into()))
    }

    /// A caller's request against the quotas of a second.
    fn pass(&self, id: &ShadowId, payload: &[u8], now: Timestamp) -> Result<(), ShadowError> {
        self.throttle.pass(&id.thing, now).map_err(|_throttled| {
            count(&self.metrics.throttled);
            ShadowError::new(Problem::TooManyRequests, read_client_token(payload).as_deref())
        })
    }

    /// The queue of the worker that has this shadow.
    pub(crate) fn queue(&self, id: &ShadowId) -> Option<&mpsc::Sender<Request>> {
        let mut hasher = DefaultHasher::new();
        id.hash(&mut hasher);
        let index = hasher.finish() % self.queues.len() as u64;
        self.queues.get(usize::try_from(index).ok()?)
    }

    pub(crate) fn count(&self, done: &Result<Outcome, ShadowError>) {
        count(if done.is_ok() { &self.metrics.accepted } else { &self.metrics.rejected });
    }
}
