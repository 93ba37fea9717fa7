//! `[anonymous]`, `[[users]]` and `[websocket]`: clients that show neither certificate nor signature.

use std::fmt;

use broker::UserConfig;
use serde::Deserialize;

/// `[anonymous]`: what clients without an identity may do on the plain MQTT listener.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AnonymousConfig {
    /// An IoT policy document. Without one they are refused.
    pub(crate) policy_document: Option<String>,
}

/// `[[users]]`: a client that names a user must prove its password.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct User {
    name: String,
    /// An Argon2id PHC string, as `althing hash-password` prints it.
    password_hash: String,
    /// An IoT policy document; everything without one.
    policy_document: Option<String>,
}

/// `[websocket]`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct WebSocketConfig {
    /// Hosts whose pages may open a WebSocket without a signature, beside this machine's and the server's own names.
    pub(crate) origin_hosts: Vec<String>,
}

impl User {
    pub(crate) fn as_configured(&self) -> UserConfig {
        let Self { name, password_hash, policy_document } = self.clone();
        UserConfig { name, password_hash, policy_document }
    }
}

/// The hash is nobody's to read in a log.
impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("User").field("name", &self.name).finish_non_exhaustive()
    }
}
