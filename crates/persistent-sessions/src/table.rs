//! The keys of persistent sessions. All start with `session/`; ids, numbers and times are big-endian, so that they are in
//! order. Each value starts with the byte of its format, 1.
//!
//! | key | value |
//! |---|---|
//! | `client/CLIENT_ID` | the session: id, protocol level, expiry, connected or since when not, its will's delay and chunks |
//! | `will/ID8 CHUNK2` | the will's message, cut up |
//! | `online/RUN8 ID8` | client id: connected, since the run of the server with this number |
//! | `due/TIME8 ID8` | client id: when the will is to be published or the session ends, whichever is first |
//! | `sub/ID8 FILTER` | options of a subscription, `$share/NAME/...` as it was asked for |
//! | `index/FILTER 0x00 ID8 SHARE` | options and client id: whom a topic reaches; the inner filter, and the share name or nothing |
//! | `shape/LEVELS1 HASH1 ANY16` | how many subscriptions have filters of this shape, 8 bytes |
//! | `queue/ID8 SEQ8` | a queued message or its first chunk, or what is left of one that was released |
//! | `queue/ID8 SEQ8 CHUNK2` | the other chunks, from 1 on |
//! | `packet/ID8 SEQ8` | the packet id that a message was sent with, when it is not the derived one |
//! | `tail/ID8` | the queue's next number, head, count, bytes and what was sent; there as long as the session is |
//! | `total` | sessions, messages and bytes over all queues |
//! | `received/ID8 PACKETID2` | a QoS 2 packet id that was received and not released |
//! | `purge/ID8` | a removed session whose rows are not all gone: the run and the commit that they were written by |
//! | `next` | the first session id that is not reserved |
//!
//! A queue's tail and the total are written in the batch that changes the queue, a shape's count in the batch that
//! changes its subscriptions, an index row in the batch of its subscription, a due or online row in that of its session.

use store::{StoreError, prefix_end};

use crate::session_id::SessionId;

/// The format of all values here.
pub(crate) const FORMAT: u8 = 1;

pub(crate) const NEXT: &[u8] = b"session/next";
pub(crate) const TOTAL: &[u8] = b"session/total";
pub(crate) const CLIENT: &[u8] = b"session/client/";
pub(crate) const WILL: &[u8] = b"session/will/";
pub(crate) const ONLINE: &[u8] = b"session/online/";
pub(crate) const DUE: &[u8] = b"session/due/";
pub(crate) const SUBSCRIPTION: &[u8] = b"session/sub/";
pub(crate) const INDEX: &[u8] = b"session/index/";
pub(crate) const SHAPE: &[u8] = b"session/shape/";
pub(crate) const QUEUE: &[u8] = b"session/queue/";
pub(crate) const PACKET: &[u8] = b"session/packet/";
pub(crate) const TAIL: &[u8] = b"session/tail/";
pub(crate) const RECEIVED: &[u8] = b"session/received/";
pub(crate) const PURGE: &[u8] = b"session/purge/";

/// A key of the tables that are told apart by their first part.
pub(crate) fn key(table: &[u8], rest: &[u8]) -> Vec<u8> {
    joined(&[table, rest])
}

/// A session's row, or the start of its rows.
pub(crate) fn of_session(table: &[u8], id: SessionId) -> Vec<u8> {
    joined(&[table, &id.get().to_be_bytes()])
}

/// A session's row of a number: a message of its queue, or a packet id that it was sent with.
pub(crate) fn of_message(table: &[u8], id: SessionId, seq: u64) -> Vec<u8> {
    joined(&[table, &id.get().to_be_bytes(), &seq.to_be_bytes()])
}

/// A chunk of a queued message; the first one has the message's own key.
pub(crate) fn of_chunk(id: SessionId, seq: u64, chunk: u16) -> Vec<u8> {
    if chunk == 0 {
        return of_message(QUEUE, id, seq);
    }
    joined(&[QUEUE, &id.get().to_be_bytes(), &seq.to_be_bytes(), &chunk.to_be_bytes()])
}

/// A session's row of two bytes: a chunk of its will, or a packet id that it received.
pub(crate) fn of_pair(table: &[u8], id: SessionId, pair: u16) -> Vec<u8> {
    joined(&[table, &id.get().to_be_bytes(), &pair.to_be_bytes()])
}

/// The row of a session under a time or a run.
pub(crate) fn ordered(table: &[u8], first: u64, id: SessionId) -> Vec<u8> {
    joined(&[table, &first.to_be_bytes(), &id.get().to_be_bytes()])
}

/// A session's subscription.
pub(crate) fn of_subscription(id: SessionId, filter: &str) -> Vec<u8> {
    joined(&[SUBSCRIPTION, &id.get().to_be_bytes(), filter.as_bytes()])
}

/// Where the index rows of a filter start.
pub(crate) fn index_of(filter: &str) -> Vec<u8> {
    joined(&[INDEX, filter.as_bytes(), &[0]])
}

/// An index row.
pub(crate) fn of_index(filter: &str, id: SessionId, share: Option<&str>) -> Vec<u8> {
    let share = share.unwrap_or_default().as_bytes();
    joined(&[INDEX, filter.as_bytes(), &[0], &id.get().to_be_bytes(), share])
}

/// The rows that start with `start`, as the two ends of a range.
pub(crate) fn all(start: Vec<u8>) -> (Vec<u8>, Vec<u8>) {
    let end = prefix_end(&start);
    (start, end)
}

/// The number that a key has behind `skipped` bytes.
pub(crate) fn number_at(key: &[u8], skipped: usize) -> Option<u64> {
    key.get(skipped..)?.first_chunk().copied().map(u64::from_be_bytes)
}

/// The last two bytes of a key.
pub(crate) fn pair_of(key: &[u8]) -> Option<u16> {
    key.last_chunk().copied().map(u16::from_be_bytes)
}

/// The error of a row that cannot be read.
pub(crate) fn unreadable(key: &[u8]) -> StoreError {
    StoreError::Failed(format!("the row '{}' cannot be read", key.escape_ascii()))
}

fn joined(parts: &[&[u8]]) -> Vec<u8> {
    let mut key = Vec::with_capacity(parts.iter().map(|part| part.len()).sum());
    parts.iter().for_each(|part| key.extend_from_slice(part));
    key
}
