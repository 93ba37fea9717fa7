//! Sessions that outlive their connections: what comes back, what goes when, and who waits for whom.

use std::time::Duration;

use super::house::*;
use super::*;

/// What a publisher sends at QoS 1 and 2, to the end of each exchange, and at QoS 0.
fn publish_each(house: &House, topic: &str) {
    let mut publisher = house.anonymous("publisher");
    let answers = publisher.say(&[
        Packet::Publish(publish_as(1, topic, "one", QoS::AtLeastOnce, false)),
        Packet::Publish(publish_as(2, topic, "two", QoS::ExactlyOnce, false)),
        Packet::PubRel(ack(2)),
        publish(topic, "none", QoS::AtMostOnce, false),
    ]);
    assert_eq!(answers, ["PUBACK #1", "PUBREC #2", "PUBCOMP #2"]);
    publisher.disconnect();
}

/// A client that subscribed to `t` at QoS 2 and is gone.
fn away(house: &House, connect: Connect) {
    let (mut client, answer) = house.come(0, connect);
    assert_eq!(answer, ["CONNACK"]);
    assert_eq!(client.say(&[subscribe(&["t"], QoS::ExactlyOnce)]), ["SUBACK #1 0x2"]);
    client.end();
}

/// MQTT 5, 4.1: subscriptions and messages of QoS 1 and 2 are the session's; those of QoS 0 need not be.
#[test]
fn subscriptions_and_what_waited_come_back() {
    for connect in [kept("s"), v5("s", 100)] {
        let house = House::new();
        away(&house, connect.clone());
        publish_each(&house, "t");
        let (mut client, answer) = house.come(1, connect);
        assert_eq!(answer, ["CONNACK present", "t=one q1 #1", "t=two q2 #2"]);
        assert_eq!(client.say(&[puback(1), Packet::PubRec(ack(2)), Packet::PubComp(ack(2))]), ["PUBREL #2"]);
        house.anonymous("publisher").send(&[publish("t", "live", QoS::AtLeastOnce, false)]);
        assert_eq!(client.hear(), ["t=live q1 #3"], "subscribed without having asked again");
    }
}

/// [MQTT-4.4.0-1], [MQTT-3.3.1-1]: under the same identifiers and with DUP; in their order, [MQTT-4.6.0-1].
#[test]
fn what_was_in_flight_is_sent_again() {
    let store = MemoryStore::new();
    let house = House::over(store.clone());
    let (mut client, _) = house.come(0, kept("s"));
    client.send(&[subscribe(&["t"], QoS::ExactlyOnce)]);
    publish_each(&house, "t");
    let heard = client.hear();
    let heard: Vec<&String> = heard.iter().filter(|word| *word != "t=none").collect();
    assert_eq!(heard, ["t=one q1 #1", "t=two q2 #2"], "QoS 0 may go ahead");
    client.end();
    house.anonymous("p").send(&[publish("t", "later", QoS::AtLeastOnce, false)]);
    let expected = ["CONNACK present", "t=one q1 #1 dup", "t=two q2 #2 dup", "t=later q1 #3"];
    let (client, answer) = house.come(0, kept("s"));
    assert_eq!(answer, expected);
    drop(client); // the server is killed
    let house = House::over(store);
    let again = ["CONNACK present", "t=one q1 #1 dup", "t=two q2 #2 dup", "t=later q1 #3 dup"];
    assert_eq!(house.come(0, kept("s")).1, again);
}

