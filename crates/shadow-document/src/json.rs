//! Compact JSON, as all answers and records are written.

use bytes::Bytes;
use serde::Serialize;

/// The body's bytes, without spaces.
pub(crate) fn to_bytes<T: Serialize>(body: &T) -> Bytes {
    serde_json::to_vec(body).map(Bytes::from).expect("keys are strings and writing to memory does not fail")
}
