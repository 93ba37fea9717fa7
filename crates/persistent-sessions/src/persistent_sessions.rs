//! The one object that all share: the store, the queues, and what all sessions have in common.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use message::Message;
use names::{ClientId, limits};
use parking_lot::{Mutex, RwLock};
use store::{Batch, Direction, Store, StoreError, Ticket};

use crate::delivery::Queued;
use crate::enqueue::{EnqueueDone, Writes};
use crate::memo::Memo;
use crate::overlay::Overlay;
use crate::queues::{QueueLimits, Queues, Totals};
use crate::session_id::SessionId;
use crate::session_value::{SessionRow, StoredSession, read_will};
use crate::shape::Shape;
use crate::table;

/// All persistent sessions: what they have subscribed to, what waits for them, and when they end.
///
/// Everything is on disk, and of it only what is in use is kept in memory. Whoever changes a session holds its client id
/// for that time: two connections must not do it at once.
pub struct PersistentSessions {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) overlay: Overlay,
    pub(crate) queues: Queues,
    /// Taken before the queues' lock, by everybody who changes records or subscriptions.
    pub(crate) control: Mutex<Control>,
    /// The number of this run of the server: the first session id that it may give out.
    pub(crate) run: u64,
    /// The shapes that subscriptions have, for readers.
    pub(crate) shapes: RwLock<Arc<[Shape]>>,
    pub(crate) memo: Mutex<Memo>,
    pub(crate) generation: Arc<AtomicU64>,
    pub(crate) subscriptions: AtomicU64,
    /// Whether a removed session may have rows left.
    pub(crate) has_purges: AtomicBool,
}

/// What those who change records and subscriptions share.
pub(crate) struct Control {
    pub(crate) next_id: u64,
    /// The first id that is not reserved.
    pub(crate) reserved_to: u64,
    /// How many subscriptions have filters of a shape.
    pub(crate) shapes: BTreeMap<Shape, u64>,
}

/// Session ids that are reserved at a time.
pub(crate) const ID_BLOCK: u64 = 1 << 20;

impl PersistentSessions {
    /// Opens what is in the store. The time it takes does not depend on how many sessions there are.
    ///
    /// # Errors
    /// The store does not answer, or a row that all share cannot be read.
    pub fn open(store: Arc<dyn Store>, limits: QueueLimits) -> Result<Arc<Self>, StoreError> {
        let run = reserve(&*store)?;
        let (from, to) = table::all(table::SHAPE.to_vec());
        let rows = store.range(&from, &to, limits::SUBSCRIPTION_SHAPES_MAX + Shape::PLAIN, Direction::Forward)?;
        let shapes: Option<BTreeMap<Shape, u64>> = rows
            .iter()
            .map(|row| {
                let shape = Shape::read(row.key.get(table::SHAPE.len()..)?)?;
                let count = row.value.strip_prefix(&[table::FORMAT])?;
                Some((shape, u64::from_be_bytes(count.try_into().ok()?)))
            })
            .collect();
        let shapes = shapes.ok_or_else(|| table::unreadable(table::SHAPE))?;
        let (from, to) = table::all(table::PURGE.to_vec());
        let has_purges = !store.range(&from, &to, 1, Direction::Forward)?.is_empty();
        Ok(Arc::new(Self {
            overlay: Overlay::new(Arc::clone(&store)),
            queues: Queues::open(Arc::clone(&store), limits)?,
            run,
            shapes: RwLock::new(shapes.keys().copied().collect()),
            memo: Mutex::default(),
            generation: Arc::default(),
            subscriptions: AtomicU64::new(shapes.values().sum()),
            has_purges: AtomicBool::new(has_purges),
            control: Mutex::new(Control { next_id: run, reserved_to: run + ID_BLOCK, shapes }),
            store,
        }))
    }

    /// The session of a client id.
    ///
    /// # Errors
    /// The store does not answer, or the session's record cannot be read.
    pub fn find(&self, client_id: &ClientId) -> Result<Option<StoredSession>, StoreError> {
        if self.queues.sessions() == 0 {
            return Ok(None);
        }
        let _nobody_writes = self.control.lock();
        let Some(row) = self.row(client_id)? else { return Ok(None) };
        let message = if row.will.is_some() { Some(self.will(row.id)?) } else { None };
        Ok(Some(row.with_will(message)))
    }

    /// How much there is over all sessions.
    pub fn totals(&self) -> Totals {
        self.queues.totals()
    }

    /// Writes messages and QoS 2 packet ids as one batch; as several when they are too much for one, with the packet ids
    /// in the last. Numbers are given out in the order of the calls, and committed in it.
    ///
    /// `done` runs on the store's writer thread when all of it is durable, with what became of each message, in the
    /// order of [`Writes::messages`]. It must be short and must not call anything here.
    pub fn enqueue(&self, writes: Writes, done: EnqueueDone) {
        self.queues.enqueue(writes, done);
    }

