//! The clocks, read at the door and handed inwards.

use std::time::{Instant, SystemTime};

use broker::Now;

/// Both clocks, now.
pub(crate) fn now() -> Now {
    Now { instant: Instant::now(), timestamp: SystemTime::now().into() }
}
