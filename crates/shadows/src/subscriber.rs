//! The service at work: its workers, and what hands them the requests that come as messages, after refusing what is over
//! a quota.
//!
//! The mailbox is one that publishers of QoS 1 wait for: an update is acknowledged when it is on disk and answered.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use message::QoS;
use names::{Dialect, Timestamp, limits};
use router::{Delivery, Publisher, SubscribeOptions};
use shadow_document::{Problem, ShadowError, read_client_token};
use tokio::sync::watch;

use crate::metrics::count;
use crate::operation::Operation;
use crate::reply::message;
use crate::request::{Asker, Published, Request};
use crate::reserved_topics::{ReplyTopic, parse_request_topic, request_filters};
use crate::service::ShadowService;
use crate::shadow_id::ShadowId;
use crate::tombstones::Sweeper;
use crate::worker::Worker;

impl ShadowService {
    /// Does what is asked, by MQTT and by callers, until `stop` is ready or the router closes the mailbox. The
    /// subscriptions are in effect when this returns; the future does the work and wants a task of its own. It runs once:
    /// a second future ends at once. Wills are ignored (AWS IoT Core developer guide, device-shadow-comms-app).
    pub fn run(
        self: Arc<Self>,
        clock: impl Fn() -> Timestamp + Send + Sync + 'static,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> impl Future<Output = ()> + Send + 'static {
        let subscriber = self.router.confirming_service();
        let options = SubscribeOptions::plain(QoS::AtLeastOnce, Dialect::Aws);
        for filter in request_filters() {
            subscriber.subscribe(filter, options);
        }
        let queues = std::mem::take(&mut *self.waiting.lock());
        async move {
            let (close, closing) = watch::channel(false);
            let cache_bytes = limits::SHADOW_CACHE_BYTES_MAX / queues.len().max(1);
            let start = |queue| tokio::spawn(Worker::new(Arc::clone(&self), queue, cache_bytes).run(closing.clone()));
            let workers: Vec<_> = queues.into_iter().map(start).collect();
            let mut stop = pin!(stop);
            let mut publisher = self.router.publisher();
            let mut sweeper = Sweeper::default();
            let mut sweeps = tokio::time::interval(SWEEP_PERIOD);
            let mut deliveries = Vec::new();
            while !workers.is_empty() {
                tokio::select! {
                    received = subscriber.receive(&mut deliveries, TAKEN_MAX) => if received == 0 { break },
                    _ = sweeps.tick() => {}
                    () = &mut stop => break,
                }
                let now = clock();
                self.hand_out(&mut deliveries, &mut publisher, now).await;
                self.sweep(&mut sweeper, now);
            }
            drop(subscriber);
            close.send_replace(true);
            for worker in workers {
                let _panicked = worker.await; // its panic is printed by its hook
            }
        }
    }

    async fn hand_out(&self, deliveries: &mut Vec<Delivery>, publisher: &mut Publisher, now: Timestamp) {
        for delivery in deliveries.drain(..) {
            let asked = parse_request_topic(delivery.message.topic.as_str());
            let Some((id, operation)) = asked.filter(|_| !delivery.message.origin.is_will) else {
                delivery.confirm(); // there is nothing to be done for it
                continue;
            };
            let passed = self.throttle.pass(&id.thing, now);
            let Ok(unanswered) = passed.and_then(|()| self.throttle.begin(&delivery.message, &id.thing)) else {
                self.refuse(&id, operation, &delivery, publisher, now);
                continue;
            };
            let payload = delivery.message.payload.clone();
            // One that is larger than all the room waits for all of it.
            let bytes = u32::try_from(payload.len().min(limits::SHADOW_REQUESTS_BYTES_MAX)).unwrap_or(u32::MAX);
            let room = Arc::clone(&self.room).acquire_many_owned(bytes).await.ok();
            let asker = Asker::Topics(Published::new(delivery, unanswered, room));
            if let Some(queue) = self.queue(&id) {
                // Without a worker the server is stopping; the request is dropped, and its publisher not acknowledged.
                let _ = queue.send(Request { id, operation, payload, now, asker }).await;
            }
        }
        drop(publisher.flush()); // refusals on their way to stored sessions; nobody waits for them
        publisher.wake();
    }

    fn refuse(
        &self,
        id: &ShadowId,
        operation: Operation,
        delivery: &Delivery,
        publisher: &mut Publisher,
        now: Timestamp,
    ) {
        count(&self.metrics.throttled);
        let topic = ReplyTopic::Rejected(operation).of(id);
        publisher.publish_if_heard(&topic, || {
            let token = read_client_token(&delivery.message.payload);
            let refused = ShadowError::new(Problem::TooManyRequests, token.as_deref());
            Some(message(topic.clone(), refused.rejected(), now))
        });
        delivery.confirm();
    }

    fn sweep(&self, sweeper: &mut Sweeper, now: Timestamp) {
        // Nobody waits for these: what is not forgotten now is found again in the next round.
        if let Err(error) = sweeper.step(&*self.store, now) {
            tracing::warn!(%error, "deleted shadows could not be looked through");
        }
    }
}

/// Requests taken from the mailbox at once.
const TAKEN_MAX: usize = 1024;
const SWEEP_PERIOD: Duration = Duration::from_secs(60);
