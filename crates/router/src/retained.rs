//! Retained messages: the last one of each topic, kept in the store.
//!
//! Layout: `retained/TOPIC 0x00 CHUNK`, chunk numbers being two big-endian bytes from 0. The first chunk starts with a
//! header, numbers big-endian: format 2, QoS, the time of receipt (8 bytes), the payload's length (4), the properties'
//! length (4), and when its time is over (8, 0 for never). The properties follow, then the payload, both through all
//! chunks. Format 1 ends with the payload's length and has no properties. A topic has no 0x00, so chunks of one topic lie
//! together and topics are in byte order.
//!
//! `retained-count` has the number of topics, eight big-endian bytes, written together with what changes it.
//!
//! A message whose time is over is nobody's any more; whoever comes across it on the disk takes it away.

use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use message::{Message, Origin, QoS, SubscribeOptions, TopicFilter, TopicName};
use names::Timestamp;
use parking_lot::Mutex;
use persistent_sessions::{decode_properties, encode_properties};
use store::{Batch, Committed, Direction, Entry, Store, StoreError, Ticket};

use crate::delivery::{Delivery, Extra, extra};
use crate::on_their_way::OnTheirWay;

/// The retained messages and those on their way to the disk.
pub(crate) struct Retained {
    store: Arc<dyn Store>,
    origin: Arc<Origin>,
    /// Written and not yet readable from the store; an empty payload means removed. Keeps a subscriber who comes
    /// between a publish and its commit from missing both the live and the retained copy.
    on_their_way: Mutex<OnTheirWay>,
    /// Topics that have a message. Counted under the lock of `on_their_way`, whose commits are in its order; a commit
    /// that fails takes back what it counted.
    count: Arc<AtomicU64>,
}

/// A retained message's way to the disk. Await it before the publisher is acknowledged; dropped, it goes on.
pub struct RetainedWrite {
    ticket: Ticket,
    retained: Arc<Retained>,
    topic: TopicName,
    write: u64,
}

/// The retained messages of one new subscription, read in pages so that no subscription fills the memory.
pub struct RetainedCursor {
    retained: Arc<Retained>,
    filter: TopicFilter,
    options: SubscribeOptions,
    /// Where the next page starts; none when the store has no more.
    next: Option<Vec<u8>>,
    end: Vec<u8>,
    on_their_way: VecDeque<Arc<Message>>,
    extra: Option<Arc<Extra>>,
}

/// What stands before a payload in its first chunk.
pub(crate) struct Header {
    pub(crate) qos: QoS,
    pub(crate) received_at: Timestamp,
    pub(crate) payload_bytes: usize,
    properties_bytes: usize,
    expires_at: Option<Timestamp>,
}

impl Header {
    pub(crate) fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }
}

pub(crate) const PREFIX: &[u8] = b"retained/";
const COUNT: &[u8] = b"retained-count";
/// Without properties.
const FORMAT_1: u8 = 1;
const FORMAT_2: u8 = 2;
const HEADER_1_BYTES: usize = 14;
const HEADER_2_BYTES: usize = HEADER_1_BYTES + 12;
const CHUNK_BYTES: usize = names::limits::STORE_VALUE_BYTES_MAX - HEADER_2_BYTES;
const PAGE_ROWS: usize = 64;

impl Retained {
    pub(crate) fn open(store: Arc<dyn Store>) -> Result<Self, StoreError> {
        let count = match store.get(COUNT)? {
            Some(there) => read_count(&there.value)?,
            None => count_topics(&*store)?, // a store of before it was counted
        };
        let (origin, count) = (Arc::new(Origin::default()), Arc::new(AtomicU64::new(count)));
        Ok(Self { store, origin, on_their_way: Mutex::default(), count })
    }

