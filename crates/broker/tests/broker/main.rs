//! Clients over the broker without sockets: bytes in, bytes out, a clock that the test turns.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::disallowed_methods, missing_docs, reason = "test code")]

mod presence;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use broker::{
    Anonymous, Broker, Caller, Connection, DisconnectReason, Identity, Now, Peer, Progress, PublishRefused,
    PublishRequest,
};
use bytes::{Bytes, BytesMut};
use message::{QoS, TopicFilter, TopicName};
use mqtt_codec::{
    Connect, ConnectReturnCode, Packet, PacketId, Protocol, Publish, SubAckCode, Subscribe, Unsubscribe, Will, decode,
    encode,
};
use names::{AccountId, ArnSpace, CertificateId, Dialect, PolicyName, Region, Timestamp, limits};
use registry::{CertificateMode, CertificateStatus, NewCertificate, PolicyTarget, Registry};
use router::{Router, SubscribeOptions};
use store::{Batch, Direction, Done, Entry, MemoryStore, Store, StoreError, Versioned, Watch};
use uuid::Uuid;

const START: Timestamp = Timestamp::from_millis(1_790_000_000_000);
const SESSION: Uuid = Uuid::from_u128(0x5e55_1011);

struct House {
    broker: Arc<Broker>,
    router: Arc<Router>,
    registry: Arc<Registry>,
    authority: x509::Authority,
    began: Instant,
}

impl House {
    fn new() -> Self {
        Self::over(MemoryStore::new())
    }

    fn over(store: Arc<dyn Store>) -> Self {
        let arns =
            ArnSpace { region: Region::new("us-east-1").unwrap(), account: AccountId::new("123456789012").unwrap() };
        let registry = Arc::new(Registry::new(store.clone(), arns));
        let anonymous = Anonymous::from_policy(Anonymous::EVERYTHING).unwrap();
        let router = Router::open(store, Default::default()).unwrap();
        let broker = Broker::new(Arc::clone(&router), Arc::clone(&registry), anonymous);
        let authority = x509::Authority::generate("test", START).unwrap();
        Self { broker, router, registry, authority, began: Instant::now() }
    }

    fn now(&self) -> Now {
        Now { instant: self.began, timestamp: START }
    }

    fn device(&self, status: CertificateStatus) -> CertificateId {
        let pem = self.authority.issue_device(START).unwrap().certificate_pem;
        let new = NewCertificate { pem, status, mode: CertificateMode::Default };
        self.registry.register_certificate(new, "generation", START).unwrap().id
    }

    fn policy(&self, name: &str, statements: &str) -> PolicyName {
        let name = PolicyName::new(name).unwrap();
        let document = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
        self.registry.create_policy(&name, &document, START).unwrap();
        name
    }

    fn attach(&self, policy: &PolicyName, id: CertificateId) {
        self.registry.attach_policy(policy, &PolicyTarget::Certificate(id)).unwrap();
    }

    fn client(&self, identity: Identity, dialect: Dialect) -> Client {
        let source_ip = "127.0.0.1".parse().unwrap();
        let peer = Peer { identity, source_ip, source_port: None, target: None, dialect };
        let connection = Connection::new(Arc::clone(&self.broker), peer, SESSION);
        Client { connection, out: BytesMut::new(), now: self.now(), progress: Progress::Open }
    }

    fn anonymous(&self, id: &str) -> Client {
        let mut client = self.client(Identity::Anonymous, Dialect::Mqtt);
        assert_eq!(client.connect(id, None), [accepted()]);
        client
    }
}

struct Client {
    connection: Connection,
    out: BytesMut,
    now: Now,
    progress: Progress,
}

impl Client {
    fn send(&mut self, packets: &[Packet]) -> Vec<Packet> {
        let mut input = BytesMut::new();
        packets.iter().for_each(|packet| encode(packet, &mut input));
        self.send_bytes(&input)
    }

