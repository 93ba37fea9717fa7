//! The router as its callers see it: subscribers, publishers and retained messages over the store in memory.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs, reason = "test code")]

use std::sync::Arc;

use bytes::Bytes;
use message::{Message, Origin, QoS, TopicFilter, TopicName};
use names::{Dialect, Timestamp, limits};
use router::{Delivery, Router, SubscribeOptions, Subscriber};
use store::{Batch, Direction, Entry, MemoryStore, Store, StoreError, Ticket, Versioned, Watch};

fn message(topic: &str, payload: impl Into<Bytes>, qos: QoS, retain: bool) -> Message {
    Message {
        topic: TopicName::new(topic).unwrap(),
        payload: payload.into(),
        qos,
        retain,
        received_at: Timestamp::from_millis(1_700_000_000_123),
        origin: Arc::new(Origin::default()),
    }
}

fn options(qos: QoS, dialect: Dialect) -> SubscribeOptions {
    SubscribeOptions { qos, dialect }
}

fn filter(text: &str) -> TopicFilter {
    TopicFilter::new(text).unwrap()
}

fn received(subscriber: &Subscriber) -> Vec<(String, String, QoS)> {
    let mut deliveries = Vec::new();
    subscriber.mailbox().drain(&mut deliveries, usize::MAX);
    deliveries.iter().map(described).collect()
}

fn described(delivery: &Delivery) -> (String, String, QoS) {
    let message = &delivery.message;
    (message.topic.to_string(), String::from_utf8_lossy(&message.payload).into_owned(), delivery.qos)
}

fn retained(subscriber: &Subscriber, text: &str, dialect: Dialect) -> Vec<String> {
    let options = options(QoS::AtLeastOnce, dialect);
    let Some(mut cursor) = subscriber.retained(&filter(text), options) else { return Vec::new() };
    let mut found = Vec::new();
    loop {
        let page = cursor.next_page().unwrap();
        if page.is_empty() {
            break;
        }
        assert!(page.iter().all(|delivery| delivery.retain));
        found.extend(page.iter().map(|delivery| delivery.message.topic.to_string()));
    }
    found.sort();
    found
}

#[test]
fn each_subscriber_gets_one_copy_at_its_highest_qos() {
    let router = Router::new(MemoryStore::new());
    let subscriber = router.connection();
    subscriber.subscribe(filter("a/#"), options(QoS::AtMostOnce, Dialect::Mqtt));
    subscriber.subscribe(filter("a/+"), options(QoS::AtLeastOnce, Dialect::Mqtt));
    let other = router.connection();
    other.subscribe(filter("a/b"), options(QoS::AtMostOnce, Dialect::Mqtt));
    let published = router.publish(message("a/b", "x", QoS::AtLeastOnce, false));
    assert_eq!(published.delivered, 2);
    assert_eq!(received(&subscriber), [("a/b".into(), "x".into(), QoS::AtLeastOnce)]);
    assert_eq!(received(&other), [("a/b".into(), "x".into(), QoS::AtMostOnce)]);
}

#[test]
fn a_publisher_sees_subscriptions_come_and_go() {
    let router = Router::new(MemoryStore::new());
    let mut publisher = router.publisher();
    let mut publish = |expected: usize| {
        assert_eq!(publisher.publish(message("t", "x", QoS::AtMostOnce, false)).delivered, expected);
    };
    publish(0);
    let subscriber = router.connection();
    subscriber.subscribe(filter("t"), options(QoS::AtMostOnce, Dialect::Mqtt));
    publish(1);
    subscriber.subscribe(filter("t"), options(QoS::AtLeastOnce, Dialect::Mqtt));
    publish(1);
    assert!(subscriber.unsubscribe(&filter("t")));
    assert!(!subscriber.unsubscribe(&filter("t")));
    publish(0);
    subscriber.subscribe(filter("t"), options(QoS::AtMostOnce, Dialect::Mqtt));
    drop(subscriber);
    publish(0);
    assert_eq!(router.metrics().subscriptions.load(std::sync::atomic::Ordering::Relaxed), 0);
}

