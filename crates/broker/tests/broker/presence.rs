//! Lifecycle events as a subscriber sees them (developer guide, life-cycle-events).

use router::Subscriber;
use serde_json::{Value, json};

use super::house::*;
use super::policies::LAMP;
use super::*;

/// A service that sees what clients may see of events.
struct Watcher(Subscriber);

impl Watcher {
    fn new(house: &House) -> Self {
        let subscriber = house.router.service();
        let options = SubscribeOptions::plain(QoS::AtLeastOnce, Dialect::Aws);
        subscriber.subscribe(TopicFilter::new("$aws/events/#").unwrap(), options);
        Self(subscriber)
    }

    /// What came since the last call: what follows `$aws/events/` in the topic, and the event.
    fn events(&self) -> Vec<(String, Value)> {
        let mut deliveries = Vec::new();
        self.0.mailbox().drain(&mut deliveries, usize::MAX);
        let events = deliveries.iter().map(|delivery| {
            let message = &delivery.message;
            assert_eq!((message.qos, message.retain), (QoS::AtLeastOnce, false));
            let topic = message.topic.as_str().strip_prefix("$aws/events/").unwrap();
            (topic.to_owned(), serde_json::from_slice(&message.payload).unwrap())
        });
        events.collect()
    }

    /// The events' topics.
    fn topics(&self) -> Vec<String> {
        self.events().into_iter().map(|(topic, _)| topic).collect()
    }

    /// The version numbers and the topics.
    fn versions(&self) -> Vec<(String, u64)> {
        let version = |(topic, event): (String, Value)| (topic, event["versionNumber"].as_u64().unwrap());
        self.events().into_iter().map(version).collect()
    }
}

#[test]
fn coming_subscribing_and_going_are_told() {
    let house = House::new();
    let certificate = house.device(CertificateStatus::Active);
    let denied =
        r#"{"Effect":"Deny","Action":"iot:Subscribe","Resource":"arn:aws:iot:us-east-1:123456789012:topicfilter/no"}"#;
    house.attach(&house.policy("all", &format!("{EVERYTHING},{denied}")), certificate);
    let watcher = Watcher::new(&house);
    let mut device = house.client(Identity::Certificate(certificate), Dialect::Aws);
    assert_eq!(device.connect("c1", None), [accepted()]);
    device.subscribe(&["no", "a/b", "c/#"]);
    device.subscribe(&["no"]);
    for filters in [&["a/b", "never/subscribed"][..], &["a/b"]] {
        device.send(&[unsubscribe(filters)]);
    }
    device.disconnect();
    let expected = [
        ("presence/connected/c1", json!({"eventType": "connected", "ipAddress": "127.0.0.1", "versionNumber": 0})),
        ("subscriptions/subscribed/c1", json!({"eventType": "subscribed", "topics": ["a/b", "c/#"]})),
        ("subscriptions/unsubscribed/c1", json!({"eventType": "unsubscribed", "topics": ["a/b"]})),
        (
            "presence/disconnected/c1",
            json!({"eventType": "disconnected", "clientInitiatedDisconnect": true,
                "disconnectReason": "CLIENT_INITIATED_DISCONNECT", "versionNumber": 0}),
        ),
    ];
    let common = json!({"clientId": "c1", "timestamp": START.as_millis(), "sessionIdentifier": SESSION.to_string(),
        "principalIdentifier": certificate.to_string()});
    let whole = |(topic, mut event): (&str, Value)| {
        event.as_object_mut().unwrap().extend(common.as_object().unwrap().clone());
        (topic.to_owned(), event)
    };
    assert_eq!(watcher.events(), expected.map(whole));
}

