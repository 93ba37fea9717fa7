//! Requests by publish, answers by publish.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use message::{Origin, QoS, TopicFilter};
use names::{Dialect, limits};
use router::SubscribeOptions;
use shadows::ShadowSettings;
use store::{Direction, MemoryStore, Store, Version};

use crate::faults::{Fault, FaultyStore};
use crate::house::{House, NOW, at, classic, pair};

#[tokio::test]
async fn a_conversation() {
    let mut house = House::new();
    house.open();
    house.send("$aws/things/t/shadow/get", "");
    let not_there = r#"{"code":404,"message":"No shadow exists with name: 't'"}"#;
    assert_eq!(house.replies(1).await, [pair("$aws/things/t/shadow/get/rejected", not_there)]);

    house.send("$aws/things/t/shadow/update", r#"{"state":{"reported":{"a":1}},"clientToken":"u"}"#);
    let accepted = r#"{"state":{"reported":{"a":1}},"metadata":{"reported":{"a":{"timestamp":1700000000}}},"version":1,"timestamp":1700000000,"clientToken":"u"}"#;
    let replies = house.replies(2).await;
    assert_eq!(replies[0].0, "$aws/things/t/shadow/update/documents");
    assert_eq!(replies[1], pair("$aws/things/t/shadow/update/accepted", accepted));

    house.send("$aws/things/t/shadow/get", r#"{"clientToken":"q"}"#);
    let got = r#"{"state":{"reported":{"a":1}},"metadata":{"reported":{"a":{"timestamp":1700000000}}},"version":1,"timestamp":1700000000,"clientToken":"q"}"#;
    assert_eq!(house.replies(1).await, [pair("$aws/things/t/shadow/get/accepted", got)]);

    house.send("$aws/things/t/shadow/update", r#"{"state":5,"clientToken":"e"}"#);
    let wrong = r#"{"code":400,"message":"State node must be an object","clientToken":"e"}"#;
    assert_eq!(house.replies(1).await, [pair("$aws/things/t/shadow/update/rejected", wrong)]);

    house.send("$aws/things/t/shadow/delete", "anything");
    let deleted = r#"{"version":1,"timestamp":1700000000}"#;
    assert_eq!(house.replies(1).await, [pair("$aws/things/t/shadow/delete/accepted", deleted)]);
    house.send("$aws/things/t/shadow/delete", "");
    assert_eq!(house.replies(1).await, [pair("$aws/things/t/shadow/delete/rejected", not_there)]);
}

#[tokio::test]
async fn a_named_shadow_is_another_shadow() {
    let mut house = House::new();
    house.open();
    house.send("$aws/things/t/shadow/name/cfg/update", r#"{"state":{"desired":{"x":1}}}"#);
    let topics: Vec<_> = house.replies(3).await.into_iter().map(|(topic, _)| topic).collect();
    let expected =
        ["documents", "delta", "accepted"].map(|news| format!("$aws/things/t/shadow/name/cfg/update/{news}"));
    assert_eq!(topics, expected);
    house.send("$aws/things/t/shadow/get", "");
    assert_eq!(house.replies(1).await[0].0, "$aws/things/t/shadow/get/rejected");
    house.send("$aws/things/t/shadow/name/other/get", "");
    let not_there = r#"{"code":404,"message":"No shadow exists with name: 'other'"}"#;
    assert_eq!(house.replies(1).await, [pair("$aws/things/t/shadow/name/other/get/rejected", not_there)]);
}

/// Developer guide, device-shadow-comms-app: the shadow service ignores wills.
#[tokio::test]
async fn wills_and_strange_topics_are_ignored() {
    let mut house = House::new();
    house.open();
    let will = Origin { is_will: true, ..Origin::default() };
    drop(house.send_from(will, "$aws/things/t/shadow/update", r#"{"state":{"reported":{"dead":1}}}"#));
    house.send("$aws/things/a b/shadow/get", "");
    house.send("$aws/things/t/shadow/update/accepted/x", "{}");
    house.send("$aws/things/t/shadow/get", "");
    let replies = house.replies(3).await;
    assert_eq!(replies[0], pair("$aws/things/a b/shadow/get", ""), "passed on as any message is, and not answered");
    assert_eq!(replies[1], pair("$aws/things/t/shadow/update/accepted/x", "{}"));
    assert_eq!(replies[2].0, "$aws/things/t/shadow/get/rejected", "the will made no shadow");
}

/// One batch holds all of these, for the service begins to read only when this task waits.
#[tokio::test]
async fn requests_on_one_shadow_keep_their_order_within_a_batch() {
    let mut house = House::new();
    house.open();
    for n in 0..50 {
        house.send("$aws/things/t/shadow/update", &format!(r#"{{"state":{{"reported":{{"n":{n}}}}},"version":{n}}}"#));
        house.send(&format!("$aws/things/o{n}/shadow/update"), r#"{"state":{}}"#);
    }
    house.send("$aws/things/t/shadow/get", "");
    house.send("$aws/things/t/shadow/delete", "");
    house.send("$aws/things/t/shadow/update", r#"{"state":{}}"#);
    let replies = house.replies(50 * 4 + 4).await;
    let mine: Vec<_> =
        replies.iter().filter(|(t, _)| t.starts_with("$aws/things/t/") && t.ends_with("/accepted")).collect();
    assert_eq!(mine.len(), 53, "{mine:?}");
    for (n, (topic, body)) in mine.iter().take(50).enumerate() {
        assert_eq!(topic, "$aws/things/t/shadow/update/accepted");
        assert!(body.contains(&format!(r#""version":{},"#, n + 1)), "{body}");
    }
    assert!(mine[50].1.starts_with(r#"{"state":{"reported":{"n":49}}"#), "the get sees the update before it");
    assert_eq!(mine[51].1, r#"{"version":50,"timestamp":1700000000}"#);
    assert!(mine[52].1.contains(r#""version":52,"#), "{}", mine[52].1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_doors_at_once_lose_nothing() {
    let mut house = House::new();
    house.open();
    let service = Arc::clone(&house.service);
    let blocking = tokio::task::spawn_blocking(move || {
        for n in 0..50 {
            let body = format!(r#"{{"state":{{"reported":{{"http":{n}}}}}}}"#);
            service.update(&classic("t"), body.into(), at(NOW)).unwrap();
        }
    });
    for n in 0..50 {
        house.send("$aws/things/t/shadow/update", &format!(r#"{{"state":{{"reported":{{"mqtt":{n}}}}}}}"#));
        tokio::task::yield_now().await;
    }
    blocking.await.unwrap();
    let replies = house.replies(200).await;
    let accepted = replies.iter().filter(|(topic, _)| topic.ends_with("/accepted")).count();
    assert_eq!(accepted, 100);
    house.send("$aws/things/t/shadow/get", "");
    let got: serde_json::Value = serde_json::from_str(&house.replies(1).await[0].1).unwrap();
    assert_eq!(got["version"], 100);
    assert_eq!(got["state"]["reported"], serde_json::json!({"http": 49, "mqtt": 49}));
}

#[tokio::test]
async fn deleted_shadows_are_forgotten_after_48_hours() {
    let store = MemoryStore::new();
    let mut house = House::over(Arc::<MemoryStore>::clone(&store));
    house.open();
    let deleted = || store.range(b"shadow/deleted/", b"shadow/deleted0", 1000, Direction::Forward).unwrap().len();
    for n in 0..300 {
        house.send(&format!("$aws/things/t{n}/shadow/update"), r#"{"state":{}}"#);
        house.send(&format!("$aws/things/t{n}/shadow/delete"), "");
    }
    house.replies(900).await;
    assert_eq!(deleted(), 300);
    house.seconds.store(NOW + 47 * 3600, Ordering::Relaxed);
    for _ in 0..4 {
        house.send("$aws/things/t/shadow/get", "");
        house.replies(1).await;
    }
    assert_eq!(deleted(), 300);
    for hours in 48..50 {
        house.seconds.store(NOW + hours * 3600, Ordering::Relaxed);
        for _ in 0..4 {
            house.send("$aws/things/t/shadow/get", "");
            house.replies(1).await;
        }
    }
    // Nobody is told when the last commits are done.
    for _ in 0..1000 {
        if deleted() == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("{} are left", deleted());
}

/// Developer guide, quotas: 10 requests of a connection on a thing may be unanswered. Others are not touched.
#[tokio::test]
async fn what_is_over_the_quota_in_flight_is_refused_with_429() {
    let store = Arc::new(FaultyStore::new(Fault::Slow));
    let mut house = House::over(Arc::<FaultyStore>::clone(&store));
    house.open();
    let (one, other) = (client("one"), client("other"));
    for n in 0..12 {
        let body = format!(r#"{{"state":{{}},"clientToken":"{n}"}}"#);
        house.send_as(&one, "$aws/things/t/shadow/update", &body);
    }
    house.send_as(&other, "$aws/things/t/shadow/update", r#"{"state":{}}"#);
    house.send_as(&one, "$aws/things/u/shadow/update", r#"{"state":{}}"#);
    let refused = |n| {
        let body = format!(r#"{{"code":429,"message":"Too many requests","clientToken":"{n}"}}"#);
        pair("$aws/things/t/shadow/update/rejected", &body)
    };
    assert_eq!(house.replies(2).await, [refused(10), refused(11)]);
    let accepted =
        |replies: &[(String, String)]| replies.iter().filter(|(topic, _)| topic.ends_with("/accepted")).count();
    let mut replies = Vec::new();
    while accepted(&replies) < 12 {
        for answer in store.waiting.lock().drain(..) {
            answer(Ok(Version(1)));
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
        replies.extend(house.heard());
    }
    assert_eq!(house.service.metrics().throttled.load(Ordering::Relaxed), 2);
    house.send_as(&one, "$aws/things/t/shadow/get", "");
    assert_eq!(
        house.replies(1).await[0].0,
        "$aws/things/t/shadow/get/rejected",
        "the store forgets; it is asked again"
    );
}

#[tokio::test]
async fn requests_over_the_quota_of_a_second_are_refused_both_ways_in() {
    let settings = ShadowSettings { requests_per_second_per_thing_max: 2, ..ShadowSettings::default() };
    let mut house = House::with(MemoryStore::new(), settings);
    house.open();
    house.send("$aws/things/t/shadow/get", "");
    house.send("$aws/things/t/shadow/name/n/get", "");
    house.send("$aws/things/t/shadow/get", "");
    let mut codes: Vec<_> = house.replies(3).await.into_iter().map(|(_, body)| body[8..11].to_owned()).collect();
    codes.sort();
    assert_eq!(codes, ["404", "404", "429"]);
    let over = house.service.get(&classic("t"), b"", at(NOW)).unwrap_err();
    assert_eq!(over.to_string(), "Too many requests");
    let next = house.service.get(&classic("t"), b"", at(NOW + 1)).unwrap_err();
    assert_eq!(next.to_string(), "No shadow exists with name: 't'");
}

/// A request of QoS 1 is acknowledged when it is answered: after the disk has it.
#[tokio::test]
async fn a_request_is_confirmed_when_it_is_answered() {
    let store = Arc::new(FaultyStore::new(Fault::Slow));
    let mut house = House::over(Arc::<FaultyStore>::clone(&store));
    house.open();
    let update = house.send("$aws/things/t/shadow/update", r#"{"state":{}}"#);
    let will = house.send_from(Origin { is_will: true, ..Origin::default() }, "$aws/things/t/shadow/update", "{}");
    let refused = house.send("$aws/things/u/shadow/update", "{");
    tokio::time::timeout(Duration::from_secs(20), will).await.unwrap().unwrap();
    tokio::time::timeout(Duration::from_secs(20), refused).await.unwrap().unwrap();
    let mut update = std::pin::pin!(update);
    assert!(tokio::time::timeout(Duration::from_millis(20), update.as_mut()).await.is_err());
    assert_eq!(store.waiting.lock().len(), 1);
    store.waiting.lock().drain(..).for_each(|answer| answer(Ok(Version(1))));
    tokio::time::timeout(Duration::from_secs(20), update).await.unwrap().unwrap();
    assert!(house.heard().iter().any(|(topic, _)| topic == "$aws/things/t/shadow/update/accepted"));
}

/// A rule that is slow is waited for a little while in each batch, and not for ever.
#[tokio::test]
async fn a_service_that_is_behind_does_not_stop_shadows() {
    let mut house = House::new();
    house.open();
    let slow = house.router.service();
    let filter = TopicFilter::new("$aws/things/+/shadow/get/rejected").unwrap();
    slow.subscribe(filter, SubscribeOptions::plain(QoS::AtMostOnce, Dialect::Aws));
    for _ in 0..=limits::MAILBOX_MESSAGES_SOFT {
        drop(house.send("$aws/things/t/shadow/get", ""));
        house.replies(1).await;
    }
    let handled = house.send("$aws/things/t/shadow/get", "");
    tokio::time::timeout(Duration::from_secs(20), handled).await.unwrap().unwrap();
    drop(house.send("$aws/things/t/shadow/get", ""));
    house.replies(2).await;
}

/// A second node over the same store: what one remembers of a shadow does not count when the other has changed it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_node_may_change_the_same_shadows() {
    let store = MemoryStore::new();
    let mut nodes = [House::over(Arc::<MemoryStore>::clone(&store)), House::over(store)];
    for node in &mut nodes {
        node.open();
    }
    for n in 1..=20 {
        let node = &nodes[n % 2];
        let body = format!(r#"{{"state":{{"reported":{{"n":{n}}}}},"version":{}}}"#, n - 1);
        node.send("$aws/things/t/shadow/update", &body);
        let replies = node.replies(2).await;
        assert!(replies[1].1.contains(&format!(r#""version":{n},"#)), "{replies:?}");
        node.send("$aws/things/t/shadow/get", "");
        assert!(node.replies(1).await[0].1.contains(&format!(r#"{{"n":{n}}}"#)));
    }
    // At the same time: a write that finds the other's is tried again.
    for n in 0..100 {
        nodes[n % 2].send("$aws/things/t/shadow/update", &format!(r#"{{"state":{{"reported":{{"k{n}":1}}}}}}"#));
    }
    for node in &nodes {
        node.replies(100).await;
    }
    let got = nodes[0].service.get(&classic("t"), b"", at(NOW)).unwrap();
    let got: serde_json::Value = serde_json::from_slice(&got).unwrap();
    assert_eq!((&got["version"], got["state"]["reported"].as_object().unwrap().len()), (&120.into(), 101));
}

fn client(id: &str) -> Arc<Origin> {
    Arc::new(Origin { client_id: Some(Arc::from(id)), ..Origin::default() })
}
