//! The router itself: the tree of subscriptions, and which of them a topic reaches.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use message::{FilterTree, Message, QoS, Reach, TopicFilter, TopicName};
use names::Dialect;
use parking_lot::RwLock;
use store::{Store, StoreError};

use crate::mailbox::Mailbox;
use crate::metrics::{RouterMetrics, count};
use crate::retained::Retained;
use crate::retained_topics::{self, RetainedPage};
use message::SubscribeOptions;

/// Matches messages to subscribers and keeps the retained messages.
pub struct Router {
    subscriptions: RwLock<FilterTree<SubscriberId, Subscription>>,
    /// Grows with every change of the subscriptions, so that publishers know when to look again.
    generation: AtomicU64,
    next_subscriber: AtomicU64,
    pub(crate) retained: Arc<Retained>,
    metrics: RouterMetrics,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SubscriberId(u64);

/// One filter of one subscriber.
pub(crate) struct Subscription {
    pub(crate) mailbox: Arc<Mailbox>,
    pub(crate) options: SubscribeOptions,
}

/// One subscriber that a topic reaches, with the highest QoS of its matching subscriptions [MQTT-3.3.5-1].
pub(crate) struct Route {
    subscriber: SubscriberId,
    pub(crate) mailbox: Arc<Mailbox>,
    pub(crate) qos: QoS,
}

impl Router {
    /// A router without subscriptions, over the store that keeps its retained messages.
    pub fn new(store: Arc<dyn Store>) -> Arc<Self> {
        Arc::new(Self {
            subscriptions: RwLock::default(),
            generation: AtomicU64::new(0),
            next_subscriber: AtomicU64::new(0),
            retained: Arc::new(Retained::new(store)),
            metrics: RouterMetrics::default(),
        })
    }

    /// What the router has counted.
    pub fn metrics(&self) -> &RouterMetrics {
        &self.metrics
    }

    /// The topic's retained message, one on its way to the disk included; none when there is none.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer or what it has cannot be read.
    pub fn retained_message(&self, topic: &TopicName) -> Result<Option<Arc<Message>>, StoreError> {
        self.retained.get(topic)
    }

    /// Up to `limit` topics that have a retained message and come after `after`, in byte order.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer or what it has cannot be read.
    pub fn retained_topics(&self, after: Option<&TopicName>, limit: usize) -> Result<RetainedPage, StoreError> {
        retained_topics::page(&self.retained, after, limit)
    }

    /// Whether a service that the topic reaches is behind, so that publishers to it are to wait or come again.
    pub fn is_congested(&self, topic: &TopicName) -> bool {
        self.routes(topic).iter().any(|route| route.mailbox.is_congested())
    }

    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    pub(crate) fn new_subscriber(&self) -> SubscriberId {
        SubscriberId(self.next_subscriber.fetch_add(1, Ordering::Relaxed))
    }

    /// Every subscriber that a message on `topic` reaches, each once.
    pub(crate) fn routes(&self, topic: &TopicName) -> Vec<Route> {
        let mut routes: Vec<Route> = Vec::new();
        self.subscriptions.read().visit(topic, &mut |&subscriber, subscription: &Subscription, reach| {
            if reach == Reach::Parent && subscription.options.dialect == Dialect::Aws {
                return;
            }
            let mailbox = Arc::clone(&subscription.mailbox);
            routes.push(Route { subscriber, mailbox, qos: subscription.options.qos });
        });
        // The highest QoS of a subscriber comes first and stays.
        routes.sort_unstable_by_key(|route| (route.subscriber, std::cmp::Reverse(route.qos)));
        routes.dedup_by_key(|route| route.subscriber);
        routes
    }

    /// Puts or replaces a subscription; it is in effect when this returns.
    pub(crate) fn insert(&self, subscriber: SubscriberId, filter: &TopicFilter, subscription: Subscription) {
        let replaced = self.subscriptions.write().insert(filter, subscriber, subscription);
        self.generation.fetch_add(1, Ordering::Release);
        if replaced.is_none() {
            count(&self.metrics.subscriptions, 1);
        }
    }

    /// Takes subscriptions out; nothing is delivered for them afterwards.
    pub(crate) fn remove<'a>(&self, subscriber: SubscriberId, filters: impl Iterator<Item = &'a TopicFilter>) {
        let removed = {
            let mut subscriptions = self.subscriptions.write();
            filters.filter(|filter| subscriptions.remove(filter, &subscriber).is_some()).count()
        };
        if removed > 0 {
            self.generation.fetch_add(1, Ordering::Release);
            self.metrics.subscriptions.fetch_sub(removed as u64, Ordering::Relaxed);
        }
    }
}
