//! What a client without an identity may do: refused, or an IoT policy document from the configuration.

use std::sync::Arc;

use policy::{Document, MalformedPolicy, PolicySet};

/// The configured answer to clients that the transport does not identify.
#[derive(Clone)]
pub enum Anonymous {
    /// They may not connect.
    Refused,
    /// They may do what this policy allows.
    Allowed(Arc<PolicySet>),
}

impl Anonymous {
    /// The default for the loopback listener.
    pub const EVERYTHING: &str =
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:*","Resource":"*"}]}"#;

    /// From an IoT policy document.
    ///
    /// # Errors
    /// [`MalformedPolicy`] says what is wrong with the document.
    pub fn from_policy(document: &str) -> Result<Self, MalformedPolicy> {
        let document = Arc::new(Document::parse(document)?);
        Ok(Self::Allowed(Arc::new(PolicySet::new([(Arc::from("anonymous"), document)]))))
    }
}
