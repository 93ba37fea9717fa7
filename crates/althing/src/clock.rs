//! The wall clock, read here and handed inwards.

use std::time::{SystemTime, UNIX_EPOCH};

use names::Timestamp;

/// The time now. A wall clock before 1970 counts as 1970.
pub(crate) fn timestamp() -> Timestamp {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX))
}
