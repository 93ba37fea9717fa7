//! Messages from clients to clients, and what keeps one from harming another.

use bytes::BytesMut;
use mqtt_codec::{Protocol, encode};
use names::limits;

use super::house::*;
use super::*;

#[test]
fn a_message_goes_from_one_client_to_another() {
    let house = House::new();
    let (mut publisher, mut subscriber) = (house.anonymous("p"), house.anonymous("s"));
    assert_eq!(subscriber.subscribe(&["a/+", "b"]), [suback(&[GRANTED, GRANTED])]);
    assert_eq!(publisher.send(&[publish("a/b", "1", QoS::AtLeastOnce, false)]), [puback(7)]);
    publisher.send(&[publish("c", "2", QoS::AtMostOnce, false), publish("b", "3", QoS::AtMostOnce, false)]);
    assert_eq!(payloads(&subscriber.receive()), ["1", "3"]);
    assert_eq!(subscriber.say(&[unsubscribe(&["a/+"])]), ["UNSUBACK #9"]);
    publisher.send(&[publish("a/b", "4", QoS::AtMostOnce, false)]);
    assert_eq!(subscriber.receive(), []);
}

#[test]
fn a_second_connection_takes_the_client_id_over_and_the_will_is_published() {
    let house = House::new();
    let mut watcher = house.anonymous("watcher");
    watcher.subscribe(&["wills"]);
    let (mut first, _) = house.come(0, with_will(v311("same"), 0));
    let mut second = house.client(Identity::Anonymous, Dialect::Mqtt);
    second.begin(&[Packet::Connect(Box::new(with_will(v311("same"), 0)))]);
    assert_eq!(first.receive(), []);
    assert_eq!(first.progress, Progress::Close(DisconnectReason::DuplicateClientId));
    first.end();
    assert_eq!(second.finish(), [accepted()]);
    assert_eq!(payloads(&watcher.receive()), ["gone"]);
    assert_eq!(second.send(&[Packet::PingReq]), [Packet::PingResp], "the second is not disturbed");
    second.disconnect();
    assert_eq!(watcher.receive(), [], "DISCONNECT removes the will");
}

#[test]
fn the_window_holds_deliveries_back_until_they_are_acknowledged() {
    let house = House::new();
    let (mut publisher, mut subscriber) = (house.anonymous("p"), house.anonymous("s"));
    subscriber.subscribe(&["t"]);
    for n in 0..250 {
        publisher.send(&[publish("t", &n.to_string(), QoS::AtLeastOnce, false)]);
    }
    let mut got = Vec::new();
    let mut packets = subscriber.receive();
    assert_eq!(packets.len(), usize::from(limits::INFLIGHT_MAX));
    while !packets.is_empty() {
        let acks: Vec<Packet> = packets.iter().filter_map(puback_of).collect();
        got.extend(payloads(&packets));
        packets = subscriber.send(&acks);
    }
    assert_eq!(got, (0..250).map(|n| n.to_string()).collect::<Vec<_>>());
}

#[test]
fn a_subscriber_gets_what_is_retained() {
    let house = House::new();
    let mut publisher = house.anonymous("p");
    for (topic, payload) in [("r/1", "one"), ("r/2", "two"), ("r/2", "zwei"), ("r/3", "three"), ("r/3", "")] {
        publisher.send(&[publish(topic, payload, QoS::AtLeastOnce, true)]);
    }
    let mut subscriber = house.anonymous("s");
    let mut got = subscriber.subscribe(&["r/+"]);
    assert_eq!(got.remove(0), suback(&[GRANTED]));
    assert!(got.iter().all(|packet| matches!(packet, Packet::Publish(publish) if publish.retain)));
    let mut texts = payloads(&got);
    texts.sort();
    assert_eq!(texts, ["one", "zwei"]);
    publisher.send(&[publish("r/1", "live", QoS::AtMostOnce, true)]);
    let live = subscriber.receive();
    assert!(matches!(&live[..], [Packet::Publish(publish)] if !publish.retain), "[MQTT-3.3.1-9]");
}

