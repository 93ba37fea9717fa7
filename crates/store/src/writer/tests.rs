//! The writer over an engine that can be held up and made to fail.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use parking_lot::Condvar;

use super::*;
use crate::{Change, Ticket};

/// Counts its rounds, waits at a gate before each, and fails when told to.
#[derive(Default)]
struct GatedEngine {
    rows: Mutex<BTreeMap<Vec<u8>, Versioned>>,
    rounds: AtomicUsize,
    waiting: AtomicUsize,
    fails: AtomicBool,
    shut: Mutex<bool>,
    gate: Condvar,
}

impl GatedEngine {
    fn shut(&self) {
        *self.shut.lock() = true;
    }

    fn open(&self) {
        *self.shut.lock() = false;
        self.gate.notify_all();
    }

    fn wait_until_a_round_waits(&self) {
        while self.waiting.load(Ordering::SeqCst) == 0 {
            std::thread::yield_now();
        }
    }
}

impl Engine for GatedEngine {
    fn get(&self, key: &[u8]) -> Result<Option<Versioned>, StoreError> {
        Ok(self.rows.lock().get(key).cloned())
    }

    fn apply(&self, round: &Round<'_>) -> Result<(), StoreError> {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        let mut shut = self.shut.lock();
        while *shut {
            self.gate.wait(&mut shut);
        }
        self.waiting.fetch_sub(1, Ordering::SeqCst);
        self.rounds.fetch_add(1, Ordering::SeqCst);
        if self.fails.load(Ordering::SeqCst) {
            return Err(StoreError::Failed("no space".to_owned()));
        }
        let mut rows = self.rows.lock();
        for (key, change) in &round.changes {
            match change {
                Some((version, value)) => {
                    rows.insert(key.to_vec(), Versioned { value: value.to_vec(), version: *version });
                }
                None => _ = rows.remove(*key),
            }
        }
        Ok(())
    }
}

impl Writer {
    fn commit(&self, batch: Batch) -> Ticket {
        let (answer, ticket) = Ticket::new();
        self.commit_then(batch, Box::new(move |verdict| _ = answer.send(verdict)));
        ticket
    }
}

fn start(last: u64) -> (Arc<GatedEngine>, Writer) {
    let engine = Arc::new(GatedEngine::default());
    let writer = Writer::start(Arc::clone(&engine), Version(last)).unwrap();
    (engine, writer)
}

#[test]
fn all_that_waits_goes_to_the_engine_in_one_round() {
    let (engine, writer) = start(0);
    engine.shut();
    let first = writer.commit(Batch::new().put("a", "0"));
    engine.wait_until_a_round_waits();
    let later: Vec<_> = (0..500).map(|n| writer.commit(Batch::new().put(format!("k{n}"), "v"))).collect();
    engine.open();
    assert_eq!(first.wait().unwrap(), Version(1));
    let versions: Vec<_> = later.into_iter().map(|ticket| ticket.wait().unwrap().0).collect();
    assert_eq!(versions, (2..502).collect::<Vec<_>>(), "commits have versions in the order they were made");
    assert_eq!(engine.rounds.load(Ordering::SeqCst), 2, "501 commits took two rounds");
}

#[test]
fn preconditions_hold_against_earlier_batches_of_the_same_round() {
    let (engine, writer) = start(7);
    engine.shut();
    let first = writer.commit(Batch::new().put("gate", ""));
    engine.wait_until_a_round_waits();
    let tickets = [
        writer.commit(Batch::new().absent("k").put("k", "1")),
        writer.commit(Batch::new().absent("k").put("k", "2").put("other", "2")),
        writer.commit(Batch::new().unchanged("k", Some(Version(9))).delete("k")),
        writer.commit(Batch::new().unchanged("k", Some(Version(9))).put("k", "3")),
        writer.commit(Batch::new().unchanged("k", None).put("k", "4")),
    ];
    engine.open();
    assert_eq!(first.wait().unwrap(), Version(8));
    let answers = tickets.map(|ticket| ticket.wait().map(|version| version.0).map_err(|error| error.to_string()));
    let conflict = || Err(StoreError::Conflict.to_string());
    assert_eq!(answers, [Ok(9), conflict(), Ok(10), conflict(), Ok(11)]);
    let rows = engine.rows.lock();
    assert_eq!(rows.get(b"k".as_slice()).unwrap().value, b"4");
    assert!(!rows.contains_key(b"other".as_slice()), "a refused batch leaves nothing");
}

#[test]
fn after_a_failed_write_nothing_is_acknowledged_any_more() {
    let (engine, writer) = start(0);
    let mut watch = writer.watch(b"");
    writer.commit(Batch::new().put("a", "1")).wait().unwrap();
    assert!(!writer.is_broken());
    engine.fails.store(true, Ordering::SeqCst);
    let failure = writer.commit(Batch::new().put("a", "2")).wait().unwrap_err();
    assert_eq!(failure.to_string(), "the store failed: no space");
    assert!(writer.is_broken());
    engine.fails.store(false, Ordering::SeqCst);
    let refusal = writer.commit(Batch::new().put("a", "3")).wait().unwrap_err();
    assert!(matches!(&refusal, StoreError::Failed(text) if text.contains("earlier write failed")), "{refusal}");
    assert_eq!(engine.rounds.load(Ordering::SeqCst), 2, "the engine is not asked again");
    assert_eq!(engine.rows.lock().get(b"a".as_slice()).unwrap().value, b"1");
    writer.close();
    let shown: Vec<_> = std::iter::from_fn(|| watch.blocking_next()).collect();
    assert_eq!(shown, [Change::Put { key: b"a".to_vec(), value: b"1".to_vec(), version: Version(1) }]);
}

