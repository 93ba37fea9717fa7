//! A worker: does the requests on its shadows, a batch at a time.
//!
//! All requests of a batch on one shadow are done in their order and written at once; different shadows are written at
//! the same time. So a batch costs one sync of the disk, however many shadows it touches, and batches of other workers
//! share it. Nothing is said of a request before what it changed is durable, and nobody is told `accepted` before the news
//! of it are durable for those whose sessions are stored.

use std::cell::LazyCell;
use std::collections::HashMap;
use std::pin::pin;
use std::sync::Arc;

use bytes::Bytes;
use message::TopicName;
use names::Timestamp;
use router::{Publisher, StoredWrite};
use shadow_document::{Problem, ShadowError, Stored, read_client_token};
use store::{StoreError, Ticket};
use tokio::sync::{mpsc, watch};

use crate::cache::Cache;
use crate::error::ServiceError;
use crate::metrics::count;
use crate::outcome::Outcome;
use crate::reply::message;
use crate::request::{Asker, Request};
use crate::reserved_topics::ReplyTopic;
use crate::service::ShadowService;
use crate::shadow_id::ShadowId;
use crate::table;

pub(crate) struct Worker {
    service: Arc<ShadowService>,
    queue: mpsc::Receiver<Request>,
    publisher: Publisher,
    cache: Cache,
    /// Messages said since their readers were last woken.
    said: usize,
    /// Messages on their way to stored sessions.
    storing: Vec<StoredWrite>,
}

/// The requests of one batch on one shadow, in the order in which they came.
struct Asked {
    id: ShadowId,
    requests: Vec<Request>,
}

/// What each of the requests came to, in their order.
type Done = Vec<Result<Outcome, ShadowError>>;

/// A new record on its way to the disk.
struct Write {
    stored: Stored,
    bytes: usize,
    ticket: Ticket,
}

impl Worker {
    /// `cache_bytes` bound what it keeps read of its shadows.
    pub(crate) fn new(service: Arc<ShadowService>, queue: mpsc::Receiver<Request>, cache_bytes: usize) -> Self {
        let publisher = service.router.publisher();
        Self { service, queue, publisher, cache: Cache::new(cache_bytes), said: 0, storing: Vec::new() }
    }

    /// Works until `closing` says so; what waits then is still done.
    pub(crate) async fn run(mut self, mut closing: watch::Receiver<bool>) {
        let mut closed = pin!(closing.wait_for(|closing| *closing));
        let mut requests = Vec::new();
        let mut is_closing = false;
        loop {
            tokio::select! {
                received = self.queue.recv_many(&mut requests, BATCH_MAX) => if received == 0 { return },
                _ = &mut closed, if !is_closing => {
                    is_closing = true;
                    self.queue.close();
                    continue;
                }
            }
            self.take(group(&mut requests)).await;
        }
    }

    async fn take(&mut self, mut open: Vec<Asked>) {
        for _ in 0..ATTEMPTS_MAX {
            let (mut unchanged, mut under_way) = (Vec::new(), Vec::new());
            for asked in open.drain(..) {
                match self.perform(&asked) {
                    Ok((done, None)) => unchanged.push((asked, done)),
                    Ok((done, Some(write))) => under_way.push((asked, done, write)),
                    Err(error) => self.fail(asked, &error),
                }
            }
            // Nobody's question waits for the disk.
            self.tell(unchanged).await;
            let mut durable = Vec::with_capacity(under_way.len());
            for (asked, done, Write { stored, bytes, ticket }) in under_way {
                match ticket.await {
                    Ok(version) => {
                        self.cache.put(asked.id.clone(), stored, version, bytes);
                        durable.push((asked, done));
                    }
                    Err(StoreError::Conflict) => open.push(asked), // another node was faster
                    Err(error) => self.fail(asked, &error),
                }
            }
            self.tell(durable).await;
            if open.is_empty() {
                return;
            }
        }
        open.into_iter().for_each(|asked| self.fail(asked, &StoreError::Conflict));
        self.end_batch().await;
    }

    /// Does all requests on one shadow and hands what they come to to the store.
    fn perform(&mut self, Asked { id, requests }: &Asked) -> Result<(Done, Option<Write>), StoreError> {
        let limits = &self.service.settings.document;
        let record = table::read(&*self.service.store, id, |version| self.cache.get(id, version))?;
        let mut changed = None;
        let mut done = Vec::with_capacity(requests.len());
        for Request { operation, payload, now, .. } in requests {
            let stored = changed.as_ref().or(record.stored.as_ref());
            let outcome = Outcome::of(id, stored, *operation, payload, *now, limits);
            if let Ok(outcome) = &outcome {
                changed = outcome.stored().or(changed);
            }
            done.push(outcome);
        }
        let write = changed.map(|stored| {
            let (batch, bytes) = record.replace(id, &stored);
            Write { stored, bytes, ticket: self.service.store.commit(batch) }
        });
        Ok((done, write))
    }