#[test]
fn after_an_unsubscribe_no_more_retained_messages_are_added() {
    let house = House::new();
    house.anonymous("p").send(&[publish("r/1", "one", QoS::AtLeastOnce, true)]);
    let mut subscriber = house.anonymous("s");
    let got = subscriber.say(&[subscribe(&["r/+"], QoS::AtLeastOnce), unsubscribe(&["r/+"])]);
    assert_eq!(got, ["SUBACK #1 0x1", "UNSUBACK #9"], "[MQTT-3.10.4-2]");
}

#[test]
fn subscribing_again_before_the_retained_messages_went_out_does_not_pile_them_up() {
    let house = House::new();
    let mut publisher = house.anonymous("p");
    publisher.send(&[publish("r/1", "one", QoS::AtLeastOnce, true)]);
    let mut subscriber = house.anonymous("s");
    subscriber.subscribe(&["live"]);
    let live: Vec<Packet> = (0..100).map(|_| publish("live", "x", QoS::AtLeastOnce, false)).collect();
    publisher.send(&live);
    let acks: Vec<Packet> = subscriber.receive().iter().filter_map(puback_of).collect();
    assert_eq!(acks.len(), 100, "the window is full");
    for _ in 0..3 {
        assert_eq!(subscriber.subscribe(&["r/1"]), [suback(&[GRANTED])]);
    }
    assert_eq!(payloads(&subscriber.send(&acks)), ["one"]);
    assert_eq!(payloads(&subscriber.subscribe(&["r/1"])[1..]), ["one"], "[MQTT-3.8.4-3]");
}

#[test]
fn nothing_more_is_taken_from_a_client_while_a_service_has_to_catch_up() {
    let house = House::new();
    let service = house.router.service();
    service.subscribe(TopicFilter::new("t").unwrap(), SubscribeOptions::plain(QoS::AtLeastOnce, Dialect::Aws));
    let mut clients = [house.anonymous("a"), house.anonymous("b")];
    let each = limits::MAILBOX_MESSAGES_HARD - limits::MAILBOX_MESSAGES_SOFT;
    let (mut acknowledged, mut served) = (0, 0);
    let mut inputs = [(); 2].map(|()| {
        let mut input = BytesMut::new();
        (0..each).for_each(|_| encode(&publish("t", "x", QoS::AtLeastOnce, false), Protocol::V311, &mut input));
        input
    });
    while inputs.iter().any(|input| !input.is_empty()) {
        for (client, input) in clients.iter_mut().zip(&mut inputs) {
            let _ = client.connection.receive(input, &mut client.out, client.now);
            assert!(input.is_empty() || client.connection.has_paused());
        }
        let mut deliveries = Vec::new();
        served += service.mailbox().drain(&mut deliveries, usize::MAX);
        for client in &mut clients {
            acknowledged += client.receive().len();
        }
    }
    assert_eq!((acknowledged, served), (2 * each, 2 * each), "what is acknowledged has reached the service");
}

/// A service that keeps what it is told: the client is acknowledged when the service is done, and not if it drops the
/// message.
#[test]
fn a_client_is_acknowledged_when_the_service_is_done() {
    let house = House::new();
    let service = house.router.confirming_service();
    service.subscribe(TopicFilter::new("t").unwrap(), SubscribeOptions::plain(QoS::AtLeastOnce, Dialect::Aws));
    let mut client = house.anonymous("c");
    client.begin(&[publish("t", "x", QoS::AtLeastOnce, false)]);
    let mut deliveries = Vec::new();
    assert_eq!(service.mailbox().drain(&mut deliveries, 9), 1);
    assert!(!client.connection.is_settled());
    deliveries.drain(..).for_each(|delivery| delivery.confirm());
    assert_eq!(client.finish(), [puback(7)]);

    client.begin(&[publish("t", "x", QoS::AtLeastOnce, false)]);
    drop(service);
    assert_eq!(client.finish(), []);
    assert_eq!(client.progress, Progress::Close(DisconnectReason::ServerError));
}

