//! The one writer of a store: it drains the queue, checks preconditions, hands the engine one batch, and only then
//! answers. Group commit and compare-and-set come from there being one.
//!
//! After the engine has failed once, nothing more is written: what is on disk is no longer known, and a later
//! commit must not be acknowledged on top of it.

use std::collections::HashMap;
use std::collections::HashSet;
use std::collections::hash_map::Entry as Slot;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use parking_lot::Mutex;
use tracing::error;

use names::limits;

use crate::queue::{Answer, Queue, Request};
use crate::watchers::Watchers;
use crate::{Batch, Committed, Done, Precondition, StoreError, Version, Versioned, Watch, Write};

/// What an engine does for the writer; reading goes past the writer.
pub(crate) trait Engine: Send + Sync + 'static {
    /// The value at `key`, as of the last applied round.
    fn get(&self, key: &[u8]) -> Result<Option<Versioned>, StoreError>;

    /// Applies a round, whole or not at all, and returns when it is as durable as the store promises. No key comes
    /// twice.
    fn apply(&self, round: &Round<'_>) -> Result<(), StoreError>;
}

/// What the engine is to write.
#[derive(Debug)]
pub(crate) struct Round<'a> {
    /// Each key's new state: a value and its version, or none for gone.
    pub(crate) changes: HashMap<&'a [u8], Option<(Version, &'a [u8])>>,
    /// The last version given out, which must survive a restart.
    pub(crate) last: Version,
}

/// The queue, the watchers and the thread that serves them.
#[derive(Debug)]
pub(crate) struct Writer {
    queue: Arc<Queue>,
    watchers: Arc<Watchers>,
    is_broken: Arc<AtomicBool>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    /// Starts the thread; the first commit gets the version after `last`.
    pub(crate) fn start(engine: Arc<impl Engine>, last: Version) -> std::io::Result<Self> {
        let (queue, watchers) = (Arc::new(Queue::default()), Arc::new(Watchers::default()));
        let closing = Closing { queue: Arc::clone(&queue), watchers: Arc::clone(&watchers) };
        let is_broken = Arc::new(AtomicBool::new(false));
        let mut state = State { engine, last, broken: None, is_broken: Arc::clone(&is_broken) };
        let serve = move || {
            while let Some(round) = closing.queue.take(limits::STORE_ROUND_BYTES_MAX) {
                state.serve(round, &closing.watchers);
            }
        };
        let thread = std::thread::Builder::new().name("store-writer".to_owned()).spawn(serve)?;
        Ok(Self { queue, watchers, is_broken, thread: Mutex::new(Some(thread)) })
    }

    /// Checks the batch against the port's limits and queues it.
    pub(crate) fn commit_then(&self, mut batch: Batch, done: Done) {
        let answer = Answer::new(done);
        match check_limits(&batch) {
            Ok(()) => {
                keep_last_writes(&mut batch.writes);
                let bytes = batch.bytes();
                self.queue.push(Request { batch, bytes, answer });
            }
            Err(problem) => answer.give(Err(StoreError::TooLarge(problem))),
        }
    }

    /// Every change under `prefix` from now on.
    pub(crate) fn watch(&self, prefix: &[u8]) -> Watch {
        self.watchers.add(prefix)
    }

    /// Whether the engine has failed, so that nothing more is written.
    pub(crate) fn is_broken(&self) -> bool {
        self.is_broken.load(Ordering::Acquire)
    }

