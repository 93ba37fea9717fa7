//! An MQTT client without a socket: packets in and out of a connection of the broker that the APIs ask about.

use std::future::poll_fn;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use broker::{Connection, DisconnectReason, Identity, Now, Peer, Progress};
use bytes::BytesMut;
use message::{QoS, RetainHandling, TopicName};
use mqtt_codec::{
    Connect, ConnectProperties, Packet, PacketId, Protocol, ReasonCode, RequestedOptions, Subscribe, Will, decode,
    encode,
};
use names::Dialect;

use crate::world::World;

/// A connected client.
pub(crate) struct Device {
    connection: Connection,
    protocol: Protocol,
    out: BytesMut,
}

/// A CONNECT of MQTT 3.1.1 with a clean session; the fields are what tests change.
pub(crate) fn connect(client_id: &str) -> Connect {
    Connect {
        protocol: Protocol::V311,
        clean_start: true,
        keep_alive_seconds: 60,
        client_id: client_id.to_owned().into(),
        properties: ConnectProperties::default(),
        will: None,
        user_name: None,
        password: None,
    }
}

/// A CONNECT of MQTT 5 whose session lives on for an hour.
pub(crate) fn connect_v5(client_id: &str) -> Connect {
    let properties = ConnectProperties { session_expiry_seconds: Some(3600), ..ConnectProperties::default() };
    Connect { protocol: Protocol::V5, clean_start: false, properties, ..connect(client_id) }
}

/// A will at QoS 0.
pub(crate) fn will(topic: &str) -> Option<Will> {
    let topic = TopicName::new(topic.to_owned()).unwrap();
    let payload = b"gone"[..].into();
    Some(Will { topic, payload, qos: QoS::AtMostOnce, retain: false, delay_seconds: 0, properties: None })
}

impl Device {
    /// Connects as the administrator, who may do everything.
    pub(crate) async fn admitted(world: &World, connect: Connect) -> Self {
        Self::admitted_as(world, Identity::Iam(Arc::from("123456789012")), connect).await
    }

    pub(crate) async fn admitted_as(world: &World, identity: Identity, connect: Connect) -> Self {
        let (source_ip, target) = ("192.0.2.7".parse().unwrap(), Some("127.0.0.1:8883".parse().unwrap()));
        let peer = Peer { identity, source_ip, source_port: Some(50_123), target, dialect: Dialect::Aws };
        let connection = Connection::new(Arc::clone(&world.broker), peer, uuid::Uuid::new_v4());
        let mut device = Self { connection, protocol: connect.protocol, out: BytesMut::new() };
        device.send(Packet::Connect(Box::new(connect))).await;
        let Packet::ConnAck(connack) = device.next().await else { panic!("no CONNACK") };
        assert_eq!(connack.reason, ReasonCode::Success);
        device
    }

    pub(crate) async fn send(&mut self, packet: Packet) {
        let mut input = BytesMut::new();
        encode(&packet, self.protocol, &mut input);
        loop {
            assert_eq!(self.connection.receive(&mut input, &mut self.out, now()), Progress::Open);
            assert_eq!(self.connection.settle().await, Progress::Open);
            if !self.connection.has_paused() {
                break;
            }
        }
    }

    /// Subscribes at QoS 1, to 8 filters at most.
    pub(crate) async fn subscribe(&mut self, filters: &[&str]) {
        let retain_handling = RetainHandling::Send;
        let qos = QoS::AtLeastOnce;
        let options = RequestedOptions { qos, no_local: false, retain_as_published: false, retain_handling };
        let filters = filters.iter().map(|filter| ((*filter).to_owned().into(), options)).collect();
        let packet_id = PacketId::new(1).unwrap();
        self.send(Packet::Subscribe(Subscribe { packet_id, subscription_id: None, filters, user_properties_bytes: 0 }))
            .await;
        let Packet::SubAck(suback) = self.next().await else { panic!("no SUBACK") };
        assert!(suback.reasons.iter().all(|reason| !reason.is_error()), "{suback:?}");
    }

    /// The next packet for the client, which must come within a few seconds.
    pub(crate) async fn next(&mut self) -> Packet {
        tokio::time::timeout(Duration::from_secs(10), async {
            loop {
                if let Some(packet) = decode(&mut self.out, 1 << 20, self.protocol).unwrap() {
                    return packet;
                }
                poll_fn(|context| self.connection.poll_deliverable(context)).await;
                assert_eq!(self.connection.deliver(&mut self.out, now), Progress::Open);
                assert_eq!(self.connection.settle().await, Progress::Open);
            }
        })
        .await
        .unwrap()
    }

    /// Waits until the server wants the connection to end, and ends it; answers why, and what the client is told.
    pub(crate) async fn closed(mut self) -> (DisconnectReason, Option<Packet>) {
        let closed = poll_fn(|context| self.connection.poll_closed(context));
        let reason = tokio::time::timeout(Duration::from_secs(10), closed).await.unwrap();
        self.connection.farewell(reason, &mut self.out);
        let last = decode(&mut self.out, 1 << 20, self.protocol).unwrap();
        self.connection.end(reason, now()).await;
        (reason, last)
    }

    /// The client's side of the transport is gone.
    pub(crate) async fn lost(self) {
        self.connection.end(DisconnectReason::ConnectionLost, now()).await;
    }
}

fn now() -> Now {
    Now { instant: Instant::now(), timestamp: SystemTime::now().into() }
}
