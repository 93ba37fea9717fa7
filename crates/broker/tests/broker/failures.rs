//! A disk that does not answer, and a server that is killed: nothing is acknowledged that was not kept.

use std::sync::atomic::{AtomicU8, Ordering};

use store::{Batch, Direction, Done, Entry, StoreError, Versioned, Watch};

use super::house::*;
use super::*;

/// A store that can be told to fail.
struct Frail {
    inner: Arc<MemoryStore>,
    ails: AtomicU8,
}

const WELL: u8 = 0;
/// Commits fail.
const FULL: u8 = 1;
/// Nothing answers.
const BROKEN: u8 = 2;
/// Commits do not arrive, as those that a power cut overtakes, and are never answered.
const CUT: u8 = 3;

impl Frail {
    fn new() -> Arc<Self> {
        Arc::new(Self { inner: MemoryStore::new(), ails: AtomicU8::new(WELL) })
    }

    fn becomes(&self, ails: u8) {
        self.ails.store(ails, Ordering::SeqCst);
    }

    fn check(&self) -> Result<(), StoreError> {
        if self.ails.load(Ordering::SeqCst) == BROKEN { Err(failed()) } else { Ok(()) }
    }
}

fn failed() -> StoreError {
    StoreError::Failed("the disk is gone".to_owned())
}

impl Store for Frail {
    fn get(&self, key: &[u8]) -> Result<Option<Versioned>, StoreError> {
        self.check()?;
        self.inner.get(key)
    }

    fn range(&self, from: &[u8], to: &[u8], limit: usize, direction: Direction) -> Result<Vec<Entry>, StoreError> {
        self.check()?;
        self.inner.range(from, to, limit, direction)
    }

    fn commit_then(&self, batch: Batch, done: Done) {
        match self.ails.load(Ordering::SeqCst) {
            WELL => self.inner.commit_then(batch, done),
            CUT => drop(done),
            _ => done(Err(failed())),
        }
    }

    fn watch(&self, prefix: &[u8]) -> Watch {
        self.inner.watch(prefix)
    }
}

fn closes_with_server_error(client: Client, told: &[&str]) {
    assert_eq!(client.progress, Progress::Close(DisconnectReason::ServerError));
    assert_eq!(client.end_as_told(), told);
}

#[test]
fn what_cannot_be_kept_is_not_acknowledged() {
    type Act = fn(&mut Client) -> Vec<String>;
    let acts: [(&str, Act); 6] = [
        ("QoS 1", |client| client.say(&[publish("t", "x", QoS::AtLeastOnce, false)])),
        ("QoS 2", |client| client.say(&[publish("t", "x", QoS::ExactlyOnce, false)])),
        ("QoS 2 to nobody", |client| client.say(&[publish("nobody", "x", QoS::ExactlyOnce, false)])),
        ("retained", |client| client.say(&[publish("nobody", "x", QoS::AtLeastOnce, true)])),
        ("SUBSCRIBE", |client| client.say(&[subscribe(&["new"], QoS::AtLeastOnce)])),
        ("UNSUBSCRIBE", |client| client.say(&[unsubscribe(&["old"])])),
    ];
    for ails in [FULL, BROKEN] {
        for (name, act) in acts {
            let store = Frail::new();
            let house = House::over(store.clone());
            let (mut subscriber, _) = house.come(0, kept("s"));
            subscriber.send(&[subscribe(&["t"], QoS::ExactlyOnce)]);
            let (mut client, _) = house.come(0, v5("c", 100));
            client.send(&[subscribe(&["old"], QoS::AtLeastOnce)]);
            store.becomes(ails);
            assert_eq!(act(&mut client), [""; 0], "{name}");
            closes_with_server_error(client, &["DISCONNECT 0x80"]);
            store.becomes(WELL);
            assert_eq!(house.come(0, v5("c", 100)).1, ["CONNACK present"], "{name}: when the disk is back");
        }
    }
}

/// [MQTT-3.14.0-1]: no DISCONNECT before a CONNACK that accepts.
#[test]
fn a_session_that_cannot_be_kept_or_read_is_refused() {
    for ails in [FULL, BROKEN] {
        let store = Frail::new();
        let house = House::over(store.clone());
        house.come(0, v5("old", 100)).0.end();
        store.becomes(ails);
        for connect in [v5("new", 100), v5("old", 100), clean(v5("old", 100))] {
            let (client, answer) = house.come(0, connect);
            assert_eq!(answer, ["CONNACK 0x88"]);
            assert_eq!(client.end_as_told(), [""; 0]);
        }
        let (client, answer) = house.come(0, kept("three"));
        assert_eq!(answer, ["CONNACK 0x88"], "return code 3, server unavailable");
        assert_eq!(client.end_as_told(), [""; 0]);
        store.becomes(WELL);
        assert_eq!(house.come(0, v5("old", 100)).1, ["CONNACK present"]);
        assert_eq!(house.come(0, v5("new", 100)).1, ["CONNACK"]);
    }
}

/// A client that is connected gets what others publish, also while nothing of it can be kept; its own part of the
/// session is another matter.
#[test]
fn clients_without_a_stored_session_do_not_need_the_disk() {
    let store = Frail::new();
    let house = House::over(store.clone());
    let mut subscriber = house.anonymous("s");
    subscriber.subscribe(&["t"]);
    store.becomes(FULL);
    let mut publisher = house.anonymous("p");
    assert_eq!(publisher.say(&[publish("t", "x", QoS::AtLeastOnce, false)]), ["PUBACK #7"]);
    assert_eq!(subscriber.hear(), ["t=x q1 #1"]);
}

/// Acknowledgements that a power cut overtakes made room for more messages than a window holds: those too went out.
#[test]
fn all_that_may_have_gone_out_is_sent_again_with_dup() {
    let store = Frail::new();
    let house = House::over(store.clone());
    let (mut client, _) = house.come(0, kept("s"));
    client.send(&[subscribe(&["t"], QoS::AtLeastOnce)]);
    let mut publisher = house.anonymous("p");
    let burst: Vec<Packet> = (0..250).map(|n| publish("t", &n.to_string(), QoS::AtLeastOnce, false)).collect();
    assert_eq!(publisher.send(&burst).len(), 250);
    let first = client.receive();
    assert_eq!(first.len(), 100);
    store.becomes(CUT);
    let acks: Vec<Packet> = first.iter().filter_map(puback_of).collect();
    client.begin(&acks); // no answer waits for the disk
    let second = client.receive();
    assert_eq!(second.len(), 100);
    let house = House::over(store.inner.clone());
    let mut client = house.client(Identity::Anonymous, Dialect::Mqtt);
    let mut answer = client.send(&[Packet::Connect(Box::new(kept("s")))]);
    let mut got = Vec::new();
    while !answer.is_empty() {
        got.extend(words(&answer));
        let acks: Vec<Packet> = answer.iter().filter_map(puback_of).collect();
        answer = client.send(&acks);
    }
    assert_eq!(got.len(), 1 + 250);
    assert!(got[1..=200].iter().all(|word| word.ends_with(" dup")), "{got:?}");
}