    /// Tells of requests that are durable: first the news, then those who asked.
    async fn tell(&mut self, durable: Vec<(Asked, Done)>) {
        for (Asked { id, requests }, done) in &durable {
            let topics = LazyCell::new(|| (ReplyTopic::Documents.of(id), ReplyTopic::Delta.of(id)));
            for (request, outcome) in requests.iter().zip(done) {
                let Ok(Outcome::Updated(updated)) = outcome else { continue };
                let (documents, delta) = &*topics;
                self.say(documents, request.now, || Some(updated.documents()));
                self.say(delta, request.now, || updated.delta());
                self.pause_after_many().await;
            }
        }
        self.storing.extend(self.publisher.flush());
        for news in self.storing.drain(..) {
            if let Err(error) = news.await {
                tracing::error!(%error, "news of shadows could not be stored for sessions that are away");
            }
        }
        for (Asked { id, requests }, done) in durable {
            for (request, outcome) in requests.into_iter().zip(done) {
                self.service.count(&outcome);
                self.answer(&id, request, outcome);
                self.pause_after_many().await;
            }
        }
        self.end_batch().await;
    }

    fn answer(&mut self, id: &ShadowId, request: Request, outcome: Result<Outcome, ShadowError>) {
        let Request { operation, now, asker, .. } = request;
        match (asker, outcome) {
            (Asker::Topics(published), Ok(done)) => {
                self.say(&ReplyTopic::Accepted(operation).of(id), now, || Some(done.accepted()));
                published.done();
            }
            (Asker::Topics(published), Err(refused)) => {
                self.say(&ReplyTopic::Rejected(operation).of(id), now, || Some(refused.rejected()));
                published.done();
            }
            (Asker::Caller(caller), Ok(done)) => {
                let accepted = done.accepted();
                self.say(&ReplyTopic::Accepted(operation).of(id), now, || Some(accepted.clone()));
                let _nobody_waits = caller.send(Ok(accepted));
            }
            (Asker::Caller(caller), Err(refused)) => {
                let _nobody_waits = caller.send(Err(refused.into()));
            }
        }
    }

    /// A message is made only if somebody hears it.
    fn say(&mut self, topic: &TopicName, now: Timestamp, body: impl FnOnce() -> Option<Bytes>) {
        self.publisher.publish_if_heard(topic, || Some(message(topic.clone(), body()?, now)));
        self.said += 1;
        if self.publisher.must_flush() {
            self.storing.extend(self.publisher.flush());
        }
    }

    /// A batch must not overflow mailboxes that are being read.
    async fn pause_after_many(&mut self) {
        if self.said >= SAID_MAX {
            self.said = 0;
            self.publisher.wait_for_room().await;
            tokio::task::yield_now().await;
        }
    }

    /// The store is at fault: every request gets AWS's 500, and the log the reason.
    fn fail(&mut self, Asked { id, requests }: Asked, error: &StoreError) {
        tracing::error!(thing = %id.thing, shadow = id.title(), %error, "shadow requests failed");
        for request in requests {
            count(&self.service.metrics.failed);
            if let Asker::Caller(caller) = request.asker {
                let _nobody_waits = caller.send(Err(ServiceError::Store(error.clone())));
                continue;
            }
            let token = read_client_token(&request.payload);
            let failed = ShadowError::new(Problem::Internal, token.as_deref());
            self.answer(&id, request, Err(failed));
        }
    }

    /// Wakes whoever got something, and waits for rules that are behind.
    async fn end_batch(&mut self) {
        self.storing.extend(self.publisher.flush());
        self.storing.clear(); // answers on their way to stored sessions; nobody waits for them
        self.said = 0;
        self.publisher.wait_for_room().await;
    }
}

fn group(requests: &mut Vec<Request>) -> Vec<Asked> {
    let mut places = HashMap::new();
    let mut all: Vec<Asked> = Vec::new();
    for request in requests.drain(..) {
        let place = *places.entry(request.id.clone()).or_insert(all.len());
        match all.get_mut(place) {
            Some(asked) => asked.requests.push(request),
            None => all.push(Asked { id: request.id.clone(), requests: vec![request] }),
        }
    }
    all
}

/// Messages after which their readers are woken, while there are more to say.
const SAID_MAX: usize = 256;
/// Requests done at once; enough to fill one sync of the disk.
const BATCH_MAX: usize = 1024;
/// A change is tried so often before it is given up with 500; each lost attempt is another node's success.
const ATTEMPTS_MAX: usize = 32;