    /// Topics that have a message.
    pub(crate) fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// Replaces the topic's retained message, or removes it when the payload is empty [MQTT-3.3.1-10].
    pub(crate) fn write(self: &Arc<Self>, message: &Message) -> RetainedWrite {
        let topic = message.topic.detached();
        let kept = Message {
            topic: topic.clone(),
            payload: Bytes::copy_from_slice(&message.payload),
            properties: message.properties.as_deref().map(|properties| Arc::new(properties.detached())),
            origin: Arc::clone(&self.origin),
            ..*message
        };
        let content = Content::of(&kept);
        // Under the lock, so that the order here is the order of the commits.
        let mut on_their_way = self.on_their_way.lock();
        let batch = self.batch(&kept, &content, on_their_way.chunks(&topic));
        let (write, ticket) = self.commit(&mut on_their_way, kept, content.chunks(), batch);
        drop(on_their_way);
        RetainedWrite { ticket, retained: Arc::clone(self), topic, write }
    }

    /// Hands a batch to the store that makes `message` the topic's, and counts what it changes.
    fn commit(
        &self,
        on_their_way: &mut OnTheirWay,
        message: Message,
        chunks: u16,
        batch: Result<(Batch, Change), StoreError>,
    ) -> (u64, Ticket) {
        let (write, is_answered) = on_their_way.insert(message, chunks);
        let (answer, ticket) = Ticket::new();
        let (count, change) = (Arc::clone(&self.count), batch.as_ref().map_or(Change::None, |(_, change)| *change));
        // Runs on the store's writer thread, or right here under the lock: it must not take it.
        let done = move |verdict: Result<Committed, StoreError>| {
            if verdict.is_err() {
                change.take_back(&count);
            }
            is_answered.store(true, Ordering::Release);
            let _nobody_waits = answer.send(verdict);
        };
        match batch {
            Ok((batch, Change::None)) => self.store.commit_then(batch, Box::new(done)),
            Ok((batch, change)) => {
                let count = change.make(&self.count).to_be_bytes();
                self.store.commit_then(batch.put(COUNT, count), Box::new(done));
            }
            Err(error) => done(Err(error)),
        }
        (write, ticket)
    }

    /// The topic's message; one on its way to the disk is the topic's already.
    pub(crate) fn get(&self, topic: &TopicName) -> Result<Option<Arc<Message>>, StoreError> {
        // Before the store is read: what is committed in between is then seen there.
        if let Some(newest) = self.on_their_way.lock().get(topic) {
            return Ok((!newest.payload.is_empty()).then(|| Arc::clone(newest)));
        }
        let rows = self.rows(topic.as_str().as_bytes())?;
        let Some((first, rest)) = rows.split_first() else { return Ok(None) };
        match self.message(first, rest) {
            Some(message) => Ok(Some(Arc::new(message))),
            None => Err(StoreError::Failed(format!("the retained message of '{topic}' cannot be read"))),
        }
    }

    /// What is on its way to the disk behind `after`, in the order of the store's keys.
    pub(crate) fn on_their_way_after(&self, after: Option<&TopicName>) -> BTreeMap<String, Arc<Message>> {
        let on_their_way = self.on_their_way.lock();
        let is_behind = |topic: &TopicName| after.is_none_or(|after| topic.as_str() > after.as_str());
        let behind = on_their_way.iter().filter(|message| is_behind(&message.topic));
        behind.map(|message| (message.topic.to_string(), Arc::clone(message))).collect()
    }

    /// The first chunk of the first topic from a key on.
    pub(crate) fn first_chunk(&self, from: &[u8]) -> Result<Option<Entry>, StoreError> {
        let end = [PREFIX, &[0xff]].concat();
        Ok(self.store.range(from, &end, 1, Direction::Forward)?.pop())
    }

    /// All chunks of a topic.
    fn rows(&self, topic: &[u8]) -> Result<Vec<Entry>, StoreError> {
        let bound = |last| [PREFIX, topic, &[last]].concat();
        self.store.range(&bound(0), &bound(1), usize::from(u16::MAX), Direction::Forward)
    }

