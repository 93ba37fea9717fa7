//! What every engine must do. Each sentence of the contract is a function over a store, run against each engine.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

use std::sync::Arc;

use names::limits;
use store::{
    Batch, Change, Direction, Durability, FjallStore, MemoryStore, Options, Store, StoreError, Version, prefix_end,
};

macro_rules! contract {
    ($($sentence:ident),* $(,)?) => {
        mod memory {
            $(#[test] fn $sentence() { super::$sentence(super::MemoryStore::new()); })*
        }
        mod fjall {
            $(#[test] fn $sentence() {
                let directory = tempfile::tempdir().unwrap();
                super::$sentence(super::open(directory.path(), super::Durability::Sync));
            })*
        }
    };
}

contract!(
    a_value_is_read_back_with_its_version,
    ranges_have_ends_limits_and_directions,
    nothing_is_at_keys_that_are_too_long,
    preconditions_decide_and_a_refused_batch_leaves_nothing,
    a_batch_is_seen_whole_or_not_at_all,
    later_changes_of_a_batch_win,
    watchers_see_changes_of_their_prefix_in_commit_order,
    a_slow_watcher_is_told_that_it_missed_changes,
    a_watch_that_is_dropped_does_no_harm,
    what_is_over_the_limits_is_refused,
    concurrent_increments_lose_nothing,
    tickets_can_be_awaited,
);

fn open(path: &std::path::Path, durability: Durability) -> Arc<FjallStore> {
    FjallStore::open(path, Options { durability, ..Options::default() }).unwrap()
}

fn keys(rows: Vec<store::Entry>) -> Vec<String> {
    rows.into_iter().map(|row| String::from_utf8(row.key).unwrap()).collect()
}

fn a_value_is_read_back_with_its_version(store: Arc<impl Store>) {
    assert_eq!(store.get(b"k").unwrap(), None);
    assert_eq!(store.get(b"").unwrap(), None);
    let mut last = Version(0);
    for value in [b"one".to_vec(), Vec::new(), vec![0xff; limits::STORE_VALUE_BYTES_MAX], b"\0".to_vec()] {
        let version = store.commit(Batch::new().put("k", value.clone())).wait().unwrap();
        assert!(version > last, "versions grow");
        last = version;
        let read = store.get(b"k").unwrap().unwrap();
        assert_eq!((read.value, read.version), (value, version));
    }
    store.commit(Batch::new().delete("k").delete("never there")).wait().unwrap();
    assert_eq!(store.get(b"k").unwrap(), None);
    let again = store.commit(Batch::new().put("k", "back")).wait().unwrap();
    assert!(again > last, "also over a deletion");
    let long = vec![b'x'; limits::STORE_KEY_BYTES_MAX];
    store.commit(Batch::new().put(long.clone(), "long")).wait().unwrap();
    assert_eq!(store.get(&long).unwrap().unwrap().value, b"long");
}

fn ranges_have_ends_limits_and_directions(store: Arc<impl Store>) {
    let mut batch = Batch::new();
    for key in ["a", "b", "b/1", "b/2", "b/3", "b0", "c", "\u{7f}"] {
        batch = batch.put(key, key);
    }
    store.commit(batch).wait().unwrap();
    let check = |from: &str, to: &[u8], limit, direction, expected: &[&str]| {
        let found = keys(store.range(from.as_bytes(), to, limit, direction).unwrap());
        assert_eq!(found, expected, "{from:?} {to:?} {limit} {direction:?}");
    };
    use Direction::{Backward, Forward};
    check("", b"", 100, Forward, &["a", "b", "b/1", "b/2", "b/3", "b0", "c", "\u{7f}"]);
    check("", b"", 2, Backward, &["\u{7f}", "c"]);
    check("b/", &prefix_end(b"b/"), 100, Forward, &["b/1", "b/2", "b/3"]);
    check("b/", &prefix_end(b"b/"), 2, Forward, &["b/1", "b/2"]);
    check("b/", &prefix_end(b"b/"), 2, Backward, &["b/3", "b/2"]);
    check("b", b"b/2", 100, Forward, &["b", "b/1"]);
    check("b/1", b"b/1", 100, Forward, &[]);
    check("c", b"a", 100, Backward, &[]);
    check("c", b"", 100, Forward, &["c", "\u{7f}"]);
    check("", b"", 0, Forward, &[]);
    store.commit(Batch::new().delete("b/2")).wait().unwrap();
    check("b/", &prefix_end(b"b/"), 100, Backward, &["b/3", "b/1"]);
    let row = store.range(b"b/3", b"", 1, Forward).unwrap().remove(0);
    assert_eq!((row.value, Some(row.version)), (b"b/3".to_vec(), store.get(b"b/3").unwrap().map(|v| v.version)));
}

