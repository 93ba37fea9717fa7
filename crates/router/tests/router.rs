//! The router as its callers see it: subscribers, publishers and retained messages over the store in memory.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs, reason = "test code")]

use std::sync::Arc;

use bytes::Bytes;
use message::{Message, Origin, QoS, TopicFilter, TopicName};
use names::{Dialect, Timestamp, limits};
use router::{Delivery, Router, SubscribeOptions, Subscriber};
use store::{Batch, Direction, Done, Entry, MemoryStore, Store, StoreError, Versioned, Watch};

fn message(topic: &str, payload: impl Into<Bytes>, qos: QoS, retain: bool) -> Message {
    Message {
        topic: TopicName::new(topic).unwrap(),
        payload: payload.into(),
        qos,
        retain,
        properties: None,
        received_at: Timestamp::from_millis(1_700_000_000_123),
        origin: Arc::new(Origin::default()),
    }
}

fn options(qos: QoS, dialect: Dialect) -> SubscribeOptions {
    SubscribeOptions::plain(qos, dialect)
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
    let router = Router::open(MemoryStore::new(), Default::default()).unwrap();
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
    let router = Router::open(MemoryStore::new(), Default::default()).unwrap();
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
    let router = Router::open(MemoryStore::new(), Default::default()).unwrap();
    let (aws, mqtt) = (router.connection(), router.connection());
    aws.subscribe(filter("a/#"), options(QoS::AtMostOnce, Dialect::Aws));
    mqtt.subscribe(filter("a/#"), options(QoS::AtMostOnce, Dialect::Mqtt));
    assert_eq!(router.publish(message("a", "x", QoS::AtMostOnce, false)).delivered, 1);
    assert_eq!(received(&aws), []);
    assert_eq!(received(&mqtt).len(), 1);
}