    fn send_bytes(&mut self, bytes: &[u8]) -> Vec<Packet> {
        let mut input = BytesMut::from(bytes);
        self.progress = self.connection.receive(&mut input, &mut self.out, self.now);
        let mut answers = self.receive();
        while self.connection.has_paused() {
            self.progress = self.connection.receive(&mut input, &mut self.out, self.now);
            answers.extend(self.receive());
        }
        answers
    }

    /// What has arrived for the client, as a door would send it.
    fn receive(&mut self) -> Vec<Packet> {
        if self.progress == Progress::Open {
            self.progress = self.connection.deliver(&mut self.out);
        }
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        assert_eq!(runtime.block_on(self.connection.settle()), Progress::Open);
        let mut packets = Vec::new();
        while let Some(packet) = decode(&mut self.out, usize::MAX >> 8).unwrap() {
            packets.push(packet);
        }
        assert!(self.out.is_empty());
        packets
    }

    fn connect(&mut self, id: &str, will: Option<Will>) -> Vec<Packet> {
        self.send(&[Packet::Connect(Connect {
            protocol: Protocol::V311,
            clean_session: true,
            keep_alive_seconds: 60,
            client_id: id.into(),
            will,
            user_name: None,
            password: None,
        })])
    }

    fn subscribe(&mut self, filters: &[&str]) -> Vec<Packet> {
        let filters = filters.iter().map(|&filter| (filter.into(), QoS::AtLeastOnce)).collect();
        self.send(&[Packet::Subscribe(Subscribe { packet_id: id(1), filters })])
    }

    fn end(self) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(self.connection.end(DisconnectReason::ConnectionLost, self.now));
    }
}

fn id(number: u16) -> PacketId {
    PacketId::new(number).unwrap()
}

fn accepted() -> Packet {
    Packet::ConnAck(mqtt_codec::ConnAck { session_present: false, code: ConnectReturnCode::Accepted })
}

fn suback(codes: &[SubAckCode]) -> Packet {
    Packet::SubAck(mqtt_codec::SubAck { packet_id: id(1), codes: codes.to_vec() })
}

const GRANTED: SubAckCode = SubAckCode::Granted(QoS::AtLeastOnce);

fn publish(topic: &str, payload: &str, qos: QoS, retain: bool) -> Packet {
    let packet_id = (qos != QoS::AtMostOnce).then(|| id(7));
    let topic = TopicName::new(topic.to_owned()).unwrap();
    Packet::Publish(Publish {
        dup: false,
        qos,
        retain,
        topic,
        packet_id,
        payload: Bytes::copy_from_slice(payload.as_bytes()),
    })
}

fn payloads(packets: &[Packet]) -> Vec<String> {
    let payload = |packet: &Packet| match packet {
        Packet::Publish(publish) => String::from_utf8_lossy(&publish.payload).into_owned(),
        other => format!("{other:?}"),
    };
    packets.iter().map(payload).collect()
}

const LAMP: &str = r#"
    {"Effect":"Allow","Action":"iot:Connect","Resource":"arn:aws:iot:us-east-1:123456789012:client/lamp*"},
    {"Effect":"Allow","Action":"iot:Publish","Resource":"arn:aws:iot:us-east-1:123456789012:topic/lamps/${iot:ClientId}/*"},
    {"Effect":"Allow","Action":"iot:Subscribe","Resource":"arn:aws:iot:us-east-1:123456789012:topicfilter/lamps/*"},
    {"Effect":"Allow","Action":"iot:Receive","Resource":"arn:aws:iot:us-east-1:123456789012:topic/lamps/*"},
    {"Effect":"Deny","Action":"iot:Receive","Resource":"arn:aws:iot:us-east-1:123456789012:topic/lamps/secret"}"#;

