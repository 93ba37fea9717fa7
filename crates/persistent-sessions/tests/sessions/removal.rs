//! A session that is gone leaves nothing, at the latest after a sweep; one of the same client id sees nothing of it.

use message::QoS;
use names::Dialect;
use persistent_sessions::Writes;
use store::{MemoryStore, Store};

use crate::house::{
    SlowStore, assert_counts_agree, client, create, disk, enqueue, enqueue_all, filter, open, options, queued,
    read_all, rows, topic, will,
};

fn keys_left(store: &dyn Store) -> Vec<String> {
    rows(store, b"session/").into_iter().map(|row| row.key.escape_ascii().to_string()).collect()
}

#[test]
fn a_session_that_is_made_anew_sees_nothing_old() {
    let directory = tempfile::tempdir().unwrap();
    let store = disk(directory.path());
    let sessions = open(&store);
    let (old, _) = sessions.create(&client("c"), 5, 600, Some(will("old", 1))).unwrap();
    let plain = options(QoS::AtLeastOnce, Dialect::Mqtt);
    let both = [(filter("a/#"), plain), (filter("$share/g/a/#"), plain)];
    sessions.subscribe(&client("c"), old, &both).unwrap().wait().unwrap();
    let messages = (0..50).map(|n| (old, queued(format!("{n}")))).collect();
    enqueue(&sessions, Writes { messages, received: vec![(old, 9)] }).unwrap();
    sessions.sent(old, &[(1, 500)], 3).wait().unwrap();
    assert_eq!(sessions.reached(&topic("a/b")).unwrap().len(), 2);

    let new = create(&sessions, "c");
    assert!(new > old);
    let found = sessions.find(&client("c")).unwrap().unwrap();
    assert_eq!((found.id, found.will.is_none()), (new, true));
    assert!(sessions.reached(&topic("a/b")).unwrap().is_empty());
    for id in [old, new] {
        assert!(read_all(&sessions, id).is_empty() && sessions.subscriptions(id).unwrap().is_empty());
        assert!(sessions.received_ids(id).unwrap().is_empty());
        assert_eq!((sessions.queued(id).unwrap(), sessions.head(id).unwrap()), ((0, 0), 1));
    }
    assert_eq!(enqueue_all(&sessions, old, [queued("late")]), [None], "who is gone gets nothing");
    sessions.acknowledge(old, &[1]).wait().unwrap();
    sessions.sent(old, &[(1, 9)], 1).wait().unwrap();
    assert_counts_agree(&*store, &sessions);
    sessions.remove(&client("c"), old).unwrap().wait().unwrap();
    assert_eq!(
        sessions.find(&client("c")).unwrap().unwrap().id,
        new,
        "removing who is gone does not touch the new one"
    );
    sessions.remove(&client("c"), new).unwrap().wait().unwrap();
    assert!(!sessions.sweep(1_000).unwrap());
    store.commit(store::Batch::new()).wait().unwrap();
    assert_eq!(keys_left(&*store), ["session/next", "session/total"]);
}

#[test]
fn a_long_queue_goes_piece_by_piece_and_counts_no_more_at_once() {
    let store = MemoryStore::new();
    let sessions = open(&store);
    let (id, other) = (create(&sessions, "c"), create(&sessions, "other"));
    enqueue_all(&sessions, id, (0..5_000).map(|_| queued("x")));
    enqueue_all(&sessions, other, [queued("y")]);
    sessions.remove(&client("c"), id).unwrap().wait().unwrap();
    assert_eq!((sessions.totals().messages, sessions.totals().sessions), (1, 1));
    let left = || rows(&*store, b"session/queue/").len();
    store.commit(store::Batch::new()).wait().unwrap();
    assert!((3_000..5_000).contains(&left()), "not more than a piece at once: {}", left());
    // A restart in the middle.
    let sessions = open(&store);
    assert!(sessions.sweep(1_000).unwrap());
    let mut calls = 0;
    while left() > 1 {
        sessions.sweep(1_000).unwrap();
        store.commit(store::Batch::new()).wait().unwrap();
        calls += 1;
        assert!(calls < 20, "it comes to an end");
    }
    assert_eq!(rows(&*store, b"session/purge/").len(), 0);
    assert_eq!(read_all(&sessions, other).len(), 1);
    assert_counts_agree(&*store, &sessions);
}

#[test]
fn rows_that_were_on_their_way_when_their_session_went_are_swept_too() {
    let store = SlowStore::new();
    let sessions = open(&store);
    let id = create(&sessions, "c");
    store.hold();
    let messages = (0..3).map(|_| (id, queued("x"))).collect();
    sessions.enqueue(Writes { messages, received: vec![(id, 4)] }, Box::new(|_| {}));
    drop(sessions.remove(&client("c"), id).unwrap());
    assert!(sessions.sweep(10).unwrap(), "what is on its way cannot be deleted yet");
    store.let_go();
    assert_eq!(rows(&*store, b"session/queue/").len(), 3);
    while sessions.sweep(10).unwrap() {}
    store.let_go();
    assert_eq!(keys_left(&*store), ["session/next", "session/total"]);
}

#[test]
fn very_many_subscriptions_go_with_their_session() {
    let store = MemoryStore::new();
    let sessions = open(&store);
    let id = create(&sessions, "c");
    let plain = options(QoS::AtLeastOnce, Dialect::Mqtt);
    // Long ones too: several batches.
    let long = "x".repeat(60_000);
    let asked: Vec<_> = (0..20_000)
        .map(|n| (filter(&if n % 100 == 0 { format!("{n}/{long}/+") } else { format!("{n}/+") }), plain))
        .collect();
    sessions.subscribe(&client("c"), id, &asked).unwrap().wait().unwrap();
    assert_eq!(rows(&*store, b"session/index/").len(), 20_000);
    sessions.remove(&client("c"), id).unwrap().wait().unwrap();
    assert!(sessions.is_empty());
    sessions.sweep(10).unwrap();
    store.commit(store::Batch::new()).wait().unwrap();
    assert_eq!(keys_left(&*store), ["session/next", "session/total"]);
}
