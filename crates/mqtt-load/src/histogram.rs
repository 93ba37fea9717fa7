//! Latencies in a table of fixed size: exact below 128 us, then within 1.6 percent.

use std::time::Duration;

/// How often each latency was seen, in microseconds.
pub(crate) struct Histogram {
    counts: Vec<u64>,
    total: u64,
    max: u64,
}

impl Histogram {
    pub(crate) fn new() -> Self {
        Self { counts: vec![0; bucket_of(MICROS_MAX) + 1], total: 0, max: 0 }
    }

    pub(crate) fn record(&mut self, latency: Duration) {
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX).min(MICROS_MAX);
        if let Some(count) = self.counts.get_mut(bucket_of(micros)) {
            *count += 1;
        }
        self.total += 1;
        self.max = self.max.max(micros);
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::new();
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// The longest, in microseconds.
    pub(crate) fn max(&self) -> u64 {
        self.max
    }

    /// The latency that `hundredths` of all do not exceed, in microseconds: the upper end of its bucket. 0 of none.
    pub(crate) fn percentile(&self, hundredths: u64) -> u64 {
        let rank = (self.total * hundredths).div_ceil(100).max(1);
        let mut seen = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return upper_end(bucket).min(self.max);
            }
        }
        0
    }
}

/// Values below `2 * HALF` have a bucket each; each doubling after that has `HALF` buckets.
fn bucket_of(micros: u64) -> usize {
    let doublings = micros.max(1).ilog2().saturating_sub(HALF_BITS);
    let within = micros >> doublings;
    usize::try_from(u64::from(doublings) * HALF + within).unwrap_or(usize::MAX)
}

fn upper_end(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    let doublings = (bucket / HALF).saturating_sub(1);
    let within = bucket - doublings * HALF;
    ((within + 1) << doublings) - 1
}

const HALF_BITS: u32 = 6;
const HALF: u64 = 1 << HALF_BITS;
/// About 71 minutes.
const MICROS_MAX: u64 = u32::MAX as u64;

#[cfg(test)]
mod tests {
    use super::*;

    fn of(micros: &[u64]) -> Histogram {
        let mut histogram = Histogram::new();
        micros.iter().for_each(|micros| histogram.record(Duration::from_micros(*micros)));
        histogram
    }

    #[test]
    fn each_value_lies_in_its_bucket_and_buckets_adjoin() {
        for micros in (0..5000).chain([1 << 20, (1 << 20) + 1, MICROS_MAX - 1, MICROS_MAX]) {
            let bucket = bucket_of(micros);
            let below = bucket.checked_sub(1).map(upper_end);
            assert!(micros <= upper_end(bucket), "{micros}");
            assert!(below.is_none_or(|below| below < micros), "{micros}");
            assert!(upper_end(bucket) - micros <= micros / 64, "{micros} in a bucket up to {}", upper_end(bucket));
        }
    }

    #[test]
    fn percentiles_are_ranks() {
        let check = |micros: &[u64], hundredths, expected| assert_eq!(of(micros).percentile(hundredths), expected);
        check(&[], 50, 0);
        check(&[7], 50, 7);
        check(&[7], 99, 7);
        check(&[1, 2, 3, 4], 50, 2);
        check(&[4, 1, 3, 2], 95, 4);
        let hundred: Vec<u64> = (1..=100).collect();
        check(&hundred, 50, 50);
        check(&hundred, 99, 99);
        assert_eq!(of(&hundred).max(), 100);
    }

    #[test]
    fn what_is_longer_than_the_table_counts_as_its_end() {
        assert_eq!(of(&[MICROS_MAX + 5]).percentile(50), MICROS_MAX);
    }
}
