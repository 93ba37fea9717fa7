//! A client that nobody here wrote, rumqttc, over TCP: what an application sees of MQTT 3.1.1 and 5. Bytes are the
//! business of the neighbouring tests.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs, reason = "test code")]

mod client;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use broker::{Anonymous, Broker};
use bytes::Bytes;
use client::{Client, LastWillProperties, Message, Options, PublishProperties, Version};
use doorway::{Bounds, DoorMetrics, Entrance};
use mqtt_listener::{Door, LogIns, Unidentified};
use names::{AccountId, ArnSpace, Dialect, Region};
use registry::Registry;
use router::Router;
use rumqttc::v5::mqttbytes::v5::DisconnectReasonCode;
use store::MemoryStore;
use tokio::net::TcpListener;
use tokio::sync::watch;

const BOTH: [Version; 2] = [Version::V311, Version::V5];

/// A server with a plain listener, whose sessions outlive their connections.
struct House {
    address: SocketAddr,
    _stop: watch::Sender<bool>,
}

impl House {
    async fn new() -> Self {
        let arns =
            ArnSpace { region: Region::new("us-east-1").unwrap(), account: AccountId::new("123456789012").unwrap() };
        let store = MemoryStore::new();
        let registry = Arc::new(Registry::new(store.clone(), arns));
        let anonymous = Anonymous::from_policy(Anonymous::EVERYTHING).unwrap();
        // Opening waits for the store, which must not be done where a task runs.
        let router = std::thread::spawn(move || Router::open(store, Default::default()).unwrap()).join().unwrap();
        let broker = Broker::new(router, registry, anonymous);
        tokio::spawn(Arc::clone(&broker).keep_sessions(|| SystemTime::now().into()));
        let log_ins = Arc::new(LogIns::new(Arc::clone(broker.passwords())));
        let door = Door::new(broker, log_ins, Dialect::Mqtt, Unidentified::Anonymous);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let entrance = Entrance { bounds: Bounds::default(), tls: None, metrics: Arc::<DoorMetrics>::default() };
        let (stop, stopped) = watch::channel(false);
        let welcome = move |arrival| door.clone().welcome(arrival);
        tokio::spawn(doorway::serve(listener, entrance, stopped, welcome));
        Self { address, _stop: stop }
    }

    async fn client(&self, options: Options) -> Client {
        Client::connect(self.address, options).await
    }

    async fn fresh(&self, version: Version, id: &'static str) -> Client {
        self.client(Options::new(version, id)).await
    }

    /// A client of its own that has subscribed.
    async fn subscriber(&self, version: Version, id: &'static str, filter: &str, qos: u8) -> Client {
        let mut client = self.fresh(version, id).await;
        client.subscribe(filter, qos).await;
        client
    }
}

fn message(topic: &str, payload: &str, qos: u8) -> Message {
    Message {
        topic: topic.to_owned(),
        payload: payload.to_owned(),
        qos,
        retain: false,
        dup: false,
        properties: PublishProperties::default(),
    }
}

/// Everything is the same whichever version the two ends speak; a message comes at the lower QoS of publication and
/// subscription ([MQTT-3.8.4-6] of 3.1.1, [MQTT-3.8.4-8] of 5).
#[tokio::test]
async fn messages_pass_at_every_qos_between_both_versions() {
    let house = House::new().await;
    for (from, to) in [(BOTH[0], BOTH[0]), (BOTH[0], BOTH[1]), (BOTH[1], BOTH[0]), (BOTH[1], BOTH[1])] {
        let mut publisher = house.fresh(from, "publisher").await;
        assert!(!publisher.session_present);
        for granted in 0..=2 {
            let mut subscriber = house.subscriber(to, "subscriber", "rooms/+/light", granted).await;
            for qos in 0..=2 {
                publisher.publish("rooms/1/light", qos, false, "on").await;
                if qos > 0 {
                    publisher.done().await;
                }
                let expected = message("rooms/1/light", "on", qos.min(granted));
                assert_eq!(subscriber.message().await, expected, "{from:?} to {to:?}");
            }
            subscriber.disconnect().await;
        }
        publisher.disconnect().await;
    }
}

/// More than are in flight at once, in both directions of both ends: in order, each once [MQTT-4.6.0-6].
#[tokio::test]
async fn a_long_run_keeps_its_order() {
    let house = House::new().await;
    for version in BOTH {
        for qos in 0..=2 {
            let options = Options::new(version, "subscriber").receive_max(7);
            let mut subscriber = house.client(options).await;
            subscriber.subscribe("run", qos).await;
            let mut publisher = house.fresh(version, "publisher").await;
            for number in 0..RUN {
                publisher.publish("run", qos, false, &number.to_string()).await;
            }
            for number in 0..RUN {
                assert_eq!(subscriber.message().await, message("run", &number.to_string(), qos), "{version:?}");
                if qos > 0 {
                    publisher.done().await;
                }
            }
            assert_eq!(subscriber.message_within(SILENCE).await, None);
            publisher.disconnect().await;
            subscriber.disconnect().await;
        }
    }
}

