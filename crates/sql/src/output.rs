//! What a statement gives: bytes for most actions, a value for those that look into it.

use std::sync::OnceLock;

use bytes::Bytes;

use crate::{SqlVersion, Value};

/// The result of a statement for one message.
#[derive(Debug, Clone)]
pub struct Output {
    bytes: Bytes,
    value: OnceLock<Value>,
    version: SqlVersion,
    variables: Variables,
}

/// What the SET clause gave its names for one message; for the templates of the same rule.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Variables(pub(crate) Vec<(String, Value)>);

impl Output {
    /// The payload as it was published.
    pub(crate) fn untouched(payload: &Bytes, version: SqlVersion, variables: Variables) -> Self {
        Self { bytes: payload.clone(), value: OnceLock::new(), version, variables }
    }

    /// A value that the statement made.
    pub(crate) fn made(value: Value, version: SqlVersion, variables: Variables) -> Self {
        Self { bytes: Bytes::from(value.to_json()), value: OnceLock::from(value), version, variables }
    }

    /// The result's bytes: JSON, or the published payload.
    #[must_use]
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The result's bytes.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        self.bytes
    }

    /// The result's value, parsed on first use where the payload went through untouched; Undefined if it is no JSON.
    #[must_use]
    pub fn value(&self) -> &Value {
        self.value.get_or_init(|| Value::from_json(&self.bytes, self.version).unwrap_or_default())
    }

    /// What SET gave its names.
    #[must_use]
    pub fn variables(&self) -> &Variables {
        &self.variables
    }
}

impl Variables {
    /// The value of a name; Undefined if it was not set.
    pub(crate) fn value(&self, name: &str) -> &Value {
        self.0.iter().find(|(set, _)| set == name).map_or(&crate::value::UNDEFINED, |(_, value)| value)
    }
}
