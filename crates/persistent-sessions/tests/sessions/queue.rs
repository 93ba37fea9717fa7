//! Queues: order, limits, large messages, and what a restart finds.

use std::sync::Arc;

use bytes::Bytes;
use message::{PayloadFormat, Properties, QoS};
use persistent_sessions::{
    PersistentSessions, QueueLimits, QueueOverflow, QueuedMessage, SessionId, Stage, Writes, derived_packet_id,
};
use store::{MemoryStore, Store, StoreError};

use crate::house::{
    SlowStore, assert_counts_agree, client, create, disk, enqueue, enqueue_all, filter, message, open, queued,
    read_all, rows, seen,
};

fn limited(store: &Arc<MemoryStore>, limits: QueueLimits) -> Arc<PersistentSessions> {
    PersistentSessions::open(Arc::clone(store) as Arc<dyn Store>, limits).unwrap()
}

fn numbers(sessions: &PersistentSessions, id: SessionId) -> Vec<u64> {
    read_all(sessions, id).iter().map(|queued| queued.seq).collect()
}

#[test]
fn packet_ids_follow_the_numbers_and_are_never_zero() {
    let check = |seq, id| assert_eq!(derived_packet_id(seq), id, "{seq}");
    check(1, 1);
    check(65_535, 65_535);
    check(65_536, 1);
    check(131_071, 1);
    check(u64::MAX, 65_535);
}

#[test]
fn a_message_is_read_as_it_was_queued_also_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let store = disk(directory.path());
    let sessions = open(&store);
    let id = create(&sessions, "c");
    let mut said = message::Message::clone(&message("a/b", "hello"));
    said.properties = Some(Arc::new(Properties {
        payload_format: Some(PayloadFormat::Utf8),
        expiry_seconds: Some(60),
        content_type: Some("text/plain".into()),
        user_properties: vec![("a".into(), "1".into()), ("a".into(), "2".into())],
        ..Properties::default()
    }));
    let one = QueuedMessage {
        message: Arc::new(said),
        qos: QoS::ExactlyOnce,
        retain: true,
        subscription_ids: vec![1, 268_435_455],
        share: Some((Arc::from("g"), filter("a/+"))),
    };
    // Cut up in the store, and longer than a page of rows.
    let large = queued(Bytes::from((0..7_000_000u32).map(|n| n.to_le_bytes()[0]).collect::<Vec<_>>()));
    let all = [one, large, queued("")];
    assert_eq!(enqueue_all(&sessions, id, all.clone()), [Some(1), Some(2), Some(3)]);
    let text = |queued: &QueuedMessage| format!("{queued:?}");
    for reopened in [false, true] {
        let sessions = if reopened { open(&store) } else { Arc::clone(&sessions) };
        let read = read_all(&sessions, id);
        for (n, (queued, expected)) in read.iter().zip(&all).enumerate() {
            assert_eq!((queued.seq, queued.packet_id, queued.was_sent), (n as u64 + 1, None, false));
            let Stage::Publish(queued) = &queued.stage else { panic!("nobody released it") };
            assert!(text(queued) == text(expected), "message {n}");
        }
        assert_eq!(read.len(), 3);
    }
    assert_counts_agree(&*store, &sessions);
    sessions.acknowledge(id, &[2]).wait().unwrap();
    assert_eq!(rows(&*store, b"session/queue/").len(), 2, "all chunks are gone");
    assert_counts_agree(&*store, &sessions);
}

#[test]
fn reading_goes_in_order_and_keeps_to_its_limits() {
    let sessions = open(&MemoryStore::new());
    let (id, other) = (create(&sessions, "c"), create(&sessions, "other"));
    for n in 0..300 {
        enqueue_all(&sessions, id, [queued(format!("{n}"))]);
        enqueue_all(&sessions, other, [queued("other")]);
    }
    assert_eq!(numbers(&sessions, id), (1..=300).collect::<Vec<_>>());
    let some = sessions.read(id, 100, 3, usize::MAX).unwrap();
    let payloads = ["99", "100", "101"].map(|text| Some(Bytes::from(text)));
    assert_eq!(seen(&some), [100, 101, 102].into_iter().zip(payloads).collect::<Vec<_>>());
    assert_eq!(sessions.read(id, 1, 10, 1).unwrap().len(), 1, "one at least, whatever its size");
    assert!((2..10).contains(&sessions.read(id, 1, 10, 100).unwrap().len()));
    assert_eq!(sessions.read(id, 301, 10, usize::MAX).unwrap().len(), 0);
    assert_eq!(sessions.read(id, 1, 0, usize::MAX).unwrap().len(), 0);
}