    /// A session's messages from a number on, in order: at most `limit`, and no more once they have `bytes_max` bytes.
    /// Only what is durable; nothing that was acknowledged.
    ///
    /// # Errors
    /// The store does not answer, or a message cannot be read.
    pub fn read(
        &self,
        id: SessionId,
        from_seq: u64,
        limit: usize,
        bytes_max: usize,
    ) -> Result<Vec<Queued>, StoreError> {
        self.queues.read(id, from_seq, limit, bytes_max)
    }

    /// The number of which no message of the session has a lower one.
    ///
    /// # Errors
    /// The store does not answer.
    pub fn head(&self, id: SessionId) -> Result<u64, StoreError> {
        self.queues.head(id)
    }

    /// How many messages a session has, and their bytes, with what is on its way to the disk.
    ///
    /// # Errors
    /// The store does not answer.
    pub fn queued(&self, id: SessionId) -> Result<(u64, u64), StoreError> {
        self.queues.queued(id)
    }

    /// Messages are done with: acknowledged, refused, expired. Numbers that are not in the queue are passed over.
    pub fn acknowledge(&self, id: SessionId, seqs: &[u64]) -> Ticket {
        self.queues.acknowledge(id, seqs)
    }

    /// The client has these messages (PUBREC came), under these packet ids: only PUBREL is owed for them from now on.
    pub fn release(&self, id: SessionId, seqs: &[(u64, u16)]) -> Ticket {
        self.queues.release(id, seqs)
    }

    /// PUBLISH packets went out for all messages up to a number, and are not answered: a full queue drops none of those.
    /// Kept in memory only, for as long as the connection lasts; [`PersistentSessions::sent`] goes to the disk.
    ///
    /// # Errors
    /// The store does not answer.
    pub fn in_flight(&self, id: SessionId, up_to: u64) -> Result<(), StoreError> {
        self.queues.in_flight(id, up_to)
    }

    /// Remembers that PUBLISH packets go out for all messages up to a number, and packet ids that are not the derived
    /// ones.
    pub fn sent(&self, id: SessionId, rows: &[(u64, u16)], up_to: u64) -> Ticket {
        self.queues.sent(id, rows, up_to)
    }

    /// The QoS 2 packet ids that the session's client has sent and not released.
    ///
    /// # Errors
    /// The store does not answer.
    pub fn received_ids(&self, id: SessionId) -> Result<Vec<u16>, StoreError> {
        self.queues.received_ids(id)
    }

    /// PUBREL came for these. PUBCOMP waits for the ticket: else the client could use the id for a new message that a
    /// restart would take for the old one.
    pub fn forget_received(&self, id: SessionId, packet_ids: &[u16]) -> Ticket {
        self.queues.forget_received(id, packet_ids)
    }

    /// Changes whenever [`PersistentSessions::reached`] may answer differently.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// Whether no persistent session has any subscription.
    pub fn is_empty(&self) -> bool {
        self.subscriptions.load(Ordering::Acquire) == 0
    }

    /// The record of a client id.
    pub(crate) fn row(&self, client_id: &ClientId) -> Result<Option<SessionRow>, StoreError> {
        let key = table::key(table::CLIENT, client_id.as_str().as_bytes());
        let Some(value) = self.overlay.get(&key)? else { return Ok(None) };
        SessionRow::read(value).map(Some).ok_or_else(|| table::unreadable(&key))
    }

    /// The record of a client id, which must be that of this session.
    ///
    /// # Errors
    /// [`StoreError::Conflict`]: the session is gone.
    pub(crate) fn row_of(&self, client_id: &ClientId, id: SessionId) -> Result<SessionRow, StoreError> {
        self.row(client_id)?.filter(|row| row.id == id).ok_or(StoreError::Conflict)
    }

    fn will(&self, id: SessionId) -> Result<Message, StoreError> {
        let (from, to) = table::all(table::of_session(table::WILL, id));
        let chunks = self.overlay.range(&from, &to, usize::from(u16::MAX))?;
        let value = chunks.into_iter().flat_map(|(_, chunk)| chunk).collect();
        read_will(value).ok_or_else(|| table::unreadable(&from))
    }
}

impl std::fmt::Debug for PersistentSessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PersistentSessions").finish_non_exhaustive()
    }
}

/// Reserves the first block of session ids of this run.
fn reserve(store: &dyn Store) -> Result<u64, StoreError> {
    loop {
        let there = store.get(table::NEXT)?;
        let version = there.as_ref().map(|there| there.version);
        let first = match there {
            Some(there) => read_next(&there.value).ok_or_else(|| table::unreadable(table::NEXT))?,
            None => 1,
        };
        let batch = Batch::new().unchanged(table::NEXT, version).put(table::NEXT, next_value(first + ID_BLOCK));
        match store.commit(batch).wait() {
            Ok(_) => return Ok(first),
            // Somebody else got on: try again.
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error),
        }
    }
}

pub(crate) fn next_value(next: u64) -> Vec<u8> {
    [&[table::FORMAT], next.to_be_bytes().as_slice()].concat()
}

fn read_next(value: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(value.strip_prefix(&[table::FORMAT])?.try_into().ok()?))
}
