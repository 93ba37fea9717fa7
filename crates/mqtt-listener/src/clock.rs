//! The clocks, read at the door and handed inwards.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use broker::Now;
use names::Timestamp;

/// Both clocks, now. A wall clock before 1970 counts as 1970.
pub(crate) fn now() -> Now {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let millis = u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX);
    Now { instant: Instant::now(), timestamp: Timestamp::from_millis(millis) }
}