/// Developer guide, life-cycle-events: the table of disconnect reasons, and which of them publish the will.
#[test]
fn the_reason_of_the_end_is_told() {
    type Act = fn(&House, &mut Client);
    let cases: [(&str, Act); 7] = [
        ("CLIENT_INITIATED_DISCONNECT", |_, client| drop(client.send(&[disconnect()]))),
        ("CLIENT_ERROR", |_, client| drop(client.send_bytes(&[0x36, 0]))),
        ("FORBIDDEN_ACCESS", |_, client| {
            client.send(&[publish("$aws/events/presence/connected/x", "x", QoS::AtMostOnce, false)]);
        }),
        ("SERVER_INITIATED_DISCONNECT", |house, client| {
            house.broker.shut_down();
            client.receive();
        }),
        ("THROTTLED", |house, client| {
            client.subscribe(&["flood"]);
            let flood: Vec<Packet> = (0..200).map(|_| publish("flood", "x", QoS::AtLeastOnce, false)).collect();
            let mut publisher = house.anonymous("publisher");
            (0..=limits::MAILBOX_MESSAGES_HARD / 200).for_each(|_| drop(publisher.send(&flood)));
            client.receive();
        }),
        ("DUPLICATE_CLIENTID", |house, client| {
            let mut second = house.client(Identity::Anonymous, Dialect::Mqtt);
            second.begin(&[Packet::Connect(Box::new(v311("c1")))]);
            client.receive();
        }),
        ("API_INITIATED_DISCONNECT", |house, client| {
            assert!(block_on(house.broker.end_connection(&client_id("c1"), false, false, START)).unwrap());
            client.receive();
        }),
    ];
    for (reason, act) in cases {
        check_end(reason, |house, mut client| {
            act(house, &mut client);
            client.end_as_told();
        });
    }
    // These the door knows.
    for (reason, end) in [
        ("CONNECTION_LOST", DisconnectReason::ConnectionLost),
        ("MQTT_KEEP_ALIVE_TIMEOUT", DisconnectReason::MqttKeepAliveTimeout),
        ("SERVER_ERROR", DisconnectReason::ServerError),
        ("WEBSOCKET_TTL_EXPIRATION", DisconnectReason::WebsocketTtlExpiration),
    ] {
        check_end(reason, |_, client| drop(client.end_for(end)));
    }
}

fn check_end(reason: &str, end: impl FnOnce(&House, Client)) {
    let house = House::new();
    let (watcher, wills) = (Watcher::new(&house), house.witness(&["wills"]));
    let (client, _) = house.come(0, with_will(v311("c1"), 0));
    end(&house, client);
    let events = watcher.events();
    let told: Vec<&Value> =
        events.iter().filter(|(topic, _)| topic == "presence/disconnected/c1").map(|(_, event)| event).collect();
    let is_clients = reason == "CLIENT_INITIATED_DISCONNECT";
    assert_eq!(told.len(), 1, "{reason}");
    assert_eq!(told[0]["disconnectReason"], reason);
    assert_eq!(told[0]["clientInitiatedDisconnect"], is_clients);
    assert_eq!(told[0]["principalIdentifier"], "anonymous");
    assert_eq!(wills.heard().len(), usize::from(!is_clients), "{reason}: the will");
}

#[test]
fn a_connection_has_one_version_number_and_the_next_connection_the_next() {
    let (connected, disconnected) = ("presence/connected/c1", "presence/disconnected/c1");
    let house = House::new();
    let watcher = Watcher::new(&house);
    let expect = |expected: &[(&str, u64)]| {
        let expected: Vec<_> = expected.iter().map(|&(topic, version)| (topic.to_owned(), version)).collect();
        assert_eq!(watcher.versions(), expected);
    };
    house.anonymous("c1").disconnect();
    let mut second = house.anonymous("c1");
    expect(&[(connected, 0), (disconnected, 0), (connected, 1)]);
    let mut third = house.client(Identity::Anonymous, Dialect::Mqtt);
    third.begin(&[Packet::Connect(Box::new(v311("c1")))]);
    second.receive();
    second.end_as_told();
    assert_eq!(third.finish(), [accepted()]);
    third.disconnect();
    expect(&[(disconnected, 1), (connected, 2), (disconnected, 2)]);
    house.anonymous("other").disconnect();
    assert_eq!(watcher.versions()[0].1, 0, "numbers are the client id's");
    for (hours, version) in [(0, 3), (1, 0), (2, 0), (0, 1)] {
        let mut client = house.client(Identity::Anonymous, Dialect::Mqtt);
        client.now.timestamp = Timestamp::from_millis(START.as_millis() + hours * 3_600_000);
        client.connect("c1", None);
        client.disconnect();
        expect(&[(connected, version), (disconnected, version)]);
    }
}