/// MQTT 5, 4.3.3: after PUBREC the message is never sent again, PUBREL is until PUBCOMP comes.
#[test]
fn a_message_that_the_client_received_is_only_released() {
    let house = House::new();
    let (mut client, _) = house.come(0, v5("s", 100));
    client.send(&[subscribe(&["t"], QoS::ExactlyOnce)]);
    publish_each(&house, "t");
    let heard = client.hear();
    let heard: Vec<&String> = heard.iter().filter(|word| *word != "t=none").collect();
    assert_eq!(heard, ["t=one q1 #1", "t=two q2 #2"], "QoS 0 may go ahead");
    assert_eq!(client.say(&[Packet::PubRec(ack(2))]), ["PUBREL #2"]);
    client.end();
    let (mut client, answer) = house.come(0, v5("s", 100));
    assert_eq!(answer, ["CONNACK present", "t=one q1 #1 dup", "PUBREL #2"]);
    assert_eq!(client.say(&[Packet::PubComp(ack(2)), puback(1)]), [""; 0]);
    client.end();
    assert_eq!(house.come(0, v5("s", 100)).1, ["CONNACK present"]);
}

/// [MQTT-4.3.3-10]: until PUBREL comes, the same identifier is the same message, also after the server was killed.
#[test]
fn a_message_of_the_client_is_taken_once() {
    for is_killed in [false, true] {
        let store = MemoryStore::new();
        let house = House::over(store.clone());
        let message = |text: &str| Packet::Publish(publish_as(7, "t", text, QoS::ExactlyOnce, false));
        away(&house, kept("s"));
        let (mut publisher, _) = house.come(0, kept("p"));
        assert_eq!(publisher.say(&[message("first")]), ["PUBREC #7"]);
        if is_killed {
            drop(publisher)
        } else {
            publisher.end()
        }
        let house = if is_killed { House::over(store) } else { house };
        let (mut publisher, answer) = house.come(0, kept("p"));
        assert_eq!(answer, ["CONNACK present"]);
        assert_eq!(publisher.say(&[message("first"), Packet::PubRel(ack(7))]), ["PUBREC #7", "PUBCOMP #7"]);
        assert_eq!(publisher.say(&[message("second")]), ["PUBREC #7"], "the identifier is free again");
        publisher.end();
        let (_, answer) = house.come(0, kept("s"));
        assert_eq!(answer, ["CONNACK present", "t=first q2 #1", "t=second q2 #2"]);
    }
}

/// [MQTT-3.1.2-4], and MQTT 3.1.1, 3.1.2.4.
#[test]
fn a_clean_start_throws_the_session_away() {
    for (first, second) in [(kept("s"), v311("s")), (v5("s", 100), clean(v5("s", 100))), (kept("s"), clean(v5("s", 0)))]
    {
        let house = House::new();
        away(&house, first.clone());
        publish_each(&house, "t");
        let (mut client, answer) = house.come(0, second);
        assert_eq!(answer, ["CONNACK"]);
        publish_each(&house, "t");
        assert_eq!(client.hear(), [""; 0]);
        assert_eq!(house.broker.subscriptions_of(&client_id("s")).unwrap(), []);
        client.disconnect();
        let (_, answer) = house.come(0, first.clone());
        assert!(answer[1..].is_empty(), "{first:?}: {answer:?}");
    }
}

/// MQTT 5, 3.1.2.11.2: the session is over so many seconds after its connection, whether or not anybody watches.
#[test]
fn a_session_ends_when_its_time_is_over() {
    let house = House::new();
    away(&house, v5("s", 10));
    let (client, answer) = house.come(9, v5("s", 10));
    assert_eq!(answer, ["CONNACK present"]);
    client.end_at(&house, 20);
    assert_eq!(house.end_due(29), 0);
    let (client, answer) = house.come(30, v5("s", 10));
    assert_eq!(answer, ["CONNACK"], "nobody has looked for what is due");
    client.end_at(&house, 30);
    publish_each(&house, "t");
    assert_eq!(house.end_due(40), 1);
    assert_eq!(house.end_due(50), 0);
    assert_eq!(house.router.sessions().totals().sessions, 0);
    assert_eq!(house.come(50, v5("s", 10)).1, ["CONNACK"]);
}

