//! Who is on the other end of a connection.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use names::{CertificateId, Dialect};

use crate::passwords::UserName;

/// What the transport knows of the client before the first MQTT byte.
#[derive(Debug, Clone)]
pub struct Peer {
    /// Who the transport says it is.
    pub identity: Identity,
    /// Where it connects from.
    pub source_ip: IpAddr,
    /// The port that it connects from, when the door knows.
    pub source_port: Option<u16>,
    /// The address of this server that it connected to, when the door knows.
    pub target: Option<SocketAddr>,
    /// What its listener speaks.
    pub dialect: Dialect,
}

/// Who a client is, as proven at the door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// The holder of the certificate's private key. Whether the certificate is registered and ACTIVE is the broker's
    /// question, asked at every CONNECT, after resumed handshakes too.
    Certificate(CertificateId),
    /// The IAM principal of this id, who signed the request that became this connection. It may do what callers of the
    /// HTTP APIs may.
    Iam(Arc<str>),
    /// A configured user, who has proven the password.
    User(UserName),
    /// Nobody in particular; what nobody may do is configured.
    Anonymous,
    /// Somebody who claimed a user's name and did not prove it, or had to prove one and did not. It may do nothing.
    Unproven,
}

impl Identity {
    /// The principal in rules and events: the certificate id, the IAM principal's id or the user's name; none for
    /// clients without one.
    pub fn principal(&self) -> Option<Arc<str>> {
        match self {
            Self::Certificate(id) => Some(Arc::from(id.to_string())),
            Self::Iam(id) => Some(Arc::clone(id)),
            Self::User(name) => Some(name.shared()),
            Self::Anonymous | Self::Unproven => None,
        }
    }
}

impl std::fmt::Display for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Certificate(id) => write!(f, "certificate {id}"),
            Self::Iam(id) => write!(f, "IAM principal {id}"),
            Self::User(name) => write!(f, "user {name}"),
            Self::Anonymous => f.write_str("anonymous"),
            Self::Unproven => f.write_str("nobody proven"),
        }
    }
}