#[test]
fn a_hash_matches_its_parent_in_one_dialect_only() {
    let router = Router::new(MemoryStore::new());
    let (aws, mqtt) = (router.connection(), router.connection());
    aws.subscribe(filter("a/#"), options(QoS::AtMostOnce, Dialect::Aws));
    mqtt.subscribe(filter("a/#"), options(QoS::AtMostOnce, Dialect::Mqtt));
    assert_eq!(router.publish(message("a", "x", QoS::AtMostOnce, false)).delivered, 1);
    assert_eq!(received(&aws), []);
    assert_eq!(received(&mqtt).len(), 1);
}

#[tokio::test]
async fn retained_messages_are_replaced_removed_and_found_by_filter() {
    let router = Router::new(MemoryStore::new());
    let subscriber = router.connection();
    let topics = ["a", "a/b", "a/b/c", "a1/b", "b", "$SYS/x", "a/\u{1}"];
    for topic in topics {
        let write = router.publish(message(topic, "1", QoS::AtLeastOnce, true)).retained.unwrap();
        write.await.unwrap();
    }
    let check = |text: &str, expected: &[&str]| {
        assert_eq!(retained(&subscriber, text, Dialect::Mqtt), expected, "{text}");
    };
    check("a", &["a"]);
    check("a/b", &["a/b"]);
    check("a/#", &["a", "a/\u{1}", "a/b", "a/b/c"]);
    check("a/+", &["a/\u{1}", "a/b"]);
    check("+/b", &["a/b", "a1/b"]);
    check("#", &["a", "a/\u{1}", "a/b", "a/b/c", "a1/b", "b"]);
    check("$SYS/#", &["$SYS/x"]);
    check("nothing/#", &[]);
    router.publish(message("a/b", "", QoS::AtMostOnce, true)).retained.unwrap().await.unwrap();
    router.publish(message("a/b/c", "live", QoS::AtMostOnce, false)).retained.is_none().then_some(()).unwrap();
    check("a/#", &["a", "a/\u{1}", "a/b/c"]);
    assert_eq!(retained(&subscriber, "a/#", Dialect::Aws), [""; 0], "AWS: no retained messages for wildcards");
    assert_eq!(retained(&subscriber, "a", Dialect::Aws), ["a"]);
}

#[tokio::test]
async fn retained_messages_come_back_whole_with_their_qos_and_in_pages() {
    let router = Router::new(MemoryStore::new());
    let subscriber = router.connection();
    let huge: Vec<u8> = (0..limits::PACKET_BYTES_MAX).map(|n| n.to_le_bytes()[0]).collect();
    for number in 0..200 {
        let message = message(&format!("t/{number:03}"), format!("{number}"), QoS::AtLeastOnce, true);
        router.publish(message).retained.unwrap().await.unwrap();
    }
    router.publish(message("t/100/huge", huge.clone(), QoS::AtMostOnce, true)).retained.unwrap().await.unwrap();
    assert_eq!(retained(&subscriber, "t/#", Dialect::Mqtt).len(), 201);
    let mut cursor = subscriber.retained(&filter("t/100/huge"), options(QoS::AtLeastOnce, Dialect::Mqtt)).unwrap();
    let page = cursor.next_page().unwrap();
    assert_eq!(page[0].message.payload, huge);
    assert_eq!(page[0].qos, QoS::AtMostOnce);
    assert_eq!(page[0].message.received_at, Timestamp::from_millis(1_700_000_000_123));
    // Shorter now: none of the old chunks may be left.
    router.publish(message("t/100/huge", "small", QoS::AtMostOnce, true)).retained.unwrap().await.unwrap();
    let mut cursor = subscriber.retained(&filter("t/100/huge"), options(QoS::AtLeastOnce, Dialect::Mqtt)).unwrap();
    assert_eq!(cursor.next_page().unwrap()[0].message.payload, "small");
}

type Answer = tokio::sync::oneshot::Sender<Result<store::Version, StoreError>>;

/// A store whose commits are applied when the test says so.
struct Held {
    inner: Arc<MemoryStore>,
    waiting: std::sync::Mutex<Vec<(Batch, Answer)>>,
}

