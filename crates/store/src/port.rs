//! The port: what every engine offers and all that a service may use.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::sync::{mpsc, oneshot};

use crate::{Batch, Committed, StoreError, Version, Versioned};

/// One row of a range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The whole key.
    pub key: Vec<u8>,
    /// The value's bytes.
    pub value: Vec<u8>,
    /// The commit that wrote them.
    pub version: Version,
}

/// Which end of a range comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the smallest key on.
    Forward,
    /// From the largest key back.
    Backward,
}

/// An ordered, transactional key-value store.
pub trait Store: Send + Sync + 'static {
    /// The value at `key`, as of the last applied batch.
    ///
    /// # Errors
    /// [`StoreError::Failed`] when the disk does not answer.
    fn get(&self, key: &[u8]) -> Result<Option<Versioned>, StoreError>;

    /// At most `limit` rows with `from <= key < to`, from the end that `direction` names. An empty `to` has no end.
    ///
    /// # Errors
    /// [`StoreError::Failed`] when the disk does not answer.
    fn range(&self, from: &[u8], to: &[u8], limit: usize, direction: Direction) -> Result<Vec<Entry>, StoreError>;

    /// Hands a batch to the writer; `done` has the answer when it is applied and, with durability `sync`, on disk. When
    /// the writer's queue is full this blocks until there is room.
    ///
    /// `done` runs on the writer's thread, before later batches are answered, so calls come in the order of the commits.
    /// It must be short and must not commit or wait for those who do. A batch that never reaches the writer (over a
    /// limit, or the store is closed) is answered on the caller's thread. A panic of `done` is caught.
    fn commit_then(&self, batch: Batch, done: Done);

    /// Hands a batch to the writer, as [`Store::commit_then`] does, for those who wait for the answer.
    fn commit(&self, batch: Batch) -> Ticket {
        let (answer, ticket) = Ticket::new();
        self.commit_then(batch, Box::new(move |verdict| _ = answer.send(verdict)));
        ticket
    }

    /// Every change under `prefix` from now on, in commit order, each after it is durable.
    fn watch(&self, prefix: &[u8]) -> Watch;
}

/// What is to happen when a commit is answered.
pub type Done = Box<dyn FnOnce(Result<Committed, StoreError>) + Send>;

/// The answer to a commit, to be awaited or waited for.
#[derive(Debug)]
pub struct Ticket(oneshot::Receiver<Result<Committed, StoreError>>);

impl Ticket {
    /// A ticket and the writer's end of it.
    pub fn new() -> (oneshot::Sender<Result<Committed, StoreError>>, Self) {
        let (sender, receiver) = oneshot::channel();
        (sender, Self(receiver))
    }

    /// Blocks this thread until the batch is durable. Not for async tasks: those await the ticket.
    ///
    /// # Panics
    /// On a thread that is running an async task, as that would stall the task's runtime.
    ///
    /// # Errors
    /// [`StoreError`]: nothing of the batch was applied.
    pub fn wait(self) -> Result<Committed, StoreError> {
        self.0.blocking_recv().unwrap_or(Err(StoreError::Closed))
    }
}

impl Future for Ticket {
    type Output = Result<Committed, StoreError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(|answer| answer.unwrap_or(Err(StoreError::Closed)))
    }
}

/// A change that a watcher sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// `key` now has a value of this version.
    Put {
        /// The whole key.
        key: Vec<u8>,
        /// The new value.
        value: Vec<u8>,
        /// Its version.
        version: Version,
    },
    /// `key` is gone.
    Deleted {
        /// The whole key.
        key: Vec<u8>,
    },
    /// The watcher was too slow and changes were lost: read everything again.
    Lagged,
}

/// A stream of changes under a prefix.
#[derive(Debug)]
pub struct Watch(mpsc::Receiver<Change>);

impl Watch {
    /// A watch and the writer's end of it; `capacity` changes may wait.
    pub fn new(capacity: usize) -> (mpsc::Sender<Change>, Self) {
        let (sender, receiver) = mpsc::channel(capacity);
        (sender, Self(receiver))
    }

    /// The next change; none when the store is closed.
    pub async fn next(&mut self) -> Option<Change> {
        self.0.recv().await
    }

    /// The next change, blocking this thread.
    pub fn blocking_next(&mut self) -> Option<Change> {
        self.0.blocking_recv()
    }
}
