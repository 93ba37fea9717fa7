//! Subscribing: the handle through which a subscriber keeps its filters and its mailbox.

use std::collections::HashSet;
use std::sync::Arc;

use message::TopicFilter;
use names::Dialect;
use parking_lot::Mutex;

use crate::mailbox::{Delivery, Mailbox, MailboxClosed, Overflow};
use crate::retained::RetainedCursor;
use crate::router::{Router, SubscriberId, Subscription};
use message::SubscribeOptions;

/// Someone who receives messages. Dropping it ends its subscriptions.
pub struct Subscriber {
    id: SubscriberId,
    router: Arc<Router>,
    mailbox: Arc<Mailbox>,
    filters: Mutex<HashSet<TopicFilter>>,
}

impl Router {
    /// A new subscriber for a client's connection.
    pub fn connection(self: &Arc<Self>) -> Subscriber {
        Subscriber::new(self, Overflow::Connection)
    }

    /// A new subscriber inside the house: publishers wait for it rather than lose its messages.
    pub fn service(self: &Arc<Self>) -> Subscriber {
        Subscriber::new(self, Overflow::Service)
    }
}

impl Subscriber {
    fn new(router: &Arc<Router>, overflow: Overflow) -> Self {
        let mailbox = Arc::new(Mailbox::new(overflow));
        Self { id: router.new_subscriber(), router: Arc::clone(router), mailbox, filters: Mutex::default() }
    }

    /// Subscribes; a filter that is subscribed already gets the new options [MQTT-3.8.4-3]. The subscription is in
    /// effect when this returns.
    pub fn subscribe(&self, filter: TopicFilter, options: SubscribeOptions) {
        let subscription = Subscription { mailbox: Arc::clone(&self.mailbox), options };
        self.router.insert(self.id, &filter, subscription);
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
        Some(RetainedCursor::new(Arc::clone(&self.router.retained), filter.clone(), options))
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
