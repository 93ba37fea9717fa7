//! A batch of requests: performed, written, told of.
//!
//! All requests of a batch on one shadow are performed in their order and written at once; different shadows are written at
//! the same time. So a batch costs one sync of the disk, however many shadows it touches, and batches of other workers
//! share it. Nothing is said of a request before what it changed is durable, and nobody is told `accepted` before the news
//! of it are durable for those whose sessions are stored.

use std::cell::LazyCell;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use message::TopicName;
use names::{Timestamp, limits};
use router::{Publisher, StoredWrite};
use shadow_document::{Problem, ShadowError, Stored, read_client_token};
use store::{StoreError, Ticket};

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

/// Performs batches of requests. It has what outlives a batch.
pub(crate) struct Performer {
    service: Arc<ShadowService>,
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
type Outcomes = Vec<Result<Outcome, ShadowError>>;

/// A new record on its way to the disk.
struct NewRecord {
    stored: Stored,
    bytes: usize,
    ticket: Ticket,
}

impl Performer {
    /// `cache_bytes` bound what it keeps read of its shadows.
    pub(crate) fn new(service: &Arc<ShadowService>, cache_bytes: usize) -> Self {
        let publisher = service.router.publisher();
        let cache = Cache::new(cache_bytes);
        Self { service: Arc::clone(service), publisher, cache, said: 0, storing: Vec::new() }
    }

    /// Performs all of a batch and tells of it.
    pub(crate) async fn perform(&mut self, requests: &mut Vec<Request>) {
        let mut open: VecDeque<(Asked, usize)> = group(requests).into_iter().map(|asked| (asked, 0)).collect();
        while !open.is_empty() {
            let (mut unchanged, mut under_way) = (Vec::new(), Vec::new());
            let (mut bytes, mut begun) = (0, 0_usize);
            while bytes < limits::SHADOW_BATCH_BYTES
                && let Some((asked, attempts)) = open.pop_front()
            {
                match self.begin(&asked) {
                    Ok((outcomes, None)) => unchanged.push((asked, outcomes)),
                    Ok((outcomes, Some(record))) => {
                        bytes += record.bytes * asked.requests.len();
                        under_way.push((asked, outcomes, record, attempts));
                    }
                    Err(error) => self.fail(asked, &error),
                }
                begun += 1;
                if begun % BEGUN_MAX == 0 {
                    tokio::task::yield_now().await; // others have work for this thread as well
                }
            }
            // What changes nothing does not wait for this batch's writes.
            self.tell(unchanged).await;
            let mut durable = Vec::with_capacity(under_way.len());
            for (asked, outcomes, NewRecord { stored, bytes, ticket }, attempts) in under_way {
                match ticket.await {
                    Ok(version) => {
                        self.cache.put(asked.id.clone(), stored, version, bytes);
                        durable.push((asked, outcomes));
                    }
                    // Another node was faster.
                    Err(StoreError::Conflict) if attempts < ATTEMPTS_MAX => open.push_back((asked, attempts + 1)),
                    Err(error) => self.fail(asked, &error),
                }
            }
            self.tell(durable).await;
        }
    }

    /// Does all requests on one shadow and hands what they come to to the store.
    fn begin(&mut self, Asked { id, requests }: &Asked) -> Result<(Outcomes, Option<NewRecord>), StoreError> {
        let limits = &self.service.settings.document;
        let record = table::read(&*self.service.store, id, |version| self.cache.get(id, version))?;
        let mut changed = None;
        let mut outcomes = Vec::with_capacity(requests.len());
        for Request { operation, payload, now, .. } in requests {
            let stored = changed.as_ref().or(record.stored.as_ref());
            let outcome = Outcome::of(id, stored, *operation, payload, *now, limits);
            if let Ok(outcome) = &outcome {
                changed = outcome.stored().or(changed);
            }
            outcomes.push(outcome);
        }
        let written = changed.map(|stored| {
            let (batch, bytes) = record.replace(id, &stored);
            NewRecord { stored, bytes, ticket: self.service.store.commit(batch) }
        });
        Ok((outcomes, written))
    }

