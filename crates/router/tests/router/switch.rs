//! A store whose commits are applied, held until the test says so, or refused.

use std::sync::{Arc, Mutex};

use persistent_sessions::QueueLimits;
use router::Router;
use store::{Batch, Direction, Done, Entry, MemoryStore, Store, StoreError, Versioned, Watch};

/// What becomes of commits and reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Apply,
    Hold,
    RefuseCommits,
    RefuseReads,
}

pub(crate) struct Switch {
    inner: Arc<MemoryStore>,
    mode: Mutex<Mode>,
    waiting: Mutex<Vec<(Batch, Done)>>,
}

/// A router is open before its store is switched: it commits once when it is opened.
pub(crate) fn over_a_switch() -> (Arc<Switch>, Arc<Router>) {
    let switch =
        Arc::new(Switch { inner: MemoryStore::new(), mode: Mutex::new(Mode::Apply), waiting: Mutex::default() });
    let router = Router::open(Arc::clone(&switch) as Arc<dyn Store>, QueueLimits::default()).unwrap();
    (switch, router)
}

impl Switch {
    pub(crate) fn set(&self, mode: Mode) {
        *self.mode.lock().unwrap() = mode;
    }

    /// Applies what is held, in order.
    pub(crate) fn release(&self) {
        let waiting = std::mem::take(&mut *self.waiting.lock().unwrap());
        for (batch, answer) in waiting {
            answer(self.inner.commit(batch).wait());
        }
    }

    pub(crate) fn held(&self) -> usize {
        self.waiting.lock().unwrap().len()
    }

    fn mode(&self) -> Mode {
        *self.mode.lock().unwrap()
    }

    fn check_read(&self) -> Result<(), StoreError> {
        if self.mode() == Mode::RefuseReads { Err(StoreError::Failed("no disk".to_owned())) } else { Ok(()) }
    }
}

impl Store for Switch {
    fn get(&self, key: &[u8]) -> Result<Option<Versioned>, StoreError> {
        self.check_read()?;
        self.inner.get(key)
    }

    fn range(&self, from: &[u8], to: &[u8], limit: usize, direction: Direction) -> Result<Vec<Entry>, StoreError> {
        self.check_read()?;
        self.inner.range(from, to, limit, direction)
    }

    fn commit_then(&self, batch: Batch, done: Done) {
        match self.mode() {
            Mode::Apply | Mode::RefuseReads => self.inner.commit_then(batch, done),
            Mode::Hold => self.waiting.lock().unwrap().push((batch, done)),
            Mode::RefuseCommits => done(Err(StoreError::Failed("no disk".to_owned()))),
        }
    }

    fn watch(&self, prefix: &[u8]) -> Watch {
        self.inner.watch(prefix)
    }
}