    /// Deletes every chunk of the old message, which may be longer: those in the store, and `before` of one that is
    /// still on its way there.
    fn batch(&self, message: &Message, content: &Content, before: Option<u16>) -> Result<(Batch, Change), StoreError> {
        let topic = message.topic.as_str().as_bytes();
        let from = [PREFIX, topic, &[0]].concat();
        let old = self.rows(topic)?;
        let was_there = before.map_or(!old.is_empty(), |chunks| chunks > 0);
        let mut batch = old.into_iter().fold(Batch::new(), |batch, entry| batch.delete(entry.key));
        batch = (0..before.unwrap_or_default()).fold(batch, |batch, number| batch.delete(chunk_key(&from, number)));
        for (number, chunk) in (0u16..).zip(content.bytes.chunks(CHUNK_BYTES)) {
            let mut value = Vec::with_capacity(chunk.len() + HEADER_2_BYTES);
            if number == 0 {
                put_header(message, content.properties_bytes, &mut value)?;
            }
            value.extend_from_slice(chunk);
            batch = batch.put(chunk_key(&from, number), value);
        }
        Ok((batch, Change::between(was_there, content.chunks() > 0)))
    }

    fn settled(&self, topic: &TopicName, write: u64) {
        self.on_their_way.lock().remove(topic, write);
    }

    fn message(&self, first: &Entry, rest: &[Entry]) -> Option<Message> {
        let topic = topic_of(&first.key)?;
        let (header, start) = read_header(&first.value)?;
        let Header { qos, received_at, payload_bytes, properties_bytes, .. } = header;
        let mut content = BytesMut::with_capacity(properties_bytes.saturating_add(payload_bytes).min(start.len() * 2));
        content.extend_from_slice(start);
        rest.iter().for_each(|entry| content.extend_from_slice(&entry.value));
        let mut content = content.freeze();
        if content.len() != properties_bytes.checked_add(payload_bytes)? {
            return None;
        }
        let properties = content.split_to(properties_bytes);
        let properties = if properties.is_empty() { None } else { Some(Arc::new(decode_properties(properties)?)) };
        let (payload, origin) = (content, Arc::clone(&self.origin));
        Some(Message { topic, payload, qos, retain: true, properties, received_at, origin })
    }

    /// Takes a message away whose time is over, if it is still the one that was read.
    fn remove_expired(&self, first: &Entry, rest: &[Entry]) {
        let Some(topic) = topic_of(&first.key) else { return };
        let mut on_their_way = self.on_their_way.lock();
        let is_there = matches!(self.store.get(&first.key), Ok(Some(there)) if there.version == first.version);
        if on_their_way.get(&topic).is_some() || !is_there {
            return;
        }
        let batch = Batch::new().unchanged(first.key.clone(), Some(first.version)).delete(first.key.clone());
        let batch = rest.iter().fold(batch, |batch, chunk| batch.delete(chunk.key.clone()));
        let (payload, qos, origin) = (Bytes::new(), QoS::AtMostOnce, Arc::clone(&self.origin));
        let received_at = Timestamp::from_millis(0);
        let none = Message { topic, payload, qos, retain: true, properties: None, received_at, origin };
        // When it fails or another message has come, there is nothing to do.
        drop(self.commit(&mut on_their_way, none, 0, Ok((batch, Change::Less))));
    }
}

/// How many more topics have a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    None,
    More,
    Less,
}

impl Change {
    fn between(was_there: bool, is_there: bool) -> Self {
        match (was_there, is_there) {
            (false, true) => Self::More,
            (true, false) => Self::Less,
            _ => Self::None,
        }
    }

    /// Counts it; the new count.
    fn make(self, count: &AtomicU64) -> u64 {
        match self {
            Self::None => count.load(Ordering::Relaxed),
            Self::More => count.fetch_add(1, Ordering::Relaxed).saturating_add(1),
            Self::Less => count
                .try_update(Ordering::Relaxed, Ordering::Relaxed, |count| Some(count.saturating_sub(1)))
                .map_or(0, |before| before.saturating_sub(1)),
        }
    }

    fn take_back(self, count: &AtomicU64) {
        match self {
            Self::None => {}
            Self::More => _ = Self::Less.make(count),
            Self::Less => _ = Self::More.make(count),
        }
    }
}

impl RetainedWrite {
    /// Blocks this thread until the message is durable. Not for async tasks: those await it.
    ///
    /// # Errors
    /// [`StoreError`]: the topic's retained message is what it was before.
    pub fn wait(self) -> Result<(), StoreError> {
        let answer = self.ticket.wait();
        self.retained.settled(&self.topic, self.write);
        answer.map(|_| ())
    }
}

