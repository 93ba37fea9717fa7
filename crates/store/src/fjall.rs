//! The embedded engine on disk, over fjall. docs/disk-format.md says what its files hold and promise.

use std::path::Path;
use std::sync::Arc;

use fjall::{Database, Keyspace, KeyspaceCreateOptions, LsmError, OwnedWriteBatch, PersistMode, Readable};
use names::limits;

use crate::creation;
use crate::range::{bounds, is_possible};
use crate::writer::{Engine, Round, Writer};
use crate::{Batch, Direction, Done, Entry, Store, StoreError, Version, Versioned, Watch};

/// When a commit is acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// When the disk has it (`fdatasync`): it survives the loss of power.
    Sync,
    /// When the operating system has it: it survives the end of the process, not the loss of power.
    Os,
}

/// How a [`FjallStore`] is opened.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// When a commit is acknowledged.
    pub durability: Durability,
    /// Bytes of journal before old ones are flushed away; it bounds the time to open after a crash. Kept within
    /// 64 and 128 MB.
    pub journal_bytes_max: u64,
    /// Bytes of blocks cached in memory.
    pub cache_bytes: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self { durability: Durability::Sync, journal_bytes_max: 64 << 20, cache_bytes: 64 << 20 }
    }
}

/// Why a store on disk was not opened. None of its rows was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process has it.
    #[error("the store at {0} is in use by another process")]
    InUse(String),
    /// The files cannot be read or made.
    #[error("the store at {path} cannot be opened: {problem}")]
    Unreadable {
        /// Where.
        path: String,
        /// What the system said.
        problem: String,
    },
    /// A later release of Althing wrote it.
    #[error("the store at {path} has format {found}, and this release reads formats up to {FORMAT}: use a newer one")]
    NewerFormat {
        /// Where.
        path: String,
        /// The format found.
        found: u32,
    },
    /// The files are there but are not what Althing wrote.
    #[error("the store at {path} is damaged: {problem}")]
    Damaged {
        /// Where.
        path: String,
        /// What is wrong.
        problem: String,
    },
}

/// A store in a directory of its own, which one process holds at a time.
pub struct FjallStore {
    disk: Arc<Disk>,
    writer: Writer,
}

impl FjallStore {
    /// Opens the store in the directory `path`, making it when there is none.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(path: &Path, options: Options) -> Result<Arc<Self>, OpenError> {
        let refuse = |error: std::io::Error| OpenError::Unreadable {
            path: path.display().to_string(),
            problem: error.to_string(),
        };
        let make = |draft: &Path| Disk::open(draft, options, Origin::New).map(drop);
        if !creation::exists(path).map_err(refuse)? {
            creation::create(path, make, refuse)?;
        }
        if let Some(file) = creation::missing_file(path).map_err(refuse)? {
            let problem = format!("its file {file} is missing");
            return Err(OpenError::Damaged { path: path.display().to_string(), problem });
        }
        let (disk, last) = Disk::open(path, options, Origin::Existing)?;
        let disk = Arc::new(disk);
        let writer = Writer::start(Arc::clone(&disk), last).map_err(refuse)?;
        Ok(Arc::new(Self { disk, writer }))
    }

    /// Whether a write has failed, so that every later commit is refused until the store is opened again.
    pub fn is_broken(&self) -> bool {
        self.writer.is_broken()
    }

    /// Finishes the commits that wait, brings everything to the disk, and refuses all later commits; reading goes on.
    ///
    /// # Errors
    /// [`StoreError::Failed`] when the last sync failed.
    pub fn close(&self) -> Result<(), StoreError> {
        self.writer.close();
        self.disk.database.persist(PersistMode::SyncAll).map_err(|error| failed(&error))
    }
}

impl Drop for FjallStore {
    fn drop(&mut self) {
        // With durability `os` this is the last chance; with `sync` there is nothing left to lose.
        let _nothing_to_do = self.close();
    }
}

impl std::fmt::Debug for FjallStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FjallStore").finish_non_exhaustive()
    }
}

impl Store for FjallStore {
    fn get(&self, key: &[u8]) -> Result<Option<Versioned>, StoreError> {
        Engine::get(&*self.disk, key)
    }

    fn range(&self, from: &[u8], to: &[u8], limit: usize, direction: Direction) -> Result<Vec<Entry>, StoreError> {
        if !is_possible(from, to) {
            return Ok(Vec::new());
        }
        let range = self.disk.database.snapshot().range::<&[u8], _>(&self.disk.data, bounds(from, to));
        let entry = |row: fjall::Guard| {
            let (key, stored) = row.into_inner().map_err(|error| failed(&error))?;
            let Versioned { value, version } = from_disk(&stored)?;
            Ok(Entry { key: key.to_vec(), value, version })
        };
        match direction {
            Direction::Forward => range.take(limit).map(entry).collect(),
            Direction::Backward => range.rev().take(limit).map(entry).collect(),
        }
    }

    fn commit_then(&self, batch: Batch, done: Done) {
        self.writer.commit_then(batch, done);
    }

    fn watch(&self, prefix: &[u8]) -> Watch {
        self.writer.watch(prefix)
    }
}

struct Disk {
    database: Database,
    data: Keyspace,
    meta: Keyspace,
    sync: PersistMode,
}

/// Whether a database was there before, and so must have a format.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    New,
    Existing,
}

