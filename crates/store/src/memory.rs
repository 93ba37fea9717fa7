//! An engine that keeps everything in memory and nothing over a restart: for tests and for trying things out.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use parking_lot::RwLock;

use crate::range::is_possible;
use crate::writer::{Engine, Round, Writer};
use crate::{Batch, Direction, Done, Entry, Store, StoreError, Version, Versioned, Watch};

/// A store in memory, with the same writer, and so the same answers, as one on disk.
#[derive(Debug)]
pub struct MemoryStore {
    rows: Arc<Rows>,
    writer: Writer,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Arc<Self> {
        let rows = Arc::new(Rows::default());
        let writer = Writer::start(Arc::clone(&rows), Version(0)).expect("the system can start one more thread");
        Arc::new(Self { rows, writer })
    }

    /// Finishes the commits that wait and refuses all later ones; reading goes on.
    pub fn close(&self) {
        self.writer.close();
    }
}

impl Store for MemoryStore {
    fn get(&self, key: &[u8]) -> Result<Option<Versioned>, StoreError> {
        Engine::get(&*self.rows, key)
    }

    fn range(&self, from: &[u8], to: &[u8], limit: usize, direction: Direction) -> Result<Vec<Entry>, StoreError> {
        if !is_possible(from, to) {
            return Ok(Vec::new());
        }
        let end = if to.is_empty() { Bound::Unbounded } else { Bound::Excluded(to) };
        let rows = self.rows.0.read();
        let range = rows.range::<[u8], _>((Bound::Included(from), end));
        let entry = |(key, row): (&Vec<u8>, &Versioned)| Entry {
            key: key.clone(),
            value: row.value.clone(),
            version: row.version,
        };
        Ok(match direction {
            Direction::Forward => range.take(limit).map(entry).collect(),
            Direction::Backward => range.rev().take(limit).map(entry).collect(),
        })
    }

    fn commit_then(&self, batch: Batch, done: Done) {
        self.writer.commit_then(batch, done);
    }

    fn watch(&self, prefix: &[u8]) -> Watch {
        self.writer.watch(prefix)
    }
}

#[derive(Debug, Default)]
struct Rows(RwLock<BTreeMap<Vec<u8>, Versioned>>);

impl Engine for Rows {
    fn get(&self, key: &[u8]) -> Result<Option<Versioned>, StoreError> {
        Ok(self.0.read().get(key).cloned())
    }

    fn apply(&self, round: &Round<'_>) -> Result<(), StoreError> {
        let mut rows = self.0.write();
        for (key, change) in &round.changes {
            match change {
                Some((version, value)) => {
                    rows.insert(key.to_vec(), Versioned { value: value.to_vec(), version: *version });
                }
                None => {
                    rows.remove(*key);
                }
            }
        }
        Ok(())
    }
}
