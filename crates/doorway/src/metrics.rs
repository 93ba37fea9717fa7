//! What the doors count: connections that were let in, and those refused, by reason.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters since the start, of all listeners together.
#[derive(Debug, Default)]
pub struct DoorMetrics {
    /// Connections handed to the door behind.
    pub let_in: AtomicU64,
    /// Refused: the listener had its greatest number of connections.
    pub refused_full: AtomicU64,
    /// Refused: the address connected too often.
    pub refused_rate: AtomicU64,
    /// Refused: no valid PROXY header in time, where one must be.
    pub refused_proxy_header: AtomicU64,
    /// Refused: what the ALPN name asks for is not served, or needs a certificate.
    pub refused_protocol: AtomicU64,
    /// Refused: the TLS handshake failed or took too long.
    pub refused_handshake: AtomicU64,
}

impl DoorMetrics {
    pub(crate) fn count(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}
