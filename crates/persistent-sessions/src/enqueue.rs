//! Messages come: they get their numbers, limits are kept, and one batch holds all that came together.

use std::sync::Arc;

use names::limits;
use store::StoreError;

use crate::queue_value::{QueuedMessage, Row, values};
use crate::queues::{Change, QueueOverflow, Queues};
use crate::session_id::SessionId;
use crate::table::{self, FORMAT};

/// What is to be written together.
#[derive(Debug, Default)]
pub struct Writes {
    /// Messages and the sessions that they are for.
    pub messages: Vec<(SessionId, QueuedMessage)>,
    /// QoS 2 packet ids that publishers with a persistent session of their own have sent [MQTT-4.3.3-10].
    pub received: Vec<(SessionId, u16)>,
}

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Enqueued {
    /// Whom it was for.
    pub session: SessionId,
    /// Its number in the session's queue; none when a limit dropped it, or the session is gone.
    pub seq: Option<u64>,
    /// Where it stood in [`Writes::messages`].
    pub place: usize,
}

/// What is to happen when writes are durable.
pub type EnqueueDone = Box<dyn FnOnce(Result<Vec<Enqueued>, StoreError>) + Send>;

impl Writes {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty() && self.received.is_empty()
    }
}

impl Queues {
    pub(crate) fn enqueue(&self, writes: Writes, done: EnqueueDone) {
        let bodies = bodies(&writes.messages);
        let mut change = self.change();
        let mut enqueued = Vec::with_capacity(bodies.len());
        let mut failure = None;
        for (place, ((session, _), (row, body))) in writes.messages.iter().zip(&bodies).enumerate() {
            let appended = row.map_or(Ok(None), |row| change.append(*session, row, body));
            match appended {
                Ok(seq) => enqueued.push(Enqueued { session: *session, seq, place }),
                Err(error) => failure = Some(error),
            }
        }
        if failure.is_none() {
            let received = writes.received.iter().try_for_each(|(session, id)| change.receive(*session, *id));
            failure = received.err();
        }
        // What was given a number is committed in any case, so that numbers and rows stay together.
        change.commit_then(Box::new(move |verdict| {
            let verdict = verdict.and_then(|_| failure.map_or(Ok(()), Err));
            done(verdict.map(|()| enqueued));
        }));
    }
}

impl Change<'_> {
    /// A message at the end of a queue; its number, or none when it is dropped.
    fn append(&mut self, id: SessionId, row: Row, body: &[u8]) -> Result<Option<u64>, StoreError> {
        let bytes = body.len() + usize::from(row.chunks) * ROW_BYTES;
        self.make_room(bytes);
        if !self.has_place(id, row, bytes)? {
            return Ok(None);
        }
        self.count(id, row)?;
        let commit = self.commit_number();
        let Some(tail) = self.touch(id)? else { return Ok(None) };
        let seq = tail.next_seq;
        tail.next_seq += 1;
        tail.write(seq, row, commit);
        for (chunk, value) in (0..).zip(values(row, body)) {
            self.put(table::of_chunk(id, seq, chunk), value);
        }
        Ok(Some(seq))
    }

    /// Whether there is a place for a message, perhaps because others gave theirs up.
    fn has_place(&mut self, id: SessionId, row: Row, batch_bytes: usize) -> Result<bool, StoreError> {
        let (limits, bytes) = (self.queues.limits, u64::from(row.bytes));
        loop {
            self.make_room(batch_bytes);
            let totals = self.totals();
            let Some(tail) = self.tail(id)? else { return Ok(false) };
            let fits = tail.messages < limits.messages_max
                && tail.bytes + bytes <= limits.bytes_max
                && totals.messages < limits.all_messages_max
                && totals.bytes + bytes <= limits.all_bytes_max;
            if fits || limits.overflow == QueueOverflow::DropNewest {
                return Ok(fits);
            }
            let could_fit = limits.messages_max > 0
                && bytes <= limits.bytes_max
                && totals.messages - tail.messages.min(totals.messages) < limits.all_messages_max
                && totals.bytes - tail.bytes.min(totals.bytes) + bytes <= limits.all_bytes_max;
            if !could_fit || !self.drop_oldest(id)? {
                return Ok(false);
            }
        }
    }

    /// Drops the first message that was not sent yet. One that was is the client's as well: its packet id must not be
    /// used for another one before the client has answered.
    fn drop_oldest(&mut self, id: SessionId) -> Result<bool, StoreError> {
        let store = Arc::clone(&self.queues.store);
        let Some(tail) = self.touch(id)? else { return Ok(false) };
        let seq = tail.first_from(&*store, id, tail.unsent_from.max(tail.sent_up_to + 1))?;
        tail.unsent_from = seq;
        self.take_out(id, seq)
    }

    /// Deletes a message with all its rows; whether there was one.
    pub(crate) fn take_out(&mut self, id: SessionId, seq: u64) -> Result<bool, StoreError> {
        let store = Arc::clone(&self.queues.store);
        let commit = self.commit_number();
        let Some(tail) = self.tail(id)? else { return Ok(false) };
        let Some(row) = tail.row(&*store, id, seq)? else { return Ok(false) };
        let has_packet_ids = tail.has_packet_ids;
        tail.delete(seq, commit);
        self.discount(id, row)?;
        (0..row.chunks).for_each(|chunk| self.delete(table::of_chunk(id, seq, chunk)));
        if has_packet_ids {
            self.delete(table::of_message(table::PACKET, id, seq));
        }
        Ok(true)
    }

    /// A QoS 2 packet id that must not be taken for a new message until it is released.
    fn receive(&mut self, id: SessionId, packet_id: u16) -> Result<(), StoreError> {
        self.make_room(ROW_BYTES);
        if let Some(tail) = self.touch(id)? {
            tail.has_received = true;
            self.put(table::of_pair(table::RECEIVED, id, packet_id), vec![FORMAT]);
        }
        Ok(())
    }
}

/// The bodies, each with its row; no row is given to one that is too large for any queue. The same message for many
/// sessions is written once.
fn bodies(messages: &[(SessionId, QueuedMessage)]) -> Vec<(Option<Row>, Arc<[u8]>)> {
    let mut bodies: Vec<(Option<Row>, Arc<[u8]>)> = Vec::with_capacity(messages.len());
    let mut before: Option<&QueuedMessage> = None;
    for (_, message) in messages {
        let known = bodies.last().filter(|_| before.is_some_and(|before| before.has_same_body(message)));
        let body = match known {
            Some((row, body)) => (*row, Arc::clone(body)),
            None => {
                let body = message.body();
                (Row::of_body(&body), Arc::from(body))
            }
        };
        bodies.push(body);
        before = Some(message);
    }
    bodies
}

/// What a row takes of a batch beside its value: its key, and the tail's share.
const ROW_BYTES: usize = 64;

// Whatever is put into a batch after there was room for it still fits.
const _: () = assert!(limits::QUEUED_MESSAGE_BYTES_MAX + (1 << 20) < limits::STORE_BATCH_BYTES_MAX);
const _: () = assert!(limits::SESSION_BATCH_BYTES + (1 << 20) < limits::STORE_BATCH_BYTES_MAX);
