//! The bodies of answers, with AWS's order of keys: compact JSON without spaces.

use bytes::Bytes;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use crate::delta::{self, Delta};
use crate::document::{Sections, Shadow};
use crate::json::to_bytes;
use crate::metadata::{MetadataOf, Stamped};
use crate::section::{Fields, StateOf};
use crate::stored::Stored;
use crate::value::Value;

/// The body of `get/accepted` and of GetThingShadow: all state with its delta, metadata, version, and the time of the
/// answer in seconds (AWS IoT Core developer guide, device-shadow-document).
pub fn get(shadow: &Shadow, now_seconds: u64, client_token: Option<&str>) -> Bytes {
    to_bytes(&Accepted {
        state: StateAndDelta(shadow),
        metadata: shadow.metadata(),
        version: shadow.version,
        timestamp: now_seconds,
        client_token,
    })
}

/// Deletes a shadow: what is kept of it, and the body of `delete/accepted` with the deleted document's version. The
/// deletion itself counts as a version, so an update soon after it builds on the next one.
pub fn delete(shadow: &Shadow, now_seconds: u64, client_token: Option<&str>) -> (Stored, Bytes) {
    let stored = Stored::Deleted { version: shadow.version.saturating_add(1), deleted_at_seconds: now_seconds };
    (stored, to_bytes(&Deleted { version: shadow.version, timestamp: now_seconds, client_token }))
}

/// The body of `update/accepted`: the state as it was sent, and what `shadow` is since.
pub(crate) fn accepted(sent: &Value, shadow: &Shadow, client_token: Option<&str>) -> Bytes {
    let Shadow { version, timestamp_seconds: timestamp, .. } = *shadow;
    let metadata = Stamped { value: sent, seconds: timestamp };
    to_bytes(&Accepted { state: sent, metadata, version, timestamp, client_token })
}

/// The body of `update/delta`; none when nothing differs.
pub(crate) fn delta(shadow: &Shadow, client_token: Option<&str>) -> Option<Bytes> {
    let delta = delta::of(shadow)?;
    Some(to_bytes(&DeltaBody {
        version: shadow.version,
        timestamp: shadow.timestamp_seconds,
        state: StateOf(&delta),
        metadata: MetadataOf(&delta),
        client_token,
    }))
}

/// The body of `update/documents`; `previous` is null for a shadow that was not there.
pub(crate) fn documents(previous: Option<&Shadow>, current: &Shadow, client_token: Option<&str>) -> Bytes {
    let timestamp = current.timestamp_seconds;
    to_bytes(&Documents { previous: previous.map(half), current: half(current), timestamp, client_token })
}

fn half(shadow: &Shadow) -> Half<'_> {
    Half { state: shadow.state(), metadata: shadow.metadata(), version: shadow.version }
}

#[derive(Serialize)]
struct Accepted<'a, S, M> {
    state: S,
    metadata: M,
    version: u64,
    timestamp: u64,
    #[serde(rename = "clientToken", skip_serializing_if = "Option::is_none")]
    client_token: Option<&'a str>,
}

#[derive(Serialize)]
struct DeltaBody<'a> {
    version: u64,
    timestamp: u64,
    state: StateOf<'a, Delta<'a>>,
    metadata: MetadataOf<'a, Delta<'a>>,
    #[serde(rename = "clientToken", skip_serializing_if = "Option::is_none")]
    client_token: Option<&'a str>,
}

#[derive(Serialize)]
struct Documents<'a> {
    previous: Option<Half<'a>>,
    current: Half<'a>,
    timestamp: u64,
    #[serde(rename = "clientToken", skip_serializing_if = "Option::is_none")]
    client_token: Option<&'a str>,
}

#[derive(Serialize)]
struct Half<'a> {
    state: Sections<'a, StateOf<'a, Fields>>,
    metadata: Sections<'a, MetadataOf<'a, Fields>>,
    version: u64,
}

#[derive(Serialize)]
struct Deleted<'a> {
    version: u64,
    timestamp: u64,
    #[serde(rename = "clientToken", skip_serializing_if = "Option::is_none")]
    client_token: Option<&'a str>,
}

/// The sections and, when something differs, `delta` after them.
struct StateAndDelta<'a>(&'a Shadow);

impl Serialize for StateAndDelta<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(fields) = &self.0.desired {
            map.serialize_entry("desired", &StateOf(&**fields))?;
        }
        if let Some(fields) = &self.0.reported {
            map.serialize_entry("reported", &StateOf(&**fields))?;
        }
        if let Some(delta) = delta::of(self.0) {
            map.serialize_entry("delta", &StateOf(&delta))?;
        }
        map.end()
    }
}
