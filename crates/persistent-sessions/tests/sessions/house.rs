//! What the tests share: stores, sessions, messages, and a look at the rows themselves.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;

use bytes::Bytes;
use message::{Message, Origin, QoS, SubscribeOptions, TopicFilter, TopicName};
use names::{ClientId, Dialect, Timestamp};
use parking_lot::Mutex;
use persistent_sessions::{
    Enqueued, PersistentSessions, QueueLimits, Queued, QueuedMessage, SessionId, Stage, StoredWill, Writes,
};
use store::{Batch, Direction, Done, Entry, FjallStore, MemoryStore, Options, Store, StoreError, Versioned, Watch};

pub(crate) fn open(store: &Arc<impl Store>) -> Arc<PersistentSessions> {
    PersistentSessions::open(Arc::clone(store) as Arc<dyn Store>, QueueLimits::default()).unwrap()
}

pub(crate) fn disk(directory: &std::path::Path) -> Arc<FjallStore> {
    FjallStore::open(directory, Options::default()).unwrap()
}

pub(crate) fn client(name: &str) -> ClientId {
    ClientId::new(name).unwrap()
}

pub(crate) fn filter(text: &str) -> TopicFilter {
    TopicFilter::new(text).unwrap()
}

pub(crate) fn topic(text: &str) -> TopicName {
    TopicName::new(text.to_owned()).unwrap()
}

pub(crate) fn at(seconds: u64) -> Timestamp {
    Timestamp::from_millis(seconds * 1000)
}

pub(crate) fn options(qos: QoS, dialect: Dialect) -> SubscribeOptions {
    SubscribeOptions::plain(qos, dialect)
}

pub(crate) fn message(name: &str, payload: impl Into<Bytes>) -> Arc<Message> {
    Arc::new(Message {
        topic: topic(name),
        payload: payload.into(),
        qos: QoS::AtLeastOnce,
        retain: false,
        properties: None,
        received_at: at(1_700_000_000),
        origin: Arc::new(Origin { client_id: Some("publisher".into()), ..Origin::default() }),
    })
}

pub(crate) fn queued(payload: impl Into<Bytes>) -> QueuedMessage {
    QueuedMessage {
        message: message("t", payload),
        qos: QoS::AtLeastOnce,
        retain: false,
        subscription_ids: Vec::new(),
        share: None,
    }
}

pub(crate) fn will(payload: &'static str, delay_seconds: u32) -> StoredWill {
    let mut message = Message::clone(&message("will", payload));
    message.origin = Arc::new(Origin { is_will: true, client_id: Some("c".into()), ..Origin::default() });
    StoredWill { message: Arc::new(message), delay_seconds }
}

/// A new session that is durable.
pub(crate) fn create(sessions: &PersistentSessions, name: &str) -> SessionId {
    let (id, ticket) = sessions.create(&client(name), 5, 3600, None).unwrap();
    ticket.wait().unwrap();
    id
}

/// Enqueues and waits until it is durable.
pub(crate) fn enqueue(sessions: &PersistentSessions, writes: Writes) -> Result<Vec<Enqueued>, StoreError> {
    let (sender, receiver) = sync_channel(1);
    sessions.enqueue(writes, Box::new(move |answer| sender.send(answer).unwrap()));
    receiver.recv().unwrap()
}

/// Enqueues for one session; the numbers given out.
pub(crate) fn enqueue_all(
    sessions: &PersistentSessions,
    id: SessionId,
    messages: impl IntoIterator<Item = QueuedMessage>,
) -> Vec<Option<u64>> {
    let messages = messages.into_iter().map(|message| (id, message)).collect();
    let enqueued = enqueue(sessions, Writes { messages, received: Vec::new() }).unwrap();
    assert!(enqueued.iter().enumerate().all(|(place, enqueued)| enqueued.place == place && enqueued.session == id));
    enqueued.into_iter().map(|enqueued| enqueued.seq).collect()
}

pub(crate) fn read_all(sessions: &PersistentSessions, id: SessionId) -> Vec<Queued> {
    sessions.read(id, 0, usize::MAX, usize::MAX).unwrap()
}

