//! Any packets and deliveries in any order: nothing panics, no window is exceeded, and no identifier stands for two
//! messages at once.

use std::collections::BTreeMap;
use std::num::{NonZeroU16, NonZeroU32};
use std::sync::Arc;

use bytes::BytesMut;
use proptest::collection::vec;
use proptest::prelude::*;

use message::{Message, Properties, QoS};
use mqtt_codec::{Ack, ConnectProperties, Disconnect, Packet, PacketId, Protocol, Publish, ReasonCode, decode};
use names::{Dialect, Timestamp};
use session::{Connected, Delivered, Delivery, Intent};

use crate::{connect_of, connected_with, id, message, now, publish, subscribe, topic, unsubscribe};

/// Something that happens to a session.
#[derive(Debug, Clone)]
enum Step {
    Publish { qos: QoS, packet_id: u16, topic: Option<u8>, alias: u16, broker: ReasonCode },
    Ack { kind: u8, packet_id: u16, refuses: bool },
    Deliver { topic: u8, qos: QoS, wanted: Option<u16>, dup: bool, expiry_seconds: Option<u32>, bytes: usize },
    Subscribe { filter: &'static str, qos: QoS },
    Unsubscribe { filter: &'static str },
    Ping,
    Disconnect { reason: ReasonCode, expiry_seconds: Option<u32> },
}

fn qos() -> impl Strategy<Value = QoS> {
    (0..3_u8).prop_map(|bits| QoS::from_bits(bits).unwrap())
}

fn filter() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["a", "a/#", "+", "", "#/x", "$share/g/a", "$share/g", "1/2/3/4/5/6/7/8/9"])
}

fn step() -> impl Strategy<Value = Step> {
    let reason = prop::sample::select(vec![ReasonCode::Success, ReasonCode::NotAuthorized]);
    let leaving =
        prop::sample::select(vec![ReasonCode::Success, ReasonCode::DisconnectWithWill, ReasonCode::ServerBusy]);
    prop_oneof![
        4 => (qos(), 1..6_u16, prop::option::of(0..3_u8), 0..4_u16, reason).prop_map(
            |(qos, packet_id, topic, alias, broker)| Step::Publish { qos, packet_id, topic, alias, broker }
        ),
        6 => (0..4_u8, 1..8_u16, any::<bool>())
            .prop_map(|(kind, packet_id, refuses)| Step::Ack { kind, packet_id, refuses }),
        6 => (0..3_u8, qos(), prop::option::of(1..8_u16), any::<bool>(), prop::option::of(0..3_u32), 0..60_usize)
            .prop_map(|(topic, qos, wanted, dup, expiry_seconds, bytes)| {
                Step::Deliver { topic, qos, wanted, dup, expiry_seconds, bytes }
            }),
        1 => (filter(), qos()).prop_map(|(filter, qos)| Step::Subscribe { filter, qos }),
        1 => filter().prop_map(|filter| Step::Unsubscribe { filter }),
        1 => Just(Step::Ping),
        1 => (leaving, prop::option::of(0..2_u32))
            .prop_map(|(reason, expiry_seconds)| Step::Disconnect { reason, expiry_seconds }),
    ]
}

/// What an identifier waits for, seen from the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Awaits {
    /// PUBACK.
    Acknowledgement,
    /// PUBREC.
    Receipt,
    /// PUBCOMP.
    Completion,
}

/// A session and what the client knows of it.
struct Seen {
    session: Connected,
    protocol: Protocol,
    window: usize,
    packet_bytes_max: usize,
    held: BTreeMap<PacketId, Awaits>,
    received: Vec<PacketId>,
    /// The topic of each alias that the server introduced.
    aliases: BTreeMap<u16, String>,
}

