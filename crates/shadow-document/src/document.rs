//! A shadow: its two sections, its version, and when it was last changed.

use std::sync::Arc;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use crate::json::count_bytes;
use crate::metadata::MetadataOf;
use crate::section::{Fields, StateOf};

/// A device shadow's document (AWS IoT Core developer guide, device-shadow-document). A clone shares its sections.
#[derive(Debug, Clone, PartialEq)]
pub struct Shadow {
    /// Never empty when present: a section without keys is left out.
    pub(crate) desired: Option<Arc<Fields>>,
    /// Never empty when present.
    pub(crate) reported: Option<Arc<Fields>>,
    pub(crate) version: u64,
    pub(crate) timestamp_seconds: u64,
}

impl Shadow {
    /// The number of changes so far, the first being 1; a shadow that is made again soon after it was deleted goes on
    /// from where it was.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// When it was last changed, in seconds since the epoch.
    pub fn timestamp_seconds(&self) -> u64 {
        self.timestamp_seconds
    }

    /// Bytes of the state as compact JSON, which is what AWS's size limit counts.
    pub fn state_bytes(&self) -> usize {
        count_bytes(&self.state())
    }

    pub(crate) fn state(&self) -> Sections<'_, StateOf<'_, Fields>> {
        Sections { shadow: self, with: StateOf }
    }

    pub(crate) fn metadata(&self) -> Sections<'_, MetadataOf<'_, Fields>> {
        Sections { shadow: self, with: MetadataOf }
    }
}

/// The shadow's `{"desired":...,"reported":...}` without a delta; `with` says whether state or metadata is written.
pub(crate) struct Sections<'a, W> {
    shadow: &'a Shadow,
    with: fn(&'a Fields) -> W,
}

impl<W: Serialize> Serialize for Sections<'_, W> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if let Some(fields) = &self.shadow.desired {
            map.serialize_entry("desired", &(self.with)(fields))?;
        }
        if let Some(fields) = &self.shadow.reported {
            map.serialize_entry("reported", &(self.with)(fields))?;
        }
        map.end()
    }
}
