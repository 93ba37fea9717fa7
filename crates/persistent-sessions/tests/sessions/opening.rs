//! Opening costs the same whether there are ten sessions or a hundred thousand.

use std::sync::Arc;

use persistent_sessions::Writes;
use store::{Direction, Done, Entry, MemoryStore, Store, StoreError, Versioned, Watch};

use crate::house::{client, open, queued};

/// Counts what is read.
struct CountingStore {
    inner: Arc<MemoryStore>,
    rows: std::sync::atomic::AtomicUsize,
}

impl Store for CountingStore {
    fn get(&self, key: &[u8]) -> Result<Option<Versioned>, StoreError> {
        self.rows.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        self.inner.get(key)
    }

    fn range(&self, from: &[u8], to: &[u8], limit: usize, direction: Direction) -> Result<Vec<Entry>, StoreError> {
        let rows = self.inner.range(from, to, limit, direction)?;
        self.rows.fetch_add(1 + rows.len(), std::sync::atomic::Ordering::Relaxed);
        Ok(rows)
    }

    fn commit_then(&self, batch: store::Batch, done: Done) {
        self.inner.commit_then(batch, done);
    }

    fn watch(&self, prefix: &[u8]) -> Watch {
        self.inner.watch(prefix)
    }
}

fn rows_read_at_opening(count: usize) -> usize {
    let store = MemoryStore::new();
    let sessions = open(&store);
    let mut last = None;
    for n in 0..count {
        let (id, ticket) = sessions.create(&client(&format!("client-{n}")), 5, 3600, None).unwrap();
        sessions.enqueue(Writes { messages: vec![(id, queued("waiting"))], received: vec![] }, Box::new(|_| {}));
        last = Some(ticket);
    }
    last.unwrap().wait().unwrap();
    drop(sessions);
    let counting = Arc::new(CountingStore { inner: store, rows: Default::default() });
    let sessions = open(&counting);
    assert_eq!(sessions.totals().sessions, count as u64);
    counting.rows.load(std::sync::atomic::Ordering::Relaxed)
}

#[test]
fn opening_reads_as_much_of_many_sessions_as_of_few() {
    let few = rows_read_at_opening(10);
    assert_eq!(rows_read_at_opening(20_000), few);
    assert!(few < 10, "{few} rows");
}