/// The embedded engine cannot even be asked for such keys, which topics of 65,535 bytes make.
fn nothing_is_at_keys_that_are_too_long(store: Arc<impl Store>) {
    let longest = vec![b'k'; limits::STORE_KEY_BYTES_MAX];
    let longer = vec![b'k'; limits::STORE_KEY_BYTES_MAX + 1];
    store.commit(Batch::new().put(longest.clone(), "there").put("l", "behind")).wait().unwrap();
    assert_eq!(store.get(&longer).unwrap(), None);
    let count = |from: &[u8], to: &[u8]| store.range(from, to, 10, Direction::Forward).unwrap().len();
    assert_eq!(count(&longest, &longer), 1);
    assert_eq!(count(&longer, b""), 1);
    assert_eq!(count(b"k", &longer), 1);
}

fn preconditions_decide_and_a_refused_batch_leaves_nothing(store: Arc<impl Store>) {
    let first = store.commit(Batch::new().absent("k").put("k", "1")).wait().unwrap();
    let refused = |batch: Batch| {
        let answer = store.commit(batch.put("k", "bad").put("side", "bad").delete("kept")).wait();
        assert!(matches!(answer, Err(StoreError::Conflict)), "{answer:?}");
    };
    store.commit(Batch::new().put("kept", "1")).wait().unwrap();
    refused(Batch::new().absent("k"));
    refused(Batch::new().unchanged("k", None));
    refused(Batch::new().unchanged("k", Some(Version(first.0 + 1))));
    refused(Batch::new().unchanged("nothing", Some(first)));
    refused(Batch::new().unchanged("k", Some(first)).absent("kept"));
    assert_eq!(store.get(b"side").unwrap(), None);
    assert!(store.get(b"kept").unwrap().is_some());
    assert_eq!(store.get(b"k").unwrap().unwrap().value, b"1");
    let second = store.commit(Batch::new().unchanged("k", Some(first)).absent("side").put("k", "2")).wait().unwrap();
    refused(Batch::new().unchanged("k", Some(first)));
    store.commit(Batch::new().unchanged("k", Some(second))).wait().unwrap();
    store.commit(Batch::new().unchanged("k", Some(second)).delete("k")).wait().unwrap();
    store.commit(Batch::new().absent("k").put("k", "3")).wait().unwrap();
}

fn a_batch_is_seen_whole_or_not_at_all(store: Arc<impl Store>) {
    let both = |n: u32| Batch::new().put("p/a", n.to_string()).put("p/b", n.to_string());
    store.commit(both(0)).wait().unwrap();
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| (1..300).for_each(|n| _ = store.commit(both(n)).wait().unwrap()));
        let mut rounds = 0;
        while !writing.is_finished() || rounds < 10 {
            let rows = store.range(b"p/", &prefix_end(b"p/"), 10, Direction::Forward).unwrap();
            assert_eq!(rows.len(), 2);
            assert_eq!((&rows[0].value, rows[0].version), (&rows[1].value, rows[1].version));
            let (a, b) = (store.get(b"p/a").unwrap().unwrap(), store.get(b"p/b").unwrap().unwrap());
            assert!(a.version <= b.version, "what is read later is not older");
            rounds += 1;
        }
    });
}

fn later_changes_of_a_batch_win(store: Arc<impl Store>) {
    let mut watch = store.watch(b"");
    let batch = Batch::new().put("a", "1").put("b", "1").delete("a").put("a", "2").put("b", "2").delete("b");
    let version = store.commit(batch).wait().unwrap();
    assert_eq!(store.get(b"a").unwrap().unwrap().value, b"2");
    assert_eq!(store.get(b"b").unwrap(), None);
    let put = Change::Put { key: b"a".to_vec(), value: b"2".to_vec(), version };
    assert_eq!(watch.blocking_next(), Some(put), "a watcher sees only what became of a key");
    assert_eq!(watch.blocking_next(), Some(Change::Deleted { key: b"b".to_vec() }));
}