#[test]
fn watchers_see_nothing_before_it_is_durable() {
    let (engine, writer) = start(0);
    let mut watch = writer.watch(b"a");
    engine.shut();
    let ticket = writer.commit(Batch::new().put("a", "1"));
    engine.wait_until_a_round_waits();
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let mut next = std::pin::pin!(watch.next());
    assert!(next.as_mut().poll(&mut context).is_pending());
    engine.open();
    ticket.wait().unwrap();
    assert!(next.as_mut().poll(&mut context).is_ready(), "and at the latest when it is acknowledged");
}

#[test]
fn closing_finishes_what_waits_and_frees_who_is_blocked() {
    let (engine, writer) = start(0);
    let writer = Arc::new(writer);
    engine.shut();
    let first = writer.commit(Batch::new().put("gate", ""));
    engine.wait_until_a_round_waits();
    let waiting: Vec<_> = (0..limits::STORE_QUEUE_MAX).map(|_| writer.commit(Batch::new().put("k", "v"))).collect();
    let blocked = std::thread::spawn({
        let writer = Arc::clone(&writer);
        move || writer.commit(Batch::new().put("late", "v")).wait()
    });
    std::thread::sleep(std::time::Duration::from_millis(20));
    assert!(!blocked.is_finished(), "the queue is full, so the next commit blocks");
    let closer = std::thread::spawn({
        let writer = Arc::clone(&writer);
        move || writer.close()
    });
    assert!(matches!(blocked.join().unwrap(), Err(StoreError::Closed)));
    engine.open();
    closer.join().unwrap();
    first.wait().unwrap();
    for ticket in waiting {
        ticket.wait().unwrap();
    }
    assert!(matches!(writer.commit(Batch::new().put("k", "v")).wait(), Err(StoreError::Closed)));
    assert!(writer.watch(b"").blocking_next().is_none(), "a watch of a closed store ends");
}

struct Panicking;
impl Engine for Panicking {
    fn get(&self, _: &[u8]) -> Result<Option<Versioned>, StoreError> {
        Ok(None)
    }
    fn apply(&self, _: &Round<'_>) -> Result<(), StoreError> {
        panic!("on purpose")
    }
}

#[test]
fn a_panicking_engine_leaves_nobody_waiting() {
    let writer = Writer::start(Arc::new(Panicking), Version(0)).unwrap();
    let mut watch = writer.watch(b"");
    assert!(matches!(writer.commit(Batch::new().put("k", "v")).wait(), Err(StoreError::Closed)));
    assert!(watch.blocking_next().is_none());
    assert!(matches!(writer.commit(Batch::new().put("k", "v")).wait(), Err(StoreError::Closed)));
}

#[test]
fn only_the_last_change_of_a_key_is_kept() {
    let check = |batch: Batch, expected: Batch| {
        let mut writes = batch.writes;
        keep_last_writes(&mut writes);
        assert_eq!(writes, expected.writes);
    };
    check(Batch::new().put("a", "1"), Batch::new().put("a", "1"));
    check(Batch::new().put("a", "1").put("b", "2").delete("a"), Batch::new().put("b", "2").delete("a"));
    check(Batch::new().delete("a").put("a", "1").put("a", "2").put("b", ""), Batch::new().put("a", "2").put("b", ""));
}

/// What `done` was told, in order.
type Told = Arc<Mutex<Vec<(usize, Result<Version, String>)>>>;

fn tell(told: &Told, n: usize) -> Done {
    let told = Arc::clone(told);
    Box::new(move |verdict| told.lock().push((n, verdict.map_err(|error| error.to_string()))))
}

#[test]
fn done_is_told_in_the_order_of_the_commits_and_after_the_write() {
    let (engine, writer) = start(0);
    let told = Told::default();
    engine.shut();
    writer.commit_then(Batch::new().put("a", "1"), tell(&told, 0));
    engine.wait_until_a_round_waits();
    writer.commit_then(Batch::new().absent("a").put("b", "1"), tell(&told, 1));
    writer.commit_then(Batch::new(), tell(&told, 2));
    writer.commit_then(Batch::new().put("a", "2"), Box::new(|_| panic!("on purpose")));
    writer.commit_then(Batch::new().put("a", "3"), tell(&told, 4));
    assert!(told.lock().is_empty(), "nothing is written yet");
    engine.open();
    writer.commit(Batch::new()).wait().unwrap();
    let conflict = Err(StoreError::Conflict.to_string());
    let expected = [(0, Ok(Version(1))), (1, conflict), (2, Ok(Version(1))), (4, Ok(Version(3)))];
    assert_eq!(*told.lock(), expected);
}

#[test]
fn done_is_told_when_the_store_is_closed_full_or_dead() {
    let told = Told::default();
    let (_, writer) = start(0);
    writer.commit_then(Batch::new().put("", "no key"), tell(&told, 0));
    writer.close();
    writer.commit_then(Batch::new().put("a", "1"), tell(&told, 1));
    let writer = Writer::start(Arc::new(Panicking), Version(0)).unwrap();
    writer.commit_then(Batch::new().put("a", "1"), tell(&told, 2));
    writer.close();
    let closed = || Err(StoreError::Closed.to_string());
    assert_eq!(*told.lock(), [(0, Err("a key is empty".to_owned())), (1, closed()), (2, closed())]);
}
