//! A house with a broker over a store in memory, and clients whose bytes and clock the test has in hand.

use std::future::Future;
use std::num::{NonZeroU16, NonZeroU32};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use broker::{Anonymous, Broker, Connection, DisconnectReason, Identity, Now, Peer, Progress};
use bytes::{Bytes, BytesMut};
use message::{QoS, RetainHandling, SubscribeOptions, TopicFilter, TopicName};
use mqtt_codec::{
    Ack, ConnAck, Connect, ConnectProperties, Disconnect, Packet, PacketId, Protocol, Publish, ReasonCode,
    RequestedOptions, SubAck, Subscribe, Unsubscribe, Will, decode, encode,
};
use names::{AccountId, ArnSpace, CertificateId, ClientId, Dialect, PolicyName, Region, Timestamp};
use registry::{CertificateMode, CertificateStatus, NewCertificate, PolicyTarget, Registry};
use router::{Router, Subscriber};
use store::{MemoryStore, Store};
use uuid::Uuid;

pub(crate) const START: Timestamp = Timestamp::from_millis(1_790_000_000_000);
pub(crate) const SESSION: Uuid = Uuid::from_u128(0x5e55_1011);
pub(crate) const EVERYTHING: &str = r#"{"Effect":"Allow","Action":"iot:*","Resource":"*"}"#;

pub(crate) struct House {
    pub(crate) broker: Arc<Broker>,
    pub(crate) router: Arc<Router>,
    pub(crate) registry: Arc<Registry>,
    authority: x509::Authority,
    began: Instant,
}

impl House {
    pub(crate) fn new() -> Self {
        Self::over(MemoryStore::new())
    }

    /// Over a store that another house may have left: a server that starts again.
    pub(crate) fn over(store: Arc<dyn Store>) -> Self {
        let arns =
            ArnSpace { region: Region::new("us-east-1").unwrap(), account: AccountId::new("123456789012").unwrap() };
        let registry = Arc::new(Registry::new(Arc::clone(&store), arns));
        let anonymous = Anonymous::from_policy(Anonymous::EVERYTHING).unwrap();
        let router = Router::open(store, Default::default()).unwrap();
        let broker = Broker::new(Arc::clone(&router), Arc::clone(&registry), anonymous);
        let authority = x509::Authority::generate("test", START).unwrap();
        Self { broker, router, registry, authority, began: Instant::now() }
    }

    pub(crate) fn at(&self, seconds: u64) -> Now {
        Now { instant: self.began + Duration::from_secs(seconds), timestamp: later(seconds) }
    }

    /// What is due so many seconds after the start is done.
    pub(crate) fn end_due(&self, seconds: u64) -> usize {
        block_on(self.broker.end_due(later(seconds))).unwrap()
    }

    pub(crate) fn device(&self, status: CertificateStatus) -> CertificateId {
        let pem = self.authority.issue_device(START).unwrap().certificate_pem;
        let new = NewCertificate { pem, status, mode: CertificateMode::Default };
        self.registry.register_certificate(new, "generation", START).unwrap().id
    }

    pub(crate) fn policy(&self, name: &str, statements: &str) -> PolicyName {
        let name = PolicyName::new(name).unwrap();
        let document = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
        self.registry.create_policy(&name, &document, START).unwrap();
        name
    }

    pub(crate) fn attach(&self, policy: &PolicyName, id: CertificateId) {
        self.registry.attach_policy(policy, &PolicyTarget::Certificate(id)).unwrap();
    }

    /// Lets the broker see what has changed in the registry.
    pub(crate) fn pump(&self) {
        let follow = Arc::clone(&self.broker).follow_registry();
        block_on(async { tokio::time::timeout(Duration::from_millis(20), follow).await }).unwrap_err();
    }

    pub(crate) fn client(&self, identity: Identity, dialect: Dialect) -> Client {
        self.client_at(0, identity, dialect)
    }

    pub(crate) fn client_at(&self, seconds: u64, identity: Identity, dialect: Dialect) -> Client {
        let source_ip = "127.0.0.1".parse().unwrap();
        let peer = Peer { identity, source_ip, source_port: None, target: None, dialect };
        let connection = Connection::new(Arc::clone(&self.broker), peer, SESSION);
        Client {
            connection,
            protocol: Protocol::V311,
            input: BytesMut::new(),
            out: BytesMut::new(),
            now: self.at(seconds),
            progress: Progress::Open,
        }
    }

    /// A client of MQTT 3.1.1 whose session ends with its connection.
    pub(crate) fn anonymous(&self, id: &str) -> Client {
        let (client, answer) = self.come(0, v311(id));
        assert_eq!(answer, ["CONNACK"]);
        client
    }

