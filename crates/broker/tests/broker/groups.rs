//! Shared subscriptions: what becomes of the messages that a member does not finish (MQTT 5, 4.8.2).

use super::house::*;
use super::*;

const SHARED: &str = "$share/g/t";

/// A member of the group that takes what has come and acknowledges nothing.
fn member(house: &House, connect: Connect) -> Client {
    let (mut member, _) = house.come(0, connect);
    assert_eq!(member.say(&[subscribe(&[SHARED], QoS::ExactlyOnce)]), ["SUBACK #1 0x2"]);
    member
}

fn publish_to_group(house: &House, payload: &str, qos: QoS) {
    let mut publisher = house.anonymous("publisher");
    publisher.send(&[publish("t", payload, qos, false)]);
    publisher.disconnect();
}

/// Words without the identifier.
fn texts(heard: Vec<String>) -> Vec<String> {
    let without_id = |word: String| word.split(' ').filter(|part| !part.starts_with('#')).collect::<Vec<_>>().join(" ");
    heard.into_iter().map(without_id).collect()
}

#[test]
fn each_message_goes_to_one_member() {
    let house = House::new();
    let mut members = [member(&house, v311("a")), member(&house, v5("b", 0)), member(&house, v5("c", 100))];
    for n in 0..30 {
        publish_to_group(&house, &n.to_string(), QoS::AtLeastOnce);
    }
    let got: Vec<Vec<String>> = members.iter_mut().map(|member| texts(member.hear())).collect();
    assert!(got.iter().all(|got| got.len() == 10), "they take turns: {got:?}");
    let mut all: Vec<String> = got.concat();
    all.sort();
    let mut expected: Vec<String> = (0..30).map(|n| format!("t={n} q1")).collect();
    expected.sort();
    assert_eq!(all, expected);
}

/// MQTT 5, 4.8.2: when the session of the member that was chosen ends, QoS 1 goes to another one [MQTT-4.8.2-5], QoS 2
/// that was sent does not [MQTT-4.8.2-4].
#[test]
fn what_a_member_did_not_finish_goes_to_another_one_at_the_end_of_its_session() {
    type End = fn(&House, Client);
    let ends: [(&str, Connect, End); 6] = [
        ("connection lost", v5("dies", 0), |_, client| client.end()),
        ("expiry", v5("dies", 10), |house, client| {
            client.end();
            assert_eq!(house.end_due(10), 1);
        }),
        ("DISCONNECT", v5("dies", 10), |_, mut client| {
            client.send(&[disconnect_with(ReasonCode::Success, Some(0))]);
            client.end_as_told();
        }),
        ("clean start", v5("dies", 10), |house, client| {
            client.end();
            house.come(0, clean(v5("dies", 0))).0.disconnect();
        }),
        ("API", v5("dies", 10), |house, mut client| {
            block_on(house.broker.end_connection(&client_id("dies"), false, true, START)).unwrap();
            client.hear();
            client.end_as_told();
        }),
        ("API, away", v5("dies", 10), |house, client| {
            client.end();
            block_on(house.broker.end_connection(&client_id("dies"), false, true, START)).unwrap();
        }),
    ];
    for (name, connect, end) in ends {
        let house = House::new();
        let mut dies = member(&house, receive_max(connect, 2));
        for (payload, qos) in [("sent1", QoS::AtLeastOnce), ("sent2", QoS::ExactlyOnce)] {
            publish_to_group(&house, payload, qos);
            assert_eq!(texts(dies.hear()), [format!("t={payload} q{}", qos.bits())], "{name}");
        }
        for (payload, qos) in [("waits1", QoS::AtLeastOnce), ("waits2", QoS::ExactlyOnce)] {
            publish_to_group(&house, payload, qos);
        }
        assert_eq!(dies.hear(), [""; 0], "{name}: the window is full");
        let mut lives = member(&house, v311("lives"));
        end(&house, dies);
        assert_eq!(texts(lives.hear()), ["t=sent1 q1", "t=waits1 q1", "t=waits2 q2"], "{name}");
        publish_to_group(&house, "next", QoS::AtLeastOnce);
        assert_eq!(texts(lives.hear()), ["t=next q1"], "{name}: it is the only member");
    }
}

/// A session that lives on keeps its messages for its client [MQTT-4.8.2-4].
#[test]
fn a_member_that_comes_back_finds_its_messages() {
    let house = House::new();
    let mut goes = member(&house, v5("goes", 100));
    publish_to_group(&house, "1", QoS::AtLeastOnce);
    publish_to_group(&house, "2", QoS::ExactlyOnce);
    assert_eq!(goes.hear(), ["t=1 q1 #1", "t=2 q2 #2"]);
    let mut stays = member(&house, v5("stays", 100));
    goes.end();
    publish_to_group(&house, "3", QoS::AtLeastOnce);
    assert_eq!(stays.hear(), ["t=3 q1 #1"], "whoever is connected comes first");
    let (_, answer) = house.come(0, v5("goes", 100));
    assert_eq!(answer, ["CONNACK present", "t=1 q1 #1 dup", "t=2 q2 #2 dup"]);
}

/// A group of which nobody is connected: its messages wait in a session of one of the members.
#[test]
fn messages_wait_when_all_members_are_away() {
    let house = House::new();
    member(&house, v5("a", 100)).end();
    member(&house, v5("b", 100)).end();
    for n in 0..10 {
        publish_to_group(&house, &n.to_string(), QoS::AtLeastOnce);
    }
    let count = |id: &str| house.come(0, v5(id, 100)).1.len() - 1;
    assert_eq!(count("a") + count("b"), 10);
}