/// 3.3.1.3 in both versions: the last one is kept, comes marked to who subscribes later, and ends with an empty one.
#[tokio::test]
async fn the_last_retained_message_is_kept_until_an_empty_one() {
    let house = House::new().await;
    for version in BOTH {
        let mut publisher = house.fresh(version, "publisher").await;
        for payload in ["first", "last"] {
            publisher.publish("kept", 1, true, payload).await;
            publisher.done().await;
        }
        let mut later = house.subscriber(version, "later", "kept", 1).await;
        assert_eq!(later.message().await, Message { retain: true, ..message("kept", "last", 1) });
        publisher.publish("kept", 1, true, "").await;
        publisher.done().await;
        assert_eq!(later.message().await, message("kept", "", 1), "RETAIN is 0 for an established subscription");
        let mut last = house.subscriber(version, "last", "kept", 1).await;
        assert_eq!(last.message_within(SILENCE).await, None);
    }
}

/// [MQTT-3.1.2-8], and [MQTT-3.1.2-10]: DISCONNECT takes the will back.
#[tokio::test]
async fn a_will_is_published_when_its_client_vanishes_and_not_when_it_leaves() {
    let house = House::new().await;
    for version in BOTH {
        let mut watcher = house.subscriber(version, "watcher", "wills/#", 2).await;
        let leaving = house.client(Options::new(version, "leaving").will("wills/leaving", "left", 1, false)).await;
        let vanishing = house.client(Options::new(version, "vanishing").will("wills/vanishing", "gone", 2, true)).await;
        leaving.disconnect().await;
        vanishing.vanish().await;
        assert_eq!(watcher.message().await, message("wills/vanishing", "gone", 2), "{version:?}");
        assert_eq!(watcher.message_within(SILENCE).await, None, "{version:?}");
        let mut later = house.subscriber(version, "later", "wills/#", 2).await;
        assert_eq!(later.message().await, Message { retain: true, ..message("wills/vanishing", "gone", 2) });
        // Nothing is left for the next version.
        later.publish("wills/vanishing", 0, true, "").await;
        assert_eq!(later.message().await, message("wills/vanishing", "", 0));
    }
}

/// MQTT 5, 3.1.3.2.2 and [MQTT-3.1.3-9]: the will waits for its delay, and whoever comes back in time takes it back.
#[tokio::test]
async fn a_delayed_will_waits_and_is_taken_back_by_who_returns() {
    let house = House::new().await;
    let mut watcher = house.subscriber(Version::V5, "watcher", "wills/#", 1).await;
    let delayed = || LastWillProperties {
        delay_interval: Some(1),
        payload_format_indicator: Some(1),
        message_expiry_interval: None,
        content_type: Some("text/plain".to_owned()),
        response_topic: None,
        correlation_data: None,
        user_properties: vec![("why".to_owned(), "tested".to_owned())],
    };
    let options = |id| Options::new(Version::V5, id).lasting();
    let returning = house.client(options("returning").will_with("wills/returning", "away", delayed())).await;
    let staying = house.client(options("staying").will_with("wills/staying", "gone", delayed())).await;
    returning.vanish().await;
    let returned = house.client(options("returning")).await;
    assert!(returned.session_present);
    staying.vanish().await;
    assert_eq!(watcher.message_within(Duration::from_millis(700)).await, None, "before its delay");
    let will = watcher.message().await;
    assert_eq!((will.topic.as_str(), will.payload.as_str()), ("wills/staying", "gone"));
    assert_eq!(will.properties.payload_format_indicator, Some(1));
    assert_eq!(will.properties.content_type.as_deref(), Some("text/plain"));
    assert_eq!(will.properties.user_properties, [("why".to_owned(), "tested".to_owned())]);
    assert_eq!(watcher.message_within(SILENCE).await, None, "taken back [MQTT-3.1.3-9]");
}