    /// An anonymous client, so many seconds after the start, and what it is answered and sent.
    pub(crate) fn come(&self, seconds: u64, connect: Connect) -> (Client, Vec<String>) {
        let mut client = self.client_at(seconds, Identity::Anonymous, Dialect::Mqtt);
        let answer = client.say(&[Packet::Connect(Box::new(connect))]);
        (client, answer)
    }

    /// A service that hears these topics.
    pub(crate) fn witness(&self, filters: &[&str]) -> Witness {
        let subscriber = self.router.service();
        for filter in filters {
            let options = SubscribeOptions::plain(QoS::ExactlyOnce, Dialect::Mqtt);
            subscriber.subscribe(TopicFilter::new(filter).unwrap(), options);
        }
        Witness(subscriber)
    }
}

/// Someone in the house who hears what is published.
pub(crate) struct Witness(pub(crate) Subscriber);

impl Witness {
    /// What came since the last call, as `topic=payload`.
    pub(crate) fn heard(&self) -> Vec<String> {
        let mut deliveries = Vec::new();
        self.0.mailbox().drain(&mut deliveries, usize::MAX);
        let text = |delivery: &router::Delivery| {
            let message = &delivery.message;
            format!("{}={}", message.topic, String::from_utf8_lossy(&message.payload))
        };
        deliveries.iter().map(text).collect()
    }
}

pub(crate) struct Client {
    pub(crate) connection: Connection,
    protocol: Protocol,
    input: BytesMut,
    pub(crate) out: BytesMut,
    pub(crate) now: Now,
    pub(crate) progress: Progress,
}

impl Client {
    pub(crate) fn send(&mut self, packets: &[Packet]) -> Vec<Packet> {
        self.begin(packets);
        self.finish()
    }

    /// As [`Client::send`], in words.
    pub(crate) fn say(&mut self, packets: &[Packet]) -> Vec<String> {
        words(&self.send(packets))
    }

    pub(crate) fn send_bytes(&mut self, bytes: &[u8]) -> Vec<Packet> {
        self.begin_bytes(bytes);
        self.finish()
    }

    /// Hands packets in, and waits for nothing.
    pub(crate) fn begin(&mut self, packets: &[Packet]) {
        let mut bytes = BytesMut::new();
        for packet in packets {
            if let Packet::Connect(connect) = packet {
                self.protocol = connect.protocol;
            }
            encode(packet, self.protocol, &mut bytes);
        }
        self.begin_bytes(&bytes);
    }

    fn begin_bytes(&mut self, bytes: &[u8]) {
        let _timers = RUNTIME.enter();
        self.input.extend_from_slice(bytes);
        self.progress = self.connection.receive(&mut self.input, &mut self.out, self.now);
    }

    /// What is still to be handled of what was begun, as a door does it.
    pub(crate) fn finish(&mut self) -> Vec<Packet> {
        let mut answers = self.receive();
        while self.connection.has_paused() && self.progress == Progress::Open {
            let _timers = RUNTIME.enter();
            self.progress = self.connection.receive(&mut self.input, &mut self.out, self.now);
            answers.extend(self.receive());
        }
        answers
    }

    /// What has arrived for the client, as a door would send it. Nothing, when what it says cannot be kept.
    pub(crate) fn receive(&mut self) -> Vec<Packet> {
        if self.progress == Progress::Open {
            self.progress = self.connection.deliver(&mut self.out, || self.now);
        }
        if let close @ Progress::Close(_) = block_on(self.connection.settle()) {
            self.out.clear();
            self.progress = close;
        }
        self.written()
    }

    pub(crate) fn hear(&mut self) -> Vec<String> {
        words(&self.receive())
    }

    fn written(&mut self) -> Vec<Packet> {
        let mut packets = Vec::new();
        while let Some(packet) = decode(&mut self.out, usize::MAX >> 8, self.protocol).unwrap() {
            packets.push(packet);
        }
        assert!(self.out.is_empty());
        packets
    }

    pub(crate) fn connect(&mut self, id: &str, will: Option<Will>) -> Vec<Packet> {
        self.send(&[Packet::Connect(Box::new(Connect { will, ..v311(id) }))])
    }

    /// At QoS 1.
    pub(crate) fn subscribe(&mut self, filters: &[&str]) -> Vec<Packet> {
        self.send(&[subscribe(filters, QoS::AtLeastOnce)])
    }

