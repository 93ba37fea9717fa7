//! What is known of one session's queue without reading it: the next number, the head, counts; and of the messages that
//! are on their way to the disk or left it a moment ago, their sizes.

use std::collections::BTreeMap;

use bytes::BufMut;
use names::limits;
use store::{Direction, Store, StoreError};

use crate::fields::Fields;
use crate::queue_value::Row;
use crate::session_id::SessionId;
use crate::table::{self, FORMAT};

/// A queue's counts, and what is newer than the store.
#[derive(Debug, Clone)]
pub(crate) struct Tail {
    /// The number of the next message; the first is 1.
    pub(crate) next_seq: u64,
    /// No message has a lower number.
    pub(crate) head: u64,
    pub(crate) messages: u64,
    pub(crate) bytes: u64,
    /// PUBLISH packets went out for all up to this one.
    pub(crate) sent_up_to: u64,
    /// Whether a message may have a row that says with which packet id it was sent.
    pub(crate) has_packet_ids: bool,
    /// Whether a QoS 2 packet id was ever received.
    pub(crate) has_received: bool,
    /// The last commit that wrote it, or is about to.
    pub(crate) commit: u64,
    /// No message before this one is still to be sent. Not on the disk.
    pub(crate) unsent_from: u64,
    is_head_gone: bool,
    newest: BTreeMap<u64, Newest>,
    forget_at: usize,
}

/// A message that a commit of this run wrote.
#[derive(Debug, Clone, Copy)]
struct Newest {
    commit: u64,
    /// None is gone.
    row: Option<Row>,
    packet_id: Option<u16>,
}

const HAS_PACKET_IDS: u8 = 1;
const HAS_RECEIVED: u8 = 2;

impl Tail {
    /// Of a new session.
    pub(crate) fn new() -> Self {
        Self {
            next_seq: 1,
            head: 1,
            messages: 0,
            bytes: 0,
            sent_up_to: 0,
            has_packet_ids: false,
            has_received: false,
            commit: 0,
            unsent_from: 1,
            is_head_gone: false,
            newest: BTreeMap::new(),
            forget_at: limits::QUEUE_SIZES_MAX,
        }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(42);
        out.push(FORMAT);
        [self.next_seq, self.head, self.messages, self.bytes, self.sent_up_to].iter().for_each(|n| out.put_u64(*n));
        let flag = |is_set: bool, flag: u8| if is_set { flag } else { 0 };
        out.push(flag(self.has_packet_ids, HAS_PACKET_IDS) | flag(self.has_received, HAS_RECEIVED));
        out
    }

    pub(crate) fn read(value: Vec<u8>) -> Option<Self> {
        let mut fields = Fields::of(value, FORMAT)?;
        let mut tail = Self {
            next_seq: fields.u64()?,
            head: fields.u64()?,
            messages: fields.u64()?,
            bytes: fields.u64()?,
            sent_up_to: fields.u64()?,
            ..Self::new()
        };
        let flags = fields.byte()?;
        tail.has_packet_ids = flags & HAS_PACKET_IDS != 0;
        tail.has_received = flags & HAS_RECEIVED != 0;
        tail.unsent_from = tail.head;
        Some(tail)
    }

    /// The row of a message, if it is in the queue.
    pub(crate) fn row(&self, store: &dyn Store, id: SessionId, seq: u64) -> Result<Option<Row>, StoreError> {
        if seq < self.head || seq >= self.next_seq {
            return Ok(None);
        }
        if let Some(newest) = self.newest.get(&seq) {
            return Ok(newest.row);
        }
        let key = table::of_message(table::QUEUE, id, seq);
        let Some(there) = store.get(&key)? else { return Ok(None) };
        let (row, _) = Row::read(there.value).ok_or_else(|| table::unreadable(&key))?;
        Ok(Some(row))
    }