#[test]
fn a_message_goes_from_one_client_to_another() {
    let house = House::new();
    let (mut publisher, mut subscriber) = (house.anonymous("p"), house.anonymous("s"));
    assert_eq!(subscriber.subscribe(&["a/+", "b"]), [suback(&[GRANTED, GRANTED])]);
    assert_eq!(publisher.send(&[publish("a/b", "1", QoS::AtLeastOnce, false)]), [Packet::PubAck(id(7))]);
    publisher.send(&[publish("c", "2", QoS::AtMostOnce, false), publish("b", "3", QoS::AtMostOnce, false)]);
    assert_eq!(payloads(&subscriber.receive()), ["1", "3"]);
    let filters = vec!["a/+".into()];
    let answer = subscriber.send(&[Packet::Unsubscribe(Unsubscribe { packet_id: id(9), filters })]);
    assert_eq!(answer, [Packet::UnsubAck(id(9))]);
    publisher.send(&[publish("a/b", "4", QoS::AtMostOnce, false)]);
    assert_eq!(subscriber.receive(), []);
}

/// AWS IoT Core developer guide, pub-sub-policy: the policies of the certificate decide on each of the four actions.
#[test]
fn policies_decide_on_connect_publish_subscribe_and_receive() {
    let house = House::new();
    let certificate = house.device(CertificateStatus::Active);
    let identity = Identity::Certificate(certificate);
    let mut refused = house.client(identity.clone(), Dialect::Aws);
    assert_eq!(refused.connect("lamp", None), [], "no policy: closed without CONNACK");
    assert_eq!(refused.progress, Progress::Close(DisconnectReason::AuthError));

    house.attach(&house.policy("lamp", LAMP), certificate);
    pump(&house);
    let mut stranger = house.client(identity.clone(), Dialect::Aws);
    assert_eq!(stranger.connect("other", None), []);
    let mut lamp = house.client(identity, Dialect::Aws);
    assert_eq!(lamp.connect("lamp", None), [accepted()]);
    let answer = lamp.subscribe(&["lamps/#", "heaters/1", "$aws/rules/r/x"]);
    assert_eq!(answer, [suback(&[GRANTED, SubAckCode::Failure, SubAckCode::Failure])]);
    let mut application = house.anonymous("application");
    for topic in ["lamps/1", "lamps/secret", "heaters/1", "lamps/2"] {
        application.send(&[publish(topic, topic, QoS::AtMostOnce, false)]);
    }
    assert_eq!(payloads(&lamp.receive()), ["lamps/1", "lamps/2"]);
    assert_eq!(lamp.send(&[publish("lamps/lamp/t", "ok", QoS::AtLeastOnce, false)])[0], Packet::PubAck(id(7)));
    assert_eq!(lamp.progress, Progress::Open);
    application.subscribe(&["lamps/other/t"]);
    assert_eq!(lamp.send(&[publish("lamps/other/t", "no", QoS::AtLeastOnce, false)]), [], "no PUBACK");
    assert_eq!(lamp.progress, Progress::Close(DisconnectReason::ForbiddenAccess));
    assert_eq!(application.receive(), [], "not delivered");
}

/// Lets the broker see what has changed in the registry.
fn pump(house: &House) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let follow = Arc::clone(&house.broker).follow_registry();
    runtime.block_on(async { tokio::time::timeout(Duration::from_millis(20), follow).await }).unwrap_err();
}

#[test]
fn a_retained_publish_needs_its_own_permission() {
    let house = House::new();
    let certificate = house.device(CertificateStatus::Active);
    house.attach(&house.policy("lamp", LAMP), certificate);
    let mut lamp = house.client(Identity::Certificate(certificate), Dialect::Aws);
    assert_eq!(lamp.connect("lamp", None), [accepted()]);
    assert_eq!(lamp.send(&[publish("lamps/lamp/t", "x", QoS::AtLeastOnce, true)]), []);
    assert_eq!(lamp.progress, Progress::Close(DisconnectReason::ForbiddenAccess));
}

