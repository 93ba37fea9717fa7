//! How a client is connected, or was: what is told of a connection while it lasts and for a while afterwards.

use std::sync::Arc;
use std::time::Duration;

use names::Timestamp;
use parking_lot::Mutex;

use crate::exchange::DisconnectReason;
use crate::identity::Peer;

/// One connection of a client id, while it lasts and for a while afterwards.
#[derive(Debug)]
pub struct ConnectionInfo {
    /// Who is on the other end, and where.
    pub peer: Peer,
    /// When the client was accepted.
    pub connected_at: Timestamp,
    /// The keep alive that the client is held to; none when it is off.
    pub keep_alive: Option<Duration>,
    /// Whether the session began empty.
    pub clean_start: bool,
    /// How long the session outlives the connection, in seconds, as CONNECT said; `u32::MAX` is for ever.
    pub session_expiry_seconds: u32,
    end: Mutex<Option<ConnectionEnd>>,
}

/// How a connection ended.
#[derive(Debug, Clone, Copy)]
pub struct ConnectionEnd {
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: DisconnectReason,
    /// How long the session lives on, in seconds.
    pub session_expiry_seconds: u32,
}

impl ConnectionInfo {
    pub(crate) fn new(
        peer: Peer,
        connected_at: Timestamp,
        keep_alive: Option<Duration>,
        clean_start: bool,
        session_expiry_seconds: u32,
    ) -> Arc<Self> {
        let end = Mutex::new(None);
        Arc::new(Self { peer, connected_at, keep_alive, clean_start, session_expiry_seconds, end })
    }

    /// How it ended; none while it lasts.
    pub fn end(&self) -> Option<ConnectionEnd> {
        *self.end.lock()
    }

    pub(crate) fn disconnected(&self, reason: DisconnectReason, session_expiry_seconds: u32, at: Timestamp) {
        self.end.lock().get_or_insert(ConnectionEnd { at, reason, session_expiry_seconds });
    }
}
