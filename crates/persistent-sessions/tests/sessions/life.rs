//! A session's life: made, found, resumed, disconnected, due.

use std::sync::Arc;

use bytes::Bytes;
use message::{Message, Properties};
use names::Timestamp;
use persistent_sessions::{Due, PersistentSessions, Presence, StoredWill};
use store::{MemoryStore, StoreError};

use crate::house::{SlowStore, at, client, create, disk, open, rows, will};

fn names(due: &[Due]) -> Vec<(String, &'static str)> {
    let name = |due: &Due| match due {
        Due::Expired { client_id, .. } => (client_id.to_string(), "expired"),
        Due::Will { client_id, .. } => (client_id.to_string(), "will"),
    };
    due.iter().map(name).collect()
}

fn disconnected(sessions: &PersistentSessions, name: &str, expiry: u32, will: Option<StoredWill>, now: Timestamp) {
    let id = create(sessions, name);
    sessions.disconnect(&client(name), id, expiry, will, now).unwrap().wait().unwrap();
}

#[test]
fn a_session_is_found_as_it_was_left_also_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let store = disk(directory.path());
    let sessions = open(&store);
    assert!(sessions.find(&client("c")).unwrap().is_none());
    let (id, ticket) = sessions.create(&client("c"), 5, 600, Some(will("gone", 30))).unwrap();
    ticket.wait().unwrap();
    let found = sessions.find(&client("c")).unwrap().unwrap();
    assert_eq!((found.id, found.protocol_level, found.expiry_seconds), (id, 5, 600));
    assert_eq!((found.presence, found.expires_at()), (Presence::Connected, None));
    assert!(!found.is_expired(Timestamp::from_millis(u64::MAX)), "the clock starts when the connection ends");
    sessions.disconnect(&client("c"), id, 700, Some(will("gone", 30)), at(1_000)).unwrap().wait().unwrap();
    drop((sessions, store));
    let store = disk(directory.path());
    let sessions = open(&store);
    let found = sessions.find(&client("c")).unwrap().unwrap();
    assert_eq!((found.id, found.presence), (id, Presence::Disconnected { since: at(1_000) }));
    assert_eq!(found.expires_at(), Some(at(1_700)));
    assert!(!found.is_expired(Timestamp::from_millis(1_699_999)) && found.is_expired(at(1_700)));
    let kept = found.will.clone().unwrap();
    assert_eq!((kept.delay_seconds, &kept.message.payload), (30, &Bytes::from("gone")));
    assert!(kept.message.origin.is_will);
    assert_eq!(kept.message.origin.client_id.as_deref(), Some("c"));
    sessions.resume(&client("c"), &found, u32::MAX, None).unwrap().wait().unwrap();
    let resumed = sessions.find(&client("c")).unwrap().unwrap();
    assert_eq!((resumed.id, resumed.presence, resumed.will.is_none()), (id, Presence::Connected, true));
    assert!(sessions.due(at(1_000_000), 10).unwrap().is_empty(), "nothing of a connected session is due");
    assert!(rows(&*store, b"session/due/").is_empty() && rows(&*store, b"session/will/").is_empty());
    // 0xFFFFFFFF does not expire [MQTT-3.1.2-11.2].
    sessions.disconnect(&client("c"), id, u32::MAX, None, at(1_000)).unwrap().wait().unwrap();
    assert_eq!(sessions.find(&client("c")).unwrap().unwrap().expires_at(), None);
    assert!(sessions.due(Timestamp::from_millis(u64::MAX), 10).unwrap().is_empty());
}

#[test]
fn a_will_as_large_as_connect_allows_is_kept_whole() {
    let directory = tempfile::tempdir().unwrap();
    let sessions = open(&disk(directory.path()));
    let message = |bytes: usize| {
        let mut large = Message::clone(&will("", 0).message);
        large.payload = vec![7; bytes].into();
        large.properties = Some(Arc::new(Properties {
            correlation_data: Some(vec![8; 65_535].into()),
            user_properties: vec![("n".into(), "v".repeat(bytes).into())],
            ..Properties::default()
        }));
        StoredWill { message: Arc::new(large), delay_seconds: 9 }
    };
    let (id, ticket) = sessions.create(&client("c"), 5, 600, Some(message(65_535))).unwrap();
    ticket.wait().unwrap();
    let kept = |bytes: usize| {
        let kept = sessions.find(&client("c")).unwrap().unwrap().will.unwrap();
        assert_eq!(format!("{:?}", kept.message), format!("{:?}", message(bytes).message));
    };
    kept(65_535);
    // A smaller one leaves nothing of the larger one behind.
    sessions.disconnect(&client("c"), id, 600, Some(message(10)), at(0)).unwrap().wait().unwrap();
    kept(10);
}

