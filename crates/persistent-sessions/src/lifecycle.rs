//! A session's life: made, resumed, disconnected, due.

use names::{ClientId, Timestamp, limits};
use store::{StoreError, Ticket};

use crate::draft::Draft;
use crate::persistent_sessions::{ID_BLOCK, PersistentSessions, next_value};
use crate::removal::side_key;
use crate::session_id::SessionId;
use crate::session_value::{
    Presence, SessionRow, StoredSession, StoredWill, WillRow, encode_client_id, encode_will, read_client_id_value,
};
use crate::table;

/// Something whose time has come.
#[derive(Debug, Clone)]
pub enum Due {
    /// The session is over. Its will, if it has one still, is to be published, and then it is to be removed.
    Expired {
        /// Whose.
        client_id: ClientId,
        /// As it was found.
        session: StoredSession,
    },
    /// The will's delay is over. It is to be published, and then [`PersistentSessions::will_published`] is to be called.
    Will {
        /// Whose.
        client_id: ClientId,
        /// As it was found.
        session: StoredSession,
    },
}

impl PersistentSessions {
    /// A new session, connected, in the place of one that the client id may have. The id may be used at once; the ticket
    /// says when the session is durable.
    ///
    /// # Errors
    /// [`StoreError::TooLarge`] when the client id is too long to be a key. Or the store does not answer.
    pub fn create(
        &self,
        client_id: &ClientId,
        protocol_level: u8,
        expiry_seconds: u32,
        will: Option<StoredWill>,
    ) -> Result<(SessionId, Ticket), StoreError> {
        if client_id.as_str().len() > CLIENT_ID_BYTES_MAX {
            return Err(StoreError::TooLarge("the client id is too long to be kept".to_owned()));
        }
        let mut control = self.control.lock();
        if let Some(old) = self.row(client_id)? {
            drop(self.remove_row(&mut control, client_id, &old)?);
        }
        let mut draft = Draft::default();
        let id = SessionId::new(control.next_id);
        control.next_id += 1;
        if control.next_id == control.reserved_to {
            control.reserved_to += ID_BLOCK;
            draft.put(table::NEXT.to_vec(), next_value(control.reserved_to));
        }
        let row =
            SessionRow { id, protocol_level, expiry_seconds, presence: Presence::Connected, run: self.run, will: None };
        write(&mut draft, client_id, None, row, will.as_ref());
        let mut change = self.queues.change();
        change.begin(id);
        Ok((id, self.commit_both(&mut control, draft, change)))
    }

    /// A session is connected again: nothing of it is due any more, and expiry and will are those of the connection.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the session is gone. Or the store does not answer.
    pub fn resume(
        &self,
        client_id: &ClientId,
        found: &StoredSession,
        expiry_seconds: u32,
        will: Option<StoredWill>,
    ) -> Result<Ticket, StoreError> {
        let connected =
            |row: SessionRow| SessionRow { expiry_seconds, presence: Presence::Connected, run: self.run, ..row };
        self.change(client_id, found.id, connected, will)
    }

    /// The session's connection has ended: its clocks start. `will` is what is still to be published.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the session is gone. Or the store does not answer.
    pub fn disconnect(
        &self,
        client_id: &ClientId,
        id: SessionId,
        expiry_seconds: u32,
        will: Option<StoredWill>,
        now: Timestamp,
    ) -> Result<Ticket, StoreError> {
        let presence = Presence::Disconnected { since: now };
        self.change(client_id, id, |row| SessionRow { expiry_seconds, presence, ..row }, will)
    }

    /// A disconnected session has no will any more. One that is connected again keeps its new one.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the session is gone. Or the store does not answer.
    pub fn will_published(&self, client_id: &ClientId, id: SessionId) -> Result<Ticket, StoreError> {
        let mut control = self.control.lock();
        let mut draft = Draft::default();
        let old = self.row_of(client_id, id)?;
        if old.presence != Presence::Connected {
            write(&mut draft, client_id, Some(old), old, None);
        }
        Ok(draft.commit(self, &mut control))
    }