impl Future for RetainedWrite {
    type Output = Result<(), StoreError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let answer = std::task::ready!(Pin::new(&mut self.ticket).poll(context));
        self.retained.settled(&self.topic, self.write);
        Poll::Ready(answer.map(|_| ()))
    }
}

impl RetainedCursor {
    pub(crate) fn new(retained: Arc<Retained>, filter: TopicFilter, options: SubscribeOptions) -> Self {
        let (from, end) = bounds(&filter);
        // Taken before the store is read: what is committed in between is then seen there, perhaps in both places,
        // but never in neither.
        let on_their_way = retained.on_their_way.lock();
        let matching = on_their_way.iter().filter(|message| filter.matches(&message.topic, options.dialect));
        let on_their_way_messages = matching.map(Arc::clone).collect();
        drop(on_their_way);
        let extra = extra(options.subscription_id.into_iter().collect(), None);
        Self { retained, filter, options, next: Some(from), end, on_their_way: on_their_way_messages, extra }
    }

    /// The next deliveries; an empty page is the end.
    ///
    /// # Errors
    /// The store did not answer.
    pub fn next_page(&mut self, now: Timestamp) -> Result<Vec<Delivery>, StoreError> {
        while let Some(from) = self.next.take() {
            let page = self.page(&from, now)?;
            if !page.is_empty() {
                return Ok(page);
            }
        }
        let newest = std::mem::take(&mut self.on_their_way);
        let kept = newest.into_iter().filter(|message| !message.payload.is_empty() && !message.is_expired(now));
        Ok(kept.map(|message| self.delivery(message)).collect())
    }

    fn page(&mut self, from: &[u8], now: Timestamp) -> Result<Vec<Delivery>, StoreError> {
        let mut rows = self.retained.store.range(from, &self.end, PAGE_ROWS, Direction::Forward)?;
        if rows.len() == PAGE_ROWS {
            // The last topic of a full page may have chunks beyond it: it comes whole with the next page.
            let last = rows.last().and_then(|row| topic_bytes(&row.key)).map(<[u8]>::to_vec).unwrap_or_default();
            let start = rows.iter().position(|row| topic_bytes(&row.key) == Some(&last)).unwrap_or_default();
            if start == 0 {
                rows = self.retained.rows(&last)?;
                self.next = Some([PREFIX, &last, &[1]].concat());
            } else {
                self.next = rows.get(start).map(|row| row.key.clone());
                rows.truncate(start);
            }
        }
        let topics = rows.chunk_by(|a, b| topic_bytes(&a.key) == topic_bytes(&b.key));
        let mut page = Vec::new();
        for (first, rest) in topics.filter_map(|chunks| chunks.split_first()) {
            if !topic_of(&first.key).is_some_and(|topic| self.wants(&topic)) {
                continue;
            }
            if read_header(&first.value).is_some_and(|(header, _)| header.is_expired(now)) {
                self.retained.remove_expired(first, rest);
            } else if let Some(message) = self.retained.message(first, rest) {
                page.push(self.delivery(Arc::new(message)));
            }
        }
        Ok(page)
    }

    fn wants(&self, topic: &TopicName) -> bool {
        let is_newer_known = self.on_their_way.iter().any(|message| message.topic == *topic);
        !is_newer_known && self.filter.matches(topic, self.options.dialect)
    }

    fn delivery(&self, message: Arc<Message>) -> Delivery {
        let qos = self.options.qos.min(message.qos);
        Delivery { message, qos, retain: true, seq: None, extra: self.extra.clone() }
    }
}

/// The keys between which every topic that the filter matches must lie: those that start with the filter's levels up
/// to the first wildcard. In dialect `mqtt`, `a/#` matches `a` too, so the bound leaves the slash out.
fn bounds(filter: &TopicFilter) -> (Vec<u8>, Vec<u8>) {
    let text = filter.as_str();
    let fixed = text.find(['+', '#']).map_or(text, |at| text.get(..at).unwrap_or_default());
    let fixed = if fixed.len() < text.len() { fixed.strip_suffix('/').unwrap_or(fixed) } else { fixed };
    let from = [PREFIX, fixed.as_bytes()].concat();
    let end = if fixed.len() == text.len() {
        [from.as_slice(), &[1]].concat()
    } else {
        // 0xFF is in no UTF-8 text, so this is behind every topic that starts with the fixed levels.
        [from.as_slice(), &[0xff]].concat()
    };
    (from, end)
}

