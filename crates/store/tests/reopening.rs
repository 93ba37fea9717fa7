//! What the engine on disk keeps over a restart, and what it refuses to open.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::path::Path;
use std::sync::Arc;

use store::{Batch, Durability, FjallStore, OpenError, Options, Store, StoreError, Version};

fn open(path: &Path) -> Arc<FjallStore> {
    FjallStore::open(path, Options::default()).unwrap()
}

fn refusal(path: &Path) -> OpenError {
    FjallStore::open(path, Options::default()).map(|_| ()).unwrap_err()
}

#[test]
fn values_stay_and_versions_grow_over_restarts() {
    for durability in [Durability::Sync, Durability::Os] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("not/yet/there");
        let mut last = Version(0);
        for round in 0..5 {
            let store = FjallStore::open(&path, Options { durability, ..Options::default() }).unwrap();
            let before = store.get(b"k").unwrap();
            assert_eq!(before.as_ref().map(|v| v.version), (round > 0).then_some(last));
            store.commit(Batch::new().unchanged("k", before.map(|v| v.version)).put("k", "v")).wait().unwrap();
            // The highest version is of a key that is gone: it must not be given out again.
            store.commit(Batch::new().put("gone", "v")).wait().unwrap();
            store.commit(Batch::new().delete("gone")).wait().unwrap();
            let version = store.commit(Batch::new().delete("k").put("k", "w")).wait().unwrap();
            assert!(version.0 >= last.0 + 4, "{version:?} {last:?}");
            last = version;
            if round % 2 == 0 {
                store.close().unwrap();
                assert!(matches!(store.commit(Batch::new().put("k", "x")).wait(), Err(StoreError::Closed)));
                assert!(store.get(b"k").unwrap().is_some(), "a closed store is still read");
            }
        }
    }
}

#[test]
fn dropping_the_store_finishes_what_waits() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let tickets: Vec<_> = (0..200).map(|n| store.commit(Batch::new().put(format!("{n}"), "v"))).collect();
    drop(store);
    tickets.into_iter().for_each(|ticket| _ = ticket.wait().unwrap());
    let store = open(directory.path());
    assert_eq!(store.range(b"", b"", 1000, store::Direction::Forward).unwrap().len(), 200);
}

#[test]
fn one_process_holds_the_store() {
    let directory = tempfile::tempdir().unwrap();
    let _held = open(directory.path());
    let refused = refusal(directory.path());
    assert!(matches!(refused, OpenError::InUse(_)), "{refused}");
}

#[test]
fn what_cannot_be_made_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, "not a directory").unwrap();
    for path in [file.join("store"), file] {
        let refused = refusal(&path);
        assert!(matches!(refused, OpenError::Unreadable { .. }), "{refused}");
    }
}

/// Writes into the keyspace that holds the format, as another release would.
fn tamper(path: &Path, change: impl FnOnce(&fjall::Keyspace, &fjall::Keyspace)) {
    let database = fjall::Database::builder(path).open().unwrap();
    let meta = database.keyspace("meta", fjall::KeyspaceCreateOptions::default).unwrap();
    let data = database.keyspace("data", fjall::KeyspaceCreateOptions::default).unwrap();
    change(&meta, &data);
    database.persist(fjall::PersistMode::SyncAll).unwrap();
}

#[test]
fn another_format_is_refused_with_a_reason() {
    let check = |tampering: fn(&fjall::Keyspace, &fjall::Keyspace), expected: &str| {
        let directory = tempfile::tempdir().unwrap();
        let store = open(directory.path());
        store.commit(Batch::new().put("k", "v")).wait().unwrap();
        drop(store);
        tamper(directory.path(), tampering);
        let refused = refusal(directory.path()).to_string();
        assert!(refused.contains(expected), "{refused}");
    };
    check(|meta, _| meta.insert("format", 2u32.to_be_bytes()).unwrap(), "has format 2");
    check(|meta, _| meta.insert("format", "1").unwrap(), "its format is unreadable");
    check(|meta, _| meta.remove("format").unwrap(), "has no format");
    check(|meta, _| meta.remove("version").unwrap(), "its last version is unreadable");
    check(|meta, _| meta.insert("version", "1").unwrap(), "its last version is unreadable");
}