impl Held {
    fn release(&self) {
        for (batch, answer) in self.waiting.lock().unwrap().drain(..) {
            answer.send(self.inner.commit(batch).wait()).unwrap();
        }
    }
}

impl Store for Held {
    fn get(&self, key: &[u8]) -> Result<Option<Versioned>, StoreError> {
        self.inner.get(key)
    }

    fn range(&self, from: &[u8], to: &[u8], limit: usize, direction: Direction) -> Result<Vec<Entry>, StoreError> {
        self.inner.range(from, to, limit, direction)
    }

    fn commit(&self, batch: Batch) -> Ticket {
        let (answer, ticket) = Ticket::new();
        self.waiting.lock().unwrap().push((batch, answer));
        ticket
    }

    fn watch(&self, prefix: &[u8]) -> Watch {
        self.inner.watch(prefix)
    }
}

/// A subscriber who comes between a publish and its commit must not miss both the live and the retained copy.
#[test]
fn a_retained_message_is_seen_while_it_is_on_its_way_to_the_disk() {
    let held = Arc::new(Held { inner: MemoryStore::new(), waiting: std::sync::Mutex::default() });
    let router = Router::new(Arc::clone(&held) as Arc<dyn Store>);
    let subscriber = router.connection();
    let huge = vec![7; 300_000];
    let first = router.publish(message("t", huge, QoS::AtMostOnce, true)).retained.unwrap();
    assert_eq!(retained(&subscriber, "#", Dialect::Mqtt), ["t"]);
    let second = router.publish(message("t", "new", QoS::AtMostOnce, true)).retained.unwrap();
    let third = router.publish(message("gone", "", QoS::AtMostOnce, true)).retained.unwrap();
    let mut cursor = subscriber.retained(&filter("#"), options(QoS::AtMostOnce, Dialect::Mqtt)).unwrap();
    let page = cursor.next_page().unwrap();
    assert_eq!(page.iter().map(described).collect::<Vec<_>>(), [("t".into(), "new".into(), QoS::AtMostOnce)]);
    held.release();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for write in [first, second, third] {
        runtime.block_on(write).unwrap();
    }
    let mut cursor = subscriber.retained(&filter("t"), options(QoS::AtMostOnce, Dialect::Mqtt)).unwrap();
    assert_eq!(cursor.next_page().unwrap()[0].message.payload, "new");
    assert!(cursor.next_page().unwrap().is_empty());
}

#[tokio::test]
async fn a_flooded_service_makes_its_publishers_wait_and_loses_nothing() {
    let router = Router::new(MemoryStore::new());
    let service = router.service();
    service.subscribe(filter("s/#"), options(QoS::AtMostOnce, Dialect::Mqtt));
    let flood = tokio::spawn({
        let router = Arc::clone(&router);
        async move {
            let mut publisher = router.publisher();
            for _ in 0..20_000 {
                assert_eq!(publisher.publish(message("s/t", "x", QoS::AtMostOnce, false)).delivered, 1);
                if publisher.is_congested() {
                    publisher.wait_for_room().await;
                }
            }
            publisher.wake();
        }
    });
    let (mut got, mut buffer) = (0, Vec::new());
    while got < 20_000 {
        got += service.receive(&mut buffer, 100).await;
        assert!(buffer.len() <= 100);
        buffer.clear();
        tokio::task::yield_now().await;
    }
    flood.await.unwrap();
}

#[tokio::test]
async fn a_publisher_that_waits_for_a_service_is_let_go_when_the_service_ends() {
    let router = Router::new(MemoryStore::new());
    let service = router.service();
    service.subscribe(filter("t"), options(QoS::AtMostOnce, Dialect::Mqtt));
    let mut publisher = router.publisher();
    for _ in 0..=limits::MAILBOX_MESSAGES_SOFT {
        let _ = publisher.publish(message("t", "x", QoS::AtMostOnce, false));
    }
    assert!(publisher.is_congested());
    let waiting = tokio::spawn(async move { publisher.wait_for_room().await });
    tokio::task::yield_now().await;
    drop(service);
    tokio::time::timeout(std::time::Duration::from_secs(5), waiting).await.expect("still waiting").unwrap();
}