/// [MQTT-3.1.2-4] and [MQTT-3.1.2-5] of both versions.
#[tokio::test]
async fn a_session_is_resumed_with_what_came_while_its_client_was_away() {
    for version in BOTH {
        let house = House::new().await;
        let lasting = || Options::new(version, "sleeper").lasting();
        let mut sleeper = house.client(lasting()).await;
        assert!(!sleeper.session_present, "{version:?}");
        sleeper.subscribe("queued/#", 2).await;
        sleeper.disconnect().await;
        let mut publisher = house.fresh(version, "publisher").await;
        for number in 0..20 {
            publisher.publish("queued/a", 1 + number % 2, false, &number.to_string()).await;
            publisher.done().await;
        }
        let mut sleeper = house.client(lasting()).await;
        assert!(sleeper.session_present, "{version:?}");
        for number in 0..20 {
            assert_eq!(sleeper.message().await, message("queued/a", &number.to_string(), 1 + number % 2));
        }
        publisher.publish("queued/b", 2, false, "live").await;
        assert_eq!(sleeper.message().await, message("queued/b", "live", 2), "the subscription is still there");
        sleeper.disconnect().await;
        // A clean session throws it away ([MQTT-3.1.2-6] of 3.1.1, [MQTT-3.1.2-4] of 5).
        let clean = house.fresh(version, "sleeper").await;
        assert!(!clean.session_present, "{version:?}");
        clean.disconnect().await;
        let again = house.client(lasting()).await;
        assert!(!again.session_present, "{version:?}");
        again.vanish().await;
    }
}

/// [MQTT-4.4.0-1]: what the client has not acknowledged comes again, marked [MQTT-3.3.1-1], before what is new.
#[tokio::test]
async fn an_unacknowledged_message_comes_again_after_the_connection_broke() {
    for version in BOTH {
        let house = House::new().await;
        for qos in 1..=2 {
            let lasting = || Options::new(version, "forgetful").lasting();
            house.fresh(version, "forgetful").await.disconnect().await;
            let mut first = house.client(lasting().without_acknowledging()).await;
            first.subscribe("again", qos).await;
            let mut publisher = house.fresh(version, "publisher").await;
            publisher.publish("again", qos, false, "once more").await;
            publisher.done().await;
            assert_eq!(first.message().await, message("again", "once more", qos));
            first.vanish().await;
            let mut second = house.client(lasting()).await;
            publisher.publish("again", qos, false, "new").await;
            assert_eq!(second.message().await, Message { dup: true, ..message("again", "once more", qos) });
            assert_eq!(second.message().await, message("again", "new", qos));
            second.disconnect().await;
            let mut third = house.client(lasting()).await;
            assert_eq!(third.message_within(SILENCE).await, None, "{version:?} at QoS {qos}: both are done with");
            third.disconnect().await;
        }
    }
}

/// [MQTT-3.3.2-4] and [MQTT-3.3.2-15] to [MQTT-3.3.2-20]: what a publisher says of its message reaches the subscriber
/// as it was, live and queued; the subscriber's own identifier comes with it (3.3.2.3.8).
#[tokio::test]
async fn properties_pass_unchanged() {
    let house = House::new().await;
    let given = PublishProperties {
        payload_format_indicator: Some(1),
        message_expiry_interval: None,
        topic_alias: None,
        response_topic: Some("answers/1".to_owned()),
        correlation_data: Some(Bytes::from_static(b"\0\xff\x01")),
        user_properties: [("k", "1"), ("l", ""), ("k", "2")].map(|(k, v)| (k.to_owned(), v.to_owned())).to_vec(),
        subscription_identifiers: Vec::new(),
        content_type: Some("application/json".to_owned()),
    };
    let lasting = || Options::new(Version::V5, "sleeper").lasting();
    let mut sleeper = house.client(lasting()).await;
    sleeper.subscribe_as("described", 1, 268_435_455).await;
    sleeper.disconnect().await;
    let mut live = house.fresh(Version::V5, "live").await;
    live.subscribe_as("described", 1, 1).await;
    let mut older = house.subscriber(Version::V311, "older", "described", 1).await;
    let mut publisher = house.fresh(Version::V5, "publisher").await;
    publisher.publish_with("described", 1, "{}", given.clone()).await;
    publisher.done().await;
    let with_id = |id| PublishProperties { subscription_identifiers: vec![id], ..given.clone() };
    assert_eq!(live.message().await.properties, with_id(1));
    assert_eq!(older.message().await, message("described", "{}", 1));
    let mut sleeper = house.client(lasting()).await;
    assert_eq!(sleeper.message().await.properties, with_id(268_435_455));
}