#[test]
fn a_value_without_its_header_fails_the_read_alone() {
    let directory = tempfile::tempdir().unwrap();
    drop(open(directory.path()));
    tamper(directory.path(), |meta, data| {
        meta.insert("version", 1u64.to_be_bytes()).unwrap();
        data.insert("short", "1234567").unwrap();
    });
    let store = open(directory.path());
    assert!(matches!(store.get(b"short"), Err(StoreError::Failed(_))));
    assert!(matches!(store.range(b"", b"", 9, store::Direction::Forward), Err(StoreError::Failed(_))));
    assert_eq!(store.get(b"other").unwrap(), None);
    store.commit(Batch::new().delete("short")).wait().unwrap();
    assert_eq!(store.get(b"short").unwrap(), None);
}

/// What an interrupted first start may leave under the draft's name, or an operator who made the directory.
#[test]
fn an_unfinished_creation_is_begun_anew() {
    let directory = tempfile::tempdir().unwrap();
    let draft = directory.path().join("store.new");
    std::fs::create_dir(&draft).unwrap();
    std::fs::write(draft.join("version"), "").unwrap();
    std::fs::write(draft.join("0.jnl"), "").unwrap();
    let path = directory.path().join("store");
    std::fs::create_dir(&path).unwrap();
    let store = open(&path);
    store.commit(Batch::new().put("k", "v")).wait().unwrap();
    drop(store);
    assert!(!draft.exists());
    assert!(open(&path).get(b"k").unwrap().is_some());
}

#[test]
fn lost_files_are_damage_and_not_an_empty_store() {
    for name in ["version", "0.jnl", "keyspaces/0/current", "keyspaces/1/current", "keyspaces/2/current"] {
        let directory = tempfile::tempdir().unwrap();
        let store = open(directory.path());
        store.commit(Batch::new().put("k", "v")).wait().unwrap();
        drop(store);
        let file = directory.path().join(name);
        let kept = std::fs::read(&file).unwrap();
        std::fs::remove_file(&file).unwrap();
        let refused = refusal(directory.path());
        assert!(matches!(refused, OpenError::Damaged { .. }), "{name}: {refused}");
        assert!(refused.to_string().contains("is missing"), "{name}: {refused}");
        std::fs::write(&file, kept).unwrap();
        assert!(open(directory.path()).get(b"k").unwrap().is_some(), "{name} was put back");
    }
}

#[test]
fn an_emptied_journal_is_damage() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    store.commit(Batch::new().put("k", "v")).wait().unwrap();
    drop(store);
    std::fs::write(directory.path().join("0.jnl"), "").unwrap();
    let refused = refusal(directory.path());
    assert!(matches!(refused, OpenError::Damaged { .. }), "{refused}");
}

/// Every bit pattern that the journal may be damaged by ends in an error or an opened store, never in a panic.
#[test]
fn a_flipped_byte_in_the_journal_is_no_panic() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    for n in 0..4u8 {
        store.commit(Batch::new().put([b'k', n], "v".repeat(10))).wait().unwrap();
    }
    drop(store);
    let journal = directory.path().join("0.jnl");
    let whole = std::fs::read(&journal).unwrap();
    let end = whole.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    for at in (0..end).step_by(3) {
        let copy = tempfile::tempdir().unwrap();
        copy_directory(directory.path(), copy.path());
        let mut damaged = whole.clone();
        damaged[at] ^= 0x55;
        std::fs::write(copy.path().join("0.jnl"), &damaged).unwrap();
        match FjallStore::open(copy.path(), Options::default()) {
            Ok(store) => drop(store),
            Err(error) => assert!(matches!(error, OpenError::Damaged { .. }), "{at}: {error}"),
        }
    }
}

fn copy_directory(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.path().is_dir() {
            copy_directory(&entry.path(), &to.join(entry.file_name()));
        } else {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}
