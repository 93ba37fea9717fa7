//! The wall clock, read here and handed inwards.

use std::time::SystemTime;

use names::Timestamp;

/// The time now.
pub(crate) fn timestamp() -> Timestamp {
    SystemTime::now().into()
}
