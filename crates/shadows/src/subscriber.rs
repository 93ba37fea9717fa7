//! The MQTT side: takes requests from a mailbox in batches and answers them by publishing.
//!
//! All requests of a batch on one shadow are applied in their order and written at once; different shadows are written
//! at the same time. So a batch costs one sync of the disk, however many shadows it touches. Nothing is said of a
//! request before what it changed is durable.

use std::collections::HashMap;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;

use message::{Message, QoS};
use names::{Dialect, Timestamp};
use router::{Delivery, Publisher, SubscribeOptions};
use shadow_document::{Problem, ShadowError, read_client_token};
use store::{Batch, StoreError, Ticket};

use crate::operation::Operation;
use crate::reserved_topics::{ReplyTopic, parse_request_topic, request_filters};
use crate::service::{ATTEMPTS_MAX, ShadowService};
use crate::shadow_id::ShadowId;
use crate::table;
use crate::tombstones::Sweeper;

impl ShadowService {
    /// Answers requests over MQTT until `stop` is ready or the router closes the mailbox. The subscriptions are in
    /// effect when this returns; the future does the work and wants a task of its own. Wills are ignored (AWS IoT
    /// Core developer guide, device-shadow-comms-app).
    pub fn run(
        self: Arc<Self>,
        clock: impl Fn() -> Timestamp + Send + Sync + 'static,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> impl Future<Output = ()> + Send + 'static {
        let subscriber = self.router.service();
        let options = SubscribeOptions::plain(QoS::AtLeastOnce, Dialect::Aws);
        for filter in request_filters() {
            subscriber.subscribe(filter, options);
        }
        async move {
            let mut stop = pin!(stop);
            let mut publisher = self.router.publisher();
            let mut sweeper = Sweeper::default();
            let mut deliveries = Vec::new();
            loop {
                let received = tokio::select! {
                    received = subscriber.receive(&mut deliveries, BATCH_MAX) => received,
                    () = &mut stop => 0,
                };
                if received == 0 {
                    return;
                }
                let now = clock();
                self.take(group(&mut deliveries), &mut publisher, now).await;
                self.sweep(&mut sweeper, now);
            }
        }
    }

    async fn take(&self, mut open: Vec<Asked>, publisher: &mut Publisher, now: Timestamp) {
        for _ in 0..ATTEMPTS_MAX {
            if open.is_empty() {
                return;
            }
            let under_way: Vec<_> = open.drain(..).map(|asked| self.begin(asked, now)).collect();
            for (asked, begun) in under_way {
                match finish(begun).await {
                    Ok(messages) => messages.into_iter().for_each(|message| drop(publisher.publish(message))),
                    Err(StoreError::Conflict) => open.push(asked),
                    Err(error) => self.fail(&asked, publisher, now, &error),
                }
            }
            publisher.wake();
        }
        for asked in &open {
            self.fail(asked, publisher, now, &StoreError::Conflict);
        }
        publisher.wake();
    }

    /// Applies all requests on one shadow and hands the outcome to the store.
    fn begin(&self, asked: Asked, now: Timestamp) -> (Asked, Result<Begun, StoreError>) {
        let begun = self.apply(&asked, now).map(|(messages, batch)| {
            let ticket = batch.map(|batch| self.store.commit(batch));
            Begun { messages, ticket }
        });
        (asked, begun)
    }

    fn apply(&self, asked: &Asked, now: Timestamp) -> Result<(Vec<Message>, Option<Batch>), StoreError> {
        let id = &asked.id;
        let record = table::read(&*self.store, id)?;
        let mut changed = None;
        let mut messages = Vec::new();
        for (operation, request) in &asked.requests {
            let stored = changed.as_ref().or(record.stored.as_ref());
            match self.answer(id, stored, *operation, &request.payload, now) {
                Ok(mut answer) => {
                    changed = answer.changed.take().or(changed);
                    messages.extend(self.messages(id, *operation, answer, now));
                }
                Err(error) => {
                    messages.push(self.message(id, ReplyTopic::Rejected(*operation), error.rejected(), now));
                }
            }
        }
        let batch = changed.map(|changed| record.replace(id, &changed));
        Ok((messages, batch))
    }

    /// The store is at fault: every request gets AWS's 500, and the log the reason.
    fn fail(&self, asked: &Asked, publisher: &mut Publisher, now: Timestamp, error: &StoreError) {
        tracing::error!(thing = %asked.id.thing, shadow = asked.id.title(), %error, "shadow requests failed");
        for (operation, request) in &asked.requests {
            let token = read_client_token(&request.payload);
            let rejected = ShadowError::new(Problem::Internal, token.as_deref()).rejected();
            let _ = publisher.publish(self.message(&asked.id, ReplyTopic::Rejected(*operation), rejected, now));
        }
    }

    fn sweep(&self, sweeper: &mut Sweeper, now: Timestamp) {
        // Nobody waits for these: what is not forgotten now is found again in the next round.
        if let Err(error) = sweeper.step(&*self.store, now) {
            tracing::warn!(%error, "deleted shadows could not be looked through");
        }
    }
}

/// The requests of one batch on one shadow, in the order in which they came.
struct Asked {
    id: ShadowId,
    requests: Vec<(Operation, Arc<Message>)>,
}

/// Requests that have been applied and may be waiting for the disk.
struct Begun {
    messages: Vec<Message>,
    ticket: Option<Ticket>,
}

async fn finish(begun: Result<Begun, StoreError>) -> Result<Vec<Message>, StoreError> {
    let Begun { messages, ticket } = begun?;
    if let Some(ticket) = ticket {
        ticket.await?;
    }
    Ok(messages)
}

fn group(deliveries: &mut Vec<Delivery>) -> Vec<Asked> {
    let mut places = HashMap::new();
    let mut all: Vec<Asked> = Vec::new();
    for delivery in deliveries.drain(..).filter(|delivery| !delivery.message.origin.is_will) {
        let Some((id, operation)) = parse_request_topic(delivery.message.topic.as_str()) else { continue };
        let place = *places.entry(id.clone()).or_insert(all.len());
        let request = (operation, delivery.message);
        match all.get_mut(place) {
            Some(asked) => asked.requests.push(request),
            None => all.push(Asked { id, requests: vec![request] }),
        }
    }
    all
}

/// Requests taken from the mailbox at once; enough to fill one sync of the disk.
const BATCH_MAX: usize = 1024;