#[test]
fn client_ids_with_wildcards_have_no_events() {
    let house = House::new();
    let watcher = Watcher::new(&house);
    for client_id in ["#", "a+", "a/#"] {
        let mut client = house.anonymous(client_id);
        assert_eq!(client.subscribe(&["a"]), [suback(&[GRANTED])]);
        client.disconnect();
    }
    assert_eq!(watcher.topics(), [""; 0]);
    house.anonymous("a/b").disconnect();
    assert_eq!(watcher.topics(), ["presence/connected/a/b", "presence/disconnected/a/b"]);
}

/// Developer guide, life-cycle-events: connect_failed is sent when a client may not connect, or not publish its will.
#[test]
fn a_client_that_the_policies_refuse_is_told_of() {
    let house = House::new();
    let certificate = house.device(CertificateStatus::Active);
    house.attach(&house.policy("lamp", LAMP), certificate);
    let will = |topic: &str| {
        let topic = TopicName::new(topic.to_owned()).unwrap();
        Some(Will {
            topic,
            payload: "gone".into(),
            qos: QoS::AtMostOnce,
            retain: false,
            delay_seconds: 0,
            properties: None,
        })
    };
    let watcher = Watcher::new(&house);
    for (client_id, will, expected) in [
        ("stranger", None, "presence/connect_failed/stranger"),
        ("lamp-1", will("heaters/1"), "presence/connect_failed/lamp-1"),
        ("lamp-1", will("$aws/events/presence/connected/x"), "presence/connect_failed/lamp-1"),
        ("lamp-1", will("lamps/lamp-1/gone"), "presence/connected/lamp-1"),
    ] {
        let mut device = house.client(Identity::Certificate(certificate), Dialect::Aws);
        device.connect(client_id, will);
        let events = watcher.events();
        let [(topic, event)] = &events[..] else { panic!("{events:?}") };
        assert_eq!(topic, expected);
        if device.progress != Progress::Open {
            device.end_as_told();
            let failed = json!({"clientId": client_id, "timestamp": START.as_millis(), "eventType": "connect_failed",
                "connectFailureReason": "AUTHORIZATION_FAILED", "principalIdentifier": certificate.to_string(),
                "sessionIdentifier": SESSION.to_string(), "ipAddress": "127.0.0.1"});
            assert_eq!(*event, failed);
            assert_eq!(watcher.topics(), [""; 0], "a client that did not come does not go");
        }
    }
}

/// AWS refuses these in the handshake, before there is a client id.
#[test]
fn an_unknown_or_inactive_certificate_makes_no_event() {
    let house = House::new();
    let watcher = Watcher::new(&house);
    for certificate in [house.device(CertificateStatus::Inactive), CertificateId::from_der_hash([1; 32])] {
        let mut device = house.client(Identity::Certificate(certificate), Dialect::Aws);
        assert_eq!(device.connect("c1", None), []);
        device.end_as_told();
    }
    assert_eq!(watcher.topics(), [""; 0]);
}

#[test]
fn connected_comes_before_the_clients_first_message_and_disconnected_after_its_will() {
    let house = House::new();
    let all = house.router.service();
    let options = SubscribeOptions::plain(QoS::AtLeastOnce, Dialect::Aws);
    for filter in ["$aws/events/#", "first", "wills"] {
        all.subscribe(TopicFilter::new(filter).unwrap(), options);
    }
    let mut client = house.client(Identity::Anonymous, Dialect::Mqtt);
    client.send(&[Packet::Connect(Box::new(with_will(v311("c1"), 0))), publish("first", "x", QoS::AtMostOnce, false)]);
    client.end();
    let mut deliveries = Vec::new();
    all.mailbox().drain(&mut deliveries, usize::MAX);
    let topics: Vec<&str> = deliveries.iter().map(|delivery| delivery.message.topic.as_str()).collect();
    assert_eq!(topics, ["$aws/events/presence/connected/c1", "first", "wills", "$aws/events/presence/disconnected/c1"]);
}
