//! The bounded queue in front of the writer: many threads push commits, one takes all that wait.

use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;

use parking_lot::{Condvar, Mutex};

use names::limits;

use crate::{Batch, Committed, Done, StoreError};

/// A batch and where its answer goes.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) batch: Batch,
    pub(crate) bytes: usize,
    pub(crate) answer: Answer,
}

/// What a commit is answered with, once. Whoever is forgotten is told that the store is closed.
pub(crate) struct Answer(Option<Done>);

impl Answer {
    pub(crate) fn new(done: Done) -> Self {
        Self(Some(done))
    }

    /// A panic is printed by its hook and ends there: it is the caller's mistake and not the store's.
    pub(crate) fn give(mut self, verdict: Result<Committed, StoreError>) {
        if let Some(done) = self.0.take() {
            let _panicked = std::panic::catch_unwind(AssertUnwindSafe(|| done(verdict)));
        }
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        if let Some(done) = self.0.take() {
            Self(Some(done)).give(Err(StoreError::Closed));
        }
    }
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answer").finish_non_exhaustive()
    }
}

/// Bounded in commits and in bytes. Pushing blocks while it is full.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    state: Mutex<State>,
    not_empty: Condvar,
    not_full: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Request>,
    bytes: usize,
    closed: bool,
}

impl Queue {
    /// Waits for room and appends; a closed queue answers the request itself.
    pub(crate) fn push(&self, request: Request) {
        let mut state = self.state.lock();
        while state.is_full() && !state.closed {
            self.not_full.wait(&mut state);
        }
        if state.closed {
            drop(state);
            request.answer.give(Err(StoreError::Closed));
            return;
        }
        state.bytes += request.bytes;
        state.waiting.push_back(request);
        drop(state);
        self.not_empty.notify_one();
    }

    /// Waits for commits and takes what waits, up to about `bytes_max` but at least one; none once the queue is
    /// closed and empty.
    pub(crate) fn take(&self, bytes_max: usize) -> Option<Vec<Request>> {
        let mut state = self.state.lock();
        while state.waiting.is_empty() && !state.closed {
            self.not_empty.wait(&mut state);
        }
        let mut round = Vec::new();
        let mut bytes = 0;
        while let Some(next) = state.waiting.front() {
            let size = next.bytes;
            if !round.is_empty() && bytes + size > bytes_max {
                break;
            }
            bytes += size;
            round.extend(state.waiting.pop_front());
        }
        state.bytes = state.bytes.saturating_sub(bytes);
        drop(state);
        self.not_full.notify_all();
        (!round.is_empty()).then_some(round)
    }

    /// Takes no more commits; those that wait are still taken.
    pub(crate) fn close(&self) {
        self.state.lock().closed = true;
        self.not_empty.notify_all();
        self.not_full.notify_all();
    }
}

impl State {
    fn is_full(&self) -> bool {
        self.waiting.len() >= limits::STORE_QUEUE_MAX || self.bytes >= limits::STORE_QUEUE_BYTES_MAX
    }
}
