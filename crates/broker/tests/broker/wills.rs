//! Wills: at once, delayed, and not at all (MQTT 5, 3.1.2.5 and 3.1.3.2.2).

use super::house::*;
use super::*;

const GONE: [&str; 1] = ["wills=gone"];
const NOTHING: [&str; 0] = [];

/// The connection is lost at second 0. Then seconds pass, and what is due by each is done: what is heard then.
fn check(connect: Connect, expected: &[(u64, &[&str])]) {
    let house = House::new();
    let witness = house.witness(&["wills"]);
    let (client, _) = house.come(0, connect);
    client.end();
    for (seconds, heard) in expected {
        if *seconds > 0 {
            house.end_due(*seconds);
        }
        assert_eq!(witness.heard(), *heard, "after {seconds} s");
    }
}

/// [MQTT-3.1.2-8], [MQTT-3.1.3-9]: when its delay is over or the session ends, whichever is first; once.
#[test]
fn a_will_comes_after_its_delay_or_with_the_end_of_the_session() {
    check(with_will(v311("c"), 0), &[(0, &GONE), (100, &NOTHING)]);
    check(with_will(kept("c"), 0), &[(0, &GONE), (100, &NOTHING)]);
    check(with_will(v5("c", 0), 0), &[(0, &GONE)]);
    check(with_will(v5("c", 0), 10), &[(0, &GONE), (100, &NOTHING)]);
    check(with_will(v5("c", 100), 0), &[(0, &GONE), (200, &NOTHING)]);
    check(with_will(v5("c", 100), 10), &[(0, &NOTHING), (9, &NOTHING), (10, &GONE), (200, &NOTHING)]);
    check(with_will(v5("c", 10), 100), &[(0, &NOTHING), (9, &NOTHING), (10, &GONE), (200, &NOTHING)]);
    check(with_will(v5("c", 10), 10), &[(9, &NOTHING), (10, &GONE), (200, &NOTHING)]);
}

/// [MQTT-3.1.3-9]: who comes back to the session in time has no will published; a clean start ends the session.
#[test]
fn who_comes_back_within_the_delay_is_not_gone() {
    for (back, expected) in [
        (v5("c", 100), NOTHING.as_slice()),
        (with_will(v5("c", 100), 10), &NOTHING),
        (clean(v5("c", 100)), &GONE),
        (v311("c"), &GONE),
    ] {
        let house = House::new();
        let witness = house.witness(&["wills"]);
        house.come(0, with_will(v5("c", 100), 10)).0.end();
        let (mut client, _) = house.come(9, back);
        assert_eq!(witness.heard(), expected);
        house.end_due(50);
        assert_eq!(witness.heard(), NOTHING);
        client.send(&[disconnect()]);
        client.end_as_told();
        house.end_due(1_000);
        assert_eq!(witness.heard(), NOTHING, "DISCONNECT removes the new will too [MQTT-3.14.4-3]");
    }
}

/// MQTT 5, 3.1.4 with 3.1.3.2.2: a connection that is taken over has ended; whether its will waits is as ever.
#[test]
fn a_takeover_publishes_the_will_unless_it_is_delayed_and_the_session_goes_on() {
    for (delay, second, expected) in [
        (0, v5("c", 100), GONE.as_slice()),
        (0, clean(v5("c", 100)), &GONE),
        (10, v5("c", 100), &NOTHING),
        (10, clean(v5("c", 100)), &GONE),
    ] {
        let house = House::new();
        let witness = house.witness(&["wills"]);
        let (mut first, _) = house.come(0, with_will(v5("c", 100), delay));
        let mut taking = house.client(Identity::Anonymous, Dialect::Mqtt);
        taking.begin(&[Packet::Connect(Box::new(second))]);
        assert_eq!(first.hear(), NOTHING);
        assert_eq!(first.end_as_told(), ["DISCONNECT 0x8e"]);
        taking.finish();
        assert_eq!(taking.progress, Progress::Open);
        assert_eq!(witness.heard(), expected, "delay {delay}");
        house.end_due(50);
        assert_eq!(witness.heard(), NOTHING);
    }
}

