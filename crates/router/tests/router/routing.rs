//! Who gets a message: filters, QoS, dialects and options of subscriptions (MQTT 3.1.1 and 5, 3.3.4, 3.8 and 4.7).

use message::{QoS, SubscribeOptions};
use names::Dialect;

use crate::{
    attached, connection, drained, filter, message, options, plain, publish, received, router, stored_session,
};

#[test]
fn each_subscriber_gets_one_copy_at_its_highest_qos() {
    let router = router();
    let subscriber = connection(&router, "c");
    subscriber.subscribe(filter("a/#"), options(QoS::AtMostOnce, Dialect::Mqtt));
    subscriber.subscribe(filter("a/+"), options(QoS::AtLeastOnce, Dialect::Mqtt));
    let other = connection(&router, "c");
    other.subscribe(filter("a/b"), options(QoS::AtMostOnce, Dialect::Mqtt));
    let published = publish(&router, message("a/b", "x", QoS::AtLeastOnce, false));
    assert_eq!(published.delivered, 2);
    assert_eq!(received(&subscriber), [("a/b".into(), "x".into(), QoS::AtLeastOnce)]);
    assert_eq!(received(&other), [("a/b".into(), "x".into(), QoS::AtMostOnce)]);
}

#[test]
fn a_publisher_sees_subscriptions_come_and_go() {
    let router = router();
    let mut publisher = router.publisher();
    let mut publish = |expected: usize| {
        assert_eq!(publisher.publish(message("t", "x", QoS::AtMostOnce, false)).delivered, expected);
    };
    publish(0);
    let subscriber = connection(&router, "c");
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
    let router = router();
    let (aws, mqtt) = (connection(&router, "c"), connection(&router, "c"));
    aws.subscribe(filter("a/#"), options(QoS::AtMostOnce, Dialect::Aws));
    mqtt.subscribe(filter("a/#"), options(QoS::AtMostOnce, Dialect::Mqtt));
    assert_eq!(publish(&router, message("a", "x", QoS::AtMostOnce, false)).delivered, 1);
    assert_eq!(received(&aws), []);
    assert_eq!(received(&mqtt).len(), 1);
}

/// [MQTT-3.3.4-3], [MQTT-3.3.4-4]: one copy has the identifiers of all matching subscriptions that have one; the same
/// identifier as often as it matches (MQTT 5, 3.3.4). The same for a session that is stored.
#[test]
fn one_copy_has_all_identifiers() {
    let with_id = |id, qos| SubscribeOptions { subscription_id: Some(id), ..plain(qos) };
    let (zero, one) = (QoS::AtMostOnce, QoS::AtLeastOnce);
    let filters = [
        ("a/#", with_id(1, one)),
        ("a/+", with_id(2, zero)),
        ("a/b", plain(one)),
        ("+/b", with_id(1, zero)),
        ("c", with_id(3, one)),
    ];
    let router = router();
    let subscriber = connection(&router, "live");
    filters.iter().for_each(|(text, options)| _ = subscriber.subscribe(filter(text), *options));
    let other = connection(&router, "other");
    other.subscribe(filter("#"), with_id(9, zero));
    let _ = publish(&router, message("a/b", "x", one, false));
    let ids = |deliveries: &[router::Delivery]| {
        let mut ids = deliveries[0].subscription_ids().to_vec();
        ids.sort_unstable();
        (deliveries.len(), ids)
    };
    assert_eq!(ids(&drained(&subscriber)), (1, vec![1, 1, 2]));
    assert_eq!(ids(&drained(&other)), (1, vec![9]));

    let id = stored_session(&router, "stored", &filters);
    let stored = attached(&router, "stored", id, &filters);
    router.publish(message("a/b", "x", one, false)).1.unwrap().wait().unwrap();
    assert_eq!(ids(&drained(&stored)), (1, vec![1, 1, 2]));
    let _ = publish(&router, message("a/b", "x", zero, false));
    assert_eq!(ids(&drained(&stored)), (1, vec![1, 1, 2]));
}

/// [MQTT-3.3.1-12], [MQTT-3.3.1-13]: live messages have RETAIN 0 unless the subscription wants it as it was published.
#[test]
fn retain_as_published() {
    let router = router();
    let keeping = SubscribeOptions { retain_as_published: true, ..plain(QoS::AtLeastOnce) };
    let filters = [("keeping", keeping), ("plain", plain(QoS::AtLeastOnce))];
    let live = connection(&router, "live");
    filters.iter().for_each(|(text, options)| _ = live.subscribe(filter(text), *options));
    let id = stored_session(&router, "stored", &filters);
    let stored = attached(&router, "stored", id, &filters);
    for (topic, retain, expected) in
        [("keeping", true, true), ("keeping", false, false), ("plain", true, false), ("plain", false, false)]
    {
        for qos in [QoS::AtMostOnce, QoS::AtLeastOnce] {
            let (published, write) = router.publish(message(topic, "x", qos, retain));
            published.retained.into_iter().for_each(|write| write.wait().unwrap());
            write.into_iter().for_each(|write| write.wait().unwrap());
            for subscriber in [&live, &stored] {
                let deliveries = drained(subscriber);
                assert_eq!(deliveries.len(), 1);
                assert_eq!(deliveries[0].retain, expected, "{topic} {retain} {qos:?}");
            }
        }
    }
}

/// [MQTT-3.8.3-3]: a client that does not want its own messages gets everybody else's, those of services too.
#[test]
fn no_local() {
    let router = router();
    let no_local = SubscribeOptions { no_local: true, ..plain(QoS::AtLeastOnce) };
    let live = connection(&router, "live");
    live.subscribe(filter("t"), no_local);
    let id = stored_session(&router, "stored", &[("t", no_local)]);
    let stored = attached(&router, "stored", id, &[("t", no_local)]);
    let publish = |publisher: Option<&str>, expected: [usize; 2]| {
        let mut publisher = publisher.map_or_else(|| router.publisher(), |id| router.client_publisher(id.into()));
        for qos in [QoS::AtMostOnce, QoS::AtLeastOnce] {
            let _ = publisher.publish(message("t", "x", qos, false));
            publisher.flush().into_iter().for_each(|write| write.wait().unwrap());
            assert_eq!([&live, &stored].map(|subscriber| drained(subscriber).len()), expected, "{qos:?}");
        }
    };
    publish(Some("live"), [0, 1]);
    publish(Some("stored"), [1, 0]);
    publish(Some("other"), [1, 1]);
    publish(None, [1, 1]);
}

/// Another subscription of the client may want its own messages.
#[test]
fn no_local_is_each_subscriptions_own() {
    let router = router();
    let subscriber = connection(&router, "c");
    subscriber.subscribe(filter("a/#"), SubscribeOptions { no_local: true, ..plain(QoS::AtLeastOnce) });
    subscriber.subscribe(filter("a/b"), plain(QoS::AtMostOnce));
    let mut own = router.client_publisher("c".into());
    assert_eq!(own.publish(message("a/b", "x", QoS::AtLeastOnce, false)).delivered, 1);
    assert_eq!(own.publish(message("a/c", "x", QoS::AtLeastOnce, false)).delivered, 0);
    assert_eq!(received(&subscriber), [("a/b".into(), "x".into(), QoS::AtMostOnce)]);
}
