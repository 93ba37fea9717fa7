//! Messages go: they are read in order, sent, released and acknowledged.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use store::{Direction, Entry, Store, StoreError, Ticket};

use crate::queue_value::{QueuedMessage, Row, released};
use crate::queues::{QueueOverflow, Queues};
use crate::session_id::SessionId;
use crate::table::{self, FORMAT};
use crate::tail::News;

/// A message of a queue.
#[derive(Debug, Clone)]
pub struct Queued {
    /// Its number in the queue.
    pub seq: u64,
    /// The packet id that it was sent with; none is [`derived_packet_id`].
    pub packet_id: Option<u16>,
    /// What is owed to the client.
    pub stage: Stage,
    /// Whether a PUBLISH packet may have gone out already, so that the next one has DUP set [MQTT-3.3.1-1].
    pub was_sent: bool,
}

/// What is owed to the client.
#[derive(Debug, Clone)]
pub enum Stage {
    /// PUBLISH.
    Publish(QueuedMessage),
    /// PUBREL: the client has the message and said so.
    Released,
}

/// The packet id that a message has unless it was sent with another one.
pub fn derived_packet_id(seq: u64) -> u16 {
    let id = seq.wrapping_sub(1) % u64::from(u16::MAX) + 1;
    u16::try_from(id).unwrap_or(u16::MAX)
}

impl Queues {
    /// The number of which no lower one is in the queue.
    pub(crate) fn head(&self, id: SessionId) -> Result<u64, StoreError> {
        Ok(self.change().tail(id)?.map_or(1, |tail| tail.head))
    }

    pub(crate) fn queued(&self, id: SessionId) -> Result<(u64, u64), StoreError> {
        Ok(self.change().tail(id)?.map_or((0, 0), |tail| (tail.messages, tail.bytes)))
    }

    /// In order, from a number on; only what is committed. At least one, when there is one, whatever its size.
    pub(crate) fn read(
        &self,
        id: SessionId,
        from_seq: u64,
        limit: usize,
        bytes_max: usize,
    ) -> Result<Vec<Queued>, StoreError> {
        let Some((from_seq, sent_up_to, has_packet_ids, news)) = self.change().tail(id)?.map(|tail| {
            let from_seq = from_seq.max(tail.head);
            (from_seq, tail.sent_up_to, tail.has_packet_ids, tail.news_from(from_seq, limit))
        }) else {
            return Ok(Vec::new());
        };
        let mut rows = Rows::new(&*self.store, id, from_seq, limit);
        let (mut found, mut bytes) = (Vec::new(), 0);
        while found.len() < limit && bytes < bytes_max {
            let Some((seq, row, start)) = rows.next_message()? else { break };
            let Some(body) = rows.body(id, seq, row, start)? else { continue };
            let news = news.get(&seq).copied();
            if news == Some(News::Gone) {
                continue;
            }
            let packet_id = match (news, row.released) {
                (Some(News::Released(packet_id) | News::PacketId(packet_id)), _) | (_, Some(packet_id)) => {
                    Some(packet_id)
                }
                _ if has_packet_ids => self.packet_id(id, seq)?,
                _ => None,
            };
            let is_released = row.released.is_some() || matches!(news, Some(News::Released(_)));
            bytes += body.len();
            let stage = if is_released {
                Stage::Released
            } else {
                let key = table::of_message(table::QUEUE, id, seq);
                Stage::Publish(QueuedMessage::read(body).ok_or_else(|| table::unreadable(&key))?)
            };
            found.push(Queued { seq, packet_id, stage, was_sent: seq <= sent_up_to });
        }
        Ok(found)
    }

    fn packet_id(&self, id: SessionId, seq: u64) -> Result<Option<u16>, StoreError> {
        let key = table::of_message(table::PACKET, id, seq);
        let Some(there) = self.store.get(&key)? else { return Ok(None) };
        match there.value.as_slice() {
            [FORMAT, high, low] => Ok(Some(u16::from_be_bytes([*high, *low]))),
            _ => Err(table::unreadable(&key)),
        }
    }

    pub(crate) fn acknowledge(&self, id: SessionId, seqs: &[u64]) -> Ticket {
        let mut change = self.change();
        for seq in seqs {
            change.make_room(ROW_BYTES);
            if let Err(error) = change.take_out(id, *seq) {
                drop(change.commit());
                return failed(error);
            }
        }
        change.commit()
    }

    pub(crate) fn release(&self, id: SessionId, seqs: &[(u64, u16)]) -> Ticket {
        let mut change = self.change();
        for (seq, packet_id) in seqs {
            change.make_room(ROW_BYTES);
            let is_there = match change.take_out(id, *seq) {
                Ok(is_there) => is_there,
                Err(error) => {
                    drop(change.commit());
                    return failed(error);
                }
            };
            if !is_there {
                continue;
            }
            let (row, commit) = (Row::of_released(*packet_id), change.commit_number());
            let counted = change.count(id, row);
            debug_assert!(counted.is_ok(), "its tail has just been used");
            if let Ok(Some(tail)) = change.touch(id) {
                tail.write(*seq, row, commit);
            }
            change.put(table::of_message(table::QUEUE, id, *seq), released(*packet_id));
        }
        change.commit()
    }