/// [MQTT-3.3.2-5] and [MQTT-3.3.2-6].
#[tokio::test]
async fn a_message_that_waits_too_long_expires() {
    let house = House::new().await;
    let lasting = || Options::new(Version::V5, "sleeper").lasting();
    let expiring = |seconds| PublishProperties { message_expiry_interval: Some(seconds), ..Default::default() };
    let mut sleeper = house.client(lasting()).await;
    sleeper.subscribe("news", 1).await;
    sleeper.disconnect().await;
    let mut publisher = house.fresh(Version::V5, "publisher").await;
    publisher.publish_with("news", 1, "short", expiring(1)).await;
    publisher.done().await;
    publisher.publish_with("news", 1, "long", expiring(60)).await;
    publisher.done().await;
    tokio::time::sleep(Duration::from_millis(2500)).await;
    let mut sleeper = house.client(lasting()).await;
    let long = sleeper.message().await;
    assert_eq!(long.payload, "long");
    let left = long.properties.message_expiry_interval.unwrap();
    assert!((50..=58).contains(&left), "{left} s of 60 are left after 2.5 s");
}

/// 3.3.2.3.4, [MQTT-3.3.2-12]: the server takes the client's aliases; subscribers see the topic.
#[tokio::test]
async fn a_topic_alias_stands_for_its_topic_until_it_is_set_anew() {
    let house = House::new().await;
    let mut subscriber = house.subscriber(Version::V5, "subscriber", "aliases/#", 2).await;
    let publisher = house.fresh(Version::V5, "publisher").await;
    let alias = || PublishProperties { topic_alias: Some(1), ..Default::default() };
    for (sent, expected) in
        [("aliases/a", "aliases/a"), ("", "aliases/a"), ("aliases/b", "aliases/b"), ("", "aliases/b")]
    {
        for qos in 0..=2 {
            publisher.publish_with(sent, qos, "x", alias()).await;
            assert_eq!(subscriber.message().await, message(expected, "x", qos));
        }
    }
}

/// 4.8.2 of MQTT 5: each message goes to one member of the group, and to everyone else as ever. When a member leaves,
/// the other has them all.
#[tokio::test]
async fn a_shared_subscription_gives_each_message_to_one_of_two() {
    let house = House::new().await;
    let mut first = house.subscriber(Version::V5, "first", "$share/group/work/#", 1).await;
    let mut second = house.subscriber(Version::V5, "second", "$share/group/work/#", 1).await;
    let mut alone = house.subscriber(Version::V5, "alone", "work/#", 1).await;
    let mut publisher = house.fresh(Version::V5, "publisher").await;
    let payloads: Vec<String> = (0..20).map(|number| format!("{number:02}")).collect();
    for payload in &payloads {
        publisher.publish("work/a", 1, false, payload).await;
        publisher.done().await;
    }
    for payload in &payloads {
        assert_eq!(alone.message().await.payload, *payload);
    }
    let mut shares = Vec::new();
    for member in [&mut first, &mut second] {
        let mut share = Vec::new();
        while let Some(message) = member.message_within(SILENCE).await {
            share.push(message.payload);
        }
        assert!(!share.is_empty(), "a member that got nothing shows no sharing");
        shares.extend(share);
    }
    shares.sort();
    assert_eq!(shares, payloads, "each once");
    second.disconnect().await;
    for payload in &payloads {
        publisher.publish("work/b", 1, false, payload).await;
        publisher.done().await;
        assert_eq!(first.message().await, message("work/b", payload, 1));
    }
}

/// [MQTT-3.1.4-2] of 3.1.1, [MQTT-3.1.4-3] of 5: the older connection ends, its will is published, and the session is
/// the newer one's.
#[tokio::test]
async fn a_second_connection_of_a_client_id_takes_over() {
    for version in BOTH {
        let house = House::new().await;
        let mut watcher = house.subscriber(version, "watcher", "wills/#", 1).await;
        let mut first =
            house.client(Options::new(version, "same").lasting().will("wills/same", "taken over", 1, false)).await;
        first.subscribe("to/same", 1).await;
        let mut second = house.client(Options::new(version, "same").lasting()).await;
        assert!(second.session_present, "{version:?}");
        // rumqttc 0.25 does not see a DISCONNECT that leaves out the length of no properties (MQTT 5, 3.14.2.2.1), only
        // the end behind it; a version that sees it has to be told the reason.
        if let Ok(reason) = first.ended().await {
            assert_eq!((version, reason), (Version::V5, DisconnectReasonCode::SessionTakenOver));
        }
        assert_eq!(watcher.message().await, message("wills/same", "taken over", 1));
        watcher.publish("to/same", 1, false, "hello").await;
        assert_eq!(second.message().await, message("to/same", "hello", 1), "the subscription went over");
        second.disconnect().await;
    }
}

/// More than rumqttc and the server have in flight at once.
const RUN: usize = 500;
/// How long nothing has to come before a test says that nothing came.
const SILENCE: Duration = Duration::from_millis(300);
