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
    /// Close the transport, for this reason.
    Close(DisconnectReason),
}

/// Why a connection ended, in AWS's words (developer guide, life-cycle-events). For the log and for events; a client of
/// MQTT 3.1.1 is told nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DisconnectReason {
    /// It was not let in.
    AuthError,
    /// It sent DISCONNECT.
    ClientInitiatedDisconnect,
    /// It broke the protocol or a limit of its dialect.
    ClientError,
    /// The transport went away.
    ConnectionLost,
    /// Another connection took its client id over.
    DuplicateClientId,
    /// It tried what its policies do not allow, or its identity lost its rights.
    ForbiddenAccess,
    /// It was silent for one and a half keep alives, or did not send CONNECT in time.
    MqttKeepAliveTimeout,
    /// What it should have been acknowledged could not be kept.
    ServerError,
    /// The server is shutting down.
    ServerInitiatedDisconnect,
    /// It took its messages too slowly.
    Throttled,
    /// Its WebSocket was as old as one may become.
    WebsocketTtlExpiration,
}

impl DisconnectReason {
    /// AWS's word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AuthError => "AUTH_ERROR",
            Self::ClientInitiatedDisconnect => "CLIENT_INITIATED_DISCONNECT",
            Self::ClientError => "CLIENT_ERROR",
            Self::ConnectionLost => "CONNECTION_LOST",
            Self::DuplicateClientId => "DUPLICATE_CLIENTID",
            Self::ForbiddenAccess => "FORBIDDEN_ACCESS",
            Self::MqttKeepAliveTimeout => "MQTT_KEEP_ALIVE_TIMEOUT",
            Self::ServerError => "SERVER_ERROR",
            Self::ServerInitiatedDisconnect => "SERVER_INITIATED_DISCONNECT",
            Self::Throttled => "THROTTLED",
            Self::WebsocketTtlExpiration => "WEBSOCKET_TTL_EXPIRATION",
        }
    }
}
