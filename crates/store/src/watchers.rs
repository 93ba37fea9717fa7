//! Those who watch: each gets the changes under its prefix, or is told once that it missed some.

use parking_lot::Mutex;
use tokio::sync::mpsc::Sender;

use names::limits;

use crate::{Change, Version, Watch, Write};

/// All watchers of a store. Only the writer feeds them, so a queue that has room keeps it until the writer sends.
#[derive(Debug, Default)]
pub(crate) struct Watchers(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    watchers: Vec<Watcher>,
    closed: bool,
}

#[derive(Debug)]
struct Watcher {
    prefix: Vec<u8>,
    sender: Sender<Change>,
    lagging: bool,
}

impl Watchers {
    /// A new watch; one of a closed store ends at once.
    pub(crate) fn add(&self, prefix: &[u8]) -> Watch {
        let (sender, watch) = Watch::new(limits::STORE_WATCH_EVENTS_MAX);
        let mut state = self.0.lock();
        state.watchers.retain(|watcher| !watcher.sender.is_closed());
        if !state.closed {
            state.watchers.push(Watcher { prefix: prefix.to_vec(), sender, lagging: false });
        }
        watch
    }

    /// Shows the writes of one applied batch to all whom they concern.
    pub(crate) fn feed(&self, writes: &[Write], version: Version) {
        let mut state = self.0.lock();
        if state.watchers.is_empty() {
            return;
        }
        state.watchers.retain_mut(|watcher| {
            writes.iter().for_each(|write| watcher.show(write, version));
            !watcher.sender.is_closed()
        });
    }

    /// Ends all watches, present and future.
    pub(crate) fn close(&self) {
        let mut state = self.0.lock();
        state.closed = true;
        state.watchers.clear();
    }
}

impl Watcher {
    /// The queue's last place is kept for [`Change::Lagged`]. After it, changes are dropped until there is room
    /// again: who reads `Lagged` reads everything anew, and so sees all that was dropped before.
    fn show(&mut self, write: &Write, version: Version) {
        let (Write::Put(key, _) | Write::Delete(key)) = write;
        if !key.starts_with(&self.prefix) {
            return;
        }
        let room = self.sender.capacity();
        if room > 1 {
            self.lagging = false;
            let _gone = self.sender.try_send(change(write, version));
        } else if room == 1 && !self.lagging {
            self.lagging = true;
            let _gone = self.sender.try_send(Change::Lagged);
        }
    }
}

fn change(write: &Write, version: Version) -> Change {
    match write {
        Write::Put(key, value) => Change::Put { key: key.clone(), value: value.clone(), version },
        Write::Delete(key) => Change::Deleted { key: key.clone() },
    }
}
