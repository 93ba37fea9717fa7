//! What carries a connection's bytes, and how it came to its end.

use doorway::Stream;
use tokio::io::{AsyncRead, AsyncWrite};

/// An ordered stream of bytes in both directions (MQTT 3.1.1, 4.2).
pub(crate) trait Transport: AsyncRead + AsyncWrite + Unpin {
    /// Why there is nothing more to read. Asked after the end only.
    fn ending(&self) -> Ending;
}

/// How a client's bytes ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// They stopped.
    Lost,
    /// The client took leave of the transport.
    Orderly,
    /// The client broke the transport's rules.
    Violation,
    /// It was as old as the transport lets it become.
    Expired,
}

/// The end of TCP or TLS says nothing: only DISCONNECT does.
impl Transport for Stream {
    fn ending(&self) -> Ending {
        Ending::Lost
    }
}
