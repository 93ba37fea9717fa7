//! What is on its way to the disk, laid over what is there, for rows that are few and that are read back before they are
//! durable: records, subscriptions, what is due. The queues' rows are not among them.
//!
//! Only one thread at a time may write (the caller's lock); everybody may read.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use store::{Direction, Store, StoreError, Write};

use crate::table;

/// The store, and the newest states of keys that it does not have yet.
pub(crate) struct Overlay {
    store: Arc<dyn Store>,
    newest: Arc<Newest>,
    next_write: AtomicU64,
}

/// A key's newest value, none for gone, and the number of the write that made it so.
type Newest = Mutex<BTreeMap<Vec<u8>, (u64, Option<Vec<u8>>)>>;

/// Writes that are on their way. Dropped when they have arrived, or never will.
pub(crate) struct OnTheirWay {
    newest: Arc<Newest>,
    write: u64,
    keys: Vec<Vec<u8>>,
}

/// A key and its value.
pub(crate) type KeyValue = (Vec<u8>, Vec<u8>);

impl Overlay {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        Self { store, newest: Arc::default(), next_write: AtomicU64::new(0) }
    }

    /// The newest value of a key.
    pub(crate) fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        // Before the store is read: what arrives in between is then seen there.
        if let Some((_, newest)) = self.newest.lock().get(key) {
            return Ok(newest.clone());
        }
        Ok(self.store.get(key)?.map(|there| there.value))
    }

    /// The first rows of a range, as their newest values are.
    pub(crate) fn range(&self, from: &[u8], to: &[u8], limit: usize) -> Result<Vec<KeyValue>, StoreError> {
        let bounds = (Bound::Included(from), if to.is_empty() { Bound::Unbounded } else { Bound::Excluded(to) });
        let newest: Vec<_> =
            self.newest.lock().range::<[u8], _>(bounds).map(|(key, (_, value))| (key.clone(), value.clone())).collect();
        // So many rows that enough are left whatever of them is gone.
        let rows = self.store.range(from, to, limit.saturating_add(newest.len()), Direction::Forward)?;
        let rows = rows.into_iter().map(|row| (row.key, row.value));
        if newest.is_empty() {
            return Ok(rows.collect());
        }
        let mut merged: BTreeMap<_, _> = rows.map(|(key, value)| (key, Some(value))).collect();
        merged.extend(newest);
        Ok(merged.into_iter().filter_map(|(key, value)| Some((key, value?))).take(limit).collect())
    }

    /// Shows the writes to all readers from now on.
    pub(crate) fn show(&self, writes: &[Write]) -> OnTheirWay {
        let write = self.next_write.fetch_add(1, Ordering::Relaxed);
        let mut keys = Vec::new();
        let mut newest = self.newest.lock();
        for change in writes {
            let (key, value) = match change {
                Write::Put(key, value) => (key, Some(value.clone())),
                Write::Delete(key) => (key, None),
            };
            if is_read_back(key) {
                newest.insert(key.clone(), (write, value));
                keys.push(key.clone());
            }
        }
        drop(newest);
        OnTheirWay { newest: Arc::clone(&self.newest), write, keys }
    }
}

impl Drop for OnTheirWay {
    fn drop(&mut self) {
        let mut newest = self.newest.lock();
        for key in &self.keys {
            if newest.get(key).is_some_and(|(write, _)| *write == self.write) {
                newest.remove(key);
            }
        }
    }
}

fn is_read_back(key: &[u8]) -> bool {
    [table::CLIENT, table::WILL, table::ONLINE, table::DUE, table::SUBSCRIPTION, table::PURGE]
        .iter()
        .any(|table| key.starts_with(table))
}

#[cfg(test)]
mod tests {
    use store::{Batch, MemoryStore};

    use super::*;

    #[test]
    fn the_newest_state_is_seen_whether_or_not_it_has_arrived() {
        let key = |n: u8| table::key(table::DUE, &[n]);
        let store = MemoryStore::new();
        let there = (0..6).fold(Batch::new(), |batch, n| batch.put(key(n), vec![n]));
        store.commit(there).wait().unwrap();
        let overlay = Overlay::new(store);
        let (from, to) = table::all(table::DUE.to_vec());
        let seen = |limit| {
            let rows = overlay.range(&from, &to, limit).unwrap();
            rows.into_iter().map(|(_, value)| value[0]).collect::<Vec<_>>()
        };
        let older = overlay.show(&[Write::Delete(key(0)), Write::Put(key(1), vec![11])]);
        let newer = overlay.show(&[Write::Delete(key(1)), Write::Put(key(9), vec![9])]);
        assert_eq!(seen(2), [2, 3]);
        assert_eq!(seen(10), [2, 3, 4, 5, 9]);
        assert_eq!(overlay.get(&key(1)).unwrap(), None);
        drop(older);
        assert_eq!(overlay.get(&key(1)).unwrap(), None, "a newer write is still on its way");
        assert_eq!(seen(2), [0, 2], "the store did not get this one, so its state is the store's");
        drop(newer);
        assert_eq!(seen(10), [0, 1, 2, 3, 4, 5]);
    }
}