impl Seen {
    /// Does one step; false when the session says that the connection is over.
    fn step(&mut self, step: Step) -> bool {
        let packet = match step {
            Step::Deliver { topic, qos, wanted, dup, expiry_seconds, bytes } => {
                self.deliver(topic, qos, wanted, dup, expiry_seconds, bytes);
                return true;
            }
            Step::Publish { qos, packet_id, topic, alias, broker } => {
                return self.publish(qos, packet_id, topic, alias, broker);
            }
            Step::Ack { kind, packet_id, refuses } => return self.acknowledge(kind, id(packet_id), refuses),
            Step::Subscribe { filter, qos } => subscribe(1, &[("ok", qos), (filter, qos)]),
            Step::Unsubscribe { filter } => unsubscribe(1, &[filter]),
            Step::Ping => Packet::PingReq,
            Step::Disconnect { reason, expiry_seconds } => {
                Packet::Disconnect(Disconnect { reason, session_expiry_seconds: expiry_seconds, reason_string: None })
            }
        };
        let (Some(intent), mut out) = self.handle(packet) else { return false };
        match intent {
            Some(Intent::Subscribe { packet_id, filters }) => {
                let reasons: Vec<_> = filters.iter().map(|f| f.refused.unwrap_or(ReasonCode::Success)).collect();
                assert!(self.session.subscribe_done(packet_id, &reasons, &mut out));
            }
            Some(Intent::Unsubscribe { packet_id, filters }) => {
                let reasons = vec![ReasonCode::Success; filters.len()];
                assert!(self.session.unsubscribe_done(packet_id, &reasons, &mut out));
            }
            Some(Intent::Disconnect) => return false,
            _ => {}
        }
        self.read(out);
        true
    }

    /// The intent and the bytes; no intent at all when the packet is a violation, which writes nothing.
    fn handle(&mut self, packet: Packet) -> (Option<Option<Intent>>, BytesMut) {
        let mut out = BytesMut::new();
        match self.session.handle(packet, now(), &mut out) {
            Ok(intent) => (Some(intent), out),
            Err(_) => {
                assert!(out.is_empty(), "nothing is answered before the connection is closed");
                (None, out)
            }
        }
    }

    fn publish(&mut self, qos: QoS, packet_id: u16, name: Option<u8>, alias: u16, broker: ReasonCode) -> bool {
        let is_v5 = self.protocol == Protocol::V5;
        let name = name.or_else(|| (!is_v5).then_some(0)).map(|name| topic(&format!("t/{name}")));
        let packet_id = (qos != QoS::AtMostOnce).then(|| id(packet_id));
        let topic_alias = NonZeroU16::new(alias).filter(|_| is_v5);
        let packet = Publish { topic: name, topic_alias, packet_id, ..publish("t", qos) };
        let (Some(intent), mut out) = self.handle(Packet::Publish(packet)) else { return false };
        let known = packet_id.filter(|id| qos == QoS::ExactlyOnce && self.received.contains(id));
        assert_eq!(intent.is_none(), known.is_some(), "a message is taken once");
        if intent.is_some() {
            let broker = if is_v5 { broker } else { ReasonCode::Success };
            self.session.publish_done(packet_id, qos, broker, &mut out);
            if qos == QoS::ExactlyOnce && !broker.is_error() {
                self.received.extend(packet_id);
            }
        }
        self.read(out);
        true
    }

    fn acknowledge(&mut self, kind: u8, packet_id: PacketId, refuses: bool) -> bool {
        let refuses = refuses && self.protocol == Protocol::V5 && kind == 1;
        let reason = if refuses { ReasonCode::QuotaExceeded } else { ReasonCode::Success };
        let ack = Ack { packet_id, reason };
        let packet = match kind {
            0 => Packet::PubAck(ack),
            1 => Packet::PubRec(ack),
            2 => Packet::PubRel(ack),
            _ => Packet::PubComp(ack),
        };
        let (Some(intent), out) = self.handle(packet) else { return false };
        let awaits = self.held.get(&packet_id).copied();
        let expected = match (kind, awaits) {
            (0, Some(Awaits::Acknowledgement)) | (3, Some(Awaits::Completion)) => Some(Intent::Acknowledged(packet_id)),
            (1, Some(Awaits::Receipt)) if refuses => Some(Intent::Acknowledged(packet_id)),
            (1, Some(Awaits::Receipt)) => Some(Intent::Received(packet_id)),
            (2, _) if self.received.contains(&packet_id) => Some(Intent::Released(packet_id)),
            _ => None,
        };
        assert_eq!(intent, expected);
        match expected {
            Some(Intent::Acknowledged(_)) => _ = self.held.remove(&packet_id),
            Some(Intent::Received(_)) => _ = self.held.insert(packet_id, Awaits::Completion),
            Some(Intent::Released(_)) => self.received.retain(|id| *id != packet_id),
            _ => {}
        }
        self.read(out);
        true
    }