    /// What is due by `now`, in the order of its times. It stays due until its session is removed, its will is published
    /// or its client comes back.
    ///
    /// # Errors
    /// The store does not answer, or a record cannot be read.
    pub fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<Due>, StoreError> {
        let end = table::ordered(table::DUE, now.as_millis().saturating_add(1), SessionId::new(0));
        let rows = self.overlay.range(table::DUE, &end, limit)?;
        let mut due = Vec::with_capacity(rows.len());
        for (key, value) in rows {
            let client_id = read_client_id_value(&value).ok_or_else(|| table::unreadable(&key))?;
            let Some(session) = self.find(&client_id)?.filter(|session| is_of(&key, session.id)) else { continue };
            if session.is_expired(now) {
                due.push(Due::Expired { client_id, session });
            } else if session.will.is_some() && session.presence != Presence::Connected {
                due.push(Due::Will { client_id, session });
            }
        }
        Ok(due)
    }

    /// Sessions that were connected when an earlier run of the server ended, and are not connected to this one: each is
    /// to be disconnected, and comes again until it is.
    ///
    /// # Errors
    /// The store does not answer, or a record cannot be read.
    pub fn left_connected(&self, limit: usize) -> Result<Vec<(ClientId, StoredSession)>, StoreError> {
        let end = table::ordered(table::ONLINE, self.run, SessionId::new(0));
        let mut left = Vec::new();
        for (key, value) in self.overlay.range(table::ONLINE, &end, limit)? {
            let client_id = read_client_id_value(&value).ok_or_else(|| table::unreadable(&key))?;
            let session = self.find(&client_id)?;
            left.extend(session.filter(|session| is_of(&key, session.id)).map(|session| (client_id, session)));
        }
        Ok(left)
    }

    fn change(
        &self,
        client_id: &ClientId,
        id: SessionId,
        to: impl FnOnce(SessionRow) -> SessionRow,
        will: Option<StoredWill>,
    ) -> Result<Ticket, StoreError> {
        let mut control = self.control.lock();
        let old = self.row_of(client_id, id)?;
        let mut draft = Draft::default();
        write(&mut draft, client_id, Some(old), to(old), will.as_ref());
        Ok(draft.commit(self, &mut control))
    }
}

/// Writes a session's record, its will, and the row beside the record, in the place of the old ones.
fn write(
    draft: &mut Draft,
    client_id: &ClientId,
    old: Option<SessionRow>,
    mut new: SessionRow,
    will: Option<&StoredWill>,
) {
    let value = will.map(|will| encode_will(&will.message)).unwrap_or_default();
    let mut chunks = 0;
    for chunk in value.chunks(limits::STORE_VALUE_BYTES_MAX) {
        draft.put(table::of_pair(table::WILL, new.id, chunks), chunk.to_vec());
        chunks += 1;
    }
    let before = old.and_then(|old| old.will).map_or(0, |will| will.chunks);
    (chunks..before).for_each(|chunk| draft.delete(table::of_pair(table::WILL, new.id, chunk)));
    new.will = will.map(|will| WillRow { delay_seconds: will.delay_seconds, chunks });
    let (old_side, new_side) = (old.as_ref().and_then(side_key), side_key(&new));
    if old_side != new_side {
        old_side.into_iter().for_each(|key| draft.delete(key));
    }
    new_side.into_iter().for_each(|key| draft.put(key, encode_client_id(client_id)));
    draft.put(table::key(table::CLIENT, client_id.as_str().as_bytes()), new.encode());
}

/// Whether the row of a time or a run is that of the session.
fn is_of(key: &[u8], id: SessionId) -> bool {
    key.last_chunk() == Some(&id.get().to_be_bytes())
}

/// What a key has room for beside its table.
const CLIENT_ID_BYTES_MAX: usize = limits::STORE_KEY_BYTES_MAX - 64;
