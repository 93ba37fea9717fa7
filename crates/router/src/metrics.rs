//! What the router counts. Relaxed atomics: read by whoever shows them.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters since the start, and the number of subscriptions now.
#[derive(Debug, Default)]
pub struct RouterMetrics {
    /// Messages handed to the router.
    pub published: AtomicU64,
    /// Copies put into mailboxes.
    pub delivered: AtomicU64,
    /// Copies dropped because a mailbox was full.
    pub dropped_mailbox_full: AtomicU64,
    /// Subscribers given up because their mailbox was over its hard limit.
    pub closed_mailbox_full: AtomicU64,
    /// Copies written to the disk for sessions that outlive their connections.
    pub queued: AtomicU64,
    /// Copies dropped because a stored session's queue was full.
    pub dropped_queue_full: AtomicU64,
    /// Copies for groups of which no member could be chosen.
    pub dropped_no_member: AtomicU64,
    /// Messages whose subscribers among the stored sessions could not be read.
    pub failed_lookups: AtomicU64,
    /// Filters subscribed now, over all subscribers.
    pub subscriptions: AtomicU64,
}

/// Adds to a counter.
pub(crate) fn count(counter: &AtomicU64, by: u64) {
    counter.fetch_add(by, Ordering::Relaxed);
}