fn watchers_see_changes_of_their_prefix_in_commit_order(store: Arc<impl Store>) {
    store.commit(Batch::new().put("a/before", "")).wait().unwrap();
    let (mut under_a, mut all) = (store.watch(b"a/"), store.watch(b""));
    let mut expected = Vec::new();
    for n in 0..100 {
        let key = format!("a/{n}");
        let version = store.commit(Batch::new().put(key.clone(), "v").put("b", "v")).wait().unwrap();
        expected.push(Change::Put { key: key.clone().into(), value: b"v".to_vec(), version });
        store.commit(Batch::new().absent("b").put("a/refused", "")).wait().unwrap_err();
        store.commit(Batch::new().delete(key.clone())).wait().unwrap();
        expected.push(Change::Deleted { key: key.into() });
    }
    for change in expected {
        assert_eq!(under_a.blocking_next(), Some(change));
    }
    let seen = (0..300).filter(|_| matches!(all.blocking_next(), Some(Change::Put { key, .. }) if key == b"b")).count();
    assert_eq!(seen, 100);
}

fn a_slow_watcher_is_told_that_it_missed_changes(store: Arc<impl Store>) {
    let mut watch = store.watch(b"k");
    let (batches, keys_each) = (70, 1000);
    assert!(batches * keys_each > limits::STORE_WATCH_EVENTS_MAX);
    for _ in 0..batches {
        let batch = (0..keys_each).fold(Batch::new(), |batch, n| batch.put(format!("k{n}"), "v"));
        store.commit(batch).wait().unwrap();
    }
    let mut seen = 0;
    while watch.blocking_next() != Some(Change::Lagged) {
        seen += 1;
    }
    assert_eq!(seen, limits::STORE_WATCH_EVENTS_MAX - 1, "what was queued is still delivered");
    let version = store.commit(Batch::new().put("k", "after")).wait().unwrap();
    let after = Change::Put { key: b"k".to_vec(), value: b"after".to_vec(), version };
    assert_eq!(watch.blocking_next(), Some(after), "and what comes after is too");
}

fn a_watch_that_is_dropped_does_no_harm(store: Arc<impl Store>) {
    drop(store.watch(b""));
    let mut watch = store.watch(b"");
    store.commit(Batch::new().put("k", "v")).wait().unwrap();
    assert!(matches!(watch.blocking_next(), Some(Change::Put { .. })));
}

fn what_is_over_the_limits_is_refused(store: Arc<impl Store>) {
    let check = |batch: Batch, fits: bool| match store.commit(batch).wait() {
        Ok(_) => assert!(fits),
        Err(StoreError::TooLarge(text)) => assert!(!fits, "{text}"),
        Err(other) => panic!("{other}"),
    };
    let value = vec![0; limits::STORE_VALUE_BYTES_MAX];
    let values = |count: usize| (0..count).fold(Batch::new(), |batch, n| batch.put(format!("{n:03}"), value.clone()));
    check(Batch::new().put("k", vec![0; limits::STORE_VALUE_BYTES_MAX + 1]), false);
    check(Batch::new().put("", "v"), false);
    check(Batch::new().delete(""), false);
    check(Batch::new().absent(""), false);
    check(Batch::new().put(vec![b'k'; limits::STORE_KEY_BYTES_MAX + 1], "v"), false);
    check(Batch::new().absent(vec![b'k'; limits::STORE_KEY_BYTES_MAX + 1]), false);
    let fitting = limits::STORE_BATCH_BYTES_MAX / (limits::STORE_VALUE_BYTES_MAX + 3);
    check(values(fitting + 1), false);
    assert_eq!(store.range(b"", b"", 1, Direction::Forward).unwrap(), []);
    check(values(fitting), true);
    assert_eq!(store.range(b"", b"", 1000, Direction::Forward).unwrap().len(), fitting);
}

fn concurrent_increments_lose_nothing(store: Arc<impl Store>) {
    const EACH: u64 = 50;
    let increment = || loop {
        let current = store.get(b"n").unwrap();
        let n = current.as_ref().map_or(0, |v| u64::from_be_bytes(v.value.as_slice().try_into().unwrap()));
        let batch = Batch::new().unchanged("n", current.map(|v| v.version)).put("n", (n + 1).to_be_bytes());
        match store.commit(batch).wait() {
            Ok(_) => return,
            Err(StoreError::Conflict) => {}
            Err(other) => panic!("{other}"),
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..EACH).for_each(|_| increment()));
        }
    });
    assert_eq!(store.get(b"n").unwrap().unwrap().value, (8 * EACH).to_be_bytes());
}

fn tickets_can_be_awaited(store: Arc<impl Store>) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let first = store.commit(Batch::new().put("a", "1"));
        let second = store.commit(Batch::new().absent("a").put("a", "2"));
        assert!(first.await.is_ok());
        assert!(matches!(second.await, Err(StoreError::Conflict)));
    });
}
