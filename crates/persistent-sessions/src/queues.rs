//! All queues of messages, under one lock: whoever gives out numbers hands the rows to the store before the next one may,
//! so a session's rows are committed in the order of their numbers and the counts are exact.
//!
//! The lock is held while the store's queue has no room. So nothing that runs on the store's writer thread takes it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::BufMut;
use names::limits;
use parking_lot::{Mutex, MutexGuard};
use store::{Batch, Done, Store, StoreError, Ticket, Write};

use crate::fields::Fields;
use crate::queue_value::Row;
use crate::session_id::SessionId;
use crate::table::{self, FORMAT};
use crate::tail::Tail;
use crate::tails::Tails;

/// How much may wait, and what goes when it is too much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueLimits {
    /// Messages of one session.
    pub messages_max: u64,
    /// Bytes of one session, as its messages are kept.
    pub bytes_max: u64,
    /// Messages of all sessions together.
    pub all_messages_max: u64,
    /// Bytes of all sessions together.
    pub all_bytes_max: u64,
    /// What is dropped when a limit is met.
    pub overflow: QueueOverflow,
}

/// What is dropped when a queue is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueueOverflow {
    /// The message that comes.
    DropNewest,
    /// The messages that wait longest among those that were not sent yet; when all were sent, the one that comes.
    DropOldest,
}

impl Default for QueueLimits {
    fn default() -> Self {
        Self {
            messages_max: limits::QUEUED_MESSAGES_PER_SESSION_MAX,
            bytes_max: limits::QUEUED_BYTES_PER_SESSION_MAX,
            all_messages_max: limits::QUEUED_MESSAGES_MAX,
            all_bytes_max: limits::QUEUED_BYTES_MAX,
            overflow: QueueOverflow::DropNewest,
        }
    }
}

/// What there is over all sessions, with what is on its way to the disk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Persistent sessions, connected ones too.
    pub sessions: u64,
    /// Messages that wait or are in flight.
    pub messages: u64,
    /// Their bytes, as they are kept.
    pub bytes: u64,
}

impl Totals {
    fn encode(self) -> Vec<u8> {
        let mut out = vec![FORMAT];
        [self.sessions, self.messages, self.bytes].iter().for_each(|n| out.put_u64(*n));
        out
    }

    fn read(value: Vec<u8>) -> Option<Self> {
        let mut fields = Fields::of(value, FORMAT)?;
        Some(Self { sessions: fields.u64()?, messages: fields.u64()?, bytes: fields.u64()? })
    }
}

/// The queues and their lock.
pub(crate) struct Queues {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) limits: QueueLimits,
    state: Mutex<State>,
    /// The last commit that was answered.
    completed: Arc<AtomicU64>,
    /// The sessions of the totals, for those who do not want to wait for the lock.
    sessions: AtomicU64,
}

/// What the lock protects.
struct State {
    tails: Tails,
    totals: Totals,
    /// The last commit that was handed to the store.
    issued: u64,
}

impl Queues {
    pub(crate) fn open(store: Arc<dyn Store>, limits: QueueLimits) -> Result<Self, StoreError> {
        let totals = match store.get(table::TOTAL)? {
            Some(there) => Totals::read(there.value).ok_or_else(|| table::unreadable(table::TOTAL))?,
            None => Totals::default(),
        };
        let state = State { tails: Tails::default(), totals, issued: 0 };
        let sessions = AtomicU64::new(totals.sessions);
        Ok(Self { store, limits, state: Mutex::new(state), completed: Arc::default(), sessions })
    }

    /// The last commit that was answered.
    pub(crate) fn completed(&self) -> u64 {
        self.completed.load(Ordering::Acquire)
    }

    pub(crate) fn totals(&self) -> Totals {
        self.state.lock().totals
    }

    pub(crate) fn sessions(&self) -> u64 {
        self.sessions.load(Ordering::Acquire)
    }

    /// Takes the lock, for one batch or several in a row.
    pub(crate) fn change(&self) -> Change<'_> {
        let mut state = self.state.lock();
        let completed = self.completed();
        let issued = state.issued;
        state.tails.rotate(issued, completed);
        Change { queues: self, state, writes: Vec::new(), bytes: 0, touched: Vec::new() }
    }
}

/// A batch in the making. What it says of tails and totals holds at once, so it must be committed, whatever happens.
pub(crate) struct Change<'a> {
    pub(crate) queues: &'a Queues,
    state: MutexGuard<'a, State>,
    writes: Vec<Write>,
    bytes: usize,
    /// The sessions whose tails it writes.
    touched: Vec<SessionId>,
}

