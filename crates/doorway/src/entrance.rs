//! What a listener lets in, as configured.

use std::sync::Arc;
use std::time::Duration;

use names::limits;
use rustls::ServerConfig;

use crate::metrics::DoorMetrics;

/// A listener's way in.
#[derive(Clone)]
pub struct Entrance {
    /// How many, how often, how fast.
    pub bounds: Bounds,
    /// TLS with this configuration; plain TCP without one.
    pub tls: Option<Arc<ServerConfig>>,
    /// Shared by all listeners.
    pub metrics: Arc<DoorMetrics>,
}

/// The bounds of one listener; the defaults are those of [`names::limits`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounds {
    /// Connections at the same time; more are closed at once.
    pub connections_max: usize,
    /// Connections a second of one address, and how many it may make at once. Without one the defaults hold, and
    /// addresses of this machine are not counted.
    pub rate: Option<ConnectRate>,
    /// Time for the PROXY header and the TLS handshake together.
    pub handshake_time_max: Duration,
    /// Whether a proxy in front tells the client's address (PROXY protocol, version 1 or 2). A connection without a
    /// valid header is refused then; otherwise none is looked for.
    pub proxy_protocol: bool,
    /// How long connections may take to end once the listener has stopped.
    pub drain_time_max: Duration,
}

/// A token bucket's figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectRate {
    /// Connections a second.
    pub per_second: u32,
    /// Connections at once after a quiet time.
    pub burst: u32,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            connections_max: limits::CONNECTIONS_PER_LISTENER_MAX,
            rate: None,
            handshake_time_max: Duration::from_secs(limits::HANDSHAKE_SECONDS_MAX),
            proxy_protocol: false,
            drain_time_max: Duration::from_secs(limits::DRAIN_SECONDS_MAX),
        }
    }
}

impl Default for ConnectRate {
    fn default() -> Self {
        Self { per_second: limits::CONNECTS_PER_SECOND_PER_IP_MAX, burst: limits::CONNECTS_BURST_PER_IP_MAX }
    }
}
