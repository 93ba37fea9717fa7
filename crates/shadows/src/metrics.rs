//! What the shadow service counts.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters since the start; they only grow. Requests over HTTP count as those over MQTT.
#[derive(Debug, Default)]
pub struct ShadowMetrics {
    /// Requests that were done as asked.
    pub accepted: AtomicU64,
    /// Requests that were refused, the throttled ones not counted.
    pub rejected: AtomicU64,
    /// Requests over a quota.
    pub throttled: AtomicU64,
    /// Requests that the store failed.
    pub failed: AtomicU64,
}

/// Counts one.
pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