/// A session that is taken up is not due, whatever it was before.
#[test]
fn a_session_that_is_taken_up_does_not_end() {
    let house = House::new();
    away(&house, v5("s", 10));
    let (mut client, answer) = house.come(5, v5("s", 10));
    assert_eq!(answer, ["CONNACK present"]);
    assert_eq!(house.end_due(1_000), 0);
    publish_each(&house, "t");
    assert_eq!(client.hear().len(), 3);
    client.end_at(&house, 1_000);
    assert_eq!(house.end_due(1_009), 0);
    assert_eq!(house.end_due(1_010), 1);
}

/// MQTT 5, 3.14.2.2.2: DISCONNECT may change the expiry, but not from zero.
#[test]
fn disconnect_changes_the_expiry() {
    let house = House::new();
    let leave = |connect: Connect, expiry: Option<u32>| {
        let (mut client, _) = house.come(0, connect);
        client.send(&[disconnect_with(ReasonCode::Success, expiry)]);
        let progress = client.progress;
        client.end_as_told();
        progress
    };
    let well = Progress::Close(DisconnectReason::ClientInitiatedDisconnect);
    assert_eq!(leave(v5("s", 10), Some(0)), well);
    assert_eq!(house.come(0, v5("s", 0)).1, ["CONNACK"]);
    assert_eq!(leave(v5("s", 10), Some(50)), well);
    assert_eq!(house.end_due(49), 0);
    assert_eq!(house.end_due(50), 1);
    assert_eq!(leave(v5("s", 0), Some(50)), Progress::Close(DisconnectReason::ClientError));
    assert_eq!(leave(v5("s", 0), None), well);
}

/// AWS quotas: an hour; the standard lets a server keep a session of MQTT 3.1.1 for ever.
#[test]
fn how_long_a_session_of_3_1_1_lives_is_the_dialects() {
    for (dialect, seconds, expected) in [
        (Dialect::Aws, 3_599, "CONNACK present"),
        (Dialect::Aws, 3_600, "CONNACK"),
        (Dialect::Mqtt, 400_000_000, "CONNACK present"),
    ] {
        let house = House::new();
        let come = |seconds| {
            let mut client = house.client_at(seconds, Identity::Anonymous, dialect);
            let answer = client.say(&[Packet::Connect(Box::new(kept("s")))]);
            (client, answer)
        };
        come(0).0.end();
        house.end_due(seconds);
        assert_eq!(come(seconds).1, [expected], "{dialect:?} {seconds}");
    }
}

/// AWS IoT Core developer guide, mqtt: no session is resumed with another version. The standard knows no such rule.
#[test]
fn another_version_of_mqtt_resumes_by_the_standard_and_not_at_aws() {
    for (dialect, present) in [(Dialect::Aws, "CONNACK"), (Dialect::Mqtt, "CONNACK present")] {
        for (first, second) in [(kept("s"), v5("s", 100)), (v5("s", 100), kept("s"))] {
            let house = House::new();
            for (connect, expected) in [(first, "CONNACK"), (second.clone(), present), (second, "CONNACK present")] {
                let mut client = house.client(Identity::Anonymous, dialect);
                assert_eq!(client.say(&[Packet::Connect(Box::new(connect))]), [expected], "{dialect:?}");
                client.end();
            }
        }
    }
}

