//! Where shadows are in the store.
//!
//! | Key | Value |
//! |---|---|
//! | `shadow/live/THING` | the classic shadow's record (`shadow_document::Shadow::to_stored`) |
//! | `shadow/live/THING/NAME` | a named shadow's record |
//! | `shadow/deleted/THING` and `shadow/deleted/THING/NAME` | a deleted shadow's last version and when it was deleted |
//!
//! A shadow is at one of its two keys at most. Neither kind of name has a `/`. Deleted ones are apart so that listing
//! and forgetting read nothing else.

use names::{ShadowName, ThingName};
use shadow_document::Stored;
use store::{Batch, Store, StoreError, Version, Versioned};

use crate::shadow_id::ShadowId;

/// A shadow as it was read, with what a later write must find unchanged.
pub(crate) struct Record {
    pub(crate) stored: Option<Stored>,
    live_version: Option<Version>,
    deleted_version: Option<Version>,
}

/// Reads one shadow, or what is remembered of it. `known` may have what the row of this version says.
pub(crate) fn read(
    store: &dyn Store,
    id: &ShadowId,
    mut known: impl FnMut(Version) -> Option<Stored>,
) -> Result<Record, StoreError> {
    let mut record = Record { stored: None, live_version: None, deleted_version: None };
    let mut say = |row: &Versioned| known(row.version).map_or_else(|| decode(&row.value, id), Ok);
    if let Some(row) = store.get(&live_key(id))? {
        record.stored = Some(say(&row)?);
        record.live_version = Some(row.version);
    } else if let Some(row) = store.get(&deleted_key(id))? {
        record.stored = Some(say(&row)?);
        record.deleted_version = Some(row.version);
    }
    Ok(record)
}

impl Record {
    /// The batch that puts `new` in this record's place, and fails when somebody else wrote meanwhile; and the bytes of
    /// the new record.
    pub(crate) fn replace(&self, id: &ShadowId, new: &Stored) -> (Batch, usize) {
        let (live, deleted) = (live_key(id), deleted_key(id));
        let mut batch = Batch::new().unchanged(live.clone(), self.live_version);
        if self.live_version.is_none() {
            batch = batch.unchanged(deleted.clone(), self.deleted_version);
        }
        let record = new.to_stored();
        let bytes = record.len();
        let batch = match new {
            Stored::Live(_) if self.deleted_version.is_some() => batch.put(live, record).delete(deleted),
            Stored::Live(_) => batch.put(live, record),
            Stored::Deleted { .. } => batch.delete(live).put(deleted, record),
        };
        (batch, bytes)
    }
}

fn decode(value: &[u8], id: &ShadowId) -> Result<Stored, StoreError> {
    Stored::from_stored(value).map_err(|corrupt| StoreError::Failed(format!("shadow of {}: {corrupt}", id.title())))
}

/// The keys of a thing's named shadows: the first possible one after `after`, and the first beyond all.
pub(crate) fn named_range(thing: &ThingName, after: Option<&ShadowName>) -> (Vec<u8>, Vec<u8>) {
    let from = match after {
        // The smallest key that is larger.
        Some(after) => format!("{LIVE}{thing}/{after}\0"),
        None => format!("{LIVE}{thing}/"),
    };
    (from.into_bytes(), format!("{LIVE}{thing}0").into_bytes())
}

/// The shadow's name in the key of a named shadow.
pub(crate) fn name_in(key: &[u8]) -> Option<ShadowName> {
    let (_, name) = std::str::from_utf8(key).ok()?.strip_prefix(LIVE)?.split_once('/')?;
    ShadowName::new(name).ok()
}

/// The keys of all deleted shadows: the first possible one and the first beyond all.
pub(crate) fn deleted_range() -> (Vec<u8>, Vec<u8>) {
    (DELETED.into(), b"shadow/deleted0".to_vec())
}

fn live_key(id: &ShadowId) -> Vec<u8> {
    key(LIVE, id)
}

fn deleted_key(id: &ShadowId) -> Vec<u8> {
    key(DELETED, id)
}

fn key(prefix: &str, id: &ShadowId) -> Vec<u8> {
    let thing = &id.thing;
    match &id.name {
        None => format!("{prefix}{thing}").into_bytes(),
        Some(name) => format!("{prefix}{thing}/{name}").into_bytes(),
    }
}

const LIVE: &str = "shadow/live/";
const DELETED: &str = "shadow/deleted/";

#[cfg(test)]
mod tests {
    use super::*;

    /// The documented layout; a change of it needs a migration.
    #[test]
    fn keys_are_as_documented() {
        let thing = ThingName::new("t").unwrap();
        let named = ShadowId::named(thing.clone(), ShadowName::new("n").unwrap());
        assert_eq!(live_key(&ShadowId::classic(thing.clone())), b"shadow/live/t");
        assert_eq!(live_key(&named), b"shadow/live/t/n");
        assert_eq!(deleted_key(&named), b"shadow/deleted/t/n");
        assert_eq!(name_in(b"shadow/live/t/n"), ShadowName::new("n").ok());
        assert_eq!(name_in(b"shadow/live/t"), None);
    }

    #[test]
    fn a_things_range_holds_its_named_shadows_and_no_others() {
        let (from, to) = named_range(&ThingName::new("t").unwrap(), None);
        let check = |key: &[u8], expected: bool| {
            assert_eq!(from.as_slice() <= key && key < to.as_slice(), expected, "{key:?}");
        };
        check(b"shadow/live/t/$x", true);
        check(b"shadow/live/t/zz", true);
        check(b"shadow/live/t", false);
        check(b"shadow/live/t-1/x", false);
        check(b"shadow/live/t0/x", false);
        check(b"shadow/live/ta/x", false);
    }
}