#[test]
fn acknowledged_released_and_sent_are_remembered() {
    let directory = tempfile::tempdir().unwrap();
    let store = disk(directory.path());
    let sessions = open(&store);
    let id = create(&sessions, "c");
    enqueue_all(&sessions, id, (0..10).map(|n| queued(vec![n; if n == 3 { 250_000 } else { 10 }])));
    assert_eq!(sessions.head(id).unwrap(), 1);
    sessions.sent(id, &[(5, 700), (6, derived_packet_id(6))], 7).wait().unwrap();
    sessions.acknowledge(id, &[1, 3, 99, 3, 0]).wait().unwrap();
    sessions.release(id, &[(4, 4), (5, 700), (1, 1), (77, 1)]).wait().unwrap();
    assert_eq!(rows(&*store, b"session/packet/").len(), 0, "a released one keeps its packet id itself");
    sessions.sent(id, &[(7, 800)], 0).wait().unwrap();
    for reopened in [false, true] {
        let sessions = if reopened { open(&store) } else { Arc::clone(&sessions) };
        assert_eq!(sessions.head(id).unwrap(), 2);
        let found: Vec<_> = read_all(&sessions, id)
            .iter()
            .map(|queued| {
                let is_released = matches!(queued.stage, Stage::Released);
                (queued.seq, queued.packet_id, is_released, queued.was_sent)
            })
            .collect();
        let expected = [
            (2, None, false, true),
            (4, Some(4), true, true),
            (5, Some(700), true, true),
            (6, None, false, true),
            (7, Some(800), false, true),
            (8, None, false, false),
            (9, None, false, false),
            (10, None, false, false),
        ];
        assert_eq!(found, expected);
        assert_eq!(sessions.queued(id).unwrap().0, 8);
        assert_counts_agree(&*store, &sessions);
    }
    sessions.acknowledge(id, &[2, 4, 5, 6, 7, 8, 9, 10]).wait().unwrap();
    assert_eq!((sessions.queued(id).unwrap(), sessions.head(id).unwrap()), ((0, 0), 11));
    assert!(rows(&*store, b"session/packet/").is_empty() && rows(&*store, b"session/queue/").is_empty());
    assert_eq!(enqueue_all(&open(&store), id, [queued("next")]), [Some(11)], "numbers go on after a restart");
}

#[test]
fn what_is_on_its_way_to_the_disk_is_taken_into_account() {
    let store = SlowStore::new();
    let sessions = open(&store);
    let id = create(&sessions, "c");
    enqueue_all(&sessions, id, (0..6).map(|n| queued(format!("{n}"))));
    store.hold();
    drop(sessions.acknowledge(id, &[1, 3]));
    drop(sessions.acknowledge(id, &[3, 1]));
    drop(sessions.release(id, &[(4, 44)]));
    drop(sessions.sent(id, &[(5, 55)], 5));
    sessions.enqueue(Writes { messages: vec![(id, queued("late"))], received: vec![] }, Box::new(|_| {}));
    let found: Vec<_> = read_all(&sessions, id)
        .iter()
        .map(|queued| (queued.seq, matches!(queued.stage, Stage::Released), queued.packet_id))
        .collect();
    let expected = [(2, false, None), (4, true, Some(44)), (5, false, Some(55)), (6, false, None)];
    assert_eq!(found, expected, "gone is gone; what is not durable is not read");
    assert_eq!((sessions.head(id).unwrap(), sessions.queued(id).unwrap().0), (2, 5));
    drop(sessions.acknowledge(id, &[4, 2, 7]));
    assert_eq!((sessions.head(id).unwrap(), sessions.queued(id).unwrap().0), (5, 2));
    store.let_go();
    assert_eq!(numbers(&sessions, id), [5, 6]);
    assert_counts_agree(&*store, &sessions);
}

