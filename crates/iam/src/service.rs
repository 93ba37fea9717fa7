//! The service itself: the store, the ARNs of this account, and how a record is changed.

use std::fmt;
use std::sync::Arc;

use names::ArnSpace;
use store::{Batch, Direction, Entry, Store, StoreError, prefix_end};

use crate::IamError;
use crate::compiled::Cache;

/// Access keys and roles of the one account that this server stands for.
pub struct Iam {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) arns: ArnSpace,
    pub(crate) cache: Cache,
}

impl Iam {
    /// The service over `store`; it writes nothing until asked to.
    pub fn new(store: Arc<dyn Store>, arns: ArnSpace) -> Self {
        Self { store, arns, cache: Cache::default() }
    }

    /// Reads, decides and writes, again from the start while others write in between.
    pub(crate) fn change<T>(&self, attempt: impl Fn() -> Result<(Batch, T), IamError>) -> Result<T, IamError> {
        for _ in 0..ATTEMPTS_MAX {
            let (batch, answer) = attempt()?;
            match self.store.commit(batch).wait() {
                Ok(_) => return Ok(answer),
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(StoreError::Conflict.into())
    }

    /// At most `limit` rows under `prefix`, in order, beginning at `from` when that is later.
    pub(crate) fn rows(&self, prefix: &str, from: &str, limit: usize) -> Result<Vec<Entry>, StoreError> {
        let from = from.max(prefix).as_bytes();
        self.store.range(from, &prefix_end(prefix.as_bytes()), limit, Direction::Forward)
    }

    /// All rows under `prefix`, in order.
    pub(crate) fn all_rows(&self, prefix: &str) -> Result<Vec<Entry>, StoreError> {
        let (end, mut from, mut rows) = (prefix_end(prefix.as_bytes()), prefix.as_bytes().to_vec(), Vec::new());
        loop {
            let page = self.store.range(&from, &end, PAGE_ROWS, Direction::Forward)?;
            let is_last = page.len() < PAGE_ROWS;
            rows.extend(page);
            let Some(last) = rows.last().filter(|_| !is_last) else {
                return Ok(rows);
            };
            from = after(&last.key);
        }
    }
}

impl fmt::Debug for Iam {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Iam").field("arns", &self.arns).finish_non_exhaustive()
    }
}

/// The first key after `key`.
fn after(key: &[u8]) -> Vec<u8> {
    let mut next = key.to_vec();
    next.push(0);
    next
}

/// Conflicts in a row before the caller is told (ours: as many as may meet at one role at once). Each means that
/// somebody else's write went through.
const ATTEMPTS_MAX: usize = 100;

const PAGE_ROWS: usize = 500;
