//! What the broker counts. Relaxed atomics: read by whoever shows them.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters since the start, and the number of connections now.
#[derive(Debug, Default)]
pub struct BrokerMetrics {
    /// Clients accepted with CONNACK 0.
    pub connects_accepted: AtomicU64,
    /// Clients refused.
    pub connects_refused: AtomicU64,
    /// Clients connected now.
    pub connections: AtomicU64,
    /// Those of them whose session outlives the connection.
    pub stored_connections: AtomicU64,
    /// PUBLISH packets taken from clients.
    pub messages_received: AtomicU64,
    /// PUBLISH packets sent to clients.
    pub messages_sent: AtomicU64,
    /// Bytes of packets taken from clients.
    pub bytes_received: AtomicU64,
    /// Bytes handed to the transports of clients.
    pub bytes_sent: AtomicU64,
    /// Intents that the policies refused.
    pub denials: AtomicU64,
    /// Connections closed because the peer broke the protocol.
    pub violations: AtomicU64,
    /// Wills published.
    pub wills: AtomicU64,
    /// Deliveries dropped because they were larger than the client takes.
    pub dropped_too_large: AtomicU64,
    /// Deliveries dropped because their time was over.
    pub dropped_expired: AtomicU64,
    /// Stored sessions that ended because their time was over.
    pub sessions_expired: AtomicU64,
}

/// Adds one to a counter.
pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