/// What is cut into chunks behind the header: nothing for a message that removes the topic's.
#[derive(Default)]
struct Content {
    bytes: Bytes,
    properties_bytes: usize,
}

impl Content {
    fn of(message: &Message) -> Self {
        if message.payload.is_empty() {
            return Self::default();
        }
        let Some(properties) = &message.properties else {
            return Self { bytes: message.payload.clone(), properties_bytes: 0 };
        };
        let mut bytes = Vec::new();
        encode_properties(properties, &mut bytes);
        let properties_bytes = bytes.len();
        bytes.extend_from_slice(&message.payload);
        Self { bytes: Bytes::from(bytes), properties_bytes }
    }

    fn chunks(&self) -> u16 {
        u16::try_from(self.bytes.len().div_ceil(CHUNK_BYTES)).unwrap_or(u16::MAX)
    }
}

fn put_header(message: &Message, properties_bytes: usize, out: &mut Vec<u8>) -> Result<(), StoreError> {
    let length = |bytes: usize| {
        u32::try_from(bytes).map_err(|_| StoreError::TooLarge("a retained message is over 4 GB".to_owned()))
    };
    out.put_u8(FORMAT_2);
    out.put_u8(message.qos.bits());
    out.put_u64(message.received_at.as_millis());
    out.put_u32(length(message.payload.len())?);
    out.put_u32(length(properties_bytes)?);
    out.put_u64(message.expires_at().map_or(0, Timestamp::as_millis));
    Ok(())
}

/// The header of a first chunk, and what follows it.
pub(crate) fn read_header(mut chunk: &[u8]) -> Option<(Header, &[u8])> {
    let format = chunk.try_get_u8().ok()?;
    let qos = QoS::from_bits(chunk.try_get_u8().ok()?)?;
    let received_at = Timestamp::from_millis(chunk.try_get_u64().ok()?);
    let payload_bytes = usize::try_from(chunk.try_get_u32().ok()?).ok()?;
    let (properties_bytes, expires_at) = match format {
        FORMAT_1 => (0, 0),
        FORMAT_2 => (usize::try_from(chunk.try_get_u32().ok()?).ok()?, chunk.try_get_u64().ok()?),
        _ => return None,
    };
    let expires_at = (expires_at > 0).then(|| Timestamp::from_millis(expires_at));
    Some((Header { qos, received_at, payload_bytes, properties_bytes, expires_at }, chunk))
}

fn read_count(value: &[u8]) -> Result<u64, StoreError> {
    let count = <[u8; 8]>::try_from(value).map(u64::from_be_bytes);
    count.map_err(|_| StoreError::Failed("the number of retained messages cannot be read".to_owned()))
}

fn count_topics(store: &dyn Store) -> Result<u64, StoreError> {
    let end = [PREFIX, &[0xff]].concat();
    let mut from = PREFIX.to_vec();
    let mut count = 0;
    loop {
        let rows = store.range(&from, &end, PAGE_ROWS, Direction::Forward)?;
        let Some(last) = rows.last() else { return Ok(count) };
        from = [last.key.as_slice(), &[0]].concat();
        count += rows.iter().filter(|row| row.key.ends_with(&[0, 0, 0])).count() as u64; // first chunks
    }
}

fn chunk_key(topic_key: &[u8], number: u16) -> Vec<u8> {
    [topic_key, &number.to_be_bytes()].concat()
}

fn topic_bytes(key: &[u8]) -> Option<&[u8]> {
    key.strip_prefix(PREFIX)?.split(|&byte| byte == 0).next()
}

pub(crate) fn topic_of(key: &[u8]) -> Option<TopicName> {
    TopicName::new(std::str::from_utf8(topic_bytes(key)?).ok()?).ok()
}
