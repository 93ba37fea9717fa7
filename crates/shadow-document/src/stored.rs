//! What is kept of a shadow: the document, or after its deletion the version alone; and its bytes on disk.
//!
//! The bytes are compact JSON with `"v":1`. State and metadata are one tree in which a leaf is `[value, seconds]`.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use names::limits::SHADOW_TOMBSTONE_HOURS;

use crate::document::Shadow;
use crate::json::to_bytes;
use crate::section::Fields;

/// A shadow's record.
#[derive(Debug, Clone, PartialEq)]
pub enum Stored {
    /// The shadow exists.
    Live(Arc<Shadow>),
    /// The shadow was deleted. Its version goes on when it is made again within 48 hours (AWS IoT Core developer
    /// guide, device-shadow-document).
    Deleted {
        /// The deleted document's version and one more, for the deletion itself.
        version: u64,
        /// When, in seconds since the epoch.
        deleted_at_seconds: u64,
    },
}

/// Why stored bytes are no shadow: the disk or the program is at fault, never a peer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CorruptShadow {
    /// The bytes do not have the stored form.
    #[error("the shadow's record cannot be read: {0}")]
    Unreadable(String),
    /// A later program wrote it.
    #[error("the shadow's record has format {0}, which this program does not know")]
    UnknownFormat(u64),
}

impl Stored {
    /// Reads a record.
    ///
    /// # Errors
    /// [`CorruptShadow`] when [`Stored::to_stored`] did not write these bytes.
    pub fn from_stored(bytes: &[u8]) -> Result<Self, CorruptShadow> {
        let record: Record = serde_json::from_slice(bytes).map_err(|e| CorruptShadow::Unreadable(e.to_string()))?;
        if record.v != FORMAT {
            return Err(CorruptShadow::UnknownFormat(record.v));
        }
        if let Some(deleted_at_seconds) = record.deleted {
            return Ok(Self::Deleted { version: record.version, deleted_at_seconds });
        }
        let section = |fields: Option<Fields>| fields.filter(|fields| !fields.is_empty()).map(Arc::new);
        Ok(Self::Live(Arc::new(Shadow {
            desired: section(record.desired),
            reported: section(record.reported),
            version: record.version,
            timestamp_seconds: record.timestamp,
        })))
    }

    /// The record's bytes.
    pub fn to_stored(&self) -> Vec<u8> {
        match self {
            Self::Live(shadow) => shadow.to_stored(),
            Self::Deleted { version, deleted_at_seconds } => {
                to_bytes(&DeletedRecord { v: FORMAT, version: *version, deleted: *deleted_at_seconds }).into()
            }
        }
    }

    /// The shadow, when it exists.
    pub fn live(&self) -> Option<&Arc<Shadow>> {
        match self {
            Self::Live(shadow) => Some(shadow),
            Self::Deleted { .. } => None,
        }
    }

    /// Whether this is the record of a shadow deleted 48 hours ago or earlier, which may be thrown away.
    pub fn is_forgotten(&self, now_seconds: u64) -> bool {
        match self {
            Self::Live(_) => false,
            Self::Deleted { deleted_at_seconds, .. } => {
                now_seconds >= deleted_at_seconds.saturating_add(REMEMBERED_SECONDS)
            }
        }
    }
}

impl Shadow {
    /// The record's bytes.
    pub fn to_stored(&self) -> Vec<u8> {
        let record = LiveRecord {
            v: FORMAT,
            version: self.version,
            timestamp: self.timestamp_seconds,
            desired: self.desired.as_deref(),
            reported: self.reported.as_deref(),
        };
        to_bytes(&record).into()
    }
}

#[derive(Serialize)]
struct LiveRecord<'a> {
    v: u64,
    version: u64,
    timestamp: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    desired: Option<&'a Fields>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reported: Option<&'a Fields>,
}

#[derive(Serialize)]
struct DeletedRecord {
    v: u64,
    version: u64,
    deleted: u64,
}

#[derive(Deserialize)]
struct Record {
    v: u64,
    version: u64,
    #[serde(default)]
    timestamp: u64,
    deleted: Option<u64>,
    desired: Option<Fields>,
    reported: Option<Fields>,
}

const FORMAT: u64 = 1;

/// Seconds for which a deleted shadow's version is remembered.
const REMEMBERED_SECONDS: u64 = SHADOW_TOMBSTONE_HOURS * 3600;

#[cfg(test)]
mod tests {
    use super::*;

    /// The documented stored form; a change of it needs a new format number.
    #[test]
    fn records_go_both_ways() {
        for record in [
            r#"{"v":1,"version":3,"timestamp":9,"desired":{"a":[1.5,7],"o":{"x":[[1,[2],{"k":null}],8],"e":{}}}}"#,
            r#"{"v":1,"version":1,"timestamp":9,"desired":{"z":["x",7]},"reported":{"z":[true,7],"a":[-1,3]}}"#,
            r#"{"v":1,"version":12,"timestamp":9}"#,
            r#"{"v":1,"version":4,"deleted":1700000000}"#,
        ] {
            let stored = Stored::from_stored(record.as_bytes()).unwrap();
            assert_eq!(String::from_utf8(stored.to_stored()).unwrap(), record);
        }
    }

    #[test]
    fn other_bytes_are_corrupt() {
        for record in [
            "",
            "{}",
            "[]",
            r#"{"v":1}"#,
            r#"{"v":1,"version":-1,"timestamp":1}"#,
            r#"{"v":1,"version":1,"timestamp":1,"desired":{"a":1}}"#,
            r#"{"v":1,"version":1,"timestamp":1,"desired":{"a":[1]}}"#,
            r#"{"v":1,"version":1,"timestamp":1,"desired":{"a":[null,1]}}"#,
            r#"{"v":1,"version":1,"timestamp":1,"desired":{"a":[{},1]}}"#,
        ] {
            assert!(matches!(Stored::from_stored(record.as_bytes()), Err(CorruptShadow::Unreadable(_))), "{record}");
        }
        let newer = Stored::from_stored(br#"{"v":2,"version":1,"timestamp":1}"#);
        assert_eq!(newer, Err(CorruptShadow::UnknownFormat(2)));
    }

    #[test]
    fn a_deleted_shadow_is_forgotten_after_48_hours() {
        let deleted = Stored::Deleted { version: 4, deleted_at_seconds: 1000 };
        assert!(!deleted.is_forgotten(1000 + 48 * 3600 - 1));
        assert!(deleted.is_forgotten(1000 + 48 * 3600));
        assert!(!deleted.is_forgotten(0));
    }
}
