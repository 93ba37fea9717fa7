//! What is on the disk of retained messages: both formats, properties and expiry (docs/disk-format.md).

use std::sync::Arc;

use message::{Message, PayloadFormat, Properties, QoS, SubscribeOptions, TopicName};
use names::Timestamp;
use persistent_sessions::QueueLimits;
use router::{Delivery, Router};
use store::{Batch, Direction, MemoryStore, Store};

use crate::switch::{Mode, over_a_switch};
use crate::{NOW, connection, filter, message, plain};

const RECEIVED_MILLIS: [u8; 8] = NOW.as_millis().to_be_bytes();

fn after(millis: u64) -> Timestamp {
    Timestamp::from_millis(NOW.as_millis() + millis)
}

fn open(store: &Arc<MemoryStore>) -> Arc<Router> {
    Router::open(Arc::clone(store) as Arc<dyn Store>, QueueLimits::default()).unwrap()
}

fn put(store: &Arc<MemoryStore>, rows: &[(&[u8], Vec<u8>)]) {
    let batch = rows.iter().fold(Batch::new(), |batch, (key, value)| batch.put(*key, value.clone()));
    store.commit(batch).wait().unwrap();
}

fn rows(store: &Arc<MemoryStore>) -> Vec<(Vec<u8>, Vec<u8>)> {
    let rows = store.range(b"retained/", b"retained0", 100, Direction::Forward).unwrap();
    rows.into_iter().map(|row| (row.key, row.value)).collect()
}

fn found(router: &Arc<Router>, text: &str, options: SubscribeOptions, now: Timestamp) -> Vec<Delivery> {
    let mut cursor = connection(router, "c").retained(&filter(text), options).unwrap();
    let mut found = Vec::new();
    loop {
        let page = cursor.next_page(now).unwrap();
        if page.is_empty() {
            return found;
        }
        found.extend(page);
    }
}

fn one(router: &Arc<Router>, topic: &str, now: Timestamp) -> Option<Arc<Message>> {
    router.retained_message(&TopicName::new(topic.to_owned()).unwrap(), now).unwrap()
}

fn retain(router: &Arc<Router>, message: Message) {
    router.publish(message).0.retained.unwrap().wait().unwrap();
}

fn expiring(topic: &str, seconds: u32) -> Message {
    let properties = Properties { expiry_seconds: Some(seconds), ..Properties::default() };
    Message { properties: Some(Arc::new(properties)), ..message(topic, "soon gone", QoS::AtLeastOnce, true) }
}

/// Format 1: format, QoS, time of receipt, length of the payload, payload; it goes on in further chunks.
#[test]
fn format_1_is_read() {
    let store = MemoryStore::new();
    let header = |bytes: u32| [&[1, 1][..], &RECEIVED_MILLIS, &bytes.to_be_bytes()].concat();
    put(
        &store,
        &[
            (b"retained/old\0\0\0", [&header(5)[..], b"hello"].concat()),
            (b"retained/old/long\0\0\0", [&header(8)[..], b"four"].concat()),
            (b"retained/old/long\0\0\x01", b"more".to_vec()),
        ],
    );
    let router = open(&store);
    let found = found(&router, "old/#", plain(QoS::ExactlyOnce), after(u64::from(u32::MAX)));
    let seen: Vec<_> = found
        .iter()
        .map(|delivery| (delivery.message.topic.as_str(), &delivery.message.payload[..], delivery.qos))
        .collect();
    assert_eq!(seen, [("old", &b"hello"[..], QoS::AtLeastOnce), ("old/long", &b"fourmore"[..], QoS::AtLeastOnce)]);
    assert!(found.iter().all(|delivery| delivery.retain && delivery.message.properties.is_none()));
    assert!(found.iter().all(|delivery| delivery.message.received_at == NOW));
    let page = router.retained_topics(None, 10, NOW).unwrap();
    let listed: Vec<_> = page.topics.iter().map(|entry| (entry.topic.as_str(), entry.payload_bytes)).collect();
    assert_eq!(listed, [("old", 5), ("old/long", 8)]);
    // A new message takes the place of all of the old one.
    retain(&router, message("old/long", "new", QoS::AtMostOnce, true));
    assert_eq!(one(&router, "old/long", NOW).unwrap().payload, "new");
    assert_eq!(rows(&store).len(), 2);
}

