//! What passes between a connection and its door besides bytes: the time inwards, and whether to go on outwards.

use std::time::Instant;

use names::Timestamp;

/// The two clocks, read by the door.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// For keep alive.
    pub instant: Instant,
    /// For what is recorded.
    pub timestamp: Timestamp,
}

/// What the door is to do after its output is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Progress {
    /// Go on.
    Open,
    /// Close the transport.
    Close,
}