    /// Takes no more commits, finishes those that wait and stops the thread. Doing it twice does nothing.
    pub(crate) fn close(&self) {
        self.queue.close();
        if let Some(thread) = self.thread.lock().take() {
            // A panic of the writer has been printed by its thread; the tickets have been answered `Closed`.
            let _panicked = thread.join();
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.close();
    }
}

/// Lives on the writer's thread: however that ends, nobody waits for it any more.
struct Closing {
    queue: Arc<Queue>,
    watchers: Arc<Watchers>,
}

impl Drop for Closing {
    fn drop(&mut self) {
        self.queue.close();
        while self.queue.take(usize::MAX).is_some() {}
        self.watchers.close();
    }
}

/// What the writer's thread owns.
struct State<E> {
    engine: Arc<E>,
    last: Version,
    broken: Option<String>,
    /// The same for those outside.
    is_broken: Arc<AtomicBool>,
}

impl<E: Engine> State<E> {
    /// One round: check, apply, show, answer.
    fn serve(&mut self, requests: Vec<Request>, watchers: &Watchers) {
        if let Some(problem) = &self.broken {
            return refuse(requests, &StoreError::Failed(problem.clone()));
        }
        let mut round = Round { changes: HashMap::new(), last: self.last };
        let verdicts: Vec<_> = requests.iter().map(|request| self.admit(&request.batch, &mut round)).collect();
        if !round.changes.is_empty()
            && let Err(error) = self.engine.apply(&round)
        {
            error!(%error, "the store failed: nothing more is written until the server is started again");
            self.is_broken.store(true, Ordering::Release);
            self.broken = Some(format!("an earlier write failed, so nothing more is written: {error}"));
            return refuse(requests, &error);
        }
        self.last = round.last;
        for (request, verdict) in requests.iter().zip(&verdicts) {
            if let Ok(version) = verdict {
                watchers.feed(&request.batch.writes, *version);
            }
        }
        for (request, verdict) in requests.into_iter().zip(verdicts) {
            request.answer.give(verdict);
        }
    }

    /// Adds a batch to the round when its preconditions hold after the round's earlier batches.
    fn admit<'a>(&self, batch: &'a Batch, round: &mut Round<'a>) -> Result<Committed, StoreError> {
        for precondition in &batch.preconditions {
            let (key, expected) = match precondition {
                Precondition::Absent(key) => (key, None),
                Precondition::Exactly(key, version) => (key, Some(*version)),
            };
            let found = match round.changes.get(key.as_slice()) {
                Some(change) => change.map(|(version, _)| version),
                None => self.engine.get(key)?.map(|there| there.version),
            };
            if found != expected {
                return Err(StoreError::Conflict);
            }
        }
        if batch.writes.is_empty() {
            return Ok(round.last);
        }
        let version = Version(round.last.0 + 1);
        round.last = version;
        for write in &batch.writes {
            let (key, value) = match write {
                Write::Put(key, value) => (key, Some((version, value.as_slice()))),
                Write::Delete(key) => (key, None),
            };
            match round.changes.entry(key) {
                Slot::Occupied(mut slot) => *slot.get_mut() = value,
                Slot::Vacant(slot) => _ = slot.insert(value),
            }
        }
        Ok(version)
    }
}

fn refuse(requests: Vec<Request>, error: &StoreError) {
    for request in requests {
        request.answer.give(Err(error.clone()));
    }
}

fn check_limits(batch: &Batch) -> Result<(), String> {
    let mut preconditions_bytes = 0;
    for precondition in &batch.preconditions {
        let (Precondition::Absent(key) | Precondition::Exactly(key, _)) = precondition;
        check_key(key)?;
        preconditions_bytes += key.len();
    }
    for write in &batch.writes {
        match write {
            Write::Put(_, value) if value.len() > limits::STORE_VALUE_BYTES_MAX => {
                let max = limits::STORE_VALUE_BYTES_MAX;
                return Err(format!("a value of {} bytes is over the limit of {max}", value.len()));
            }
            Write::Put(key, _) | Write::Delete(key) => check_key(key)?,
        }
    }
    let (bytes, max) = (batch.bytes() + preconditions_bytes, limits::STORE_BATCH_BYTES_MAX);
    if bytes > max {
        return Err(format!("a batch of {bytes} bytes is over the limit of {max}"));
    }
    Ok(())
}

fn check_key(key: &[u8]) -> Result<(), String> {
    match key.len() {
        0 => Err("a key is empty".to_owned()),
        bytes if bytes > limits::STORE_KEY_BYTES_MAX => {
            Err(format!("a key of {bytes} bytes is over the limit of {}", limits::STORE_KEY_BYTES_MAX))
        }
        _ => Ok(()),
    }
}

/// A later change of the same key wins; watchers see only that one.
fn keep_last_writes(writes: &mut Vec<Write>) {
    if writes.len() < 2 {
        return;
    }
    let mut seen = HashSet::with_capacity(writes.len());
    let mut is_last: Vec<bool> = writes
        .iter()
        .rev()
        .map(|write| {
            let (Write::Put(key, _) | Write::Delete(key)) = write;
            seen.insert(key.as_slice())
        })
        .collect();
    writes.retain(|_| is_last.pop().unwrap_or(true));
}

#[cfg(test)]
mod tests;