/// Format 2: format, QoS, time of receipt, lengths of payload and properties, when its time is over (0 for never),
/// properties, payload.
#[test]
fn format_2_is_written_and_read() {
    let store = MemoryStore::new();
    let router = open(&store);
    retain(&router, message("a", "hello", QoS::ExactlyOnce, true));
    let value = [&[2, 2][..], &RECEIVED_MILLIS, &[0, 0, 0, 5], &[0, 0, 0, 0], &[0; 8], b"hello"].concat();
    assert_eq!(rows(&store), [(b"retained/a\0\0\0".to_vec(), value.clone())]);
    retain(&router, expiring("a", 10));
    let over = (NOW.as_millis() + 10_000).to_be_bytes();
    assert_eq!(rows(&store)[0].1[18..26], over);

    put(&store, &[(b"retained/by hand\0\0\0", value)]);
    let read = one(&router, "by hand", after(u64::from(u32::MAX))).unwrap();
    assert_eq!((&read.payload[..], read.qos, read.received_at), (&b"hello"[..], QoS::ExactlyOnce, NOW));
    assert!(read.retain && read.properties.is_none());
}

/// What no version wrote is an error where it is asked for by name, and nobody's message otherwise.
#[test]
fn what_cannot_be_read_is_said() {
    let store = MemoryStore::new();
    let header = |format: u8, bytes: u32| [&[format, 1][..], &RECEIVED_MILLIS, &bytes.to_be_bytes()].concat();
    put(
        &store,
        &[
            (b"retained/t/format\0\0\0", header(3, 0)),
            (b"retained/t/good\0\0\0", [&header(1, 1)[..], b"x"].concat()),
            (b"retained/t/short\0\0\0", [&header(1, 9)[..], b"x"].concat()),
            (b"retained/t/torn\0\0\0", vec![1]),
        ],
    );
    let router = open(&store);
    for topic in ["t/format", "t/short", "t/torn"] {
        assert!(router.retained_message(&TopicName::new(topic).unwrap(), NOW).is_err(), "{topic}");
    }
    let found = found(&router, "t/#", plain(QoS::AtMostOnce), NOW);
    assert_eq!(found.iter().map(|delivery| delivery.message.topic.to_string()).collect::<Vec<_>>(), ["t/good"]);
}

/// [MQTT-3.3.2-4], [MQTT-3.3.2-15] to [MQTT-3.3.2-20]: properties are kept with the message, also over several chunks;
/// the identifier is that of the new subscription [MQTT-3.3.4-3].
#[test]
fn properties_are_kept() {
    let properties = Properties {
        payload_format: Some(PayloadFormat::Utf8),
        expiry_seconds: Some(100),
        content_type: Some("text/plain".into()),
        response_topic: Some(TopicName::new("answer").unwrap()),
        correlation_data: Some(vec![7; 60_000].into()),
        user_properties: (0..40).map(|n| ("name".into(), format!("{n}{}", "x".repeat(6_000)).into())).collect(),
    };
    let store = MemoryStore::new();
    let payload: Vec<u8> = (0..300_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    let message = Message { properties: Some(Arc::new(properties)), ..message("t", payload, QoS::AtLeastOnce, true) };
    retain(&open(&store), message.clone());
    assert!(rows(&store).len() > 2, "several chunks");
    let router = open(&store);
    let read = one(&router, "t", after(1)).unwrap();
    assert_eq!(read.properties, message.properties);
    assert_eq!(read.payload, message.payload);
    let with_id = SubscribeOptions { subscription_id: Some(5), ..plain(QoS::AtMostOnce) };
    let found = found(&router, "#", with_id, after(1));
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].message.properties.as_ref(), found[0].qos), (message.properties.as_ref(), QoS::AtMostOnce));
    assert_eq!(found[0].subscription_ids(), [5]);
}

/// [MQTT-3.3.2-5]: whose time is over is nobody's any more, by no way, and leaves the disk when it is come across. What
/// is left of the time goes along with the message.
#[test]
fn retained_messages_expire() {
    let store = MemoryStore::new();
    let router = open(&store);
    retain(&router, expiring("t/soon", 10));
    retain(&router, expiring("t/late", 1_000));
    retain(&router, message("t/never", "x", QoS::AtMostOnce, true));
    let topics = |now| -> Vec<String> {
        let found = found(&router, "t/#", plain(QoS::AtLeastOnce), now);
        found.iter().map(|delivery| delivery.message.topic.to_string()).collect()
    };
    let listed = |now| -> Vec<String> {
        let page = router.retained_topics(None, 10, now).unwrap();
        page.topics.iter().map(|entry| entry.topic.to_string()).collect()
    };
    let all = ["t/late", "t/never", "t/soon"];
    assert_eq!(
        (topics(after(9_999)), listed(after(9_999))),
        (all.map(String::from).to_vec(), all.map(String::from).to_vec())
    );
    assert_eq!(one(&router, "t/soon", after(3_500)).unwrap().expiry_millis_left(after(3_500)), Some(6_500));
    assert!(one(&router, "t/soon", after(10_000)).is_none());
    assert_eq!(listed(after(10_000)), ["t/late", "t/never"]);
    assert_eq!(rows(&store).len(), 3);
    assert_eq!(topics(after(10_000)), ["t/late", "t/never"]);
    // The removal went to the writer before this commit.
    put(&store, &[(b"x", vec![])]);
    assert_eq!(rows(&store).len(), 2);
    assert_eq!(topics(after(1_000_000)), ["t/never"]);
}

