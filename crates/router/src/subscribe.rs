//! Subscribing: the handle through which a subscriber keeps its filters and its mailbox.

use std::collections::BTreeMap;
use std::sync::Arc;

use message::{SharedFilter, SubscribeOptions, TopicFilter};
use names::Dialect;
use parking_lot::Mutex;
use persistent_sessions::SessionId;

use crate::delivery::Delivery;
use crate::mailbox::{Mailbox, MailboxClosed, Overflow};
use crate::retained::RetainedCursor;
use crate::router::{Router, Subscription};
use crate::subscriber_id::SubscriberId;

/// Someone who receives messages. Dropping it ends its subscriptions.
pub struct Subscriber {
    id: SubscriberId,
    router: Arc<Router>,
    mailbox: Arc<Mailbox>,
    client_id: Option<Arc<str>>,
    session: Option<SessionId>,
    filters: SubscribedFilters,
}

/// What a subscriber is subscribed to, for others to look at.
#[derive(Debug, Clone, Default)]
pub struct SubscribedFilters(Arc<Mutex<BTreeMap<TopicFilter, SubscribeOptions>>>);

impl SubscribedFilters {
    /// All filters with their options, in the filters' order.
    pub fn list(&self) -> Vec<(TopicFilter, SubscribeOptions)> {
        self.0.lock().iter().map(|(filter, options)| (filter.clone(), *options)).collect()
    }
}

impl Router {
    /// A new subscriber for a client's connection.
    pub fn connection(self: &Arc<Self>, client_id: Arc<str>) -> Subscriber {
        Subscriber::new(self, Mailbox::new(Overflow::Connection), Some(client_id))
    }

    /// A new subscriber inside the house: publishers wait for it rather than lose its messages.
    pub fn service(self: &Arc<Self>) -> Subscriber {
        Subscriber::new(self, Mailbox::new(Overflow::Service), None)
    }

    /// As [`service`](Self::service), for one that keeps what it is told: publishers of QoS 1 and 2 are acknowledged
    /// when it calls [`Delivery::confirm`], and not at all when it drops a delivery without.
    pub fn confirming_service(self: &Arc<Self>) -> Subscriber {
        Subscriber::new(self, Mailbox::confirming(), None)
    }
}

impl Subscriber {
    fn new(router: &Arc<Router>, mailbox: Mailbox, client_id: Option<Arc<str>>) -> Self {
        let mailbox = Arc::new(mailbox);
        let (id, router) = (router.new_subscriber(), Arc::clone(router));
        Self { id, router, mailbox, client_id, session: None, filters: SubscribedFilters::default() }
    }

    /// The connection belongs to a session that outlives it: its messages of QoS 1 and 2 come by way of the disk, and
    /// those that are there already must be read from it. Before anything is subscribed.
    pub fn attach(&mut self, session: SessionId) {
        self.session = Some(session);
        self.router.stored.connect(session, &self.mailbox);
    }

    /// Subscribes; a filter that is subscribed already gets the new options [MQTT-3.8.4-3]. The subscription is in
    /// effect when this returns. Answers whether it is new.
    pub fn subscribe(&self, filter: TopicFilter, options: SubscribeOptions) -> bool {
        let (mailbox, client_id) = (Arc::clone(&self.mailbox), self.client_id.clone());
        let subscription = Subscription { mailbox, client_id, session: self.session, options };
        let is_new = match SharedFilter::parse(filter.as_str()) {
            Ok(Some(shared)) => self.router.join(self.id, &shared, subscription),
            Ok(None) | Err(_) => self.router.insert(self.id, &filter, subscription),
        };
        self.filters.0.lock().insert(filter, options);
        is_new
    }

    /// Ends one subscription; answers whether there was one. Nothing is added to the mailbox for it afterwards
    /// [MQTT-3.10.4-2].
    pub fn unsubscribe(&self, filter: &TopicFilter) -> bool {
        let removed = self.filters.0.lock().remove(filter).is_some();
        if removed {
            self.router.remove(self.id, std::iter::once(filter));
        }
        removed
    }

    /// Ends all memberships in groups: nothing sent to a group comes here any more.
    pub fn leave_groups(&self) {
        let mut filters = self.filters.0.lock();
        let shared: Vec<TopicFilter> = filters.keys().filter(|filter| filter.is_shared()).cloned().collect();
        shared.iter().for_each(|filter| _ = filters.remove(filter));
        drop(filters);
        self.router.remove(self.id, shared.iter());
    }

    /// The retained messages that a new subscription is to be sent, to be read bit by bit. None where the dialect
    /// has none: AWS IoT Core sends them to filters without wildcards only. A shared subscription has none either
    /// (MQTT 5, 4.8.2).
    pub fn retained(&self, filter: &TopicFilter, options: SubscribeOptions) -> Option<RetainedCursor> {
        let is_shared = filter.is_shared();
        if is_shared || (options.dialect == Dialect::Aws && filter.has_wildcard()) {
            return None;
        }
        Some(RetainedCursor::new(Arc::clone(&self.router.retained), filter.clone(), options))
    }

    /// What is subscribed, for others to look at.
    pub fn filters(&self) -> &SubscribedFilters {
        &self.filters
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
        let filters = std::mem::take(&mut *self.filters.0.lock());
        self.router.remove(self.id, filters.keys());
        if let Some(session) = self.session {
            self.router.stored.disconnect(session, &self.mailbox);
        }
        let mut rest = Vec::new();
        while self.mailbox.drain(&mut rest, 256) > 0 {
            rest.clear();
        }
    }
}