/// MQTT 5, 3.1.3.2.2: the will is published when its delay or the session is over, whichever is first.
#[test]
fn what_is_due_comes_in_the_order_of_its_times() {
    let sessions = open(&MemoryStore::new());
    disconnected(&sessions, "ends at 50", 50, None, at(0));
    disconnected(&sessions, "will at 20", 100, Some(will("w", 20)), at(0));
    disconnected(&sessions, "ends at 30, will later", 30, Some(will("w", 500)), at(0));
    disconnected(&sessions, "will at 40, no end", u32::MAX, Some(will("w", 30)), at(10));
    disconnected(&sessions, "no end", u32::MAX, None, at(0));
    create(&sessions, "connected");
    let due = |seconds, limit| names(&sessions.due(at(seconds), limit).unwrap());
    let named = |list: &[(&str, &'static str)]| list.iter().map(|(a, b)| ((*a).to_owned(), *b)).collect::<Vec<_>>();
    assert_eq!(due(19, 10), []);
    let all = [
        ("will at 20", "will"),
        ("ends at 30, will later", "expired"),
        ("will at 40, no end", "will"),
        ("ends at 50", "expired"),
    ];
    assert_eq!(due(60, 10), named(&all));
    assert_eq!(due(60, 2), named(&all[..2]), "at most so many");
    assert_eq!(due(30, 10), named(&all[..2]), "at its very time");
    for found in sessions.due(at(60), 10).unwrap() {
        match found {
            Due::Will { client_id, session } => {
                sessions.will_published(&client_id, session.id).unwrap().wait().unwrap();
                assert!(sessions.find(&client_id).unwrap().unwrap().will.is_none());
            }
            Due::Expired { client_id, session } => {
                assert_eq!(session.will.is_some(), client_id.as_str().ends_with("later"));
                sessions.remove(&client_id, session.id).unwrap().wait().unwrap();
                assert!(sessions.find(&client_id).unwrap().is_none());
            }
        }
    }
    assert_eq!(due(99, 10), []);
    assert_eq!(due(1_000, 10), named(&[("will at 20", "expired")]), "after its will comes its end");
}

#[test]
fn a_will_that_was_published_while_its_client_came_back_leaves_the_new_one() {
    let sessions = open(&MemoryStore::new());
    disconnected(&sessions, "c", 100, Some(will("old", 5)), at(0));
    let found = sessions.find(&client("c")).unwrap().unwrap();
    sessions.resume(&client("c"), &found, 100, Some(will("new", 5))).unwrap().wait().unwrap();
    sessions.will_published(&client("c"), found.id).unwrap().wait().unwrap();
    assert_eq!(sessions.find(&client("c")).unwrap().unwrap().will.unwrap().message.payload, "new");
}

#[test]
fn those_whom_a_crash_left_connected_are_found_until_they_are_dealt_with() {
    let store = MemoryStore::new();
    let earlier = open(&store);
    for n in 0..5 {
        create(&earlier, &format!("left-{n}"));
    }
    disconnected(&earlier, "away", 100, None, at(0));
    drop(earlier);
    let sessions = open(&store);
    create(&sessions, "of this run");
    let left = |limit| {
        let left = sessions.left_connected(limit).unwrap();
        left.into_iter().map(|(client_id, _)| client_id.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(left(2), ["left-0", "left-1"]);
    assert_eq!(left(10).len(), 5);
    // One comes back by itself, one is disconnected by the roof, one is gone.
    let back = sessions.find(&client("left-0")).unwrap().unwrap();
    sessions.resume(&client("left-0"), &back, 100, None).unwrap().wait().unwrap();
    let away = sessions.find(&client("left-1")).unwrap().unwrap();
    sessions.disconnect(&client("left-1"), away.id, 100, None, at(7)).unwrap().wait().unwrap();
    create(&sessions, "left-2");
    assert_eq!(left(10), ["left-3", "left-4"]);
    assert_eq!(rows(&*store, b"session/online/").len(), 5);
    drop(sessions);
    let mut all: Vec<_> = open(&store).left_connected(10).unwrap().into_iter().map(|(c, _)| c.to_string()).collect();
    all.sort();
    assert_eq!(all, ["left-0", "left-2", "left-3", "left-4", "of this run"], "two runs later");
}

#[test]
fn what_is_not_durable_yet_is_seen_by_who_asks() {
    let store = SlowStore::new();
    let sessions = open(&store);
    store.hold();
    let (id, created) = sessions.create(&client("c"), 4, 60, Some(will("w", 1))).unwrap();
    let found = sessions.find(&client("c")).unwrap().unwrap();
    assert_eq!((found.id, found.will.is_some()), (id, true));
    let left = sessions.disconnect(&client("c"), id, 60, None, at(5)).unwrap();
    assert_eq!(names(&sessions.due(at(65), 9).unwrap()), [("c".to_owned(), "expired")]);
    let removed = sessions.remove(&client("c"), id).unwrap();
    assert!(sessions.find(&client("c")).unwrap().is_none());
    assert!(sessions.due(at(65), 9).unwrap().is_empty());
    let refused = sessions.disconnect(&client("c"), id, 60, None, at(5)).unwrap_err();
    assert!(matches!(refused, StoreError::Conflict));
    assert_eq!(rows(&*store, b"session/client/").len(), 0, "none of it is on the disk");
    store.let_go();
    for ticket in [created, left, removed] {
        ticket.wait().unwrap();
    }
    let rest: Vec<_> = rows(&*store, b"session/").into_iter().map(|row| String::from_utf8(row.key).unwrap()).collect();
    assert_eq!(rest, ["session/next", "session/total"], "nothing is left of it");
}

#[test]
fn ids_are_never_given_out_twice() {
    let store = MemoryStore::new();
    let mut last = 0;
    for _ in 0..3 {
        let sessions = open(&store);
        for _ in 0..3 {
            let id = create(&sessions, "c").get();
            assert!(id > last);
            last = id;
        }
    }
    let long = client(&"x".repeat(65_535));
    let refused = open(&store).create(&long, 5, 1, None).unwrap_err();
    assert!(matches!(refused, StoreError::TooLarge(_)));
}
