//! Sessions end. Record, subscriptions and counts go at once; a long queue goes piece by piece, and a row says so until
//! nothing is left of it.

use std::sync::atomic::Ordering;

use bytes::BufMut;
use names::{ClientId, limits};
use store::{Direction, StoreError, Ticket};

use crate::draft::Draft;
use crate::fields::Fields;
use crate::persistent_sessions::{Control, PersistentSessions};
use crate::queues::Change;
use crate::session_id::SessionId;
use crate::session_value::{Presence, SessionRow};
use crate::subscriptions::{end_subscription, filter_of};
use crate::table::{self, FORMAT};

impl PersistentSessions {
    /// Ends a session. Of one that is gone already nothing is changed.
    ///
    /// # Errors
    /// The store does not answer.
    pub fn remove(&self, client_id: &ClientId, id: SessionId) -> Result<Ticket, StoreError> {
        let mut control = self.control.lock();
        match self.row(client_id)? {
            Some(row) if row.id == id => self.remove_row(&mut control, client_id, &row),
            _ => Ok(Draft::default().commit(self, &mut control)),
        }
    }

    /// Ends the session of this record.
    pub(crate) fn remove_row(
        &self,
        control: &mut Control,
        client_id: &ClientId,
        row: &SessionRow,
    ) -> Result<Ticket, StoreError> {
        let mut draft = Draft::default();
        draft.delete(table::key(table::CLIENT, client_id.as_str().as_bytes()));
        draft.writes.extend(side_key(row).map(store::Write::Delete));
        let chunks = row.will.map_or(0, |will| will.chunks);
        (0..chunks).for_each(|chunk| draft.delete(table::of_pair(table::WILL, row.id, chunk)));
        let mut next = table::of_session(table::SUBSCRIPTION, row.id);
        let mut are_all_gone = self.end_subscriptions(&mut draft, row.id, &mut next)?;
        let mut change = self.queues.change();
        let tail = change.end(row.id)?;
        let has_rows = tail.is_some_and(|tail| tail.messages > 0 || tail.has_packet_ids || tail.has_received);
        if !has_rows && are_all_gone {
            return Ok(self.commit_both(control, draft, change));
        }
        draft.put(table::of_session(table::PURGE, row.id), self.purge_value(change.commit_number()));
        self.has_purges.store(true, Ordering::Release);
        let mut ticket = self.commit_both(control, draft, change);
        while !are_all_gone {
            let mut draft = Draft::default();
            are_all_gone = self.end_subscriptions(&mut draft, row.id, &mut next)?;
            ticket = draft.commit(self, control);
        }
        self.purge(control, row.id)?;
        Ok(ticket)
    }

    /// One batch of records and queues.
    pub(crate) fn commit_both(&self, control: &mut Control, draft: Draft, mut change: Change<'_>) -> Ticket {
        let (answer, ticket) = Ticket::new();
        let (batch, done) = draft.finish(self, control, Box::new(move |verdict| _ = answer.send(verdict)));
        change.extend(batch.writes);
        change.commit_then(done);
        ticket
    }

    /// Deletes what removed sessions have left, about `rows_max` rows; whether there may be more.
    ///
    /// # Errors
    /// The store does not answer.
    pub fn sweep(&self, rows_max: usize) -> Result<bool, StoreError> {
        let mut rows = 0;
        while self.has_purges.load(Ordering::Acquire) {
            let mut control = self.control.lock();
            let (from, to) = table::all(table::PURGE.to_vec());
            let markers = self.overlay.range(&from, &to, SWEPT_SESSIONS)?;
            if markers.is_empty() {
                self.has_purges.store(false, Ordering::Release);
            }
            let before = rows;
            for (key, _) in markers {
                let id = table::number_at(&key, table::PURGE.len()).ok_or_else(|| table::unreadable(&key))?;
                rows += self.purge(&mut control, SessionId::new(id))?;
                if rows >= rows_max {
                    return Ok(true);
                }
            }
            if rows == before {
                // What is left are rows that are on their way to the disk.
                break;
            }
        }
        Ok(self.has_purges.load(Ordering::Acquire))
    }