#[tokio::test]
async fn retained_messages_are_replaced_removed_and_found_by_filter() {
    let router = Router::open(MemoryStore::new(), Default::default()).unwrap();
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
    let router = Router::open(MemoryStore::new(), Default::default()).unwrap();
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

/// A store whose commits are applied when the test says so.
struct Held {
    inner: Arc<MemoryStore>,
    waiting: std::sync::Mutex<Vec<(Batch, Done)>>,
}

impl Held {
    fn release(&self) {
        for (batch, answer) in self.waiting.lock().unwrap().drain(..) {
            answer(self.inner.commit(batch).wait());
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

    fn commit_then(&self, batch: Batch, done: Done) {
        self.waiting.lock().unwrap().push((batch, done));
    }

    fn watch(&self, prefix: &[u8]) -> Watch {
        self.inner.watch(prefix)
    }
}

/// A subscriber who comes between a publish and its commit must not miss both the live and the retained copy.
#[test]
fn a_retained_message_is_seen_while_it_is_on_its_way_to_the_disk() {
    let held = Arc::new(Held { inner: MemoryStore::new(), waiting: std::sync::Mutex::default() });
    let router = Router::open(Arc::clone(&held) as Arc<dyn Store>, Default::default()).unwrap();
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

/// What `retained_topics` says: topic and payload length, and where the next page begins.
fn listed(router: &Router, after: Option<&str>, limit: usize) -> (Vec<(String, usize)>, Option<String>) {
    let after = after.map(|topic| TopicName::new(topic.to_owned()).unwrap());
    let page = router.retained_topics(after.as_ref(), limit).unwrap();
    let topics = page.topics.iter().map(|entry| (entry.topic.to_string(), entry.payload_bytes)).collect();
    (topics, page.next_after.map(|topic| topic.to_string()))
}

fn retained_payload(router: &Router, topic: &str) -> Option<usize> {
    let message = router.retained_message(&TopicName::new(topic.to_owned()).unwrap()).unwrap();
    message.map(|message| message.payload.len())
}

#[tokio::test]
async fn retained_messages_are_read_by_topic_and_listed_in_pages() {
    let router = Router::open(MemoryStore::new(), Default::default()).unwrap();
    assert_eq!(listed(&router, None, 10), (vec![], None));
    let huge: Vec<u8> = (0..300_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    for (topic, payload) in
        [("b", vec![1]), ("a/huge", huge.clone()), ("a", vec![1, 2]), ("a ", vec![1; 3]), ("\u{e4}", vec![1; 4])]
    {
        router.publish(message(topic, payload, QoS::AtLeastOnce, true)).retained.unwrap().await.unwrap();
    }
    router.publish(message("b", "", QoS::AtMostOnce, true)).retained.unwrap().await.unwrap();
    let whole = router.retained_message(&TopicName::new("a/huge").unwrap()).unwrap().unwrap();
    assert_eq!((&*whole.payload, whole.qos), (&*huge, QoS::AtLeastOnce));
    assert_eq!(whole.received_at, Timestamp::from_millis(1_700_000_000_123));
    assert_eq!(retained_payload(&router, "a"), Some(2));
    assert_eq!([retained_payload(&router, "b"), retained_payload(&router, "a/hug")], [None, None]);
    let entry = |topic: &str, bytes: usize| (topic.to_owned(), bytes);
    let all = vec![entry("a", 2), entry("a ", 3), entry("a/huge", 300_000), entry("\u{e4}", 4)];
    assert_eq!(listed(&router, None, 10), (all.clone(), None));
    assert_eq!(listed(&router, None, 4), (all.clone(), None), "no token after a full last page");
    assert_eq!(listed(&router, None, 3), (all[..3].to_vec(), Some("a/huge".to_owned())));
    assert_eq!(listed(&router, Some("a/huge"), 3), (all[3..].to_vec(), None));
    assert_eq!(
        listed(&router, Some("a/"), 1),
        (all[2..3].to_vec(), Some("a/huge".to_owned())),
        "from a topic without one"
    );
    assert_eq!(listed(&router, Some("\u{e4}"), 3), (vec![], None));
    let first = router.retained_topics(None, 1).unwrap().topics.remove(0);
    assert_eq!((first.qos, first.received_at), (QoS::AtLeastOnce, Timestamp::from_millis(1_700_000_000_123)));
}

#[test]
fn what_is_on_its_way_to_the_disk_is_read_and_listed() {
    let held = Arc::new(Held { inner: MemoryStore::new(), waiting: std::sync::Mutex::default() });
    let router = Router::open(Arc::clone(&held) as Arc<dyn Store>, Default::default()).unwrap();
    let retain = |topic: &str, payload: &'static str| {
        router.publish(message(topic, payload, QoS::AtMostOnce, true)).retained.unwrap()
    };
    let stored = ["b", "d", "f", "h"].map(|topic| retain(topic, "stored"));
    held.release();
    stored.into_iter().for_each(|write| write.wait().unwrap());
    let on_their_way = [retain("a", "1"), retain("b", ""), retain("d", "12"), retain("g", "123"), retain("z", "")];
    let check = || {
        let entry = |topic: &str, bytes: usize| (topic.to_owned(), bytes);
        let all = vec![entry("a", 1), entry("d", 2), entry("f", 6), entry("g", 3), entry("h", 6)];
        assert_eq!(listed(&router, None, 10), (all.clone(), None));
        assert_eq!(listed(&router, None, 2), (all[..2].to_vec(), Some("d".to_owned())));
        assert_eq!(listed(&router, Some("d"), 2), (all[2..4].to_vec(), Some("g".to_owned())));
        assert_eq!(listed(&router, Some("g"), 2), (all[4..].to_vec(), None));
        let payloads = ["a", "b", "d", "f", "z"].map(|topic| retained_payload(&router, topic));
        assert_eq!(payloads, [Some(1), None, Some(2), Some(6), None]);
    };
    check();
    held.release();
    on_their_way.into_iter().for_each(|write| write.wait().unwrap());
    check();
}

#[test]
fn a_service_that_is_behind_is_seen_before_it_is_published_to() {
    let router = Router::open(MemoryStore::new(), Default::default()).unwrap();
    let (service, connection) = (router.service(), router.connection());
    service.subscribe(filter("s"), options(QoS::AtMostOnce, Dialect::Mqtt));
    connection.subscribe(filter("c"), options(QoS::AtLeastOnce, Dialect::Mqtt));
    let congested = || ["s", "c"].map(|topic| router.is_congested(&TopicName::new(topic).unwrap()));
    for _ in 0..limits::MAILBOX_MESSAGES_SOFT {
        assert_eq!(congested(), [false, false]);
        let _ = router.publish(message("s", "x", QoS::AtMostOnce, false));
        let _ = router.publish(message("c", "x", QoS::AtLeastOnce, false));
    }
    assert_eq!(congested(), [true, false], "connections have a policy of their own");
    service.mailbox().drain(&mut Vec::new(), 1);
    assert_eq!(congested(), [false, false]);
}

#[tokio::test]
async fn a_flooded_service_makes_its_publishers_wait_and_loses_nothing() {
    let router = Router::open(MemoryStore::new(), Default::default()).unwrap();
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
    let router = Router::open(MemoryStore::new(), Default::default()).unwrap();
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
