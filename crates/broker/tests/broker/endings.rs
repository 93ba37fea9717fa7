//! How connections end, and what their clients are told; and what others may ask of a connection.

use broker::NotReached;
use message::{Message, Origin};

use super::house::*;
use super::*;

/// MQTT 5, 3.14.2.1, table 3-10: the code for each way that a connection ends; nothing where nobody is there to be told.
#[test]
fn a_client_of_mqtt_5_is_told_why() {
    use DisconnectReason::*;
    for (reason, code) in [
        (ClientInitiatedDisconnect, None),
        (ConnectionLost, None),
        (ClientError, Some("DISCONNECT 0x82")),
        (DuplicateClientId, Some("DISCONNECT 0x8e")),
        (ForbiddenAccess, Some("DISCONNECT 0x87")),
        (MqttKeepAliveTimeout, Some("DISCONNECT 0x8d")),
        (ServerError, Some("DISCONNECT 0x80")),
        (ServerInitiatedDisconnect, Some("DISCONNECT 0x8b")),
        (Throttled, Some("DISCONNECT 0x97")),
        (ApiInitiatedDisconnect, Some("DISCONNECT 0x98")),
        (WebsocketTtlExpiration, Some("DISCONNECT 0xa0")),
    ] {
        let house = House::new();
        let told: Vec<&str> = code.into_iter().collect();
        assert_eq!(house.come(0, v5("c", 0)).0.end_for(reason), told, "{reason:?}");
        assert_eq!(house.anonymous("c").end_for(reason), [""; 0], "MQTT 3.1.1 has no such packet");
    }
}

/// MQTT 5, 4.13: the code says what was wrong.
#[test]
fn a_violation_is_told_as_what_it_is() {
    let check = |bytes: &[u8], code: &str| {
        let house = House::new();
        let (mut client, _) = house.come(0, v5("c", 0));
        client.send_bytes(bytes);
        assert_eq!(client.progress, Progress::Close(DisconnectReason::ClientError));
        assert_eq!(client.end_as_told(), [format!("DISCONNECT {code}")], "{bytes:x?}");
    };
    check(&[0x36, 5, 0, 1, b't', 0, 0], "0x81"); // QoS 3 [MQTT-3.3.1-4]
    check(&[0x30, 4, 0, 1, b'+', 0], "0x90"); // a wildcard [MQTT-3.3.2-2]
    check(&[0x10, 13, 0, 4, b'M', b'Q', b'T', b'T', 5, 2, 0, 0, 0, 0, 0], "0x82"); // a second CONNECT [MQTT-3.1.0-2]
    check(&[0x30, 6, 0, 0, 3, 0x23, 0xff, 0xff], "0x94"); // Topic Alias 65535 [MQTT-3.3.2-9]
    check(&[0xc1, 0], "0x81"); // reserved flags
}

/// Developer guide, mqtt; and MQTT 5, 3.4.2.1: a refused message of QoS 1 has a PUBACK, one of QoS 0 only DISCONNECT.
#[test]
fn a_message_that_may_not_be_published_is_refused_as_its_version_can_say() {
    let house = House::new();
    let certificate = house.device(CertificateStatus::Active);
    let no = r#"{"Effect":"Deny","Action":"iot:Publish","Resource":"arn:aws:iot:us-east-1:123456789012:topic/no"}"#;
    house.attach(&house.policy("some", &format!("{EVERYTHING},{no}")), certificate);
    let witness = house.witness(&["no"]);
    let come = |connect: Connect| {
        let mut device = house.client(Identity::Certificate(certificate), Dialect::Aws);
        device.send(&[Packet::Connect(Box::new(connect))]);
        device
    };
    let closes = Progress::Close(DisconnectReason::ForbiddenAccess);
    let mut device = come(v5("five", 0));
    assert_eq!(device.say(&[publish("no", "x", QoS::AtLeastOnce, false)]), ["PUBACK #7 0x87"]);
    assert_eq!(device.say(&[publish("yes", "x", QoS::AtLeastOnce, false)]), ["PUBACK #7"], "it stays");
    assert_eq!(device.say(&[publish("no", "x", QoS::AtMostOnce, false)]), [""; 0]);
    assert_eq!(device.progress, closes);
    assert_eq!(device.end_as_told(), ["DISCONNECT 0x87"]);
    for qos in [QoS::AtMostOnce, QoS::AtLeastOnce] {
        let mut device = come(v311("three"));
        assert_eq!(device.say(&[publish("no", "x", qos, false)]), [""; 0]);
        assert_eq!(device.progress, closes);
        assert_eq!(device.end_as_told(), [""; 0]);
    }
    assert_eq!(witness.heard(), [""; 0]);
}

