//! The session from outside: packets in, intents and bytes out, by clause number.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod any_order;
mod aws_deviations;
mod connack;
mod connecting;
mod delivering;
mod ending;
mod properties;
mod qos_2;
mod serving;

use std::sync::Arc;
use std::time::Instant;

use bytes::{Bytes, BytesMut};

use message::{Message, Origin, QoS, SubscribeOptions, TopicFilter, TopicName};
use mqtt_codec::{
    Ack, Connect, ConnectProperties, Disconnect, Packet, PacketId, Protocol, Publish, ReasonCode, RequestedOptions,
    Subscribe, Unsubscribe,
};
use names::{ClientId, Dialect, Timestamp};
use session::{
    Connected, Delivered, Delivery, ExpectConnect, Intent, Opening, Quotas, Refusal, RequestedFilter, Violation,
};

const DIALECTS: [Dialect; 2] = [Dialect::Aws, Dialect::Mqtt];
const VERSIONS: [Protocol; 2] = [Protocol::V311, Protocol::V5];

#[expect(clippy::disallowed_methods, reason = "an Instant can only be had from the clock; its value does not matter")]
fn now() -> Instant {
    Instant::now()
}

fn connect() -> Connect {
    connect_of(Protocol::V311)
}

fn connect_of(protocol: Protocol) -> Connect {
    Connect {
        protocol,
        clean_start: true,
        keep_alive_seconds: 60,
        client_id: "lamp".into(),
        properties: ConnectProperties::default(),
        will: None,
        user_name: None,
        password: None,
    }
}

/// A CONNECT of MQTT 5 that says something.
fn connect_saying(properties: ConnectProperties) -> Connect {
    Connect { properties, ..connect_of(Protocol::V5) }
}

fn open(connect: Connect, dialect: Dialect) -> Result<Opening, Refusal> {
    open_under(connect, Quotas::of(dialect))
}

fn open_under(connect: Connect, quotas: Quotas) -> Result<Opening, Refusal> {
    ExpectConnect { quotas: Arc::new(quotas) }.handle(Packet::Connect(Box::new(connect)))
}

fn accept(opening: Opening) -> Connected {
    opening.accept(ClientId::new("lamp").unwrap(), None, now(), &mut BytesMut::new()).unwrap()
}

/// A session with the given CONNECT, accepted.
fn connected_with(connect: Connect, dialect: Dialect) -> Connected {
    accept(open(connect, dialect).unwrap())
}

/// One that speaks MQTT 3.1.1.
fn connected(dialect: Dialect) -> Connected {
    connected_with(connect(), dialect)
}

fn connected_of(protocol: Protocol, dialect: Dialect) -> Connected {
    connected_with(connect_of(protocol), dialect)
}

/// Hands one packet to the session; gives its intent and the bytes that it wrote.
fn handle(session: &mut Connected, packet: Packet) -> (Result<Option<Intent>, Violation>, BytesMut) {
    let mut out = BytesMut::new();
    (session.handle(packet, now(), &mut out), out)
}

fn publish(topic: &str, qos: QoS) -> Publish {
    Publish {
        dup: false,
        qos,
        retain: false,
        topic: Some(self::topic(topic)),
        topic_alias: None,
        packet_id: (qos != QoS::AtMostOnce).then(|| id(7)),
        subscription_ids: Vec::new(),
        properties: None,
        payload: Bytes::from_static(b"on"),
    }
}

fn subscribe(packet_id: u16, filters: &[(&str, QoS)]) -> Packet {
    let filters = filters.iter().map(|&(filter, qos)| (filter.into(), RequestedOptions::plain(qos))).collect();
    Packet::Subscribe(Subscribe { packet_id: id(packet_id), subscription_id: None, filters, user_properties_bytes: 0 })
}

fn unsubscribe(packet_id: u16, filters: &[&str]) -> Packet {
    let filters = filters.iter().map(|&filter| filter.into()).collect();
    Packet::Unsubscribe(Unsubscribe { packet_id: id(packet_id), filters, user_properties_bytes: 0 })
}

fn disconnect(reason: ReasonCode) -> Packet {
    Packet::Disconnect(Disconnect { reason, session_expiry_seconds: None, reason_string: None })
}

/// The fields of PUBACK, PUBREC, PUBREL and PUBCOMP.
fn ack(packet_id: u16) -> Ack {
    Ack { packet_id: id(packet_id), reason: ReasonCode::Success }
}

/// What a SUBSCRIBE without options becomes.
fn requested(filter: &str, qos: QoS, dialect: Dialect, refused: Option<ReasonCode>) -> RequestedFilter {
    let filter = Some(TopicFilter::new(filter).unwrap());
    RequestedFilter { filter, options: SubscribeOptions::plain(qos, dialect), refused }
}

fn message(topic: &str, qos: QoS) -> Message {
    Message {
        topic: self::topic(topic),
        payload: Bytes::from_static(b"hi"),
        qos,
        retain: false,
        properties: None,
        received_at: Timestamp::from_millis(0),
        origin: Arc::new(Origin::default()),
    }
}

fn delivery(message: &Message, qos: QoS) -> Delivery<'_> {
    Delivery { message, qos, retain: false, subscription_ids: &[], dup: false, packet_id: None }
}

/// Delivers at the time of receipt; gives the bytes too.
fn deliver(session: &mut Connected, delivery: &Delivery<'_>) -> (Delivered, BytesMut) {
    let mut out = BytesMut::new();
    (session.deliver(delivery, Timestamp::from_millis(0), &mut out), out)
}

/// Delivers a message on `t`; gives its packet identifier. None when the window is full.
fn deliver_at(session: &mut Connected, qos: QoS) -> Option<PacketId> {
    match deliver(session, &delivery(&message("t", qos), qos)).0 {
        Delivered::Written(packet_id) => packet_id,
        Delivered::WindowFull => None,
        other => panic!("{other:?}"),
    }
}

fn topic(text: &str) -> TopicName {
    TopicName::new(text).unwrap()
}

fn id(number: u16) -> PacketId {
    PacketId::new(number).unwrap()
}