    fn deliver(
        &mut self,
        topic: u8,
        qos: QoS,
        wanted: Option<u16>,
        dup: bool,
        expiry_seconds: Option<u32>,
        bytes: usize,
    ) {
        let properties = Properties { expiry_seconds, ..Properties::default() };
        let properties = expiry_seconds.map(|_| Arc::new(properties));
        let message = Message { payload: vec![0; bytes].into(), properties, ..message(&format!("t/{topic}"), qos) };
        let packet_id = wanted.map(id);
        let delivery = Delivery { message: &message, qos, retain: false, subscription_ids: &[9], dup, packet_id };
        let mut out = BytesMut::new();
        let was_full = self.session.window_is_full();
        assert_eq!(was_full, self.held.len() >= self.window);
        match self.session.deliver(&delivery, Timestamp::from_millis(1_500), &mut out) {
            Delivered::Written(packet_id) => {
                assert_eq!(packet_id.is_some(), qos != QoS::AtMostOnce);
                if let Some(packet_id) = packet_id {
                    assert!(!was_full, "the window is exceeded");
                    let awaits = if qos == QoS::ExactlyOnce { Awaits::Receipt } else { Awaits::Acknowledgement };
                    assert_eq!(self.held.insert(packet_id, awaits), None, "the identifier is held");
                }
                self.read_publish(out, &message, packet_id);
            }
            Delivered::WindowFull => assert!(was_full && qos != QoS::AtMostOnce && out.is_empty()),
            Delivered::TooLarge => assert!(out.is_empty() && self.packet_bytes_max < 200),
            Delivered::Expired => assert!(out.is_empty() && !dup && expiry_seconds.is_some_and(|seconds| seconds < 2)),
        }
    }

    /// What the client reads must be the message, whatever stands for its topic.
    fn read_publish(&mut self, mut out: BytesMut, message: &Message, packet_id: Option<PacketId>) {
        assert!(out.len() <= self.packet_bytes_max);
        let Some(Packet::Publish(read)) = decode(&mut out, 1024, self.protocol).unwrap() else { panic!("no PUBLISH") };
        assert!(out.is_empty());
        let topic = match (read.topic, read.topic_alias) {
            (Some(topic), alias) => {
                if let Some(alias) = alias {
                    self.aliases.insert(alias.get(), topic.to_string());
                }
                topic.to_string()
            }
            (None, alias) => self.aliases[&alias.unwrap().get()].clone(),
        };
        assert_eq!((topic.as_str(), &read.payload), (message.topic.as_str(), &message.payload));
        assert_eq!((read.qos, read.packet_id), (message.qos, packet_id));
    }

    /// All that is written are whole packets that the client takes.
    fn read(&self, mut out: BytesMut) {
        while !out.is_empty() {
            let before = out.len();
            assert!(decode(&mut out, 1024, self.protocol).unwrap().is_some(), "half a packet");
            assert!(before - out.len() <= self.packet_bytes_max);
        }
    }
}

proptest! {
    #[test]
    fn any_order(
        is_v5 in any::<bool>(),
        is_aws in any::<bool>(),
        window in 1..5_u16,
        is_narrow in any::<bool>(),
        topic_alias_max in 0..3_u16,
        released in prop::collection::btree_set(1..8_u16, 0..3),
        steps in vec(step(), 1..150),
    ) {
        let (protocol, dialect) = (
            if is_v5 { Protocol::V5 } else { Protocol::V311 },
            if is_aws { Dialect::Aws } else { Dialect::Mqtt },
        );
        let is_narrow = is_narrow && is_v5 && !is_aws;
        let mut connect = connect_of(protocol);
        if is_v5 {
            connect.properties = ConnectProperties {
                receive_max: NonZeroU16::new(window),
                packet_bytes_max: NonZeroU32::new(60).filter(|_| is_narrow),
                topic_alias_max,
                ..ConnectProperties::default()
            };
        }
        let mut seen = Seen {
            session: connected_with(connect, dialect),
            protocol,
            window: if is_v5 { usize::from(window) } else { 100 },
            packet_bytes_max: if is_narrow { 60 } else { 1024 },
            held: BTreeMap::new(),
            received: Vec::new(),
            aliases: BTreeMap::new(),
        };
        if !is_aws {
            for packet_id in released.into_iter().map(id) {
                let mut out = BytesMut::new();
                seen.session.release_again(packet_id, &mut out);
                seen.held.insert(packet_id, Awaits::Completion);
                seen.read(out);
            }
        }
        for step in steps {
            if !seen.step(step) {
                break;
            }
            prop_assert_eq!(seen.session.window_is_full(), seen.held.len() >= seen.window);
        }
    }
}
