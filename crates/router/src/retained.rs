//! Retained messages: the last one of each topic, kept in the store.
//!
//! Layout: `retained/TOPIC 0x00 CHUNK`, chunk numbers being two big-endian bytes from 0. The first chunk starts with a
//! header: format 1, QoS, the time of receipt as eight big-endian bytes, the payload's length as four. A topic has no
//! 0x00, so chunks of one topic lie together and topics are in byte order.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use bytes::{BufMut, Bytes, BytesMut};
use message::{Message, Origin, QoS, TopicFilter, TopicName};
use names::Timestamp;
use parking_lot::Mutex;
use store::{Batch, Direction, Entry, Store, StoreError, Ticket};

use crate::mailbox::Delivery;
use message::SubscribeOptions;

/// The retained messages and those on their way to the disk.
pub(crate) struct Retained {
    store: Arc<dyn Store>,
    origin: Arc<Origin>,
    /// Written and not yet readable from the store; an empty payload means removed. Keeps a subscriber who comes
    /// between a publish and its commit from missing both the live and the retained copy.
    on_their_way: Mutex<HashMap<TopicName, (u64, Arc<Message>)>>,
    next_write: AtomicU64,
}

/// A retained message's way to the disk. Await it before the publisher is acknowledged.
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
}

/// What stands before a payload in its first chunk.
pub(crate) struct Header {
    pub(crate) qos: QoS,
    pub(crate) received_at: Timestamp,
    pub(crate) payload_bytes: usize,
}

pub(crate) const PREFIX: &[u8] = b"retained/";
const FORMAT: u8 = 1;
const HEADER_BYTES: usize = 14;
const CHUNK_BYTES: usize = names::limits::STORE_VALUE_BYTES_MAX - HEADER_BYTES;
const PAGE_ROWS: usize = 64;

