//! Kill -9: a child enqueues, acknowledges and releases, and says what was answered; after it is killed, all of that is
//! there, and the counts are those of the rows.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation, reason = "a test may panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use message::{Message, Origin, QoS, SubscribeOptions, TopicFilter, TopicName};
use names::{ClientId, Dialect, Timestamp};
use persistent_sessions::{
    Enqueued, PersistentSessions, QueueLimits, QueueOverflow, QueuedMessage, SessionId, Stage, Writes,
};
use store::{Direction, FjallStore, Options, Store, prefix_end};

const DIRECTORY: &str = "ALTHING_SESSIONS_CRASH_DIRECTORY";
const THREADS: usize = 4;
const ROUNDS: usize = 20;

fn client(thread: usize) -> ClientId {
    ClientId::new(format!("client-{thread}")).unwrap()
}

fn open(directory: &Path) -> (Arc<FjallStore>, Arc<PersistentSessions>) {
    let store = FjallStore::open(directory, Options::default()).unwrap();
    let limits = QueueLimits { messages_max: 200, overflow: QueueOverflow::DropNewest, ..QueueLimits::default() };
    let sessions = PersistentSessions::open(Arc::clone(&store) as Arc<dyn Store>, limits).unwrap();
    (store, sessions)
}

/// Not a test: what the child of the test below runs.
#[test]
#[ignore = "run as the child of the test below"]
fn child() {
    let Ok(directory) = std::env::var(DIRECTORY) else { return };
    let (_store, sessions) = open(Path::new(&directory));
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let sessions = &sessions;
            scope.spawn(move || use_for_ever(sessions, thread));
        }
    });
}

fn say(line: &str) {
    std::io::stdout().lock().write_all(format!("{line}\n").as_bytes()).unwrap();
}

fn queued(seed: u64) -> QueuedMessage {
    // Now and then one that has to be cut up.
    let bytes = if seed.is_multiple_of(40) { 150_000 } else { 300 };
    let message = Message {
        topic: TopicName::new("t").unwrap(),
        payload: vec![seed as u8; bytes].into(),
        qos: QoS::ExactlyOnce,
        retain: false,
        properties: None,
        received_at: Timestamp::from_millis(1),
        origin: Arc::new(Origin::default()),
    };
    QueuedMessage {
        message: Arc::new(message),
        qos: QoS::ExactlyOnce,
        retain: false,
        subscription_ids: vec![],
        share: None,
    }
}

/// Each thread has a session of its own, and enqueues for its neighbour's as well.
fn use_for_ever(sessions: &Arc<PersistentSessions>, thread: usize) {
    let id = match sessions.find(&client(thread)).unwrap() {
        Some(found) => {
            sessions.resume(&client(thread), &found, 600, None).unwrap().wait().unwrap();
            found.id
        }
        None => {
            let (id, ticket) = sessions.create(&client(thread), 5, 600, None).unwrap();
            ticket.wait().unwrap();
            let plain = SubscribeOptions::plain(QoS::ExactlyOnce, Dialect::Mqtt);
            let filters = [(TopicFilter::new("t/+").unwrap(), plain)];
            sessions.subscribe(&client(thread), id, &filters).unwrap().wait().unwrap();
            say(&format!("session {thread} {}", id.get()));
            id
        }
    };
    let mut n = 0;
    loop {
        n += 1;
        let neighbour = sessions.find(&client((thread + 1) % THREADS)).unwrap().map_or(id, |found| found.id);
        let messages = (0..10).map(|k| (if k % 3 == 0 { neighbour } else { id }, queued(n * 10 + k))).collect();
        let packet_id = (n % 1_000) as u16 + 1;
        let (sender, receiver) = sync_channel(1);
        sessions.enqueue(
            Writes { messages, received: vec![(id, packet_id)] },
            Box::new(move |answer| {
                // Said on the writer's thread: whoever enqueued is answered from there too.
                let answer: Vec<Enqueued> = answer.unwrap();
                for enqueued in answer.iter().filter(|enqueued| enqueued.seq.is_some()) {
                    say(&format!("enqueued {} {}", enqueued.session.get(), enqueued.seq.unwrap()));
                }
                say(&format!("received {} {packet_id}", id.get()));
                sender.send(()).unwrap();
            }),
        );
        receiver.recv().unwrap();
        let waiting: Vec<_> = sessions.read(id, 0, 40, usize::MAX).unwrap().iter().map(|queued| queued.seq).collect();
        sessions.sent(id, &[], waiting.last().copied().unwrap_or_default());
        let (done, kept): (Vec<u64>, Vec<u64>) = waiting.iter().partition(|seq| *seq % 7 != 0 || n % 5 == 0);
        let released: Vec<_> = kept.iter().map(|seq| (*seq, (*seq % 60_000) as u16 + 1)).collect();
        // Said before, so that what may be gone is known; and after, so that what must be gone is.
        done.iter().for_each(|seq| say(&format!("acknowledging {} {seq}", id.get())));
        let release = sessions.release(id, &released);
        sessions.acknowledge(id, &done).wait().unwrap();
        release.wait().unwrap();
        done.iter().for_each(|seq| say(&format!("acknowledged {} {seq}", id.get())));
        released.iter().for_each(|(seq, _)| say(&format!("released {} {seq}", id.get())));
        if n % 3 == 0 {
            sessions.forget_received(id, &[packet_id]).wait().unwrap();
            say(&format!("forgotten {} {packet_id}", id.get()));
        } else {
            say(&format!("kept {} {packet_id}", id.get()));
        }
    }
}