/// Numbers and payloads; a released message has none.
pub(crate) fn seen(queue: &[Queued]) -> Vec<(u64, Option<Bytes>)> {
    let payload = |stage: &Stage| match stage {
        Stage::Publish(queued) => Some(queued.message.payload.clone()),
        Stage::Released => None,
    };
    queue.iter().map(|queued| (queued.seq, payload(&queued.stage))).collect()
}

pub(crate) fn rows(store: &dyn Store, prefix: &[u8]) -> Vec<Entry> {
    store.range(prefix, &store::prefix_end(prefix), usize::MAX, Direction::Forward).unwrap()
}

/// Counts of sessions and of all must be those of the rows that are there, found here without the code under test.
pub(crate) fn assert_counts_agree(store: &dyn Store, sessions: &PersistentSessions) {
    let mut counted: BTreeMap<u64, (u64, u64)> = BTreeMap::new();
    for row in rows(store, b"session/tail/") {
        counted.insert(u64::from_be_bytes(row.key[13..21].try_into().unwrap()), (0, 0));
    }
    for row in rows(store, b"session/queue/") {
        let id = u64::from_be_bytes(row.key[14..22].try_into().unwrap());
        // Rows of sessions that are gone wait for the sweep, and count no more.
        let Some((messages, bytes)) = counted.get_mut(&id) else { continue };
        *messages += u64::from(row.key.len() == 30);
        *bytes += row.value.len() as u64;
    }
    let totals = sessions.totals();
    let sum = counted.values().fold((0, 0), |sum, count| (sum.0 + count.0, sum.1 + count.1));
    assert_eq!((totals.messages, totals.bytes), sum, "the totals");
    assert_eq!(totals.sessions, rows(store, b"session/client/").len() as u64, "the sessions");
    let durable = store.get(b"session/total").unwrap().map_or_else(|| vec![0; 24], |total| total.value[1..].to_vec());
    let expected = [totals.sessions, totals.messages, totals.bytes].map(u64::to_be_bytes).concat();
    assert_eq!(durable, expected, "the totals on disk");
    for (id, count) in counted {
        let tail = store.get(&[b"session/tail/".as_slice(), &id.to_be_bytes()].concat()).unwrap().unwrap().value;
        let number = |place: usize| u64::from_be_bytes(tail[1 + 8 * place..9 + 8 * place].try_into().unwrap());
        assert_eq!((number(2), number(3)), count, "session {id}");
    }
}

/// A store that keeps commits back while it is told to, as a slow disk would.
pub(crate) struct SlowStore {
    inner: Arc<MemoryStore>,
    is_held: AtomicBool,
    waiting: Mutex<Vec<(Batch, Done)>>,
}

impl SlowStore {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { inner: MemoryStore::new(), is_held: AtomicBool::new(false), waiting: Mutex::default() })
    }

    pub(crate) fn hold(&self) {
        self.is_held.store(true, Ordering::SeqCst);
    }

    /// Lets all that waits through, and waits for it.
    pub(crate) fn let_go(&self) {
        self.is_held.store(false, Ordering::SeqCst);
        for (batch, done) in std::mem::take(&mut *self.waiting.lock()) {
            self.inner.commit_then(batch, done);
        }
        self.inner.commit(Batch::new()).wait().unwrap();
    }
}

impl Store for SlowStore {
    fn get(&self, key: &[u8]) -> Result<Option<Versioned>, StoreError> {
        self.inner.get(key)
    }

    fn range(&self, from: &[u8], to: &[u8], limit: usize, direction: Direction) -> Result<Vec<Entry>, StoreError> {
        self.inner.range(from, to, limit, direction)
    }

    fn commit_then(&self, batch: Batch, done: Done) {
        if self.is_held.load(Ordering::SeqCst) {
            self.waiting.lock().push((batch, done));
        } else {
            self.inner.commit_then(batch, done);
        }
    }

    fn watch(&self, prefix: &[u8]) -> Watch {
        self.inner.watch(prefix)
    }
}
