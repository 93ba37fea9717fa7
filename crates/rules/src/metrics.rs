//! What the rules engine counts (AWS IoT Core developer guide, metrics_dimensions).

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters over all rules since the start; they only grow.
#[derive(Debug, Default)]
pub struct RuleMetrics {
    /// Messages that a rule's FROM matched (`TopicMatch`).
    pub matched: AtomicU64,
    /// Actions that succeeded (`Success`).
    pub actions_succeeded: AtomicU64,
    /// Actions that failed, the denied ones not counted (`Failure`).
    pub actions_failed: AtomicU64,
    /// Actions that the rule's role did not allow.
    pub actions_denied: AtomicU64,
    /// Error actions that succeeded (`ErrorActionSuccess`).
    pub error_actions_succeeded: AtomicU64,
    /// Error actions that failed or were denied (`ErrorActionFailure`).
    pub error_actions_failed: AtomicU64,
    /// Messages whose statement could not be carried out.
    pub sql_failed: AtomicU64,
    /// Messages that were not acted on because what the actions reach did not answer (`RuleMessageThrottled`).
    pub let_go: AtomicU64,
}

/// Counts one.
pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
