//! The session from outside: packets in, intents and bytes out, by clause number.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod aws_deviations;
mod connecting;
mod delivering;
mod serving;

use std::sync::Arc;
use std::time::Instant;

use bytes::{Bytes, BytesMut};

use message::{Message, Origin, QoS, TopicName};
use mqtt_codec::{Connect, Packet, PacketId, Protocol, Publish, Subscribe};
use names::{ClientId, Dialect, Timestamp};
use session::{Connected, ExpectConnect, Intent, Violation};

#[expect(clippy::disallowed_methods, reason = "an Instant can only be had from the clock; its value does not matter")]
fn now() -> Instant {
    Instant::now()
}

fn connect() -> Connect {
    Connect {
        protocol: Protocol::V311,
        clean_session: true,
        keep_alive_seconds: 60,
        client_id: "lamp".into(),
        will: None,
        user_name: None,
        password: None,
    }
}

/// A session with the given CONNECT, accepted.
fn connected_with(connect: Connect, dialect: Dialect) -> Connected {
    let opening = ExpectConnect { dialect }.handle(Packet::Connect(connect)).unwrap();
    opening.accept(ClientId::new("lamp").unwrap(), false, now(), &mut BytesMut::new())
}

fn connected(dialect: Dialect) -> Connected {
    connected_with(connect(), dialect)
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
        topic: self::topic(topic),
        packet_id: (qos != QoS::AtMostOnce).then(|| id(7)),
        payload: Bytes::from_static(b"on"),
    }
}

fn subscribe(packet_id: u16, filters: &[(&str, QoS)]) -> Packet {
    let filters = filters.iter().map(|&(filter, qos)| (filter.into(), qos)).collect();
    Packet::Subscribe(Subscribe { packet_id: id(packet_id), filters })
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

fn topic(text: &str) -> TopicName {
    TopicName::new(text).unwrap()
}

fn id(number: u16) -> PacketId {
    PacketId::new(number).unwrap()
}