impl Retained {
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        let origin = Arc::new(Origin::default());
        Self { store, origin, on_their_way: Mutex::default(), next_write: AtomicU64::new(0) }
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
        let write = self.next_write.fetch_add(1, Ordering::Relaxed);
        // Under the lock, so that the order here is the order of the commits.
        let mut on_their_way = self.on_their_way.lock();
        let chunks_before = on_their_way.get(&topic).map_or(0, |(_, message)| chunk_count(message));
        let batch = self.batch(&kept, chunks_before);
        on_their_way.insert(topic.clone(), (write, Arc::new(kept)));
        let ticket = match batch {
            Ok(batch) => self.store.commit(batch),
            Err(error) => failed(error),
        };
        RetainedWrite { ticket, retained: Arc::clone(self), topic, write }
    }

    /// The topic's message; one on its way to the disk is the topic's already.
    pub(crate) fn get(&self, topic: &TopicName) -> Result<Option<Arc<Message>>, StoreError> {
        // Before the store is read: what is committed in between is then seen there.
        if let Some((_, newest)) = self.on_their_way.lock().get(topic) {
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
        let behind = on_their_way.iter().filter(|(topic, _)| after.is_none_or(|after| topic.as_str() > after.as_str()));
        behind.map(|(topic, (_, message))| (topic.to_string(), Arc::clone(message))).collect()
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

    /// Deletes every chunk of the old message, which may be longer: those in the store, and `chunks_before` of one
    /// that is still on its way there.
    fn batch(&self, message: &Message, chunks_before: u16) -> Result<Batch, StoreError> {
        let topic = message.topic.as_str().as_bytes();
        let from = [PREFIX, topic, &[0]].concat();
        let old = self.rows(topic)?;
        let mut batch = old.into_iter().fold(Batch::new(), |batch, entry| batch.delete(entry.key));
        batch = (0..chunks_before).fold(batch, |batch, number| batch.delete(chunk_key(&from, number)));
        if message.payload.is_empty() {
            return Ok(batch);
        }
        let chunks = message.payload.chunks(CHUNK_BYTES);
        for (number, chunk) in (0u16..).zip(chunks) {
            let mut value = Vec::with_capacity(chunk.len() + HEADER_BYTES);
            if number == 0 {
                let length = u32::try_from(message.payload.len())
                    .map_err(|_| StoreError::TooLarge("a retained payload is over 4 GB".to_owned()))?;
                value.put_u8(FORMAT);
                value.put_u8(message.qos.bits());
                value.put_u64(message.received_at.as_millis());
                value.put_u32(length);
            }
            value.extend_from_slice(chunk);
            batch = batch.put(chunk_key(&from, number), value);
        }
        Ok(batch)
    }

    fn settled(&self, topic: &TopicName, write: u64) {
        let mut on_their_way = self.on_their_way.lock();
        if on_their_way.get(topic).is_some_and(|(newest, _)| *newest == write) {
            on_their_way.remove(topic);
        }
    }

    fn message(&self, first: &Entry, rest: &[Entry]) -> Option<Message> {
        let topic = topic_of(&first.key)?;
        let (Header { qos, received_at, payload_bytes }, start) = read_header(&first.value)?;
        let mut payload = BytesMut::with_capacity(payload_bytes);
        payload.extend_from_slice(start);
        rest.iter().for_each(|entry| payload.extend_from_slice(&entry.value));
        Some(Message {
            topic,
            payload: (payload.len() == payload_bytes).then(|| payload.freeze())?,
            qos,
            retain: true,
            properties: None,
            received_at,
            origin: Arc::clone(&self.origin),
        })
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
        let matching = on_their_way.values().filter(|(_, message)| filter.matches(&message.topic, options.dialect));
        let on_their_way_messages = matching.map(|(_, message)| Arc::clone(message)).collect();
        drop(on_their_way);
        Self { retained, filter, options, next: Some(from), end, on_their_way: on_their_way_messages }
    }

    /// The next deliveries; an empty page is the end.
    ///
    /// # Errors
    /// The store did not answer.
    pub fn next_page(&mut self) -> Result<Vec<Delivery>, StoreError> {
        while let Some(from) = self.next.take() {
            let page = self.page(&from)?;
            if !page.is_empty() {
                return Ok(page);
            }
        }
        let newest = std::mem::take(&mut self.on_their_way);
        Ok(newest.into_iter().filter(|message| !message.payload.is_empty()).map(|m| self.delivery(m)).collect())
    }

    fn page(&mut self, from: &[u8]) -> Result<Vec<Delivery>, StoreError> {
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
        let messages = topics.filter_map(|chunks| chunks.split_first());
        let messages = messages.filter(|(first, _)| topic_of(&first.key).is_some_and(|topic| self.wants(&topic)));
        let messages = messages.filter_map(|(first, rest)| self.retained.message(first, rest));
        Ok(messages.map(|message| self.delivery(Arc::new(message))).collect())
    }

    fn wants(&self, topic: &TopicName) -> bool {
        let is_newer_known = self.on_their_way.iter().any(|message| message.topic == *topic);
        !is_newer_known && self.filter.matches(topic, self.options.dialect)
    }

    fn delivery(&self, message: Arc<Message>) -> Delivery {
        let qos = self.options.qos.min(message.qos);
        Delivery { message, qos, retain: true }
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

/// The header of a first chunk, and what follows it.
pub(crate) fn read_header(chunk: &[u8]) -> Option<(Header, &[u8])> {
    let (header, rest) = chunk.split_at_checked(HEADER_BYTES)?;
    let [FORMAT, qos, header @ ..] = header else { return None };
    let (received_at, length) = header.split_at_checked(8)?;
    let header = Header {
        qos: QoS::from_bits(*qos)?,
        received_at: Timestamp::from_millis(u64::from_be_bytes(received_at.try_into().ok()?)),
        payload_bytes: usize::try_from(u32::from_be_bytes(length.try_into().ok()?)).ok()?,
    };
    Some((header, rest))
}

fn chunk_key(topic_key: &[u8], number: u16) -> Vec<u8> {
    [topic_key, &number.to_be_bytes()].concat()
}

fn chunk_count(message: &Message) -> u16 {
    u16::try_from(message.payload.len().div_ceil(CHUNK_BYTES)).unwrap_or(u16::MAX)
}

fn topic_bytes(key: &[u8]) -> Option<&[u8]> {
    key.strip_prefix(PREFIX)?.split(|&byte| byte == 0).next()
}

pub(crate) fn topic_of(key: &[u8]) -> Option<TopicName> {
    TopicName::new(std::str::from_utf8(topic_bytes(key)?).ok()?).ok()
}

fn failed(error: StoreError) -> Ticket {
    let (answer, ticket) = Ticket::new();
    let _ = answer.send(Err(error)); // the receiver is `ticket`, which is right here
    ticket
}