    /// The door ends the connection for this reason; what a client is told then.
    pub(crate) fn end_for(mut self, reason: DisconnectReason) -> Vec<String> {
        self.connection.farewell(reason, &mut self.out);
        let last_words = words(&self.written());
        block_on(self.connection.end(reason, self.now));
        last_words
    }

    /// The network is gone.
    pub(crate) fn end(self) {
        self.end_for(DisconnectReason::ConnectionLost);
    }

    /// The network is gone, so many seconds after the start of the house.
    pub(crate) fn end_at(mut self, house: &House, seconds: u64) {
        self.now = house.at(seconds);
        self.end();
    }

    /// The door ends the connection for the reason that it was told.
    pub(crate) fn end_as_told(self) -> Vec<String> {
        let Progress::Close(reason) = self.progress else { panic!("still open") };
        self.end_for(reason)
    }

    /// DISCONNECT without more.
    pub(crate) fn disconnect(mut self) {
        self.send(&[disconnect()]);
        self.end_as_told();
    }
}

/// One for all: what is begun in one call is waited for in another.
static RUNTIME: LazyLock<tokio::runtime::Runtime> =
    LazyLock::new(|| tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build().unwrap());

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    RUNTIME.block_on(future)
}

pub(crate) fn eventually(mut is_so: impl FnMut() -> bool) -> bool {
    (0..500).any(|_| {
        std::thread::sleep(Duration::from_millis(10));
        is_so()
    })
}

pub(crate) fn later(seconds: u64) -> Timestamp {
    Timestamp::from_millis(START.as_millis() + seconds * 1000)
}

pub(crate) fn id(number: u16) -> PacketId {
    PacketId::new(number).unwrap()
}

pub(crate) fn client_id(id: &str) -> ClientId {
    ClientId::new(id).unwrap()
}

/// CONNECT of MQTT 3.1.1 with CleanSession 1.
pub(crate) fn v311(id: &str) -> Connect {
    let (keep_alive_seconds, properties) = (60, ConnectProperties::default());
    let (will, user_name, password) = (None, None, None);
    let (protocol, client_id) = (Protocol::V311, id.into());
    Connect { protocol, clean_start: true, keep_alive_seconds, client_id, properties, will, user_name, password }
}

/// CONNECT of MQTT 3.1.1 with CleanSession 0.
pub(crate) fn kept(id: &str) -> Connect {
    Connect { clean_start: false, ..v311(id) }
}

/// CONNECT of MQTT 5 that comes back to its session, which lives on for so many seconds.
pub(crate) fn v5(id: &str, expiry_seconds: u32) -> Connect {
    let session_expiry_seconds = Some(expiry_seconds);
    let properties = ConnectProperties { session_expiry_seconds, ..ConnectProperties::default() };
    Connect { protocol: Protocol::V5, properties, ..kept(id) }
}

/// With Clean Start 1.
pub(crate) fn clean(connect: Connect) -> Connect {
    Connect { clean_start: true, ..connect }
}

pub(crate) fn receive_max(connect: Connect, max: u16) -> Connect {
    let properties = ConnectProperties { receive_max: NonZeroU16::new(max), ..connect.properties };
    Connect { properties, ..connect }
}

pub(crate) fn packet_max(connect: Connect, bytes: u32) -> Connect {
    let properties = ConnectProperties { packet_bytes_max: NonZeroU32::new(bytes), ..connect.properties };
    Connect { properties, ..connect }
}

/// A will on `wills` that says `gone`.
pub(crate) fn will(delay_seconds: u32) -> Option<Will> {
    let topic = TopicName::new("wills").unwrap();
    let (qos, retain, properties) = (QoS::AtLeastOnce, false, None);
    Some(Will { topic, payload: "gone".into(), qos, retain, delay_seconds, properties })
}

pub(crate) fn with_will(connect: Connect, delay_seconds: u32) -> Connect {
    Connect { will: will(delay_seconds), ..connect }
}

/// With the packet identifier 7.
pub(crate) fn publish(topic: &str, payload: &str, qos: QoS, retain: bool) -> Packet {
    Packet::Publish(publish_as(7, topic, payload, qos, retain))
}

pub(crate) fn publish_as(number: u16, topic: &str, payload: &str, qos: QoS, retain: bool) -> Publish {
    Publish {
        dup: false,
        qos,
        retain,
        topic: Some(TopicName::new(topic.to_owned()).unwrap()),
        topic_alias: None,
        packet_id: (qos != QoS::AtMostOnce).then(|| id(number)),
        subscription_ids: Vec::new(),
        properties: None,
        payload: Bytes::copy_from_slice(payload.as_bytes()),
    }
}