/// The connection before has a full window and more behind it. Whoever takes over gets all of it, after its end.
#[test]
fn whoever_takes_over_waits_for_the_end_of_the_connection_before() {
    let house = House::new();
    let (mut first, _) = house.come(0, kept("s"));
    first.send(&[subscribe(&["t"], QoS::AtLeastOnce)]);
    let mut publisher = house.anonymous("p");
    let burst: Vec<Packet> = (0..150).map(|n| publish("t", &n.to_string(), QoS::AtLeastOnce, false)).collect();
    assert_eq!(publisher.send(&burst).len(), 150);
    assert_eq!(first.receive().len(), 100, "the window");
    let mut second = house.client(Identity::Anonymous, Dialect::Mqtt);
    second.begin(&[Packet::Connect(Box::new(kept("s")))]);
    assert!(second.out.is_empty() && second.connection.has_paused());
    let waits = block_on(async { tokio::time::timeout(Duration::from_millis(30), second.connection.settle()).await });
    assert!(waits.is_err(), "the connection before has not ended");
    assert_eq!(first.receive(), []);
    assert_eq!(first.progress, Progress::Close(DisconnectReason::DuplicateClientId));
    first.end_as_told();
    let mut answer = second.finish();
    assert_eq!(words(&answer[..1]), ["CONNACK present"]);
    let mut got = Vec::new();
    while !answer.is_empty() {
        let acks: Vec<Packet> = answer.iter().filter_map(puback_of).collect();
        got.extend(words(&answer));
        answer = second.send(&acks);
    }
    let expected = (0..150).map(|n| format!("t={n} q1 #{}{}", n + 1, if n < 100 { " dup" } else { "" }));
    assert_eq!(got[1..], expected.collect::<Vec<_>>());
}

#[test]
fn the_session_of_a_certificate_that_is_not_active_waits_until_it_is() {
    let house = House::new();
    let certificate = house.device(CertificateStatus::Active);
    house.attach(&house.policy("all", EVERYTHING), certificate);
    let come = |connect: Connect| {
        let mut device = house.client(Identity::Certificate(certificate), Dialect::Aws);
        let answer = device.say(&[Packet::Connect(Box::new(connect))]);
        (device, answer)
    };
    for (connect, refusal) in [(kept("d"), vec![]), (v5("e", 100), vec!["CONNACK 0x87"])] {
        let topic = connect.client_id.to_string();
        let (mut device, _) = come(connect.clone());
        device.subscribe(&[&topic]);
        device.end();
        house.registry.update_certificate_status(&certificate, CertificateStatus::Inactive, START).unwrap();
        house.pump();
        house.anonymous("p").send(&[publish(&topic, "x", QoS::AtLeastOnce, false)]);
        let (device, answer) = come(connect.clone());
        assert_eq!(answer, refusal);
        assert_eq!(device.progress, Progress::Close(DisconnectReason::AuthError));
        device.end_as_told();
        house.registry.update_certificate_status(&certificate, CertificateStatus::Active, START).unwrap();
        house.pump();
        assert_eq!(come(connect).1, ["CONNACK present".to_owned(), format!("{topic}=x q1 #1")]);
    }
}

/// [MQTT-4.5.0-1]: they are in flight as others are.
#[test]
fn retained_messages_of_qos_1_and_2_belong_to_the_session() {
    let house = House::new();
    let mut publisher = house.anonymous("p");
    publisher.send(&[publish("r/1", "one", QoS::AtLeastOnce, true), publish("r/0", "none", QoS::AtMostOnce, true)]);
    publisher.send(&[Packet::Publish(publish_as(2, "r/2", "two", QoS::ExactlyOnce, true)), Packet::PubRel(ack(2))]);
    let (mut client, _) = house.come(0, kept("s"));
    let mut answer = client.say(&[subscribe(&["r/+"], QoS::ExactlyOnce)]);
    answer.extend(client.hear());
    let mut expected = ["r/0=none retain", "r/1=one q1 #1 retain", "r/2=two q2 #2 retain"];
    assert_eq!(answer[0], "SUBACK #1 0x2");
    let mut got = answer[1..].to_vec();
    got.sort();
    expected.sort_unstable();
    assert_eq!(got, expected);
    client.end();
    let (_, answer) = house.come(0, kept("s"));
    assert_eq!(answer, ["CONNACK present", "r/1=one q1 #1 dup retain", "r/2=two q2 #2 dup retain"]);
}

