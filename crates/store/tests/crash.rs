//! Kill -9: a child commits and says what was acknowledged; after it is killed, all of that is there.
//!
//! This shows that the process may die at any time. The loss of power needs a disk that forgets, and is not shown.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation, reason = "a test may panic")]

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use store::{Batch, Direction, Durability, FjallStore, Options, Store, Version, prefix_end};

const DIRECTORY: &str = "ALTHING_STORE_CRASH_DIRECTORY";
const THREADS: u64 = 4;
const ROUNDS: usize = 10;

/// Not a test: what the child of the test below runs.
#[test]
#[ignore = "run as the child of the test below"]
fn child() {
    let Ok(directory) = std::env::var(DIRECTORY) else { return };
    let store = FjallStore::open(Path::new(&directory), Options::default()).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let store = &store;
            scope.spawn(move || commit_for_ever(store, thread));
        }
    });
}

/// Each batch writes a pair of keys and its thread's counter. The first thread's values are large, so that over the
/// rounds sorted tables are written and journals change while the child is killed.
fn commit_for_ever(store: &FjallStore, thread: u64) {
    let counter = format!("counter/{thread}");
    let mut n = store.get(counter.as_bytes()).unwrap().map_or(0, |v| number(&v.value));
    let value = vec![7; if thread == 0 { 50_000 } else { 300 }];
    loop {
        n += 1;
        let pair = [format!("left/{thread}/{n:012}"), format!("right/{thread}/{n:012}")];
        let [left, right] = pair.map(String::into_bytes);
        let batch =
            Batch::new().put(left, value.clone()).put(right, value.clone()).put(counter.clone(), n.to_be_bytes());
        let version = store.commit(batch).wait().unwrap();
        let line = format!("acknowledged {thread} {n} {}\n", version.0);
        std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
    }
}

fn number(bytes: &[u8]) -> u64 {
    u64::from_be_bytes(bytes.try_into().unwrap())
}

#[test]
fn what_was_acknowledged_survives_kill_nine() {
    let directory = tempfile::tempdir().unwrap();
    let mut acknowledged = vec![0; THREADS as usize];
    let mut last = 0;
    for round in 0..ROUNDS {
        let lines = run_and_kill(directory.path(), 50 + 97 * round);
        for (thread, n, version) in lines {
            acknowledged[thread] = n.max(acknowledged[thread]);
            last = version.max(last);
        }
        let store =
            FjallStore::open(directory.path(), Options { durability: Durability::Sync, ..Options::default() }).unwrap();
        for (thread, &n) in acknowledged.iter().enumerate() {
            check_thread(&store, thread, n);
        }
        let version = store.commit(Batch::new().put("after", "crash")).wait().unwrap();
        assert!(version > Version(last), "round {round}: {version:?} is not after {last}");
        last = version.0;
    }
    assert!(acknowledged.iter().all(|&n| n > 0), "every thread got something done: {acknowledged:?}");
}

/// Lets the child run until it has acknowledged so many commits, kills it, and gives all that it said.
fn run_and_kill(directory: &Path, commits: usize) -> Vec<(usize, u64, u64)> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--ignored", "--nocapture"])
        .env(DIRECTORY, directory)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = Vec::new();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    for line in lines.map_while(Result::ok) {
        // The last line may be cut off by the kill: then its end is not known.
        let words: Vec<_> = line.split(' ').collect();
        if let ["acknowledged", thread, n, version] = words[..] {
            said.push((thread.parse().unwrap(), n.parse().unwrap(), version.parse().unwrap_or(0)));
        }
        if said.len() == commits {
            child.kill().unwrap();
        }
    }
    let status = child.wait().unwrap();
    assert!(said.len() >= commits, "the child ended by itself: {status}");
    said
}

/// Every acknowledged batch is there, and every batch is there whole.
fn check_thread(store: &FjallStore, thread: usize, acknowledged: u64) {
    let counter = store.get(format!("counter/{thread}").as_bytes()).unwrap().map_or(0, |v| number(&v.value));
    assert!(counter >= acknowledged, "thread {thread}: {acknowledged} acknowledged, {counter} found");
    let numbers = |side: &str| {
        let prefix = format!("{side}/{thread}/");
        let rows = store.range(prefix.as_bytes(), &prefix_end(prefix.as_bytes()), usize::MAX, Direction::Forward);
        let number = |key: Vec<u8>| String::from_utf8(key).unwrap()[prefix.len()..].parse::<u64>().unwrap();
        rows.unwrap().into_iter().map(|row| number(row.key)).collect::<Vec<_>>()
    };
    let expected: Vec<_> = (1..=counter).collect();
    assert_eq!(numbers("left"), expected);
    assert_eq!(numbers("right"), expected);
}
