//! How a store's directory comes to be: made whole under another name and renamed, so that an interrupted first start
//! (a full disk, the end of the process) leaves nothing that looks like a store.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};

/// Whether there is something at `path`; an empty directory is nothing.
pub(crate) fn exists(path: &Path) -> std::io::Result<bool> {
    match fs::read_dir(path) {
        Ok(mut entries) => Ok(entries.next().transpose()?.is_some()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Has `make` fill a new directory and gives it the name `path`. What an earlier attempt left is removed.
pub(crate) fn create<E>(
    path: &Path,
    make: impl FnOnce(&Path) -> Result<(), E>,
    refuse: impl Fn(Error) -> E,
) -> Result<(), E> {
    let (parent, draft) = names(path).map_err(&refuse)?;
    let begin = || -> std::io::Result<()> {
        directories(&parent)?;
        match fs::remove_dir_all(&draft) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        directories(&draft)
    };
    begin().map_err(&refuse)?;
    if let Err(error) = make(&draft) {
        let _tried_again_at_the_next_start = fs::remove_dir_all(&draft);
        return Err(error);
    }
    let finish = || -> std::io::Result<()> {
        fs::rename(&draft, path)?;
        File::open(&parent)?.sync_all()
    };
    finish().map_err(&refuse)
}

/// A file that every store has and this one has not. The engine would make most of them anew, empty.
pub(crate) fn missing_file(path: &Path) -> std::io::Result<Option<String>> {
    if !path.join("version").is_file() {
        return Ok(Some("version".to_owned()));
    }
    let mut has_journal = false;
    for entry in fs::read_dir(path)? {
        has_journal |= entry?.path().extension().is_some_and(|extension| extension == "jnl");
    }
    if !has_journal {
        return Ok(Some("*.jnl".to_owned()));
    }
    for entry in fs::read_dir(path.join("keyspaces"))? {
        let keyspace = entry?.path();
        if keyspace.is_dir() && !keyspace.join("current").is_file() {
            return Ok(Some(keyspace.join("current").strip_prefix(path).unwrap_or(&keyspace).display().to_string()));
        }
    }
    Ok(None)
}

/// The directory that holds `path`, and the name under which it is made.
fn names(path: &Path) -> std::io::Result<(PathBuf, PathBuf)> {
    let path = std::path::absolute(path)?;
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(Error::new(ErrorKind::InvalidInput, "the path has no name of its own"));
    };
    let draft: OsString = [name, ".new".as_ref()].into_iter().collect();
    Ok((parent.to_owned(), parent.join(draft)))
}

/// Only this user may look in: the store holds secrets too.
fn directories(path: &Path) -> std::io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}