/// AWS IoT API reference, DeleteConnection: cleanSession and preventWillMessage, of a connected client.
#[test]
fn a_connection_is_ended_by_the_api() {
    for (prevent_will, clean_session) in [(false, false), (false, true), (true, false), (true, true)] {
        for delay in [0, 10] {
            let house = House::new();
            let witness = house.witness(&["wills"]);
            let (mut client, _) = house.come(0, with_will(v5("c", 100), delay));
            assert!(
                block_on(house.broker.end_connection(&client_id("c"), prevent_will, clean_session, START)).unwrap()
            );
            assert_eq!(client.hear(), [""; 0]);
            assert_eq!(client.progress, Progress::Close(DisconnectReason::ApiInitiatedDisconnect));
            assert_eq!(client.end_as_told(), ["DISCONNECT 0x98"]);
            let case = format!("{prevent_will} {clean_session} {delay}");
            let is_now = !prevent_will && (delay == 0 || clean_session);
            assert_eq!(witness.heard().len(), usize::from(is_now), "{case}");
            house.end_due(20);
            assert_eq!(witness.heard().len(), usize::from(!prevent_will && !is_now), "{case}");
            let expected = if clean_session { "CONNACK" } else { "CONNACK present" };
            assert_eq!(house.come(20, v5("c", 100)).1, [expected], "{case}");
        }
    }
}

/// The same, of a client that is still waiting for the connection that it takes over.
#[test]
fn a_connection_is_ended_by_the_api_before_it_is_accepted() {
    let house = House::new();
    let (mut first, _) = house.come(0, v5("c", 100));
    let mut taking = house.client(Identity::Anonymous, Dialect::Mqtt);
    taking.begin(&[Packet::Connect(Box::new(v5("c", 100)))]);
    assert!(block_on(house.broker.end_connection(&client_id("c"), false, true, START)).unwrap());
    first.hear();
    assert_eq!(first.end_as_told(), ["DISCONNECT 0x8e"]);
    taking.finish();
    taking.hear();
    assert_eq!(taking.progress, Progress::Close(DisconnectReason::ApiInitiatedDisconnect));
    taking.end_as_told();
    assert_eq!(house.come(20, v5("c", 100)).1, ["CONNACK"]);
}

/// The same, of a client that is away: its session ends if that is asked for, and a session's end makes its will due.
#[test]
fn a_session_is_ended_by_the_api_while_its_client_is_away() {
    let house = House::new();
    let end = |prevent_will, clean_session| {
        block_on(house.broker.end_connection(&client_id("c"), prevent_will, clean_session, START)).unwrap()
    };
    assert!(!end(false, true), "nobody has ever heard of it");
    for (prevent_will, heard) in [(false, 1), (true, 0)] {
        let witness = house.witness(&["wills"]);
        house.come(0, with_will(v5("c", 100), 10)).0.end();
        assert!(!end(prevent_will, false), "there is no connection");
        assert!(end(prevent_will, true));
        assert_eq!(witness.heard().len(), heard);
        assert!(!end(prevent_will, true));
        house.end_due(200);
        assert_eq!(witness.heard().len(), 0);
        let (client, answer) = house.come(0, v5("c", 100));
        assert_eq!(answer, ["CONNACK"]);
        client.end();
        assert!(end(false, true));
    }
}

/// AWS IoT API reference, GetConnection.
#[test]
fn a_connection_is_known_while_it_lasts_and_half_an_hour_longer() {
    let house = House::new();
    let (client, _) = house.come(0, clean(v5("c", 100)));
    let connection = house.broker.connection(&client_id("c"), later(5)).unwrap();
    assert!(connection.end().is_none() && connection.clean_start);
    assert_eq!((connection.connected_at, connection.session_expiry_seconds), (START, 100));
    client.end_at(&house, 10);
    let end = house.broker.connection(&client_id("c"), later(1_809)).unwrap().end().unwrap();
    assert_eq!((end.at, end.reason), (later(10), DisconnectReason::ConnectionLost));
    assert_eq!(end.session_expiry_seconds, 100);
    assert!(house.broker.connection(&client_id("c"), later(1_810)).is_none());
    assert!(house.broker.connection(&client_id("never"), later(0)).is_none());
}

fn direct(qos: QoS) -> Message {
    let (topic, payload) = (TopicName::new("direct").unwrap(), Bytes::from_static(b"x"));
    let (retain, properties, received_at, origin) = (false, None, START, Arc::new(Origin::default()));
    Message { topic, payload, qos, retain, properties, received_at, origin }
}