    /// The first message from `seq` on; the next number when there is none.
    pub(crate) fn first_from(&self, store: &dyn Store, id: SessionId, seq: u64) -> Result<u64, StoreError> {
        let mut seq = seq.max(self.head);
        while seq < self.next_seq {
            match self.newest.get(&seq) {
                Some(Newest { row: Some(_), .. }) => return Ok(seq),
                Some(_) => seq += 1,
                None => match first_in_store(store, id, seq)? {
                    Some(found) if found == seq => return Ok(seq),
                    // What is known here and not there may lie before it.
                    found => {
                        let known = self.newest.range(seq..).find(|(_, newest)| newest.row.is_some());
                        let known = known.map(|(seq, _)| *seq);
                        let next = found.into_iter().chain(known).min();
                        let Some(next) = next else { return Ok(self.next_seq) };
                        seq = next;
                    }
                },
            }
        }
        Ok(self.next_seq)
    }

    /// A commit gives the message this row.
    pub(crate) fn write(&mut self, seq: u64, row: Row, commit: u64) {
        let packet_id = self.newest.get(&seq).and_then(|newest| newest.packet_id);
        self.newest.insert(seq, Newest { commit, row: Some(row), packet_id });
    }

    /// A commit says with which packet id a message of this row went out.
    pub(crate) fn write_packet_id(&mut self, seq: u64, row: Row, packet_id: u16, commit: u64) {
        self.newest.insert(seq, Newest { commit, row: Some(row), packet_id: Some(packet_id) });
    }

    /// A commit deletes the message.
    pub(crate) fn delete(&mut self, seq: u64, commit: u64) {
        self.is_head_gone |= seq == self.head;
        self.newest.insert(seq, Newest { commit, row: None, packet_id: None });
    }

    /// Moves the head over what is gone, and forgets sizes that the store has by now, when they are many.
    pub(crate) fn settle(&mut self, store: &dyn Store, id: SessionId, completed: u64) -> Result<(), StoreError> {
        if self.messages == 0 {
            self.head = self.next_seq;
            self.has_packet_ids = false;
        } else if self.is_head_gone {
            self.head = self.first_from(store, id, self.head)?;
        }
        self.is_head_gone = false;
        while self.newest.first_key_value().is_some_and(|(seq, _)| *seq < self.head) {
            self.newest.pop_first();
        }
        if self.newest.len() > self.forget_at {
            self.newest.retain(|_, newest| newest.commit > completed);
            self.forget_at = limits::QUEUE_SIZES_MAX.max(2 * self.newest.len());
        }
        Ok(())
    }

    /// What readers of so many messages from `seq` on must know beside the store: which are gone, released, or have a
    /// packet id.
    pub(crate) fn news_from(&self, seq: u64, messages: usize) -> BTreeMap<u64, News> {
        let mut there = 0;
        let until_all_are_read = |(_, newest): &(&u64, &Newest)| {
            there += usize::from(newest.row.is_some());
            there <= messages
        };
        let from = self.newest.range(seq..).take_while(until_all_are_read);
        from.filter_map(|(seq, newest)| match newest.row {
            None => Some((*seq, News::Gone)),
            Some(Row { released: Some(packet_id), .. }) => Some((*seq, News::Released(packet_id))),
            Some(_) => newest.packet_id.map(|packet_id| (*seq, News::PacketId(packet_id))),
        })
        .collect()
    }
}

/// What happened to a message, perhaps later than the store knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum News {
    /// It is acknowledged or dropped.
    Gone,
    /// It is released.
    Released(u16),
    /// It was sent with this packet id.
    PacketId(u16),
}

/// The first message from `seq` on that the store has.
fn first_in_store(store: &dyn Store, id: SessionId, seq: u64) -> Result<Option<u64>, StoreError> {
    let from = table::of_message(table::QUEUE, id, seq);
    let (_, to) = table::all(table::of_session(table::QUEUE, id));
    let found = store.range(&from, &to, 1, Direction::Forward)?.pop();
    Ok(found.and_then(|row| table::number_at(&row.key, table::QUEUE.len() + 8)))
}