impl Disk {
    /// The engine panics on some damaged journals: that too is damage, and no more.
    fn open(path: &Path, options: Options, origin: Origin) -> Result<(Self, Version), OpenError> {
        std::panic::catch_unwind(|| {
            let database = Database::builder(path)
                .cache_size(options.cache_bytes)
                .max_journaling_size(options.journal_bytes_max.clamp(64 << 20, 128 << 20))
                .open()
                .map_err(|error| open_error(path, &error))?;
            Self::check(database, path, options.durability, origin)
        })
        .unwrap_or_else(|_panic| {
            let problem = "its engine cannot read its files".to_owned();
            Err(OpenError::Damaged { path: path.display().to_string(), problem })
        })
    }

    /// The keyspaces, the format checked, and the last version given out.
    fn check(
        database: Database,
        path: &Path,
        durability: Durability,
        origin: Origin,
    ) -> Result<(Self, Version), OpenError> {
        let damaged = |problem: String| OpenError::Damaged { path: path.display().to_string(), problem };
        let engine_error = |error: fjall::Error| open_error(path, &error);
        let meta = database.keyspace(META, KeyspaceCreateOptions::default).map_err(engine_error)?;
        let data = database.keyspace(DATA, KeyspaceCreateOptions::default).map_err(engine_error)?;
        match meta.get(FORMAT_KEY).map_err(engine_error)? {
            Some(stored) => {
                let bytes =
                    <[u8; 4]>::try_from(&*stored).map_err(|_| damaged("its format is unreadable".to_owned()))?;
                let found = u32::from_be_bytes(bytes);
                if found > FORMAT {
                    return Err(OpenError::NewerFormat { path: path.display().to_string(), found });
                }
            }
            None if origin == Origin::New => {
                meta.insert(FORMAT_KEY, FORMAT.to_be_bytes()).map_err(engine_error)?;
                database.persist(PersistMode::SyncAll).map_err(engine_error)?;
            }
            None => return Err(damaged("it has no format: its journal is lost or broken".to_owned())),
        }
        let last = match meta.get(VERSION_KEY).map_err(engine_error)? {
            Some(stored) => <[u8; 8]>::try_from(&*stored).map(u64::from_be_bytes).ok(),
            None => data.is_empty().map_err(engine_error)?.then_some(0),
        };
        let last = last.ok_or_else(|| damaged("its last version is unreadable".to_owned()))?;
        let sync = match durability {
            Durability::Sync => PersistMode::SyncData,
            Durability::Os => PersistMode::Buffer,
        };
        Ok((Self { database, data, meta, sync }, Version(last)))
    }
}

impl Engine for Disk {
    /// Reads through a snapshot: a round that is being applied is seen whole or not at all, and only when synced.
    fn get(&self, key: &[u8]) -> Result<Option<Versioned>, StoreError> {
        if key.is_empty() || key.len() > limits::STORE_KEY_BYTES_MAX {
            return Ok(None);
        }
        let stored = self.database.snapshot().get(&self.data, key).map_err(|error| failed(&error))?;
        stored.map(|stored| from_disk(&stored)).transpose()
    }

    /// fjall writes the journal, syncs it, and only then shows the batch to readers.
    fn apply(&self, round: &Round<'_>) -> Result<(), StoreError> {
        let mut batch = OwnedWriteBatch::with_capacity(self.database.clone(), round.changes.len() + 1);
        batch = batch.durability(Some(self.sync));
        let mut stored = Vec::new();
        // In order, neighbours are inserted next to each other: a third less CPU time than in the map's order, over
        // rounds of some hundred rows.
        let mut changes: Vec<_> = round.changes.iter().collect();
        changes.sort_unstable_by_key(|(key, _)| **key);
        for (key, change) in changes {
            match change {
                Some((version, value)) => {
                    stored.clear();
                    stored.extend_from_slice(&version.0.to_be_bytes());
                    stored.extend_from_slice(value);
                    batch.insert(&self.data, *key, stored.as_slice());
                }
                None => batch.remove(&self.data, *key),
            }
        }
        batch.insert(&self.meta, VERSION_KEY, round.last.0.to_be_bytes());
        batch.commit().map_err(|error| failed(&error))
    }
}

fn from_disk(stored: &[u8]) -> Result<Versioned, StoreError> {
    let Some((version, value)) = stored.split_first_chunk() else {
        return Err(StoreError::Failed("a stored value is shorter than its header".to_owned()));
    };
    Ok(Versioned { value: value.to_vec(), version: Version(u64::from_be_bytes(*version)) })
}

fn failed(error: &fjall::Error) -> StoreError {
    StoreError::Failed(error.to_string())
}

fn open_error(path: &Path, error: &fjall::Error) -> OpenError {
    let path = path.display().to_string();
    match error {
        fjall::Error::Locked => OpenError::InUse(path),
        fjall::Error::Io(problem) | fjall::Error::Storage(LsmError::Io(problem)) if !is_about_content(problem) => {
            OpenError::Unreadable { path, problem: problem.to_string() }
        }
        fjall::Error::InvalidVersion(_) => {
            OpenError::Damaged { path, problem: "its engine's format is not one this release reads".to_owned() }
        }
        other => OpenError::Damaged { path, problem: other.to_string() },
    }
}

/// Whether the system could do what it was asked, and only what it read is not right.
fn is_about_content(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{AlreadyExists, InvalidData, InvalidInput, NotFound, UnexpectedEof};
    matches!(error.kind(), AlreadyExists | InvalidData | InvalidInput | NotFound | UnexpectedEof)
}

/// The format this release writes, and the newest it reads.
const FORMAT: u32 = 1;
/// The keyspace of the services' keys.
const DATA: &str = "data";
/// The keyspace of what the engine itself must remember.
const META: &str = "meta";
const FORMAT_KEY: &str = "format";
const VERSION_KEY: &str = "version";
