//! How often an address may connect: a token bucket each, in a table that is bounded and forgets.
//!
//! The table has two halves. New and active addresses are in the young one; when that is full it becomes the old one,
//! and what was in the old one and was not seen since is forgotten. An address that is forgotten starts with a full
//! bucket again, so a flood from very many addresses weakens this bound and never the memory.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Instant;

use names::limits;
use parking_lot::Mutex;

use crate::entrance::ConnectRate;

/// The buckets of one listener.
pub(crate) struct ConnectRates {
    rate: ConnectRate,
    /// Whether addresses of this machine are counted too.
    is_strict: bool,
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    young: HashMap<IpAddr, Bucket>,
    old: HashMap<IpAddr, Bucket>,
}

#[derive(Clone, Copy)]
struct Bucket {
    tokens: f64,
    filled_at: Instant,
}

impl ConnectRates {
    pub(crate) fn new(rate: Option<ConnectRate>) -> Self {
        Self { rate: rate.unwrap_or_default(), is_strict: rate.is_some(), table: Mutex::default() }
    }

    /// Whether this address may connect now; if so, it has one connection less to make.
    pub(crate) fn admit(&self, address: IpAddr, now: Instant) -> bool {
        if address.is_loopback() && !self.is_strict {
            return true;
        }
        let key = network(address);
        let mut table = self.table.lock();
        let full = Bucket { tokens: f64::from(self.rate.burst), filled_at: now };
        let mut bucket = table.take(&key).unwrap_or(full);
        let passed = now.saturating_duration_since(bucket.filled_at).as_secs_f64();
        bucket.tokens = (bucket.tokens + passed * f64::from(self.rate.per_second)).min(f64::from(self.rate.burst));
        bucket.filled_at = now;
        let admitted = bucket.tokens >= 1.0;
        if admitted {
            bucket.tokens -= 1.0;
        }
        table.put(key, bucket);
        admitted
    }
}

impl Table {
    fn take(&mut self, key: &IpAddr) -> Option<Bucket> {
        self.young.get(key).copied().or_else(|| self.old.remove(key))
    }

    fn put(&mut self, key: IpAddr, bucket: Bucket) {
        if self.young.len() >= limits::CONNECT_RATE_ADDRESSES_MAX / 2 && !self.young.contains_key(&key) {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, bucket);
    }
}

/// One host has as many IPv6 addresses as it likes within its /64 network.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const RATE: ConnectRate = ConnectRate { per_second: 10, burst: 3 };

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a starting point for a made-up clock")]
    fn a_burst_then_the_rate_for_each_address() {
        let rates = ConnectRates::new(Some(RATE));
        let start = Instant::now();
        let admitted = |text: &str, millis: u64, times: usize| {
            let now = start + Duration::from_millis(millis);
            (0..times).filter(|_| rates.admit(address(text), now)).count()
        };
        assert_eq!(admitted("192.0.2.1", 0, 5), 3, "the burst");
        assert_eq!(admitted("192.0.2.2", 0, 5), 3, "another address");
        assert_eq!(admitted("192.0.2.1", 100, 5), 1, "ten a second");
        assert_eq!(admitted("192.0.2.1", 150, 5), 0, "half a token");
        assert_eq!(admitted("192.0.2.1", 200, 5), 1, "and the other half");
        assert_eq!(admitted("192.0.2.1", 60_000, 5), 3, "never more than the burst");
        assert_eq!(admitted("127.0.0.1", 0, 5), 3, "this machine too, when a rate was asked for");
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a starting point for a made-up clock")]
    fn a_network_of_ipv6_is_one_address_and_mapped_ipv4_is_ipv4() {
        let rates = ConnectRates::new(Some(ConnectRate { per_second: 1, burst: 1 }));
        let now = Instant::now();
        assert!(rates.admit(address("2001:db8::1"), now));
        assert!(!rates.admit(address("2001:db8::2"), now));
        assert!(rates.admit(address("2001:db8:0:1::1"), now));
        assert!(rates.admit(address("192.0.2.1"), now));
        assert!(!rates.admit(address("::ffff:192.0.2.1"), now));
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a starting point for a made-up clock")]
    fn the_table_is_bounded_and_keeps_who_comes_often() {
        let rates = ConnectRates::new(Some(ConnectRate { per_second: 1, burst: 1 }));
        let (now, often) = (Instant::now(), address("192.0.2.1"));
        assert!(rates.admit(often, now));
        for n in 0..2 * u32::try_from(limits::CONNECT_RATE_ADDRESSES_MAX).unwrap() {
            assert!(rates.admit(IpAddr::from((0x0a00_0000 + n).to_be_bytes()), now));
            if n % 1000 == 0 {
                assert!(!rates.admit(often, now), "forgotten after {n} others");
            }
        }
        let table = rates.table.lock();
        assert!(table.young.len() + table.old.len() <= limits::CONNECT_RATE_ADDRESSES_MAX);
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "a starting point for a made-up clock")]
    fn without_a_configured_rate_this_machine_is_not_counted() {
        let rates = ConnectRates::new(None);
        let now = Instant::now();
        assert!((0..100_000).all(|_| rates.admit(address("127.0.0.1"), now)));
        let taken = (0..100_000).filter(|_| rates.admit(address("192.0.2.1"), now)).count();
        assert_eq!(taken, limits::CONNECTS_BURST_PER_IP_MAX as usize);
    }
}