#[test]
fn only_a_registered_active_certificate_connects() {
    let house = House::new();
    let policy = house.policy("all", r#"{"Effect":"Allow","Action":"iot:*","Resource":"*"}"#);
    let connects = |certificate: CertificateId| {
        !house.client(Identity::Certificate(certificate), Dialect::Aws).connect("x", None).is_empty()
    };
    assert!(!connects(CertificateId::from_der_hash([1; 32])), "unknown");
    for (status, expected) in
        [(CertificateStatus::Active, true), (CertificateStatus::Inactive, false), (CertificateStatus::Revoked, false)]
    {
        let certificate = house.device(status);
        house.attach(&policy, certificate);
        assert_eq!(connects(certificate), expected, "{status:?}");
    }
}

#[test]
fn deactivating_a_certificate_ends_its_connection_at_once_and_policy_changes_reach_it() {
    let house = House::new();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build().unwrap();
    runtime.spawn(Arc::clone(&house.broker).follow_registry());
    let certificate = house.device(CertificateStatus::Active);
    let all = house.policy("all", r#"{"Effect":"Allow","Action":"iot:*","Resource":"*"}"#);
    let no = house.policy("no", r#"{"Effect":"Deny","Action":"iot:Publish","Resource":"*"}"#);
    house.attach(&all, certificate);
    let mut device = house.client(Identity::Certificate(certificate), Dialect::Aws);
    assert_eq!(device.connect("d", None), [accepted()]);
    assert_eq!(device.send(&[publish("t", "x", QoS::AtLeastOnce, false)]), [Packet::PubAck(id(7))]);
    house.registry.update_certificate_status(&certificate, CertificateStatus::Inactive, START).unwrap();
    assert!(
        eventually(|| {
            device.receive();
            device.progress == Progress::Close(DisconnectReason::ForbiddenAccess)
        }),
        "still connected"
    );
    house.registry.update_certificate_status(&certificate, CertificateStatus::Active, START).unwrap();
    let mut device = house.client(Identity::Certificate(certificate), Dialect::Aws);
    assert_eq!(device.connect("d", None), [accepted()]);
    house.attach(&no, certificate);
    let refused = || {
        device.send(&[publish("t", "x", QoS::AtLeastOnce, false)]);
        device.progress == Progress::Close(DisconnectReason::ForbiddenAccess)
    };
    assert!(eventually(refused), "the new policy did not reach the connection");
}

/// A store that does something right after it was read.
struct Meddling {
    inner: Arc<MemoryStore>,
    after_get: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl Store for Meddling {
    fn get(&self, key: &[u8]) -> Result<Option<Versioned>, StoreError> {
        let answer = self.inner.get(key);
        let meddle = self.after_get.lock().unwrap().take();
        if let Some(meddle) = meddle {
            meddle();
        }
        answer
    }

    fn range(&self, from: &[u8], to: &[u8], limit: usize, direction: Direction) -> Result<Vec<Entry>, StoreError> {
        self.inner.range(from, to, limit, direction)
    }

    fn commit_then(&self, batch: Batch, done: Done) {
        self.inner.commit_then(batch, done);
    }

    fn watch(&self, prefix: &[u8]) -> Watch {
        self.inner.watch(prefix)
    }
}

#[test]
fn a_certificate_that_is_deactivated_right_after_the_look_at_it_does_not_stay_connected() {
    let store = Arc::new(Meddling { inner: MemoryStore::new(), after_get: Mutex::new(None) });
    let house = House::over(Arc::clone(&store) as Arc<dyn Store>);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build().unwrap();
    runtime.spawn(Arc::clone(&house.broker).follow_registry());
    let certificate = house.device(CertificateStatus::Active);
    house.attach(&house.policy("all", r#"{"Effect":"Allow","Action":"iot:*","Resource":"*"}"#), certificate);
    let mut witness = house.client(Identity::Certificate(certificate), Dialect::Aws);
    assert_eq!(witness.connect("witness", None), [accepted()]);
    let registry = Arc::clone(&house.registry);
    let deactivate = move || {
        registry.update_certificate_status(&certificate, CertificateStatus::Inactive, START).unwrap();
        assert!(eventually(|| {
            witness.receive();
            witness.progress == Progress::Close(DisconnectReason::ForbiddenAccess)
        }));
    };
    *store.after_get.lock().unwrap() = Some(Box::new(deactivate));
    let mut device = house.client(Identity::Certificate(certificate), Dialect::Aws);
    device.connect("d", None);
    assert!(store.after_get.lock().unwrap().is_none());
    assert!(
        eventually(|| {
            device.receive();
            device.progress != Progress::Open
        }),
        "connected with an INACTIVE certificate"
    );
}

fn eventually(mut is_so: impl FnMut() -> bool) -> bool {
    (0..500).any(|_| {
        std::thread::sleep(Duration::from_millis(10));
        is_so()
    })
}

#[test]
fn a_second_connection_takes_the_client_id_over_and_the_will_is_published() {
    let house = House::new();
    let mut watcher = house.anonymous("watcher");
    watcher.subscribe(&["wills"]);
    let will = || {
        let topic = TopicName::new("wills").unwrap();
        Some(Will { topic, payload: "gone".into(), qos: QoS::AtMostOnce, retain: false })
    };
    let mut first = house.client(Identity::Anonymous, Dialect::Mqtt);
    first.connect("same", will());
    let mut second = house.client(Identity::Anonymous, Dialect::Mqtt);
    assert_eq!(second.connect("same", will()), [accepted()]);
    assert_eq!(first.receive(), []);
    assert_eq!(first.progress, Progress::Close(DisconnectReason::DuplicateClientId));
    first.end();
    assert_eq!(payloads(&watcher.receive()), ["gone"]);
    assert_eq!(second.send(&[Packet::PingReq]), [Packet::PingResp], "the second is not disturbed");
    second.send(&[Packet::Disconnect]);
    second.end();
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
    assert_eq!(packets.len(), limits::INFLIGHT_MAX);
    while !packets.is_empty() {
        let acks: Vec<Packet> = packets
            .iter()
            .filter_map(|packet| match packet {
                Packet::Publish(publish) => publish.packet_id.map(Packet::PubAck),
                _ => None,
            })
            .collect();
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
    let subscribe = Subscribe { packet_id: id(1), filters: vec![("r/+".into(), QoS::AtLeastOnce)] };
    let unsubscribe = Unsubscribe { packet_id: id(2), filters: vec!["r/+".into()] };
    let got = subscriber.send(&[Packet::Subscribe(subscribe), Packet::Unsubscribe(unsubscribe)]);
    assert_eq!(got, [suback(&[GRANTED]), Packet::UnsubAck(id(2))], "[MQTT-3.10.4-2]");
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

fn puback_of(packet: &Packet) -> Option<Packet> {
    let Packet::Publish(publish) = packet else { return None };
    publish.packet_id.map(Packet::PubAck)
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
        (0..each).for_each(|_| encode(&publish("t", "x", QoS::AtLeastOnce, false), &mut input));
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
fn nobody_forges_events() {
    for topic in ["$aws/events/presence/connected/x", "$SYS/broker/uptime"] {
        let house = House::new();
        let (mut forger, mut watcher) = (house.anonymous("f"), house.anonymous("w"));
        watcher.subscribe(&["$aws/events/#", "$SYS/#"]);
        forger.send(&[publish(topic, "x", QoS::AtMostOnce, false)]);
        assert_eq!(forger.progress, Progress::Close(DisconnectReason::ForbiddenAccess), "{topic}");
        assert_eq!(watcher.receive(), []);
    }
}

fn administrator() -> Caller {
    Caller { principal: Arc::from("123456789012"), source_ip: Some("192.0.2.1".parse().unwrap()) }
}

fn request(topic: &str, payload: impl Into<Bytes>, qos: QoS, retain: bool) -> PublishRequest {
    PublishRequest { topic: TopicName::new(topic.to_owned()).unwrap(), payload: payload.into(), qos, retain }
}

#[test]
fn a_caller_without_a_connection_publishes_under_its_principal() {
    let house = House::new();
    let service = house.router.service();
    service.subscribe(TopicFilter::new("#").unwrap(), SubscribeOptions::plain(QoS::AtLeastOnce, Dialect::Aws));
    let mut subscriber = house.anonymous("s");
    subscriber.subscribe(&["a/b"]);
    let write = house.broker.publish_as(&administrator(), request("a/b", "hi", QoS::AtLeastOnce, false), START);
    assert!(write.unwrap().is_none(), "nothing to be durable");
    assert_eq!(payloads(&subscriber.receive()), ["hi"]);
    let mut deliveries = Vec::new();
    service.mailbox().drain(&mut deliveries, 10);
    let message = &deliveries[0].message;
    assert_eq!((message.qos, message.received_at), (QoS::AtLeastOnce, START));
    let origin = &*message.origin;
    assert_eq!((origin.client_id.as_deref(), origin.principal.as_deref()), (None, Some("123456789012")));
    assert_eq!((origin.source_ip, origin.is_will), (administrator().source_ip, false));
    let write = house.broker.publish_as(&administrator(), request("r", "kept", QoS::AtMostOnce, true), START);
    write.unwrap().unwrap().wait().unwrap();
    assert_eq!(payloads(&house.anonymous("late").subscribe(&["r"])[1..]), ["kept"]);
}

/// AWS IoT Core developer guide, reserved-topics; AWS quotas, message broker.
#[test]
fn what_a_caller_without_a_connection_may_not_publish() {
    let house = House::new();
    let mut witness = house.anonymous("w");
    witness.subscribe(&["#", "$aws/#", "$SYS/#", "$mine/#"]);
    let check = |request: PublishRequest, expected: Result<(), &str>| {
        let topic = request.topic.clone();
        let answer = house.broker.publish_as(&administrator(), request, START);
        let answer = answer.map(|_| ()).map_err(|refused| refused.to_string());
        assert_eq!(answer, expected.map_err(str::to_owned), "{topic}");
    };
    let plain = |topic: &str| request(topic, "x", QoS::AtMostOnce, false);
    for topic in ["$aws/events/presence/connected/x", "$SYS/uptime", "$mine/x", "$x"] {
        check(plain(topic), Err(&format!("the topic '{topic}' is reserved")));
    }
    let retained = request("$aws/things/t/x", "x", QoS::AtMostOnce, true);
    check(retained, Err("RETAIN is set on a reserved topic, which starts with '$'"));
    check(plain("1/2/3/4/5/6/7/8/9"), Err("the topic has 8 slashes, 7 are allowed"));
    check(plain(&"x".repeat(257)), Err("the topic has 257 bytes, 256 are allowed"));
    let huge = request("t", vec![0; 131_073], QoS::AtMostOnce, false);
    check(huge, Err("the payload has 131073 bytes, 131072 are allowed"));
    check(request("t", "x", QoS::ExactlyOnce, false), Err("QoS 2 is not served"));
    assert_eq!(witness.receive(), []);
    check(request("t", vec![0; 131_072], QoS::AtMostOnce, false), Ok(()));
    check(plain("$aws/things/t/shadow/name/s/get"), Ok(()));
    check(plain("$aws/rules/NAME/1/2/3/4/5/6/7/8"), Ok(()));
    assert_eq!(witness.receive().len(), 3);
}

#[test]
fn a_caller_is_asked_to_come_again_while_a_service_is_behind() {
    let house = House::new();
    let service = house.router.service();
    service.subscribe(TopicFilter::new("t").unwrap(), SubscribeOptions::plain(QoS::AtMostOnce, Dialect::Aws));
    let publish =
        || house.broker.publish_as(&administrator(), request("t", "x", QoS::AtMostOnce, false), START).map(|_| ());
    for _ in 0..limits::MAILBOX_MESSAGES_SOFT {
        publish().unwrap();
    }
    assert_eq!(publish(), Err(PublishRefused::Congested));
    service.mailbox().drain(&mut Vec::new(), 10);
    assert_eq!(publish(), Ok(()));
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