/// With the packet identifier 1.
pub(crate) fn subscribe(filters: &[&str], qos: QoS) -> Packet {
    let (no_local, retain_as_published, retain_handling) = (false, false, RetainHandling::Send);
    let options = RequestedOptions { qos, no_local, retain_as_published, retain_handling };
    let filters = filters.iter().map(|&filter| (filter.into(), options)).collect();
    Packet::Subscribe(Subscribe { packet_id: id(1), subscription_id: None, filters, user_properties_bytes: 0 })
}

/// With the packet identifier 9.
pub(crate) fn unsubscribe(filters: &[&str]) -> Packet {
    let filters = filters.iter().map(|&filter| filter.into()).collect();
    Packet::Unsubscribe(Unsubscribe { packet_id: id(9), filters, user_properties_bytes: 0 })
}

pub(crate) fn ack(number: u16) -> Ack {
    Ack { packet_id: id(number), reason: ReasonCode::Success }
}

pub(crate) fn puback(number: u16) -> Packet {
    Packet::PubAck(ack(number))
}

pub(crate) fn disconnect() -> Packet {
    disconnect_with(ReasonCode::Success, None)
}

pub(crate) fn disconnect_with(reason: ReasonCode, session_expiry_seconds: Option<u32>) -> Packet {
    Packet::Disconnect(Disconnect { reason, session_expiry_seconds, reason_string: None })
}

/// What answers a PUBLISH of QoS 1.
pub(crate) fn puback_of(packet: &Packet) -> Option<Packet> {
    let Packet::Publish(publish) = packet else { return None };
    publish.packet_id.map(|packet_id| Packet::PubAck(Ack { packet_id, reason: ReasonCode::Success }))
}

pub(crate) fn payloads(packets: &[Packet]) -> Vec<String> {
    let payload = |packet: &Packet| match packet {
        Packet::Publish(publish) => String::from_utf8_lossy(&publish.payload).into_owned(),
        other => format!("{other:?}"),
    };
    packets.iter().map(payload).collect()
}

pub(crate) fn accepted() -> Packet {
    Packet::ConnAck(ConnAck { session_present: false, reason: ReasonCode::Success, properties: None })
}

pub(crate) fn suback(reasons: &[ReasonCode]) -> Packet {
    Packet::SubAck(SubAck { packet_id: id(1), reasons: reasons.to_vec() })
}

pub(crate) const GRANTED: ReasonCode = ReasonCode::GrantedQos1;

/// Packets in words: the name, `#` and the identifier, and what is not as it mostly is. A PUBLISH is `topic=payload`.
pub(crate) fn words(packets: &[Packet]) -> Vec<String> {
    packets.iter().map(word).collect()
}

fn word(packet: &Packet) -> String {
    let acknowledged = |name: &str, ack: &Ack| format!("{name} #{}{}", ack.packet_id.get(), code(ack.reason));
    match packet {
        Packet::ConnAck(connack) if connack.session_present => "CONNACK present".to_owned(),
        Packet::ConnAck(connack) => format!("CONNACK{}", code(connack.reason)),
        Packet::Publish(publish) => {
            let topic = publish.topic.as_ref().map(TopicName::as_str).unwrap_or_default();
            let id = publish.packet_id.map(|id| format!(" q{} #{}", publish.qos.bits(), id.get())).unwrap_or_default();
            let flags = [(publish.dup, " dup"), (publish.retain, " retain")];
            let flags: String = flags.iter().filter(|(is_set, _)| *is_set).map(|(_, flag)| *flag).collect();
            format!("{topic}={}{id}{flags}", String::from_utf8_lossy(&publish.payload))
        }
        Packet::PubAck(ack) => acknowledged("PUBACK", ack),
        Packet::PubRec(ack) => acknowledged("PUBREC", ack),
        Packet::PubRel(ack) => acknowledged("PUBREL", ack),
        Packet::PubComp(ack) => acknowledged("PUBCOMP", ack),
        Packet::SubAck(suback) => {
            let codes: Vec<String> = suback.reasons.iter().map(|reason| format!(" {:#x}", reason.byte())).collect();
            format!("SUBACK #{}{}", suback.packet_id.get(), codes.concat())
        }
        Packet::UnsubAck(unsuback) => format!("UNSUBACK #{}", unsuback.packet_id.get()),
        Packet::PingResp => "PINGRESP".to_owned(),
        Packet::Disconnect(disconnect) => format!("DISCONNECT{}", code(disconnect.reason)),
        other => panic!("no server sends {other:?}"),
    }
}

fn code(reason: ReasonCode) -> String {
    if reason == ReasonCode::Success { String::new() } else { format!(" {:#04x}", reason.byte()) }
}
