//! The router as its callers see it: subscribers, publishers, groups, stored sessions and retained messages over the
//! store in memory.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs, reason = "test code")]

mod catching_up;
mod retained;
mod retained_on_disk;
mod routing;
mod services;
mod shared;
mod stored;
mod switch;

use std::sync::Arc;

use bytes::Bytes;
use message::{Message, Origin, QoS, TopicFilter, TopicName};
use names::{ClientId, Dialect, Timestamp};
use persistent_sessions::{QueueLimits, SessionId};
use router::{Delivery, Published, Router, SubscribeOptions, Subscriber};
use store::MemoryStore;

/// When all messages here are received.
const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_123);

/// Opened on a thread of its own: opening waits for a commit, which async tests must not do.
fn router() -> Arc<Router> {
    let open = || Router::open(MemoryStore::new(), QueueLimits::default()).unwrap();
    std::thread::spawn(open).join().unwrap()
}

fn connection(router: &Arc<Router>, client_id: &str) -> Subscriber {
    router.connection(client_id.into())
}

/// Publishes where no stored session is reached.
fn publish(router: &Arc<Router>, message: Message) -> Published {
    let (published, stored) = router.publish(message);
    assert!(stored.is_none(), "something goes to the disk");
    published
}

fn message(topic: &str, payload: impl Into<Bytes>, qos: QoS, retain: bool) -> Message {
    Message {
        topic: TopicName::new(topic).unwrap(),
        payload: payload.into(),
        qos,
        retain,
        properties: None,
        received_at: NOW,
        origin: Arc::new(Origin::default()),
    }
}

fn options(qos: QoS, dialect: Dialect) -> SubscribeOptions {
    SubscribeOptions::plain(qos, dialect)
}

fn plain(qos: QoS) -> SubscribeOptions {
    options(qos, Dialect::Mqtt)
}

fn filter(text: &str) -> TopicFilter {
    TopicFilter::new(text).unwrap()
}

fn drained(subscriber: &Subscriber) -> Vec<Delivery> {
    let mut deliveries = Vec::new();
    subscriber.mailbox().drain(&mut deliveries, usize::MAX);
    deliveries
}

fn received(subscriber: &Subscriber) -> Vec<(String, String, QoS)> {
    drained(subscriber).iter().map(described).collect()
}

fn payloads(deliveries: &[Delivery]) -> Vec<String> {
    deliveries.iter().map(described).map(|(_, payload, _)| payload).collect()
}

fn described(delivery: &Delivery) -> (String, String, QoS) {
    let message = &delivery.message;
    (message.topic.to_string(), String::from_utf8_lossy(&message.payload).into_owned(), delivery.qos)
}

/// A stored session that is away, with its subscriptions on the disk.
fn stored_session(router: &Arc<Router>, client_id: &str, filters: &[(&str, SubscribeOptions)]) -> SessionId {
    let sessions = router.sessions();
    let client_id = ClientId::new(client_id).unwrap();
    let (id, ticket) = sessions.create(&client_id, 5, u32::MAX, None).unwrap();
    ticket.wait().unwrap();
    let filters: Vec<_> = filters.iter().map(|(text, options)| (filter(text), *options)).collect();
    sessions.subscribe(&client_id, id, &filters).unwrap().wait().unwrap();
    id
}

/// The connection of a stored session.
fn attached(router: &Arc<Router>, client_id: &str, id: SessionId, filters: &[(&str, SubscribeOptions)]) -> Subscriber {
    let mut subscriber = connection(router, client_id);
    subscriber.attach(id);
    for (text, options) in filters {
        subscriber.subscribe(filter(text), *options);
    }
    subscriber
}
