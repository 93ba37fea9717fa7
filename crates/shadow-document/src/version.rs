//! Which version a shadow has, also when it does not exist.

use crate::stored::Stored;

/// The version that an update builds on: the shadow's own, the one remembered of a deleted shadow, or 0.
pub(crate) fn current(stored: Option<&Stored>, now_seconds: u64) -> u64 {
    match stored {
        Some(Stored::Live(shadow)) => shadow.version,
        Some(deleted @ Stored::Deleted { version, .. }) if !deleted.is_forgotten(now_seconds) => *version,
        _ => 0,
    }
}