#[test]
fn the_newest_are_dropped_at_a_limit_unless_the_oldest_are() {
    let limits = QueueLimits { messages_max: 3, ..QueueLimits::default() };
    let store = MemoryStore::new();
    let sessions = limited(&store, limits);
    let (id, other) = (create(&sessions, "c"), create(&sessions, "other"));
    let five = || (0..5).map(|n| queued(format!("{n}")));
    assert_eq!(enqueue_all(&sessions, id, five()), [Some(1), Some(2), Some(3), None, None]);
    assert_eq!(enqueue_all(&sessions, other, five()).iter().flatten().count(), 3, "each has its own");
    sessions.acknowledge(id, &[2]).wait().unwrap();
    assert_eq!(enqueue_all(&sessions, id, five()), [Some(4), None, None, None, None], "there is room again");
    assert_eq!(numbers(&sessions, id), [1, 3, 4]);
    assert_counts_agree(&*store, &sessions);

    let sessions = limited(&store, QueueLimits { overflow: QueueOverflow::DropOldest, ..limits });
    assert_eq!(enqueue_all(&sessions, id, [queued("a")]), [Some(5)]);
    assert_eq!(numbers(&sessions, id), [3, 4, 5], "in the same batch the oldest is gone");
    assert_eq!(sessions.head(id).unwrap(), 3);
    assert_eq!(enqueue_all(&sessions, id, five()).iter().flatten().count(), 5, "also those that only just came");
    assert_eq!(numbers(&sessions, id), [8, 9, 10]);
    sessions.sent(id, &[], 9).wait().unwrap();
    assert_eq!(enqueue_all(&sessions, id, five()), [Some(11), Some(12), Some(13), Some(14), Some(15)]);
    assert_eq!(numbers(&sessions, id), [8, 9, 15], "what was sent is the client's too");
    sessions.sent(id, &[], 15).wait().unwrap();
    assert_eq!(enqueue_all(&sessions, id, [queued("a")]), [None]);
    assert_counts_agree(&*store, &sessions);
    // While the connection lasts this is known without the disk.
    sessions.acknowledge(id, &[8, 9, 15]).wait().unwrap();
    assert_eq!(enqueue_all(&sessions, id, five()).len(), 5);
    assert_eq!(numbers(&sessions, id), [18, 19, 20]);
    sessions.in_flight(id, 18).unwrap();
    assert_eq!(enqueue_all(&sessions, id, five()).iter().flatten().count(), 5);
    assert_eq!(numbers(&sessions, id), [18, 24, 25]);
}

#[test]
fn bytes_have_limits_of_a_session_and_of_all() {
    let store = MemoryStore::new();
    let limits = QueueLimits { bytes_max: 3_000, all_bytes_max: 7_000, ..QueueLimits::default() };
    let sessions = limited(&store, limits);
    let ids = ["a", "b", "c", "d"].map(|name| create(&sessions, name));
    let kilo = || queued(vec![1; 900]);
    assert_eq!(enqueue_all(&sessions, ids[0], [kilo(), kilo(), kilo(), kilo()]), [Some(1), Some(2), Some(3), None]);
    assert_eq!(enqueue_all(&sessions, ids[0], [queued("x")]), [Some(4)], "a small one has a place still");
    assert_eq!(enqueue_all(&sessions, ids[1], [queued(vec![1; 3_000])]), [None], "larger than the limit alone");
    assert_eq!(enqueue_all(&sessions, ids[1], [kilo(), kilo(), kilo()]).iter().flatten().count(), 3);
    assert_eq!(enqueue_all(&sessions, ids[2], [kilo(), kilo()]), [Some(1), None], "all together have a limit");
    assert!(sessions.totals().bytes <= 7_000);
    // Of its own, and only as many as helps.
    let sessions = limited(&store, QueueLimits { overflow: QueueOverflow::DropOldest, ..limits });
    assert_eq!(enqueue_all(&sessions, ids[3], [kilo()]), [None], "it has nothing to give up");
    assert_eq!(enqueue_all(&sessions, ids[2], [kilo()]), [Some(2)]);
    assert_eq!(numbers(&sessions, ids[2]), [2]);
    assert_eq!(enqueue_all(&sessions, ids[2], [queued(vec![1; 2_500])]), [None], "giving up all would not be enough");
    assert_eq!(numbers(&sessions, ids[2]), [2]);
    assert_counts_agree(&*store, &sessions);
    let sessions = limited(&store, QueueLimits { all_messages_max: 3, ..QueueLimits::default() });
    assert_eq!(enqueue_all(&sessions, ids[3], [queued("x")]), [None], "so do messages");
}

