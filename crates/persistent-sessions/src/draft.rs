//! A batch of records and subscriptions in the making: what it writes, and what it does to the counts of shapes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use store::{Batch, Done, StoreError, Ticket, Write};

use names::limits;

use crate::persistent_sessions::{Control, PersistentSessions};
use crate::shape::Shape;
use crate::table;

/// Writes, and the subscriptions that come and go with them by the shape of their filters.
#[derive(Default)]
pub(crate) struct Draft {
    pub(crate) writes: Vec<Write>,
    bytes: usize,
    shapes: BTreeMap<Shape, i64>,
    changes_index: bool,
}

impl Draft {
    pub(crate) fn put(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.bytes += key.len() + value.len() + 16;
        self.writes.push(Write::Put(key, value));
    }

    pub(crate) fn delete(&mut self, key: Vec<u8>) {
        self.bytes += key.len() + 16;
        self.writes.push(Write::Delete(key));
    }

    /// So many more (or fewer) subscriptions of a shape; also when there are none more, the index changes.
    pub(crate) fn count(&mut self, shape: Shape, more: i64) {
        self.changes_index = true;
        if more != 0 {
            *self.shapes.entry(shape).or_default() += more;
        }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.bytes > limits::SESSION_BATCH_BYTES
    }

    /// Makes the counts of shapes part of the batch, shows it to all who read records, and gives what is to happen when
    /// it is durable, before `then`. The batch must be committed after this.
    pub(crate) fn finish(mut self, sessions: &PersistentSessions, control: &mut Control, then: Done) -> (Batch, Done) {
        let mut are_shapes_others = false;
        for (shape, more) in std::mem::take(&mut self.shapes) {
            let before = control.shapes.get(&shape).copied().unwrap_or_default();
            let count = before.saturating_add_signed(more);
            let key = table::key(table::SHAPE, &shape.bytes());
            are_shapes_others |= (before == 0) != (count == 0);
            if count == 0 {
                control.shapes.remove(&shape);
                self.delete(key);
            } else {
                control.shapes.insert(shape, count);
                self.put(key, [&[table::FORMAT], count.to_be_bytes().as_slice()].concat());
            }
        }
        if self.changes_index {
            if are_shapes_others {
                *sessions.shapes.write() = control.shapes.keys().copied().collect();
            }
            sessions.subscriptions.store(control.shapes.values().sum(), Ordering::Release);
        }
        let on_their_way = sessions.overlay.show(&self.writes);
        let generation = self.changes_index.then(|| Arc::clone(&sessions.generation));
        let done = move |verdict: Result<store::Committed, StoreError>| {
            drop(on_their_way);
            if let Some(generation) = generation {
                generation.fetch_add(1, Ordering::AcqRel);
            }
            then(verdict);
        };
        (Batch { writes: self.writes, ..Batch::new() }, Box::new(done))
    }

    /// Commits it.
    pub(crate) fn commit(self, sessions: &PersistentSessions, control: &mut Control) -> Ticket {
        let (answer, ticket) = Ticket::new();
        let (batch, done) = self.finish(sessions, control, Box::new(move |verdict| _ = answer.send(verdict)));
        sessions.store.commit_then(batch, done);
        ticket
    }
}
