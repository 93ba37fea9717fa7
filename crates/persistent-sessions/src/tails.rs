//! The tails of the queues that were used last. Two generations: when the young one is full the old one is forgotten, but
//! only when all that was committed for it has arrived, as the store must know what is forgotten here.

use std::collections::HashMap;

use names::limits;
use store::{Store, StoreError};

use crate::session_id::SessionId;
use crate::table;
use crate::tail::Tail;

/// Tails by session; none for a session that is gone.
#[derive(Debug, Default)]
pub(crate) struct Tails {
    young: HashMap<SessionId, Option<Tail>>,
    old: HashMap<SessionId, Option<Tail>>,
    /// The last commit before the old generation was left alone.
    left_at: u64,
}

impl Tails {
    /// The session's tail; none when there is no such session.
    pub(crate) fn of(&mut self, store: &dyn Store, id: SessionId) -> Result<Option<&mut Tail>, StoreError> {
        if !self.young.contains_key(&id) {
            let tail = match self.old.remove(&id) {
                Some(tail) => tail,
                None => load(store, id)?,
            };
            self.young.insert(id, tail);
        }
        Ok(self.young.get_mut(&id).and_then(Option::as_mut))
    }

    /// The tail of a session that was used since the last call of [`Tails::rotate`].
    pub(crate) fn used(&mut self, id: SessionId) -> Option<&mut Tail> {
        self.young.get_mut(&id).and_then(Option::as_mut)
    }

    /// A session that begins, or that ends.
    pub(crate) fn set(&mut self, id: SessionId, tail: Option<Tail>) {
        self.old.remove(&id);
        self.young.insert(id, tail);
    }

    /// Forgets the old generation when it is time and may be done.
    pub(crate) fn rotate(&mut self, issued: u64, completed: u64) {
        if self.young.len() >= limits::QUEUE_TAILS_MAX && completed >= self.left_at {
            self.old = std::mem::take(&mut self.young);
            self.left_at = issued;
        }
    }
}

fn load(store: &dyn Store, id: SessionId) -> Result<Option<Tail>, StoreError> {
    let key = table::of_session(table::TAIL, id);
    let Some(there) = store.get(&key)? else { return Ok(None) };
    Tail::read(there.value).map(Some).ok_or_else(|| table::unreadable(&key))
}