#[test]
fn many_sessions_and_large_messages_are_committed_in_parts_and_answered_once() {
    let store = MemoryStore::new();
    let sessions = open(&store);
    let ids: Vec<_> = (0..150).map(|n| create(&sessions, &format!("c{n}"))).collect();
    let shared = queued(vec![3; 200_000]);
    let gone = create(&sessions, "gone");
    sessions.remove(&client("gone"), gone).unwrap().wait().unwrap();
    let mut messages: Vec<_> = ids.iter().map(|id| (*id, shared.clone())).collect();
    messages.push((gone, shared.clone()));
    // 8 MB and more have no place in a batch of the store.
    messages.push((ids[0], queued(vec![4; 8 * 1_048_576])));
    let received = vec![(ids[0], 5), (ids[0], 65_535), (gone, 6)];
    let writes = Writes { messages, received };
    let enqueued = enqueue(&sessions, writes).unwrap();
    assert!(enqueued.iter().enumerate().all(|(place, e)| e.place == place && e.seq == (place < 150).then_some(1)));
    assert!(ids.iter().all(|id| seen(&read_all(&sessions, *id)) == [(1, Some(Bytes::from(vec![3; 200_000])))]));
    assert_eq!(sessions.received_ids(ids[0]).unwrap(), [5, 65_535]);
    assert_eq!(sessions.received_ids(gone).unwrap(), [], "nothing is written for who is gone");
    sessions.forget_received(ids[0], &[5, 9]).wait().unwrap();
    assert_eq!(open(&store).received_ids(ids[0]).unwrap(), [65_535]);
    assert_counts_agree(&*store, &sessions);
}

#[test]
fn a_closed_store_is_told_to_all_who_wait() {
    let store = MemoryStore::new();
    let sessions = open(&store);
    let id = create(&sessions, "c");
    store.close();
    let answer = enqueue(&sessions, Writes { messages: vec![(id, queued("x"))], received: vec![] });
    assert!(matches!(answer, Err(StoreError::Closed)));
    assert!(matches!(sessions.acknowledge(id, &[1]).wait(), Err(StoreError::Closed)));
    assert!(matches!(sessions.remove(&client("c"), id).unwrap().wait(), Err(StoreError::Closed)));
}

#[test]
fn concurrent_publishers_are_committed_in_the_order_of_the_numbers() {
    let directory = tempfile::tempdir().unwrap();
    let sessions = open(&disk(directory.path()));
    let id = create(&sessions, "c");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..50).for_each(|_| _ = enqueue_all(&sessions, id, [queued("a"), queued("b")])));
        }
        let mut last = 0;
        while last < 400 {
            let seqs: Vec<_> = sessions.read(id, last + 1, 1_000, usize::MAX).unwrap().iter().map(|q| q.seq).collect();
            assert_eq!(seqs, (last + 1..).take(seqs.len()).collect::<Vec<_>>(), "a reader sees no holes");
            last += seqs.len() as u64;
        }
    });
}

/// More sessions than have their counts in memory, and commits that take their time.
#[test]
fn counts_that_were_forgotten_are_read_again() {
    let store = SlowStore::new();
    let sessions = open(&store);
    let ids: Vec<_> = (0..20_000).map(|n| sessions.create(&client(&format!("c{n}")), 5, 60, None).unwrap().0).collect();
    let shared = queued("x");
    for round in 1..=4 {
        if round % 2 == 0 {
            store.hold();
        }
        for some in ids.chunks(1_000) {
            let messages: Vec<_> = some.iter().map(|id| (*id, shared.clone())).collect();
            let (sender, receiver) = std::sync::mpsc::sync_channel(1);
            let told = Box::new(move |answer| _ = sender.send(answer));
            sessions.enqueue(Writes { messages, received: Vec::new() }, told);
            if round % 2 == 1 {
                assert!(receiver.recv().unwrap().unwrap().iter().all(|enqueued| enqueued.seq == Some(round)));
            }
        }
        store.let_go();
    }
    assert!(ids.iter().step_by(97).all(|id| numbers(&sessions, *id) == [1, 2, 3, 4]));
    assert_counts_agree(&*store, &sessions);
}