/// AWS IoT API reference, SendDirectMessage: confirmed when the client acknowledges, and the client need not subscribe.
#[test]
fn a_message_is_sent_to_one_client() {
    let house = House::new();
    for connect in [v311("c"), v5("c", 100)] {
        let (mut client, _) = house.come(0, connect);
        let mut confirmed = house.broker.send_to(&client_id("c"), direct(QoS::AtLeastOnce), START).unwrap();
        assert_eq!(client.hear(), ["direct=x q1 #1"]);
        assert!(confirmed.try_recv().is_err(), "not acknowledged yet");
        client.send(&[puback(1)]);
        assert_eq!(confirmed.try_recv(), Ok(()));
        let mut confirmed = house.broker.send_to(&client_id("c"), direct(QoS::AtMostOnce), START).unwrap();
        assert_eq!(client.hear(), ["direct=x"]);
        assert_eq!(confirmed.try_recv(), Ok(()), "there is nothing to wait for");
        let confirmed = house.broker.send_to(&client_id("c"), direct(QoS::AtLeastOnce), START).unwrap();
        client.hear();
        client.end();
        assert!(block_on(confirmed).is_err(), "it never will be");
    }
    let refusal = |id: &str| match house.broker.send_to(&client_id(id), direct(QoS::AtLeastOnce), START) {
        Err(NotReached::NotConnected { has_session, .. }) => has_session,
        other => panic!("{other:?}"),
    };
    assert!(refusal("c"));
    assert!(!refusal("stranger"));
}

/// [MQTT-4.4.0-1]: a direct message took the identifier that a stored one would have had; the other one that this went
/// out with stays its own.
#[test]
fn a_message_that_went_out_under_another_identifier_keeps_it() {
    for qos in [QoS::AtLeastOnce, QoS::ExactlyOnce] {
        let house = House::new();
        let (mut client, _) = house.come(0, kept("c"));
        client.send(&[subscribe(&["t"], QoS::ExactlyOnce)]);
        drop(house.broker.send_to(&client_id("c"), direct(QoS::AtLeastOnce), START).unwrap());
        assert_eq!(client.hear(), ["direct=x q1 #1"]);
        house.anonymous("p").send(&[publish("t", "x", qos, false)]);
        let went_out = client.hear().concat();
        assert_ne!(went_out, format!("t=x q{} #1", qos.bits()));
        client.end();
        assert_eq!(house.come(0, kept("c")).1, ["CONNACK present".to_owned(), format!("{went_out} dup")]);
    }
}

/// Policies decide whether it may receive the topic; it is not sent then.
#[test]
fn a_message_to_one_client_needs_its_permission() {
    let house = House::new();
    let certificate = house.device(CertificateStatus::Active);
    let no = r#"{"Effect":"Deny","Action":"iot:Receive","Resource":"*"}"#;
    house.attach(&house.policy("some", &format!("{EVERYTHING},{no}")), certificate);
    let mut device = house.client(Identity::Certificate(certificate), Dialect::Aws);
    assert_eq!(device.connect("d", None), [accepted()]);
    let refused = house.broker.send_to(&client_id("d"), direct(QoS::AtLeastOnce), START);
    assert!(matches!(refused, Err(NotReached::NotAllowed { .. })));
    assert_eq!(device.hear(), [""; 0]);
}

/// A session whose client could not even be told that it is connected waits for it, and its time runs.
#[test]
fn a_client_that_takes_no_connack_is_not_connected() {
    let house = House::new();
    let (client, answer) = house.come(0, packet_max(v5("c", 100), 3));
    assert_eq!((answer, client.progress), (vec![], Progress::Close(DisconnectReason::AuthError)));
    client.end_as_told();
    assert!(house.broker.connection(&client_id("c"), START).is_none());
    assert_eq!(house.end_due(100), 1, "its session is over");
}

/// The door may lose the transport between the decision on a CONNECT and its CONNACK.
#[test]
fn a_client_that_is_gone_before_its_connack_is_not_connected() {
    let house = House::new();
    let (mut first, _) = house.come(0, v5("c", 100));
    let mut second = house.client(Identity::Anonymous, Dialect::Mqtt);
    second.begin(&[Packet::Connect(Box::new(v5("c", 100)))]);
    first.hear();
    first.end_as_told();
    assert_eq!(block_on(second.connection.settle()), Progress::Open);
    assert!(!second.connection.is_connected() && second.out.is_empty());
    second.end_at(&house, 10);
    assert_eq!(house.end_due(109), 0);
    assert_eq!(house.end_due(110), 1, "its session is over");
}
