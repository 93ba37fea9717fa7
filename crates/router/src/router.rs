//! The router itself: the tree of subscriptions, and which of them a topic reaches.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use message::{FilterTree, Message, SharedFilter, SubscribeOptions, TopicFilter, TopicName};
use names::{Dialect, Timestamp};
use parking_lot::RwLock;
use persistent_sessions::{PersistentSessions, QueueLimits, SessionId};
use store::{Store, StoreError};

use crate::mailbox::Mailbox;
use crate::metrics::{RouterMetrics, count};
use crate::retained::Retained;
use crate::retained_topics::{self, RetainedPage};
use crate::shared::{Group, Groups, Member};
use crate::stored::StoredQueues;
use crate::subscriber_id::{SubscriberId, SubscriberIds};

/// Matches messages to subscribers and keeps the retained messages.
pub struct Router {
    pub(crate) subscriptions: RwLock<FilterTree<SubscriberId, Entry>>,
    pub(crate) groups: Groups,
    /// Grows with every change of the subscriptions, so that publishers know when to look again.
    generation: AtomicU64,
    subscriber_ids: SubscriberIds,
    pub(crate) retained: Arc<Retained>,
    pub(crate) stored: Arc<StoredQueues>,
    metrics: Arc<RouterMetrics>,
}

/// What stands under a filter.
pub(crate) enum Entry {
    One(Subscription),
    /// A group, by the rules of the dialect of its first member.
    Group(Arc<Group>, Dialect),
}

/// One filter of one subscriber.
pub(crate) struct Subscription {
    pub(crate) mailbox: Arc<Mailbox>,
    /// None for services.
    pub(crate) client_id: Option<Arc<str>>,
    /// The stored session behind the connection, if it has one.
    pub(crate) session: Option<SessionId>,
    pub(crate) options: SubscribeOptions,
}

impl Router {
    /// A router without connected subscribers, over the store that keeps its retained messages and the sessions that
    /// outlive their connections. `limits` bound what may wait for those.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer or what it has cannot be read.
    pub fn open(store: Arc<dyn Store>, limits: QueueLimits) -> Result<Arc<Self>, StoreError> {
        let sessions = PersistentSessions::open(Arc::clone(&store), limits)?;
        Ok(Arc::new(Self {
            subscriptions: RwLock::default(),
            groups: Groups::default(),
            generation: AtomicU64::new(0),
            subscriber_ids: SubscriberIds::default(),
            retained: Arc::new(Retained::open(store)?),
            stored: StoredQueues::new(sessions),
            metrics: Arc::default(),
        }))
    }

    /// What the router has counted.
    pub fn metrics(&self) -> &Arc<RouterMetrics> {
        &self.metrics
    }

    /// The sessions that outlive their connections.
    pub fn sessions(&self) -> &Arc<PersistentSessions> {
        &self.stored.sessions
    }

    /// The topic's retained message, one on its way to the disk included; none when there is none or its time is over.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer or what it has cannot be read.
    pub fn retained_message(&self, topic: &TopicName, now: Timestamp) -> Result<Option<Arc<Message>>, StoreError> {
        Ok(self.retained.get(topic)?.filter(|message| !message.is_expired(now)))
    }

    /// Up to `limit` topics that have a retained message and come after `after`, in byte order.
    ///
    /// # Errors
    /// [`StoreError`] when the store does not answer or what it has cannot be read.
    pub fn retained_topics(
        &self,
        after: Option<&TopicName>,
        limit: usize,
        now: Timestamp,
    ) -> Result<RetainedPage, StoreError> {
        retained_topics::page(&self.retained, after, limit, now)
    }

    /// How many topics have a retained message, one whose time is over included until somebody comes across it.
    pub fn retained_count(&self) -> u64 {
        self.retained.count()
    }

    /// Whether a service that the topic reaches is behind, so that publishers to it are to wait or come again.
    pub fn is_congested(&self, topic: &TopicName) -> bool {
        let mut is_congested = false;
        self.subscriptions.read().visit(topic, &mut |_, entry: &Entry, _| {
            is_congested |= matches!(entry, Entry::One(subscription) if subscription.mailbox.is_congested());
        });
        is_congested
    }

    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    pub(crate) fn new_subscriber(&self) -> SubscriberId {
        self.subscriber_ids.next()
    }

    /// Puts or replaces a subscription; it is in effect when this returns. Answers whether it is new.
    pub(crate) fn insert(&self, subscriber: SubscriberId, filter: &TopicFilter, subscription: Subscription) -> bool {
        let is_new = self.subscriptions.write().insert(filter, subscriber, Entry::One(subscription)).is_none();
        self.changed(u64::from(is_new), 0);
        is_new
    }

    /// Puts a subscriber into a group; it is in effect when this returns. Answers whether it was no member before.
    pub(crate) fn join(&self, subscriber: SubscriberId, shared: &SharedFilter, subscription: Subscription) -> bool {
        let Subscription { mailbox, session, options, .. } = subscription;
        let member = Member::new(subscriber, mailbox, session, options, shared);
        let joined = self.groups.join(shared, member, || self.new_subscriber());
        if joined.is_new_group {
            let entry = Entry::Group(Arc::clone(&joined.group), options.dialect);
            self.subscriptions.write().insert(&shared.filter, joined.group.id, entry);
        }
        self.changed(u64::from(joined.is_new_member), 0);
        joined.is_new_member
    }

    /// Takes subscriptions out, those in groups too; nothing is delivered for them afterwards.
    pub(crate) fn remove<'a>(&self, subscriber: SubscriberId, filters: impl Iterator<Item = &'a TopicFilter>) {
        let mut removed = 0;
        for filter in filters {
            match SharedFilter::parse(filter.as_str()) {
                Ok(Some(shared)) => {
                    if let Some(group) = self.groups.leave(&shared, subscriber) {
                        self.subscriptions.write().remove(&shared.filter, &group.id);
                    }
                    removed += 1;
                }
                Ok(None) | Err(_) => {
                    removed += u64::from(self.subscriptions.write().remove(filter, &subscriber).is_some());
                }
            }
        }
        if removed > 0 {
            self.changed(0, removed);
        }
    }

    fn changed(&self, added: u64, removed: u64) {
        self.generation.fetch_add(1, Ordering::Release);
        count(&self.metrics.subscriptions, added);
        self.metrics.subscriptions.fetch_sub(removed, Ordering::Relaxed);
    }
}