    /// Tells of requests that are durable, those on one shadow in their order. An update is answered when its news are on the
    /// disk for stored sessions; updates that follow each other, and those on other shadows, wait for that together.
    async fn tell(&mut self, durable: Vec<(Asked, Outcomes)>) {
        let with_outcomes = |(Asked { id, requests }, outcomes)| (id, requests.into_iter().zip(outcomes).peekable());
        let mut untold: Vec<_> = durable.into_iter().map(with_outcomes).collect();
        while !untold.is_empty() {
            let mut waiting = Vec::new();
            for (id, rest) in &mut untold {
                while let Some((request, outcome)) = rest.next_if(|(_, outcome)| !is_update(outcome)) {
                    self.answer(id, request, outcome);
                    self.pause_after_many().await;
                }
                let topics = LazyCell::new(|| (ReplyTopic::Documents.of(id), ReplyTopic::Delta.of(id)));
                while let Some((request, outcome)) = rest.next_if(|(_, outcome)| is_update(outcome)) {
                    if let Ok(Outcome::Updated(updated)) = &outcome {
                        let (documents, delta) = &*topics;
                        self.say(documents, request.now, || Some(updated.documents()));
                        self.say(delta, request.now, || updated.delta());
                    }
                    waiting.push((id.clone(), request, outcome));
                    self.pause_after_many().await;
                }
            }
            self.keep_news().await;
            for (id, request, outcome) in waiting {
                self.answer(&id, request, outcome);
                self.pause_after_many().await;
            }
            untold.retain_mut(|(_, rest)| rest.peek().is_some());
        }
        self.end_batch().await;
    }

    /// Waits until what was said is on the disk for sessions that are away.
    async fn keep_news(&mut self) {
        self.storing.extend(self.publisher.flush());
        for news in self.storing.drain(..) {
            if let Err(error) = news.await {
                tracing::error!(%error, "news of shadows could not be stored for sessions that are away");
            }
        }
    }

    fn answer(&mut self, id: &ShadowId, request: Request, outcome: Result<Outcome, ShadowError>) {
        self.service.count(&outcome);
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
            self.wait_for_room().await;
            tokio::task::yield_now().await;
        }
    }

    /// The store is at fault: every request gets AWS's 500, and the log the reason. Publishers are not acknowledged, so
    /// those of QoS 1 come again.
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
            self.say(&ReplyTopic::Rejected(request.operation).of(&id), request.now, || Some(failed.rejected()));
        }
    }

    async fn end_batch(&mut self) {
        self.storing.extend(self.publisher.flush());
        self.storing.clear(); // answers on their way to stored sessions; nobody waits for them
        self.said = 0;
        self.wait_for_room().await;
    }

    /// Wakes whoever got something, and gives rules that are behind a little time: a slow one must not hold up all
    /// shadows. What does not fit their mailboxes then is dropped and counted.
    async fn wait_for_room(&mut self) {
        let _ = tokio::time::timeout(CONGESTION_WAIT, self.publisher.wait_for_room()).await;
    }
}

fn is_update(outcome: &Result<Outcome, ShadowError>) -> bool {
    matches!(outcome, Ok(Outcome::Updated(_)))
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

/// Shadows after which others may use the thread, while there are more.
const BEGUN_MAX: usize = 32;
/// Messages after which their readers are woken, while there are more to say.
const SAID_MAX: usize = 256;
/// Time in which rules that are behind may catch up, once a batch and after many messages.
const CONGESTION_WAIT: Duration = Duration::from_millis(limits::SHADOW_CONGESTION_MILLIS_MAX);
/// A change is tried so often before it is given up with 500; each lost attempt is another node's success.
const ATTEMPTS_MAX: usize = 32;
