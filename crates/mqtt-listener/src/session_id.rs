//! Identifiers of connections: random UUIDs, made without asking the system for each.

use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use uuid::{Builder, Uuid};

/// A new one. Two keyed hashes of a counter are its random bits: the keys are the process's own and random, so nobody
/// outside can tell one identifier from another. It names a connection in events and proves nothing.
pub(crate) fn next() -> Uuid {
    static KEYS: OnceLock<[RandomState; 2]> = OnceLock::new();
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let [high, low] = KEYS.get_or_init(|| [RandomState::new(), RandomState::new()]);
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    let random = (u128::from(high.hash_one(number)) << 64) | u128::from(low.hash_one(!number));
    Builder::from_random_bytes(random.to_be_bytes()).into_uuid()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn identifiers_are_random_uuids_and_differ() {
        let ids: HashSet<Uuid> = (0..10_000).map(|_| next()).collect();
        assert_eq!(ids.len(), 10_000);
        assert!(ids.iter().all(|id| id.get_version_num() == 4));
    }
}
