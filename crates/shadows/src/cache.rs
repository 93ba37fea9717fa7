//! Shadows that a worker has read before, so that a record that is still the same need not be read again.
//!
//! The store is asked each time: another node may have written. What is spared is making a document of the record's bytes.

use std::collections::HashMap;

use shadow_document::Stored;
use store::Version;

use crate::shadow_id::ShadowId;

/// Bounded by bytes. What was not used while half of them were filled anew is forgotten.
pub(crate) struct Cache {
    young: HashMap<ShadowId, Kept>,
    young_bytes: usize,
    old: HashMap<ShadowId, Kept>,
    bytes_max: usize,
}

struct Kept {
    stored: Stored,
    version: Version,
    bytes: usize,
}

impl Cache {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self { young: HashMap::new(), young_bytes: 0, old: HashMap::new(), bytes_max }
    }

    /// What the record of this version says, if that is known.
    pub(crate) fn get(&mut self, id: &ShadowId, version: Version) -> Option<Stored> {
        if let Some(kept) = self.old.remove(id) {
            self.insert(id.clone(), kept);
        }
        self.young.get(id).filter(|kept| kept.version == version).map(|kept| kept.stored.clone())
    }

    /// Keeps what the record of this version says; the record has `record_bytes`.
    pub(crate) fn put(&mut self, id: ShadowId, stored: Stored, version: Version, record_bytes: usize) {
        self.old.remove(&id);
        let bytes = ENTRY_BYTES + record_bytes * BYTES_PER_RECORD_BYTE;
        self.insert(id, Kept { stored, version, bytes });
    }

    fn insert(&mut self, id: ShadowId, kept: Kept) {
        self.young_bytes += kept.bytes;
        if let Some(before) = self.young.insert(id, kept) {
            self.young_bytes -= before.bytes;
        }
        if self.young_bytes > self.bytes_max / 2 {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = 0;
        }
    }
}

/// What an entry takes beside its document.
const ENTRY_BYTES: usize = 256;
/// A field takes some 150 bytes in memory and some 30 in its record; long arrays of short numbers take three times as much as
/// this.
const BYTES_PER_RECORD_BYTE: usize = 12;

#[cfg(test)]
mod tests {
    use names::ThingName;

    use super::*;

    fn id(n: usize) -> ShadowId {
        ShadowId::classic(ThingName::new(format!("t{n}")).unwrap())
    }

    fn stored(version: u64) -> Stored {
        Stored::Deleted { version, deleted_at_seconds: 0 }
    }

    #[test]
    fn only_the_version_that_was_read_is_known() {
        let mut cache = Cache::new(1_000_000);
        cache.put(id(1), stored(7), Version(3), 10);
        assert_eq!(cache.get(&id(1), Version(3)), Some(stored(7)));
        assert_eq!(cache.get(&id(1), Version(4)), None);
        assert_eq!(cache.get(&id(2), Version(3)), None);
        cache.put(id(1), stored(8), Version(4), 10);
        assert_eq!(cache.get(&id(1), Version(4)), Some(stored(8)));
    }

    #[test]
    fn what_is_used_stays_and_the_rest_is_forgotten() {
        let mut cache = Cache::new(100 * ENTRY_BYTES);
        for n in 0..1000 {
            cache.put(id(n), stored(1), Version(1), 0);
            assert!(cache.get(&id(0), Version(1)).is_some(), "after {n}");
            assert!(cache.young.len() + cache.old.len() <= 102);
        }
        assert!(cache.get(&id(500), Version(1)).is_none());
    }
}