    pub(crate) fn in_flight(&self, id: SessionId, up_to: u64) -> Result<(), StoreError> {
        if self.limits.overflow == QueueOverflow::DropOldest
            && let Some(tail) = self.change().tail(id)?
        {
            tail.unsent_from = tail.unsent_from.max(up_to + 1);
        }
        Ok(())
    }

    pub(crate) fn sent(&self, id: SessionId, rows: &[(u64, u16)], up_to: u64) -> Ticket {
        let store = Arc::clone(&self.store);
        let mut change = self.change();
        let mut remember = || -> Result<(), StoreError> {
            let Some(tail) = change.tail(id)? else { return Ok(()) };
            let up_to = up_to.min(tail.next_seq.saturating_sub(1));
            if up_to > tail.sent_up_to
                && let Some(tail) = change.touch(id)?
            {
                tail.sent_up_to = up_to;
            }
            for (seq, packet_id) in rows.iter().filter(|(seq, packet_id)| *packet_id != derived_packet_id(*seq)) {
                change.make_room(ROW_BYTES);
                let commit = change.commit_number();
                let Some(tail) = change.touch(id)? else { return Ok(()) };
                let row = tail.row(&*store, id, *seq)?;
                let Some(row) = row.filter(|row| row.released.is_none()) else { continue };
                tail.has_packet_ids = true;
                tail.write_packet_id(*seq, row, *packet_id, commit);
                let [high, low] = packet_id.to_be_bytes();
                change.put(table::of_message(table::PACKET, id, *seq), vec![FORMAT, high, low]);
            }
            Ok(())
        };
        let remembered = remember();
        let ticket = change.commit();
        remembered.map_or_else(failed, |()| ticket)
    }

    pub(crate) fn received_ids(&self, id: SessionId) -> Result<Vec<u16>, StoreError> {
        let (from, to) = table::all(table::of_session(table::RECEIVED, id));
        let rows = self.store.range(&from, &to, usize::from(u16::MAX), Direction::Forward)?;
        Ok(rows.iter().filter_map(|row| table::pair_of(&row.key)).collect())
    }

    pub(crate) fn forget_received(&self, id: SessionId, packet_ids: &[u16]) -> Ticket {
        let mut change = self.change();
        for packet_id in packet_ids {
            change.make_room(ROW_BYTES);
            change.delete(table::of_pair(table::RECEIVED, id, *packet_id));
        }
        change.commit()
    }
}

/// The rows of a queue, read in pages.
struct Rows<'a> {
    store: &'a dyn Store,
    page: VecDeque<Entry>,
    page_rows: usize,
    /// Where the next page starts; none when the last one was it.
    next: Option<Vec<u8>>,
    end: Vec<u8>,
}

impl<'a> Rows<'a> {
    fn new(store: &'a dyn Store, id: SessionId, from_seq: u64, limit: usize) -> Self {
        let (_, end) = table::all(table::of_session(table::QUEUE, id));
        let next = Some(table::of_message(table::QUEUE, id, from_seq));
        Self { store, page: VecDeque::new(), page_rows: limit.clamp(1, PAGE_ROWS), next, end }
    }

    fn next_row(&mut self) -> Result<Option<Entry>, StoreError> {
        if self.page.is_empty()
            && let Some(from) = self.next.take()
        {
            self.page = self.store.range(&from, &self.end, self.page_rows, Direction::Forward)?.into();
            if self.page.len() == self.page_rows {
                self.next = self.page.back().map(|last| [last.key.as_slice(), &[0]].concat());
            }
        }
        Ok(self.page.pop_front())
    }

    /// The next message's number, row and first bytes.
    fn next_message(&mut self) -> Result<Option<(u64, Row, Bytes)>, StoreError> {
        let Some(Entry { key, value, .. }) = self.next_row()? else { return Ok(None) };
        let seq = table::number_at(&key, table::QUEUE.len() + 8).ok_or_else(|| table::unreadable(&key))?;
        let (row, start) = Row::read(value).ok_or_else(|| table::unreadable(&key))?;
        Ok(Some((seq, row, start)))
    }

    /// The body of the message that came last, with its further chunks; none when it was deleted in the meantime.
    fn body(&mut self, id: SessionId, seq: u64, row: Row, start: Bytes) -> Result<Option<Bytes>, StoreError> {
        if row.chunks == 1 {
            return Ok(Some(start));
        }
        let mut body = BytesMut::from(start);
        for chunk in 1..row.chunks {
            match self.next_row()? {
                Some(next) if next.key == table::of_chunk(id, seq, chunk) => body.extend_from_slice(&next.value),
                Some(next) => {
                    self.page.push_front(next);
                    return Ok(None);
                }
                None => return Ok(None),
            }
        }
        Ok(Some(body.freeze()))
    }
}

fn failed(error: StoreError) -> Ticket {
    let (answer, ticket) = Ticket::new();
    let _ = answer.send(Err(error)); // the receiver is `ticket`, which is right here
    ticket
}

const PAGE_ROWS: usize = 64;
/// What a change of a message takes of a batch: two keys, and the tail's share.
const ROW_BYTES: usize = 160;
