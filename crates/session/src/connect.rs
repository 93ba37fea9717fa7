//! The way from a new connection to an accepted or a refused one (MQTT 3.1.1, 3.1 and 3.2).

use std::fmt;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use bytestring::ByteString;

use mqtt_codec::{Connect, ConnectReturnCode, DecodeError, Packet, Protocol, Will, encode_connack};
use names::{ClientId, Dialect, limits};

use crate::{Violation, keep_alive, will};

/// A connection on which nothing has been said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExpectConnect {
    /// The contract that the session will keep.
    pub dialect: Dialect,
}

impl ExpectConnect {
    /// Takes the first packet, which must be a CONNECT that the dialect allows.
    ///
    /// # Errors
    /// [`Refusal`] says what is wrong and knows whether the client is told.
    pub fn handle(self, packet: Packet) -> Result<Opening, Refusal> {
        match packet {
            Packet::Connect(connect) => Opening::new(connect, self.dialect).map_err(Refusal::new),
            other => Err(Refusal::new(Violation::FirstPacketNotConnect(other.packet_type()))),
        }
    }
}

/// A well-formed CONNECT on which the broker has to decide: accept or refuse.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Opening {
    /// The contract that the session keeps.
    pub dialect: Dialect,
    /// The version that the client speaks.
    pub protocol: Protocol,
    /// None when the client left it to the server to give it a unique one [MQTT-3.1.3-6].
    pub client_id: Option<ClientId>,
    /// Whether the session begins empty and ends with the connection [MQTT-3.1.2-6].
    pub clean_session: bool,
    /// Within the dialect's bounds; none when it is off.
    pub keep_alive: Option<Duration>,
    /// Within the dialect's limits, not yet authorized; a copy apart from the read buffer.
    pub will: Option<Will>,
    /// As sent.
    pub user_name: Option<ByteString>,
    /// As sent; a secret.
    pub password: Option<Bytes>,
}

impl Opening {
    fn new(connect: Connect, dialect: Dialect) -> Result<Self, Violation> {
        let client_id = read_client_id(&connect, dialect)?;
        if let Some(asked) = &connect.will {
            will::check(asked, dialect)?;
        }
        Ok(Self {
            dialect,
            protocol: connect.protocol,
            client_id,
            clean_session: connect.clean_session,
            keep_alive: keep_alive::period(connect.keep_alive_seconds, dialect),
            will: connect.will.as_ref().map(will::detached),
            user_name: connect.user_name,
            password: connect.password,
        })
    }

    /// Writes the refusing CONNACK; the caller closes the connection [MQTT-3.2.2-5].
    pub fn refuse(self, code: ConnectReturnCode, out: &mut BytesMut) {
        encode_connack(false, code, out);
    }
}

/// The password is a secret and stays out of logs.
impl fmt::Debug for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opening")
            .field("dialect", &self.dialect)
            .field("protocol", &self.protocol)
            .field("client_id", &self.client_id)
            .field("clean_session", &self.clean_session)
            .field("keep_alive", &self.keep_alive)
            .field("will", &self.will)
            .field("user_name", &self.user_name)
            .field("password", &self.password.as_ref().map(|_| "hidden"))
            .finish()
    }
}

/// A connection that the protocol or the dialect refuses. The broker's own refusals are [`Opening::refuse`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusal {
    /// What the client did wrong.
    pub reason: Violation,
    /// What it is told; none when the connection closes without a CONNACK [MQTT-3.1.4-1].
    pub code: Option<ConnectReturnCode>,
}

impl Refusal {
    /// For bytes that are no packet, before a CONNECT was accepted. Only an unknown protocol level is answered
    /// [MQTT-3.1.2-2].
    pub fn from_decode_error(error: DecodeError) -> Self {
        Self::new(Violation::Malformed(error))
    }

    /// Writes the CONNACK if the protocol wants one, else nothing; the caller closes the connection then.
    pub fn write(&self, out: &mut BytesMut) {
        if let Some(code) = self.code {
            encode_connack(false, code, out);
        }
    }

    fn new(reason: Violation) -> Self {
        let code = match &reason {
            Violation::Malformed(DecodeError::UnacceptableProtocolLevel(_)) => {
                Some(ConnectReturnCode::UnacceptableProtocolLevel)
            }
            Violation::EmptyClientIdOfStoredSession
            | Violation::InvalidClientId(_)
            | Violation::ClientIdTooLong { .. } => Some(ConnectReturnCode::IdentifierRejected),
            _ => None,
        };
        Self { reason, code }
    }
}

fn read_client_id(connect: &Connect, dialect: Dialect) -> Result<Option<ClientId>, Violation> {
    let text = &*connect.client_id;
    if text.is_empty() {
        return if connect.clean_session { Ok(None) } else { Err(Violation::EmptyClientIdOfStoredSession) };
    }
    let (bytes, max) = (text.len(), limits::AWS_CLIENT_ID_BYTES_MAX);
    if dialect == Dialect::Aws && bytes > max {
        return Err(Violation::ClientIdTooLong { bytes, max });
    }
    Ok(Some(ClientId::new(text)?))
}