/// A filter that cannot be kept once took those beside it out of the router, but not off the disk: the client could not end
/// them any more, and still got their messages [MQTT-3.10.4-2].
#[test]
fn a_filter_that_cannot_be_kept_is_refused_alone() {
    let house = House::new();
    let (mut client, _) = house.come(0, v5("s", 100));
    assert_eq!(client.subscribe(&["a/b"]), [suback(&[GRANTED])]);
    let long = "l".repeat(65_500);
    assert_eq!(client.subscribe(&["a/b", &long, "c"]), [suback(&[GRANTED, ReasonCode::QuotaExceeded, GRANTED])]);
    let heard = |client: &mut Client, topic: &str| {
        house.anonymous("p").send(&[publish(topic, "x", QoS::AtLeastOnce, false)]);
        payloads(&client.receive()).len()
    };
    assert_eq!([heard(&mut client, "a/b"), heard(&mut client, "c"), heard(&mut client, &long)], [1, 1, 0]);
    client.send(&[unsubscribe(&["a/b"])]);
    assert_eq!([heard(&mut client, "a/b"), heard(&mut client, "c")], [0, 1]);
}

/// A session that is owed a thousand retained messages once had all of them kept in one turn: its thread and the store's
/// queue were taken for as long, and everybody else waited.
#[test]
fn many_retained_messages_are_kept_for_a_session_a_part_at_a_time() {
    let house = House::new();
    let retained = (0..1000).map(|n| publish(&format!("r/{n}"), "x", QoS::AtLeastOnce, true));
    house.anonymous("p").send(&retained.collect::<Vec<_>>());
    let (mut client, _) = house.come(0, kept("s"));
    client.begin(&[subscribe(&["r/+"], QoS::AtLeastOnce)]);
    let (mut messages, mut got) = (0, Vec::new());
    while messages < 1000 {
        got.extend(client.receive());
        let now = house.router.sessions().totals().messages;
        assert!((1..500).contains(&(now - messages)), "{now} are kept after {messages}");
        messages = now;
    }
    got.extend(client.receive());
    assert_eq!(payloads(&got[1..]).len(), usize::from(limits::INFLIGHT_MAX), "then the window is filled");
}

/// MQTT 5, 3.3.4: no more than the client's Receive Maximum is in flight, whatever comes from the disk.
#[test]
fn what_comes_from_the_disk_keeps_to_the_window_and_comes_once() {
    let house = House::new();
    away(&house, v5("s", 100));
    let mut publisher = house.anonymous("p");
    for n in 0..400 {
        publisher.send(&[publish("t", &n.to_string(), QoS::AtLeastOnce, false)]);
    }
    let (mut client, answer) = house.come(0, receive_max(v5("s", 100), 7));
    assert_eq!(answer.len(), 1 + 7);
    let mut got = answer[1..].to_vec();
    let mut live = 400;
    for number in 1..=500 {
        if live < 500 {
            publisher.send(&[publish("t", &live.to_string(), QoS::AtLeastOnce, false)]);
            live += 1;
        }
        got.extend(client.say(&[puback(number)]));
    }
    let expected = (0..500).map(|n| format!("t={n} q1 #{}", n + 1));
    assert_eq!(got, expected.collect::<Vec<_>>());
}

/// However much comes at QoS 0, what only the disk has has its turn.
#[test]
fn a_flood_of_qos_0_does_not_keep_away_what_is_stored() {
    let house = House::new();
    let (mut client, _) = house.come(0, kept("s"));
    client.send(&[subscribe(&["t"], QoS::AtLeastOnce)]);
    let mut publisher = house.anonymous("p");
    let count = limits::MAILBOX_MESSAGES_SOFT + 100;
    for _ in 0..count {
        publisher.send(&[publish("t", "x", QoS::AtLeastOnce, false)]);
    }
    let large = "f".repeat(300_000); // more than one call writes
    let mut heard = client.send(&[subscribe(&["flood"], QoS::AtMostOnce)]);
    let mut got = 0;
    for _ in 0..100 {
        let acks: Vec<Packet> = heard.iter().filter_map(puback_of).collect();
        got += acks.len();
        publisher.send(&[publish("flood", &large, QoS::AtMostOnce, false)]);
        heard = client.send(&acks);
    }
    assert_eq!(got, count);
}
