//! Retained messages: found by filter and topic, listed, and seen while they are on their way to the disk.

use message::{QoS, TopicName};
use names::{Dialect, Timestamp, limits};
use router::{Router, Subscriber};

use crate::switch::{Mode, over_a_switch};
use crate::{NOW, connection, described, filter, message, options, publish, router};

fn retained(subscriber: &Subscriber, text: &str, dialect: Dialect) -> Vec<String> {
    let options = options(QoS::AtLeastOnce, dialect);
    let Some(mut cursor) = subscriber.retained(&filter(text), options) else { return Vec::new() };
    let mut found = Vec::new();
    loop {
        let page = cursor.next_page(NOW).unwrap();
        if page.is_empty() {
            break;
        }
        assert!(page.iter().all(|delivery| delivery.retain));
        found.extend(page.iter().map(|delivery| delivery.message.topic.to_string()));
    }
    found.sort();
    found
}

#[tokio::test]
async fn retained_messages_are_replaced_removed_and_found_by_filter() {
    let router = router();
    let subscriber = connection(&router, "c");
    let topics = ["a", "a/b", "a/b/c", "a1/b", "b", "$SYS/x", "a/\u{1}"];
    for topic in topics {
        let write = publish(&router, message(topic, "1", QoS::AtLeastOnce, true)).retained.unwrap();
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
    publish(&router, message("a/b", "", QoS::AtMostOnce, true)).retained.unwrap().await.unwrap();
    publish(&router, message("a/b/c", "live", QoS::AtMostOnce, false)).retained.is_none().then_some(()).unwrap();
    check("a/#", &["a", "a/\u{1}", "a/b/c"]);
    assert_eq!(retained(&subscriber, "a/#", Dialect::Aws), [""; 0], "AWS: no retained messages for wildcards");
    assert_eq!(retained(&subscriber, "a", Dialect::Aws), ["a"]);
}

#[tokio::test]
async fn retained_messages_come_back_whole_with_their_qos_and_in_pages() {
    let router = router();
    let subscriber = connection(&router, "c");
    let huge: Vec<u8> = (0..limits::PACKET_BYTES_MAX).map(|n| n.to_le_bytes()[0]).collect();
    for number in 0..200 {
        let message = message(&format!("t/{number:03}"), format!("{number}"), QoS::AtLeastOnce, true);
        publish(&router, message).retained.unwrap().await.unwrap();
    }
    publish(&router, message("t/100/huge", huge.clone(), QoS::AtMostOnce, true)).retained.unwrap().await.unwrap();
    assert_eq!(retained(&subscriber, "t/#", Dialect::Mqtt).len(), 201);
    let mut cursor = subscriber.retained(&filter("t/100/huge"), options(QoS::AtLeastOnce, Dialect::Mqtt)).unwrap();
    let page = cursor.next_page(NOW).unwrap();
    assert_eq!(page[0].message.payload, huge);
    assert_eq!(page[0].qos, QoS::AtMostOnce);
    assert_eq!(page[0].message.received_at, Timestamp::from_millis(1_700_000_000_123));
    // Shorter now: none of the old chunks may be left.
    publish(&router, message("t/100/huge", "small", QoS::AtMostOnce, true)).retained.unwrap().await.unwrap();
    let mut cursor = subscriber.retained(&filter("t/100/huge"), options(QoS::AtLeastOnce, Dialect::Mqtt)).unwrap();
    assert_eq!(cursor.next_page(NOW).unwrap()[0].message.payload, "small");
}

/// A subscriber who comes between a publish and its commit must not miss both the live and the retained copy.
#[test]
fn a_retained_message_is_seen_while_it_is_on_its_way_to_the_disk() {
    let (held, router) = over_a_switch();
    held.set(Mode::Hold);
    let subscriber = connection(&router, "c");
    let huge = vec![7; 300_000];
    let first = publish(&router, message("t", huge, QoS::AtMostOnce, true)).retained.unwrap();
    assert_eq!(retained(&subscriber, "#", Dialect::Mqtt), ["t"]);
    let second = publish(&router, message("t", "new", QoS::AtMostOnce, true)).retained.unwrap();
    let third = publish(&router, message("gone", "", QoS::AtMostOnce, true)).retained.unwrap();
    let mut cursor = subscriber.retained(&filter("#"), options(QoS::AtMostOnce, Dialect::Mqtt)).unwrap();
    let page = cursor.next_page(NOW).unwrap();
    assert_eq!(page.iter().map(described).collect::<Vec<_>>(), [("t".into(), "new".into(), QoS::AtMostOnce)]);
    held.release();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for write in [first, second, third] {
        runtime.block_on(write).unwrap();
    }
    let mut cursor = subscriber.retained(&filter("t"), options(QoS::AtMostOnce, Dialect::Mqtt)).unwrap();
    assert_eq!(cursor.next_page(NOW).unwrap()[0].message.payload, "new");
    assert!(cursor.next_page(NOW).unwrap().is_empty());
}

/// What `retained_topics` says: topic and payload length, and where the next page begins.
fn listed(router: &Router, after: Option<&str>, limit: usize) -> (Vec<(String, usize)>, Option<String>) {
    let after = after.map(|topic| TopicName::new(topic.to_owned()).unwrap());
    let page = router.retained_topics(after.as_ref(), limit, NOW).unwrap();
    let topics = page.topics.iter().map(|entry| (entry.topic.to_string(), entry.payload_bytes)).collect();
    (topics, page.next_after.map(|topic| topic.to_string()))
}

fn retained_payload(router: &Router, topic: &str) -> Option<usize> {
    let message = router.retained_message(&TopicName::new(topic.to_owned()).unwrap(), NOW).unwrap();
    message.map(|message| message.payload.len())
}

#[tokio::test]
async fn retained_messages_are_read_by_topic_and_listed_in_pages() {
    let router = router();
    assert_eq!(listed(&router, None, 10), (vec![], None));
    let huge: Vec<u8> = (0..300_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    for (topic, payload) in
        [("b", vec![1]), ("a/huge", huge.clone()), ("a", vec![1, 2]), ("a ", vec![1; 3]), ("\u{e4}", vec![1; 4])]
    {
        publish(&router, message(topic, payload, QoS::AtLeastOnce, true)).retained.unwrap().await.unwrap();
    }
    publish(&router, message("b", "", QoS::AtMostOnce, true)).retained.unwrap().await.unwrap();
    let whole = router.retained_message(&TopicName::new("a/huge").unwrap(), NOW).unwrap().unwrap();
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
    let first = router.retained_topics(None, 1, NOW).unwrap().topics.remove(0);
    assert_eq!((first.qos, first.received_at), (QoS::AtLeastOnce, Timestamp::from_millis(1_700_000_000_123)));
}

#[test]
fn what_is_on_its_way_to_the_disk_is_read_and_listed() {
    let (held, router) = over_a_switch();
    held.set(Mode::Hold);
    let retain = |topic: &str, payload: &'static str| {
        publish(&router, message(topic, payload, QoS::AtMostOnce, true)).retained.unwrap()
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
