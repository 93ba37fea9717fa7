//! Who is on the other end of a connection.

use std::net::IpAddr;
use std::sync::Arc;

use names::{CertificateId, Dialect};

/// What the transport knows of the client before the first MQTT byte.
#[derive(Debug, Clone)]
pub struct Peer {
    /// Who the transport says it is.
    pub identity: Identity,
    /// Where it connects from.
    pub source_ip: IpAddr,
    /// What its listener speaks.
    pub dialect: Dialect,
}

/// Who a client is, as proven by the transport.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Identity {
    /// The holder of the certificate's private key. Whether the certificate is registered and ACTIVE is the broker's
    /// question, asked at every CONNECT, after resumed handshakes too.
    Certificate(CertificateId),
    /// Nobody in particular; what nobody may do is configured.
    Anonymous,
}

impl Identity {
    /// The principal in rules and events: the certificate id; none for anonymous clients.
    pub fn principal(&self) -> Option<Arc<str>> {
        match self {
            Self::Certificate(id) => Some(Arc::from(id.to_string())),
            Self::Anonymous => None,
        }
    }
}

impl std::fmt::Display for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Certificate(id) => write!(f, "certificate {id}"),
            Self::Anonymous => f.write_str("anonymous"),
        }
    }
}
