//! The data directory: one process at a time, private to its owner, and the files in it that are not the store's.

use std::fs::{File, TryLockError};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

/// A data directory that this process holds.
pub(crate) struct DataDir {
    path: PathBuf,
    /// Held as long as the process lives.
    _lock: File,
}

impl DataDir {
    /// Makes the directory if need be and takes its lock.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let at = || format!("data directory {}", path.display());
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path).with_context(at)?;
        let lock_path = path.join("lock");
        let lock = File::options().create(true).truncate(false).read(true).write(true).mode(0o600).open(lock_path);
        let lock = lock.with_context(at)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => bail!("{}: another althing process is using it", at()),
            Err(TryLockError::Error(error)) => Err(error).with_context(at),
        }
    }

    /// Where the store lives.
    pub(crate) fn store(&self) -> PathBuf {
        self.path.join("store")
    }

    /// The file of this name.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The text of a file, if it is there.
    pub(crate) fn read(&self, name: &str) -> anyhow::Result<Option<String>> {
        read(&self.path, name)
    }

    /// Removes a file, if it is there, for good.
    pub(crate) fn remove(&self, name: &str) -> anyhow::Result<()> {
        let path = self.path.join(name);
        match std::fs::remove_file(&path) {
            Ok(()) => File::open(&self.path).and_then(|directory| directory.sync_all()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
        .with_context(|| format!("cannot remove {}", path.display()))
    }

    /// Writes a file whole: whoever reads it sees the old text or the new one, after a crash too.
    pub(crate) fn write(&self, name: &str, text: &str, mode: u32) -> anyhow::Result<()> {
        let path = self.path.join(name);
        let draft = self.path.join(format!("{name}.new"));
        let write = || -> std::io::Result<()> {
            if draft.exists() {
                std::fs::remove_file(&draft)?;
            }
            let mut file = File::options().create_new(true).write(true).mode(mode).open(&draft)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            std::fs::rename(&draft, &path)?;
            File::open(&self.path)?.sync_all()
        };
        write().with_context(|| format!("cannot write {}", path.display()))
    }
}

/// The text of a file in a data directory that another process may hold.
pub(crate) fn read(path: &Path, name: &str) -> anyhow::Result<Option<String>> {
    let path = path.join(name);
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

/// Names of the files.
pub(crate) const CA_CERTIFICATE: &str = "ca.pem";
pub(crate) const CA_KEY: &str = "ca.key";
pub(crate) const SERVER_CERTIFICATE: &str = "server.pem";
pub(crate) const SERVER_KEY: &str = "server.key";
pub(crate) const SERVER_NAMES: &str = "server.names";
pub(crate) const ADMINISTRATOR: &str = "administrator.json";
pub(crate) const ENDPOINTS: &str = "endpoints.json";
/// Readable by their owner only.
pub(crate) const SECRET: u32 = 0o600;
/// Readable by everyone whom the directory lets in.
pub(crate) const PUBLIC: u32 = 0o644;
