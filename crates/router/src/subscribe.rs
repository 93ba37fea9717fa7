//! The router's subscriptions, and the handle through which a subscriber keeps its own.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use message::{FilterTree, QoS, Reach, TopicFilter, TopicName};
use names::Dialect;
use parking_lot::{Mutex, RwLock};
use store::Store;

use crate::mailbox::{Delivery, Mailbox, MailboxClosed, Overflow};
use crate::metrics::{RouterMetrics, count};
use crate::publish::Publisher;
use crate::retained::{Retained, RetainedCursor};

/// Matches messages to subscribers and keeps the retained messages.
pub struct Router {
    subscriptions: RwLock<FilterTree<SubscriberId, Subscription>>,
    /// Grows with every change of the subscriptions, so that publishers know when to look again.
    generation: AtomicU64,
    next_subscriber: AtomicU64,
    pub(crate) retained: Retained,
    metrics: RouterMetrics,
}

/// How a subscription wants its messages.
#[derive(Debug, Clone, Copy)]
pub struct SubscribeOptions {
    /// The highest QoS a delivery may have.
    pub qos: QoS,
    /// Whose rules of matching and retained messages hold.
    pub dialect: Dialect,
}

/// Someone who receives messages. Dropping it ends its subscriptions.
pub struct Subscriber {
    id: SubscriberId,
    router: Arc<Router>,
    mailbox: Arc<Mailbox>,
    filters: Mutex<HashSet<TopicFilter>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SubscriberId(u64);

struct Subscription {
    mailbox: Arc<Mailbox>,
    options: SubscribeOptions,
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
            retained: Retained::new(store),
            metrics: RouterMetrics::default(),
        })
    }

    /// A new subscriber for a client's connection.
    pub fn connection(self: &Arc<Self>) -> Subscriber {
        self.subscriber(Overflow::Connection)
    }

    /// A new subscriber inside the house: publishers wait for it rather than lose its messages.
    pub fn service(self: &Arc<Self>) -> Subscriber {
        self.subscriber(Overflow::Service)
    }

    /// A handle to publish with; one for each connection or service.
    pub fn publisher(self: &Arc<Self>) -> Publisher {
        Publisher::new(Arc::clone(self))
    }

    /// What the router has counted.
    pub fn metrics(&self) -> &RouterMetrics {
        &self.metrics
    }

    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
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

    fn subscriber(self: &Arc<Self>, overflow: Overflow) -> Subscriber {
        let id = SubscriberId(self.next_subscriber.fetch_add(1, Ordering::Relaxed));
        let mailbox = Arc::new(Mailbox::new(overflow));
        Subscriber { id, router: Arc::clone(self), mailbox, filters: Mutex::default() }
    }

    fn changed(&self) {
        self.generation.fetch_add(1, Ordering::Release);
    }
}

impl Subscriber {
    /// Subscribes; a filter that is subscribed already gets the new options [MQTT-3.8.4-3]. The subscription is in
    /// effect when this returns.
    pub fn subscribe(&self, filter: TopicFilter, options: SubscribeOptions) {
        let subscription = Subscription { mailbox: Arc::clone(&self.mailbox), options };
        let replaced = self.router.subscriptions.write().insert(&filter, self.id, subscription);
        self.router.changed();
        if replaced.is_none() {
            count(&self.router.metrics.subscriptions, 1);
        }
        self.filters.lock().insert(filter);
    }

    /// Ends one subscription; answers whether there was one. Nothing is added to the mailbox for it afterwards
    /// [MQTT-3.10.4-2].
    pub fn unsubscribe(&self, filter: &TopicFilter) -> bool {
        let removed = self.filters.lock().remove(filter);
        if removed {
            self.router.remove(self.id, std::iter::once(filter));
        }
        removed
    }

    /// The retained messages that a new subscription is to be sent, to be read bit by bit. None where the dialect
    /// has none: AWS IoT Core sends them to filters without wildcards only.
    pub fn retained(&self, filter: &TopicFilter, options: SubscribeOptions) -> Option<RetainedCursor> {
        if options.dialect == Dialect::Aws && filter.has_wildcard() {
            return None;
        }
        Some(RetainedCursor::new(Arc::clone(&self.router), filter.clone(), options))
    }

    /// The queue that deliveries arrive in.
    pub fn mailbox(&self) -> &Arc<Mailbox> {
        &self.mailbox
    }

    /// Waits for deliveries and moves up to `max` of them into `buffer`; answers how many, 0 when the mailbox is
    /// closed and empty.
    pub async fn receive(&self, buffer: &mut Vec<Delivery>, max: usize) -> usize {
        match std::future::poll_fn(|context| self.mailbox.poll_waiting(context)).await {
            Ok(()) => self.mailbox.drain(buffer, max),
            Err(_) => 0,
        }
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        // The messages that still wait are nobody's any more; publishers who wait for room must not wait for ever.
        self.mailbox.close(MailboxClosed::ShuttingDown);
        let filters = std::mem::take(self.filters.get_mut());
        self.router.remove(self.id, filters.iter());
        let mut rest = Vec::new();
        while self.mailbox.drain(&mut rest, 256) > 0 {
            rest.clear();
        }
    }
}

impl Router {
    fn remove<'a>(&self, subscriber: SubscriberId, filters: impl Iterator<Item = &'a TopicFilter>) {
        let removed = {
            let mut subscriptions = self.subscriptions.write();
            filters.filter(|filter| subscriptions.remove(filter, &subscriber).is_some()).count()
        };
        if removed > 0 {
            self.changed();
            self.metrics.subscriptions.fetch_sub(removed as u64, Ordering::Relaxed);
        }
    }
}