/// [MQTT-4.3.3-10] counts what the service has done: a QoS 2 message that it dropped is taken when it is sent again, and one
/// that it has done is not.
#[test]
fn a_qos_2_message_is_received_when_the_service_is_done() {
    let house = House::new();
    let service = house.router.confirming_service();
    service.subscribe(TopicFilter::new("t").unwrap(), SubscribeOptions::plain(QoS::AtLeastOnce, Dialect::Aws));
    let taken = || {
        let mut deliveries = Vec::new();
        service.mailbox().drain(&mut deliveries, 9);
        deliveries
    };
    let again = |dup| Packet::Publish(mqtt_codec::Publish { dup, ..publish_as(7, "t", "x", QoS::ExactlyOnce, false) });
    let (mut client, _) = house.come(0, kept("c"));
    client.begin(&[again(false)]);
    assert_eq!(taken().len(), 1, "and it is dropped here");
    assert_eq!(client.finish(), []);
    assert_eq!(client.progress, Progress::Close(DisconnectReason::ServerError));
    client.end_for(DisconnectReason::ServerError);

    let (mut client, _) = house.come(0, kept("c"));
    client.begin(&[again(true)]);
    let deliveries = taken();
    assert_eq!(deliveries.len(), 1, "the service has not done it, so it is new");
    deliveries.iter().for_each(|delivery| delivery.confirm());
    assert_eq!(words(&client.finish()), ["PUBREC #7"]);
    client.end();

    let (mut client, _) = house.come(0, kept("c"));
    assert_eq!(client.say(&[again(true)]), ["PUBREC #7"]);
    assert_eq!(taken().len(), 0, "the service has done it");
}

#[test]
fn a_small_message_behind_a_large_packet_does_not_keep_the_large_buffer() {
    let house = House::new();
    let service = house.router.service();
    service.subscribe(TopicFilter::new("t").unwrap(), SubscribeOptions::plain(QoS::AtMostOnce, Dialect::Mqtt));
    let large = "f".repeat(900_000);
    let mut publisher = house.anonymous("p");
    publisher.send(&[publish("nobody", &large, QoS::AtMostOnce, false), publish("t", "x", QoS::AtMostOnce, false)]);
    let mut deliveries = Vec::new();
    assert_eq!(service.mailbox().drain(&mut deliveries, 10), 1);
    assert!(deliveries[0].message.payload.is_unique(), "a slice of a larger buffer");
}

#[test]
fn malformed_packets_close_their_own_connection_only() {
    let house = House::new();
    let mut bystander = house.anonymous("b");
    let frames: [&[u8]; 4] = [&[0x36, 0], &[0xc1, 0], &[0xff; 9], &[0x30, 0xff, 0xff, 0xff, 0xff, 0x7f]];
    for frame in frames {
        let mut client = house.anonymous("c");
        assert_eq!(client.send_bytes(frame), []);
        assert_eq!(client.progress, Progress::Close(DisconnectReason::ClientError), "{frame:x?}");
        client.end();
    }
    assert_eq!(bystander.send(&[Packet::PingReq]), [Packet::PingResp]);
    let mut unopened = house.client(Identity::Anonymous, Dialect::Mqtt);
    assert_eq!(unopened.send(&[Packet::PingReq]), []);
    assert_eq!(unopened.progress, Progress::Close(DisconnectReason::ClientError), "[MQTT-3.1.0-1]");
}

#[test]
fn a_thousand_clients_come_and_go() {
    let house = House::new();
    let mut clients: Vec<Client> = (0..1000).map(|n| house.anonymous(&format!("c{n}"))).collect();
    for client in &mut clients {
        client.subscribe(&["all/#"]);
    }
    let mut publisher = house.anonymous("p");
    publisher.send(&[publish("all/x", "hello", QoS::AtLeastOnce, false)]);
    assert!(clients.iter_mut().all(|client| payloads(&client.receive()) == ["hello"]));
    clients.into_iter().for_each(Client::end);
    let connections = house.broker.metrics().connections.load(std::sync::atomic::Ordering::Relaxed);
    assert_eq!(connections, 1);
}
