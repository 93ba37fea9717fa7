//! Under what subscribers and groups stand in the filter tree.

use std::sync::atomic::{AtomicU64, Ordering};

/// One subscriber, or one group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct SubscriberId(u64);

/// Gives out each id once.
#[derive(Debug, Default)]
pub(crate) struct SubscriberIds(AtomicU64);

impl SubscriberIds {
    pub(crate) fn next(&self) -> SubscriberId {
        SubscriberId(self.0.fetch_add(1, Ordering::Relaxed))
    }
}