/// What the child said over all rounds, by session.
#[derive(Debug, Default)]
struct Said {
    enqueued: BTreeSet<u64>,
    may_be_gone: BTreeSet<u64>,
    gone: BTreeSet<u64>,
    released: BTreeSet<u64>,
    /// Packet ids whose last word was that they are received and not being forgotten.
    received: BTreeSet<u64>,
}

#[test]
fn what_was_answered_survives_kill_nine() {
    let directory = tempfile::tempdir().unwrap();
    let mut said: BTreeMap<u64, Said> = BTreeMap::new();
    let mut sessions_said = 0;
    for round in 0..ROUNDS {
        for words in run_and_kill(directory.path(), 400 + 311 * round) {
            let number = |n: usize| words[n].parse::<u64>().unwrap();
            if words[0] == "session" {
                sessions_said += 1;
                continue;
            }
            let of = said.entry(number(1)).or_default();
            match words[0].as_str() {
                "enqueued" => _ = of.enqueued.insert(number(2)),
                "acknowledging" => _ = of.may_be_gone.insert(number(2)),
                "acknowledged" => _ = of.gone.insert(number(2)),
                "released" => _ = of.released.insert(number(2)),
                // From here on it may be forgotten at any time, until it is said that it is kept.
                "received" | "forgotten" => _ = of.received.remove(&number(2)),
                "kept" => _ = of.received.insert(number(2)),
                other => panic!("{other}?"),
            }
        }
        let (store, sessions) = open(directory.path());
        check(&store, &sessions, &said, round);
        let left = sessions.left_connected(10).unwrap();
        assert!(left.len() >= sessions_said, "who was connected is found, and said to be");
    }
    assert!(said.values().map(|said| said.enqueued.len()).sum::<usize>() > 1_000);
    assert!(said.values().map(|said| said.gone.len()).sum::<usize>() > 500);
    assert!(said.values().all(|said| !said.released.is_empty()), "{:?}", said.keys());
}

fn check(store: &FjallStore, sessions: &PersistentSessions, said: &BTreeMap<u64, Said>, round: usize) {
    let mut counted = (0, 0, 0);
    for thread in 0..THREADS {
        let Some(found) = sessions.find(&client(thread)).unwrap() else { continue };
        counted.0 += 1;
        let queue = sessions.read(found.id, 0, usize::MAX, usize::MAX).unwrap();
        let seqs: BTreeSet<_> = queue.iter().map(|queued| queued.seq).collect();
        let rows = queue_rows(store, found.id);
        assert_eq!(sessions.queued(found.id).unwrap(), rows, "round {round}");
        assert_eq!(queue.len() as u64, rows.0);
        assert!(seqs.first().is_none_or(|first| sessions.head(found.id).unwrap() == *first));
        counted = (counted.0, counted.1 + rows.0, counted.2 + rows.1);
        let Some(said) = said.get(&found.id.get()) else { continue };
        let lost: Vec<_> = said.enqueued.difference(&seqs).filter(|seq| !said.may_be_gone.contains(seq)).collect();
        assert!(lost.is_empty(), "round {round}: {lost:?} of client-{thread} are lost");
        let back: Vec<_> = said.gone.intersection(&seqs).collect();
        assert!(back.is_empty(), "round {round}: {back:?} of client-{thread} came back");
        for queued in queue.iter().filter(|queued| said.released.contains(&queued.seq)) {
            assert!(matches!(queued.stage, Stage::Released), "round {round}: {} was released", queued.seq);
        }
        let received: BTreeSet<_> = sessions.received_ids(found.id).unwrap().into_iter().map(u64::from).collect();
        assert!(said.received.is_subset(&received), "round {round}: packet ids of client-{thread}");
        if !said.enqueued.is_empty() {
            assert_eq!(sessions.subscriptions(found.id).unwrap().len(), 1);
        }
    }
    let totals = sessions.totals();
    assert_eq!((totals.sessions, totals.messages, totals.bytes), counted, "round {round}");
}

/// Messages and bytes of a session, by its rows.
fn queue_rows(store: &FjallStore, id: SessionId) -> (u64, u64) {
    let prefix = [b"session/queue/".as_slice(), &id.get().to_be_bytes()].concat();
    let rows = store.range(&prefix, &prefix_end(&prefix), usize::MAX, Direction::Forward).unwrap();
    let messages = rows.iter().filter(|row| row.key.len() == prefix.len() + 8).count();
    (messages as u64, rows.iter().map(|row| row.value.len() as u64).sum())
}

/// Lets the child run until it has said so much, kills it, and gives all that it said.
fn run_and_kill(directory: &Path, lines_max: usize) -> Vec<Vec<String>> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--ignored", "--nocapture"])
        .env(DIRECTORY, directory)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = Vec::new();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    // A line that the kill cut off has no end, and its number may be a part of one.
    while output.read_line(&mut line).is_ok_and(|bytes| bytes > 0) && line.ends_with('\n') {
        let words: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
        // The test runner says "running 1 test" too.
        if words.len() == 3 && words[1].parse::<u64>().is_ok() && words[2].parse::<u64>().is_ok() {
            said.push(words);
        }
        line.clear();
        if said.len() == lines_max {
            child.kill().unwrap();
        }
    }
    let status = child.wait().unwrap();
    assert!(said.len() >= lines_max, "the child ended by itself: {status}");
    said
}