/// [MQTT-3.14.4-3]: DISCONNECT with reason 0 removes the will; 0x04 asks for it, and its delay holds.
#[test]
fn disconnect_removes_the_will_or_asks_for_it() {
    for (reason, delay, at_once, later) in [
        (ReasonCode::Success, 0, NOTHING.as_slice(), NOTHING.as_slice()),
        (ReasonCode::Success, 10, &NOTHING, &NOTHING),
        (ReasonCode::DisconnectWithWill, 0, &GONE, &NOTHING),
        (ReasonCode::DisconnectWithWill, 10, &NOTHING, &GONE),
    ] {
        let house = House::new();
        let witness = house.witness(&["wills"]);
        let (mut client, _) = house.come(0, with_will(v5("c", 100), delay));
        client.send(&[disconnect_with(reason, None)]);
        assert_eq!(client.end_as_told(), NOTHING);
        assert_eq!(witness.heard(), at_once, "{reason}");
        house.end_due(50);
        assert_eq!(witness.heard(), later, "{reason}");
    }
}

/// A server that was killed finds the sessions that were connected, and their clocks begin with it.
#[test]
fn a_will_outlives_the_server() {
    for (delay, at_once, later) in [(0, GONE.as_slice(), NOTHING.as_slice()), (10, &NOTHING, &GONE)] {
        let store = MemoryStore::new();
        let house = House::over(store.clone());
        let (client, _) = house.come(0, with_will(v5("c", 100), delay));
        drop((client, house));
        let house = House::over(store);
        let witness = house.witness(&["wills"]);
        keep_sessions(&house, 1_000);
        assert_eq!(witness.heard(), at_once, "delay {delay}");
        house.end_due(1_009);
        assert_eq!(witness.heard(), NOTHING);
        house.end_due(1_010);
        assert_eq!(witness.heard(), later, "delay {delay}");
        assert_eq!(house.come(1_099, v5("c", 100)).1, ["CONNACK present"]);
    }
}

/// The delayed will of a session that was connected when the server was killed goes when its client comes back first, as
/// if it had come back to the old server. One without a delay was due when the connection broke.
#[test]
fn a_client_that_is_back_before_the_server_looks_is_not_gone() {
    for (delay, expected) in [(0, GONE.as_slice()), (10, &NOTHING)] {
        let store = MemoryStore::new();
        let house = House::over(store.clone());
        let (client, _) = house.come(0, with_will(v5("c", 100), delay));
        drop((client, house));
        let house = House::over(store);
        let witness = house.witness(&["wills"]);
        let (client, answer) = house.come(1, v5("c", 100));
        assert_eq!(answer, ["CONNACK present"]);
        assert_eq!(witness.heard(), expected, "delay {delay}");
        keep_sessions(&house, 50);
        client.end_at(&house, 60);
        keep_sessions(&house, 100);
        assert_eq!(witness.heard(), NOTHING, "delay {delay}");
    }
}

/// Lets the broker look after stored sessions, at one moment.
fn keep_sessions(house: &House, seconds: u64) {
    let keep = Arc::clone(&house.broker).keep_sessions(move || later(seconds));
    block_on(async { tokio::time::timeout(std::time::Duration::from_millis(50), keep).await }).unwrap_err();
}

/// A will is a message of its client: policies decide about it when it connects, and once more when it is published.
#[test]
fn a_will_that_the_policies_do_not_allow_any_more_is_not_published() {
    let house = House::new();
    let certificate = house.device(CertificateStatus::Active);
    house.attach(&house.policy("all", EVERYTHING), certificate);
    let witness = house.witness(&["wills"]);
    let mut device = house.client(Identity::Certificate(certificate), Dialect::Aws);
    assert_eq!(device.connect("d", will(0)), [accepted()]);
    let no = r#"{"Effect":"Deny","Action":"iot:Publish","Resource":"*"}"#;
    house.attach(&house.policy("no", no), certificate);
    house.pump();
    device.end();
    assert_eq!(witness.heard(), NOTHING);
}