impl Change<'_> {
    /// The number that its commit will have.
    pub(crate) fn commit_number(&self) -> u64 {
        self.state.issued + 1
    }

    /// The session's tail, to be read; none when there is no such session.
    pub(crate) fn tail(&mut self, id: SessionId) -> Result<Option<&mut Tail>, StoreError> {
        self.state.tails.of(&*self.queues.store, id)
    }

    /// The same, to be written with the batch.
    pub(crate) fn touch(&mut self, id: SessionId) -> Result<Option<&mut Tail>, StoreError> {
        let commit = self.commit_number();
        let Some(tail) = self.state.tails.of(&*self.queues.store, id)? else { return Ok(None) };
        if tail.commit != commit {
            tail.commit = commit;
            self.touched.push(id);
            self.bytes += TAIL_BYTES;
        }
        Ok(Some(tail))
    }

    /// A session begins.
    pub(crate) fn begin(&mut self, id: SessionId) {
        let commit = self.commit_number();
        let mut tail = Tail::new();
        tail.commit = commit;
        self.state.tails.set(id, Some(tail));
        self.touched.push(id);
        self.state.totals.sessions += 1;
        self.queues.sessions.store(self.state.totals.sessions, Ordering::Release);
    }

    /// A session ends, and what it holds counts no more; its tail as it was.
    pub(crate) fn end(&mut self, id: SessionId) -> Result<Option<Tail>, StoreError> {
        let Some(tail) = self.tail(id)?.cloned() else { return Ok(None) };
        self.state.tails.set(id, None);
        self.touched.retain(|touched| *touched != id);
        let totals = &mut self.state.totals;
        totals.sessions = totals.sessions.saturating_sub(1);
        totals.messages = totals.messages.saturating_sub(tail.messages);
        totals.bytes = totals.bytes.saturating_sub(tail.bytes);
        self.queues.sessions.store(totals.sessions, Ordering::Release);
        self.delete(table::of_session(table::TAIL, id));
        Ok(Some(tail))
    }

    pub(crate) fn totals(&self) -> Totals {
        self.state.totals
    }

    pub(crate) fn put(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.bytes += key.len() + value.len();
        self.writes.push(Write::Put(key, value));
    }

    pub(crate) fn delete(&mut self, key: Vec<u8>) {
        self.bytes += key.len();
        self.writes.push(Write::Delete(key));
    }

    /// Changes of other tables that belong to the same batch.
    pub(crate) fn extend(&mut self, writes: Vec<Write>) {
        for write in writes {
            match write {
                Write::Put(key, value) => self.put(key, value),
                Write::Delete(key) => self.delete(key),
            }
        }
    }

    /// A message of this row counts from now on.
    pub(crate) fn count(&mut self, id: SessionId, row: Row) -> Result<(), StoreError> {
        let bytes = u64::from(row.bytes);
        if let Some(tail) = self.touch(id)? {
            tail.messages += 1;
            tail.bytes += bytes;
            self.state.totals.messages += 1;
            self.state.totals.bytes += bytes;
        }
        Ok(())
    }

    /// A message of this row counts no more.
    pub(crate) fn discount(&mut self, id: SessionId, row: Row) -> Result<(), StoreError> {
        let bytes = u64::from(row.bytes);
        if let Some(tail) = self.touch(id)? {
            tail.messages = tail.messages.saturating_sub(1);
            tail.bytes = tail.bytes.saturating_sub(bytes);
            let totals = &mut self.state.totals;
            totals.messages = totals.messages.saturating_sub(1);
            totals.bytes = totals.bytes.saturating_sub(bytes);
        }
        Ok(())
    }

    /// Commits what there is when `bytes` more would be too much for one batch.
    pub(crate) fn make_room(&mut self, bytes: usize) {
        if !self.writes.is_empty() && self.bytes + bytes > limits::SESSION_BATCH_BYTES {
            self.commit_part(Box::new(|_| {}));
        }
    }

    /// Commits, and `done` has the answer. Without changes it is answered in its turn.
    pub(crate) fn commit_then(mut self, done: Done) {
        self.commit_part(done);
    }

    /// Commits for one who waits.
    pub(crate) fn commit(self) -> Ticket {
        let (answer, ticket) = Ticket::new();
        self.commit_then(Box::new(move |verdict| _ = answer.send(verdict)));
        ticket
    }

    fn commit_part(&mut self, done: Done) {
        let completed = self.queues.completed();
        let state = &mut *self.state;
        state.issued += 1;
        let number = state.issued;
        let is_changed = !self.touched.is_empty() || !self.writes.is_empty();
        for id in self.touched.drain(..) {
            let Some(tail) = state.tails.used(id) else { continue };
            // A head that could not be looked for stays: it is only lower than it might be.
            let _stays = tail.settle(&*self.queues.store, id, completed);
            self.writes.push(Write::Put(table::of_session(table::TAIL, id), tail.encode()));
        }
        if is_changed {
            self.writes.push(Write::Put(table::TOTAL.to_vec(), state.totals.encode()));
        }
        self.bytes = 0;
        let batch = Batch { writes: std::mem::take(&mut self.writes), ..Batch::new() };
        let answered = Arc::clone(&self.queues.completed);
        self.queues.store.commit_then(
            batch,
            Box::new(move |verdict| {
                answered.fetch_max(number, Ordering::AcqRel);
                done(verdict);
            }),
        );
    }
}

/// What a tail's row takes of a batch.
const TAIL_BYTES: usize = 64;
