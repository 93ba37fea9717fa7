//! Forgetting the versions of shadows that were deleted long ago.

use names::Timestamp;
use shadow_document::Stored;
use store::{Batch, Direction, Precondition, Store, StoreError, Ticket, Write};

use crate::table;

/// Walks over the deleted shadows a page at a time, and once around in an hour at most.
#[derive(Debug, Default)]
pub(crate) struct Sweeper {
    /// The last key seen; none between two rounds.
    after: Option<Vec<u8>>,
    rest_until_seconds: u64,
}

impl Sweeper {
    /// Looks at one page, unless it is time to rest; answers the commits under way.
    pub(crate) fn step(&mut self, store: &dyn Store, now: Timestamp) -> Result<Vec<Ticket>, StoreError> {
        if self.after.is_none() && now.as_seconds() < self.rest_until_seconds {
            return Ok(Vec::new());
        }
        let (first, to) = table::deleted_range();
        let from = match self.after.take() {
            Some(mut after) => {
                after.push(0);
                after
            }
            None => first,
        };
        let rows = store.range(&from, &to, PAGE_ROWS, Direction::Forward)?;
        if rows.len() == PAGE_ROWS {
            self.after = rows.last().map(|row| row.key.clone());
        } else {
            self.rest_until_seconds = now.as_seconds().saturating_add(ROUND_SECONDS);
        }
        let forgotten = rows
            .into_iter()
            .filter(|row| Stored::from_stored(&row.value).is_ok_and(|stored| stored.is_forgotten(now.as_seconds())));
        // A batch for each: a shadow that is made again meanwhile must not keep the others.
        let commits = forgotten.map(|row| {
            store.commit(Batch {
                preconditions: vec![Precondition::Exactly(row.key.clone(), row.version)],
                writes: vec![Write::Delete(row.key)],
            })
        });
        Ok(commits.collect())
    }
}

const PAGE_ROWS: usize = 256;
const ROUND_SECONDS: u64 = 3600;
