//! Keep alive: when a silent client counts as gone (MQTT 3.1.1, 3.1.2.10).

use std::time::{Duration, Instant};

use names::{Dialect, limits};

/// The keep alive that the server holds a client to; none when it is off. Dialect `aws` has it always on and between
/// 30 and 1200 seconds, whatever the client asks (AWS quotas, message broker).
pub(crate) fn period(asked_seconds: u16, dialect: Dialect) -> Option<Duration> {
    let seconds = match (dialect, asked_seconds) {
        (Dialect::Aws, 0) => limits::AWS_KEEP_ALIVE_SECONDS_MAX,
        (Dialect::Aws, asked) => asked.clamp(limits::AWS_KEEP_ALIVE_SECONDS_MIN, limits::AWS_KEEP_ALIVE_SECONDS_MAX),
        (Dialect::Mqtt, 0) => return None,
        (Dialect::Mqtt, asked) => asked,
    };
    Some(Duration::from_secs(u64::from(seconds)))
}

/// Watches the client's silence. Only what the client sends counts.
#[derive(Debug)]
pub(crate) struct KeepAlive {
    period: Option<Duration>,
    heard_at: Instant,
}

impl KeepAlive {
    pub(crate) fn new(period: Option<Duration>, now: Instant) -> Self {
        Self { period, heard_at: now }
    }

    /// The client sent a packet.
    pub(crate) fn heard(&mut self, now: Instant) {
        self.heard_at = now;
    }

    /// One and a half periods after the last packet [MQTT-3.1.2-24].
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.period.and_then(|period| self.heard_at.checked_add(period + period / 2))
    }

    pub(crate) fn period(&self) -> Option<Duration> {
        self.period
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_by_dialect() {
        let check = |asked, aws: u64, mqtt: Option<u64>| {
            assert_eq!(period(asked, Dialect::Aws), Some(Duration::from_secs(aws)), "{asked}");
            assert_eq!(period(asked, Dialect::Mqtt), mqtt.map(Duration::from_secs), "{asked}");
        };
        check(0, 1200, None);
        check(1, 30, Some(1));
        check(29, 30, Some(29));
        check(30, 30, Some(30));
        check(60, 60, Some(60));
        check(1200, 1200, Some(1200));
        check(1201, 1200, Some(1201));
        check(65_535, 1200, Some(65_535));
    }
}
