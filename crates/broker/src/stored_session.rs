//! The part of a connected client's session that is on the disk: its queue is read from there when the mailbox could not
//! hold it, and what the client acknowledges is taken out of it.

use std::collections::VecDeque;
use std::num::NonZeroU64;

use mqtt_codec::PacketId;
use persistent_sessions::{PersistentSessions, Queued, SessionId, Stage, derived_packet_id};
use router::{Delivery, Mailbox, stored_delivery};
use store::StoreError;
use tracing::warn;

use crate::unsettled::Unsettled;

/// What a connection knows of its stored session.
pub(crate) struct StoredSession {
    pub(crate) id: SessionId,
    /// Below this everything has been read from the disk, or came by the mailbox.
    next_seq: u64,
    /// The disk has messages that did not come by the mailbox.
    is_behind: bool,
    /// Read from the disk and not yet written.
    pub(crate) from_disk: VecDeque<FromDisk>,
    /// The highest number that went out in a PUBLISH.
    sent_up_to: u64,
    is_sent_noted: bool,
    /// The same, as far as the queue knows it in memory.
    known_in_flight: u64,
    /// Identifiers that went out and are not the derived ones.
    unusual_ids: Vec<(u64, u16)>,
    /// To be taken out of the queue.
    acknowledged: Vec<u64>,
    /// PUBREC came for these.
    released: Vec<(u64, u16)>,
    /// PUBREL came for these, of the client's own messages.
    forgotten: Vec<u16>,
}

/// A row of the queue.
pub(crate) enum FromDisk {
    /// To be published, with the identifier that it has, and whether it was sent before.
    Publish { delivery: Delivery, packet_id: Option<PacketId>, was_sent: bool },
    /// The client has it: PUBREL is owed.
    Released { seq: u64, packet_id: Option<PacketId> },
}

/// Rows that one look at the disk fetches, and their bytes.
const PAGE_ROWS: usize = 128;
const PAGE_BYTES: usize = 1_048_576;

impl StoredSession {
    /// One whose queue is still to be read.
    pub(crate) fn new(id: SessionId) -> Self {
        Self {
            id,
            next_seq: 0,
            is_behind: true,
            from_disk: VecDeque::new(),
            sent_up_to: 0,
            is_sent_noted: true,
            known_in_flight: 0,
            unusual_ids: Vec::new(),
            acknowledged: Vec::new(),
            released: Vec::new(),
            forgotten: Vec::new(),
        }
    }

    /// Whether there is something to read on the disk, or to write of what was read.
    pub(crate) fn has_more(&self) -> bool {
        self.is_behind || !self.from_disk.is_empty()
    }

    /// Reads on where the mailbox left off; answers whether there was anything.
    pub(crate) fn read(&mut self, sessions: &PersistentSessions, mailbox: &Mailbox) -> Result<bool, StoreError> {
        if !self.is_behind {
            // What is in the mailbox has been taken, so all that follows is on the disk.
            if !mailbox.catch_up() {
                return Ok(false);
            }
            self.is_behind = true;
        } else {
            mailbox.catch_up();
        }
        let rows = sessions.read(self.id, self.next_seq, PAGE_ROWS, PAGE_BYTES)?;
        self.is_behind = !rows.is_empty();
        if let Some(last) = rows.last() {
            self.next_seq = last.seq + 1;
        }
        self.from_disk.extend(rows.into_iter().map(from_disk));
        Ok(self.is_behind)
    }

    /// Whether a stored message that came by the mailbox is still to be written; one that was read from the disk is not.
    pub(crate) fn is_next(&mut self, seq: NonZeroU64) -> bool {
        let is_next = !self.is_behind && seq.get() >= self.next_seq;
        if is_next {
            self.next_seq = seq.get() + 1;
        }
        is_next
    }

    /// A PUBLISH went out. An identifier that cannot be told from the number is noted before it does [MQTT-4.4.0-1].
    pub(crate) fn sent(&mut self, seq: NonZeroU64, packet_id: PacketId) {
        if seq.get() > self.sent_up_to {
            self.sent_up_to = seq.get();
            self.is_sent_noted = false;
        }
        if packet_id.get() != derived_packet_id(seq.get()) {
            self.unusual_ids.push((seq.get(), packet_id.get()));
        }
    }

    /// The client is done with a message, or will never get it.
    pub(crate) fn acknowledge(&mut self, seq: NonZeroU64) {
        self.acknowledged.push(seq.get());
    }

    /// PUBREC came.
    pub(crate) fn release(&mut self, seq: NonZeroU64, packet_id: PacketId) {
        self.released.push((seq.get(), packet_id.get()));
    }

    /// PUBREL came.
    pub(crate) fn forget(&mut self, packet_id: PacketId) {
        self.forgotten.push(packet_id.get());
    }

    /// Hands all changes to the disk. PUBREL and PUBCOMP wait for theirs; that acknowledged messages are gone need not
    /// be waited for.
    pub(crate) fn flush(&mut self, sessions: &PersistentSessions, unsettled: &mut Vec<Unsettled>) {
        if self.sent_up_to > self.known_in_flight {
            self.known_in_flight = self.sent_up_to;
            if let Err(error) = sessions.in_flight(self.id, self.sent_up_to) {
                warn!(%error, "a full queue may drop messages that were sent");
            }
        }
        if !self.unusual_ids.is_empty() {
            self.is_sent_noted = true;
            let ids = std::mem::take(&mut self.unusual_ids);
            unsettled.push(Unsettled::Session(sessions.sent(self.id, &ids, self.sent_up_to)));
        }
        if !self.released.is_empty() {
            let released = std::mem::take(&mut self.released);
            unsettled.push(Unsettled::Session(sessions.release(self.id, &released)));
        }
        if !self.forgotten.is_empty() {
            let forgotten = std::mem::take(&mut self.forgotten);
            unsettled.push(Unsettled::Session(sessions.forget_received(self.id, &forgotten)));
        }
        if !self.acknowledged.is_empty() {
            let acknowledged = std::mem::take(&mut self.acknowledged);
            drop(sessions.acknowledge(self.id, &acknowledged));
        }
    }

    /// The connection ends: what went out is known to the next one.
    pub(crate) fn note_sent(&mut self, sessions: &PersistentSessions, unsettled: &mut Vec<Unsettled>) {
        if !self.is_sent_noted {
            self.is_sent_noted = true;
            unsettled.push(Unsettled::Session(sessions.sent(self.id, &[], self.sent_up_to)));
        }
    }
}

fn from_disk(row: Queued) -> FromDisk {
    let Queued { seq, packet_id, stage, was_sent } = row;
    let packet_id = PacketId::new(packet_id.unwrap_or_else(|| derived_packet_id(seq)));
    match stage {
        Stage::Publish(queued) => FromDisk::Publish { delivery: stored_delivery(queued, seq), packet_id, was_sent },
        Stage::Released => FromDisk::Released { seq, packet_id },
    }
}