    /// Deletes some of what a removed session has left, and its marker with the last of it; how many rows.
    fn purge(&self, control: &mut Control, id: SessionId) -> Result<usize, StoreError> {
        let marker = table::of_session(table::PURGE, id);
        let Some(value) = self.overlay.get(&marker)? else { return Ok(0) };
        let (run, commit) = read_purge(value).ok_or_else(|| table::unreadable(&marker))?;
        // Before the rows are looked for: all that were written are then seen.
        let is_all_written = run != self.run || self.queues.completed() >= commit;
        let mut draft = Draft::default();
        let mut is_all = self.end_subscriptions(&mut draft, id, &mut table::of_session(table::SUBSCRIPTION, id))?;
        for table in [table::QUEUE, table::PACKET, table::RECEIVED] {
            is_all &= self.delete_rows(&mut draft, table, id)?;
        }
        let rows = draft.writes.len();
        if is_all && is_all_written {
            draft.delete(marker);
        } else if rows == 0 {
            return Ok(0);
        }
        drop(draft.commit(self, control));
        Ok(rows.max(1))
    }

    /// Deletes subscriptions of a session from the key `next` on, which it moves, as long as the draft has room; whether
    /// they are all gone then.
    fn end_subscriptions(&self, draft: &mut Draft, id: SessionId, next: &mut Vec<u8>) -> Result<bool, StoreError> {
        let (_, to) = table::all(table::of_session(table::SUBSCRIPTION, id));
        while draft.writes.len() < limits::PURGED_ROWS_MAX {
            let page = self.overlay.range(next, &to, PAGE_ROWS)?;
            let is_last = page.len() < PAGE_ROWS;
            for (key, _) in page {
                if draft.is_full() {
                    return Ok(false);
                }
                let filter = filter_of(&key).ok_or_else(|| table::unreadable(&key))?;
                end_subscription(draft, id, &filter);
                *next = [key.as_slice(), &[0]].concat();
            }
            if is_last {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Deletes rows of a session as long as the draft has room; whether they are all gone then.
    fn delete_rows(&self, draft: &mut Draft, table: &[u8], id: SessionId) -> Result<bool, StoreError> {
        let (mut from, to) = table::all(table::of_session(table, id));
        while draft.writes.len() < limits::PURGED_ROWS_MAX {
            let page = self.store.range(&from, &to, PAGE_ROWS, Direction::Forward)?;
            let is_last = page.len() < PAGE_ROWS;
            for row in page {
                from = [row.key.as_slice(), &[0]].concat();
                draft.delete(row.key);
            }
            if is_last {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// All rows of the session were written by this run's commits before this one, or by earlier runs.
    fn purge_value(&self, commit: u64) -> Vec<u8> {
        let mut value = vec![FORMAT];
        value.put_u64(self.run);
        value.put_u64(commit);
        value
    }
}

fn read_purge(value: Vec<u8>) -> Option<(u64, u64)> {
    let mut fields = Fields::of(value, FORMAT)?;
    Some((fields.u64()?, fields.u64()?))
}

/// The row beside a record: that it is connected, or when something is due.
pub(crate) fn side_key(row: &SessionRow) -> Option<Vec<u8>> {
    match row.presence {
        Presence::Connected => Some(table::ordered(table::ONLINE, row.run, row.id)),
        Presence::Disconnected { .. } => row.due_at().map(|at| table::ordered(table::DUE, at.as_millis(), row.id)),
    }
}

/// Rows have up to 100 KB, and reading them is the only way to their keys.
const PAGE_ROWS: usize = 64;
/// Sessions that are looked at together.
const SWEPT_SESSIONS: usize = 16;