/// A new message is not taken away for the time of the one that it replaces.
#[test]
fn a_message_that_replaces_an_expired_one_stays() {
    let store = MemoryStore::new();
    let router = open(&store);
    retain(&router, expiring("t", 1));
    let mut cursor = connection(&router, "c").retained(&filter("t"), plain(QoS::AtLeastOnce)).unwrap();
    retain(&router, message("t", "new", QoS::AtMostOnce, true));
    assert_eq!(cursor.next_page(after(5_000)).unwrap().len(), 1);
    assert_eq!(one(&router, "t", after(5_000)).unwrap().payload, "new");
}

/// Whoever publishes need not wait for the disk; what is on it counts all the same, and what did not get there does not.
#[test]
fn a_write_that_nobody_waits_for() {
    let (switch, router) = over_a_switch();
    let topics = || router.retained_topics(None, 10, NOW).unwrap().topics.len();
    switch.set(Mode::RefuseCommits);
    drop(router.publish(message("t", "lost", QoS::AtMostOnce, true)));
    assert!(one(&router, "t", NOW).is_none());
    assert_eq!((topics(), found(&router, "#", plain(QoS::AtMostOnce), NOW).len()), (0, 0));

    switch.set(Mode::Hold);
    drop(router.publish(message("t", "kept", QoS::AtMostOnce, true)));
    assert_eq!(one(&router, "t", NOW).unwrap().payload, "kept");
    switch.release();
    assert_eq!(one(&router, "t", NOW).unwrap().payload, "kept");
    assert_eq!((topics(), found(&router, "#", plain(QoS::AtMostOnce), NOW).len()), (1, 1));
    // Somebody else takes it off the disk.
    switch.set(Mode::Apply);
    switch.commit(Batch::new().delete(&b"retained/t\0\0\0"[..])).wait().unwrap();
    assert!(one(&router, "t", NOW).is_none());
    assert_eq!((topics(), found(&router, "#", plain(QoS::AtMostOnce), NOW).len()), (0, 0));
}

/// The number of topics is that of the store: what fails does not count, and what is removed twice counts once.
#[test]
fn retained_topics_are_counted() {
    let (switch, router) = over_a_switch();
    let refused = |payload: &'static str| {
        switch.set(Mode::RefuseCommits);
        let write = router.publish(message("t", payload, QoS::AtMostOnce, true)).0.retained.unwrap();
        assert!(write.wait().is_err());
        switch.set(Mode::Apply);
        router.retained_count()
    };
    assert_eq!(refused("x"), 0);
    retain(&router, message("t", "x", QoS::AtMostOnce, true));
    retain(&router, message("t", "y", QoS::AtMostOnce, true));
    retain(&router, expiring("u", 10));
    assert_eq!(refused(""), 2);
    // Two subscribers come across the same message, before its removal is on the disk.
    switch.set(Mode::Hold);
    for _ in 0..2 {
        assert_eq!(found(&router, "#", plain(QoS::AtMostOnce), after(10_000)).len(), 1);
    }
    switch.release();
    switch.set(Mode::Apply);
    assert_eq!(router.retained_count(), 1);
    let reopened = Router::open(Arc::clone(&switch) as Arc<dyn Store>, QueueLimits::default()).unwrap();
    assert_eq!(reopened.retained_count(), 1);
    retain(&router, message("t", "", QoS::AtMostOnce, true));
    retain(&router, message("t", "", QoS::AtMostOnce, true));
    assert_eq!(router.retained_count(), 0);
    // A removal may have properties, and what it removes may still be on its way.
    let removal = || Message { payload: bytes::Bytes::new(), ..expiring("t", 10) };
    switch.set(Mode::Hold);
    for message in [expiring("t", 10), removal(), removal(), expiring("t", 10)] {
        drop(router.publish(message));
    }
    switch.release();
    assert_eq!(router.retained_count(), 1);
}
