//! A client that has been accepted: its packets in, its deliveries out.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;

use message::{Message, QoS};
use mqtt_codec::{
    Ack, Disconnect, Outgoing, Packet, PacketId, PacketType, Protocol, ReasonCode, Will, encode_ack, encode_disconnect,
    encode_pingresp, encode_publish, publish_bytes,
};
use names::{ClientId, Dialect, Timestamp};

use crate::connect::{Opening, fits};
use crate::inbound::Inbound;
use crate::intent::Intent;
use crate::keep_alive::KeepAlive;
use crate::outbound::{Outbound, Received};
use crate::subscriptions::Subscriptions;
use crate::topic_alias::{Alias, ClientAliases, ServerAliases};
use crate::{Quotas, Violation};

/// The session of a connected client. Drop it when the connection ends; ask for the will first.
#[derive(Debug)]
pub struct Connected {
    client_id: ClientId,
    pub(crate) protocol: Protocol,
    pub(crate) quotas: Arc<Quotas>,
    session_expiry_seconds: u32,
    /// Whether CONNECT let the session end with the connection, whatever the quotas made of what it asked.
    is_unkept: bool,
    keep_alive: KeepAlive,
    will: Option<Box<Will>>,
    outbound: Outbound,
    pub(crate) inbound: Inbound,
    pub(crate) subscriptions: Subscriptions,
    pub(crate) client_aliases: ClientAliases,
    server_aliases: ServerAliases,
    /// The largest packet that the client takes.
    pub(crate) packet_bytes_max: Option<u32>,
}

/// What the session had before this connection.
#[derive(Debug, Default)]
pub struct Resumed {
    /// Its QoS 2 messages from the client that are received and not released.
    pub received: Vec<PacketId>,
}

/// The transition into this state; the other way out of an opening is [`Opening::refuse`].
impl Opening {
    /// Writes the accepting CONNACK [MQTT-3.1.4-5]. `client_id` is the client's own or the one that the broker made up;
    /// `resumed` is there when a stored session goes on [MQTT-3.2.2-3]. None when the client cannot take the CONNACK:
    /// the refusal is written then, and the connection is to be closed.
    pub fn accept(
        self,
        client_id: ClientId,
        resumed: Option<Resumed>,
        now: Instant,
        out: &mut BytesMut,
    ) -> Option<Connected> {
        self.write_connack(&client_id, resumed.is_some(), out).then(|| Connected::new(self, client_id, resumed, now))
    }
}

/// A message on its way to the client.
#[derive(Debug, Clone, Copy)]
pub struct Delivery<'a> {
    /// What is sent.
    pub message: &'a Message,
    /// The lower of the publisher's QoS and the granted one [MQTT-3.8.4-8].
    pub qos: QoS,
    /// The RETAIN flag to send [MQTT-3.3.1-8], [MQTT-3.3.1-12].
    pub retain: bool,
    /// Those of the matching subscriptions [MQTT-3.3.4-3].
    pub subscription_ids: &'a [u32],
    /// Whether it was sent before, on an earlier connection of the session [MQTT-3.3.1-1].
    pub dup: bool,
    /// The identifier that a stored message has.
    pub packet_id: Option<PacketId>,
}

/// What became of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a message that was not written waits in the mailbox"]
pub enum Delivered {
    /// The PUBLISH is in the buffer, with this identifier above QoS 0.
    Written(Option<PacketId>),
    /// Nothing was written: as many messages are unacknowledged as may be [MQTT-3.3.4-9].
    WindowFull,
    /// Nothing was written: the packet is larger than the client takes, and counts as delivered [MQTT-3.1.2-25].
    TooLarge,
    /// Nothing was written: its time was over before it was sent [MQTT-3.3.2-5].
    Expired,
}

impl Connected {
    fn new(opening: Opening, client_id: ClientId, resumed: Option<Resumed>, now: Instant) -> Self {
        let quotas = opening.quotas;
        Self {
            client_id,
            protocol: opening.protocol,
            session_expiry_seconds: opening.session_expiry_seconds,
            is_unkept: opening.asked_session_expiry_seconds.unwrap_or(0) == 0,
            keep_alive: KeepAlive::new(opening.keep_alive, now),
            will: opening.will.map(Box::new),
            outbound: Outbound::new(opening.receive_max.min(quotas.send_max)),
            inbound: resumed.map_or_else(Inbound::default, |resumed| Inbound::resume(resumed.received)),
            subscriptions: Subscriptions::new(quotas.subscriptions_max),
            client_aliases: ClientAliases::default(),
            server_aliases: ServerAliases::new(opening.topic_alias_max.min(names::limits::TOPIC_ALIASES_SENT_MAX)),
            packet_bytes_max: opening.packet_bytes_max,
            quotas,
        }
    }

    /// Takes a packet from the client. What needs no broker is answered here.
    ///
    /// # Errors
    /// [`Violation`]: tell a client of MQTT 5 why with [`disconnect`](Self::disconnect), close the connection and
    /// publish the will [MQTT-4.13.1-1].
    pub fn handle(&mut self, packet: Packet, now: Instant, out: &mut BytesMut) -> Result<Option<Intent>, Violation> {
        self.keep_alive.heard(now);
        match packet {
            Packet::Publish(publish) => self.publish(publish, out),
            Packet::PubAck(Ack { packet_id, .. }) => {
                Ok(self.outbound.acknowledge(packet_id).then_some(Intent::Acknowledged(packet_id)))
            }
            Packet::PubRec(_) | Packet::PubRel(_) | Packet::PubComp(_) if self.dialect() == Dialect::Aws => {
                Err(Violation::QosNotSupported { packet_type: packet.packet_type(), qos: QoS::ExactlyOnce })
            }
            Packet::PubRec(ack) => Ok(self.pubrec(ack, out)),
            Packet::PubRel(ack) => Ok(self.pubrel(ack, out)),
            Packet::PubComp(Ack { packet_id, .. }) => {
                Ok(self.outbound.complete(packet_id).then_some(Intent::Acknowledged(packet_id)))
            }
            Packet::Subscribe(subscribe) => self.subscribe(subscribe).map(Some),
            Packet::Unsubscribe(unsubscribe) => self.unsubscribe(unsubscribe).map(Some),
            Packet::PingReq => {
                encode_pingresp(out);
                Ok(None)
            }
            Packet::Disconnect(disconnect) => self.disconnected(&disconnect).map(Some),
            Packet::Connect(_) => Err(Violation::SecondConnect),
            Packet::Auth(_) => Err(Violation::Auth),
            other => Err(Violation::ServerPacket(other.packet_type())),
        }
    }

    /// Writes a message to the client, with an alias for its topic if the client takes one, and with what is left of its
    /// expiry interval [MQTT-3.3.2-6].
    pub fn deliver(&mut self, delivery: &Delivery<'_>, now: Timestamp, out: &mut BytesMut) -> Delivered {
        let Delivery { message, qos, retain, subscription_ids, dup, .. } = *delivery;
        let is_v5 = self.protocol == Protocol::V5;
        // What was sent once is sent to the end [MQTT-4.3.3-7].
        if !dup && message.is_expired(now) {
            return Delivered::Expired;
        }
        if qos != QoS::AtMostOnce && self.outbound.is_full() {
            return Delivered::WindowFull;
        }
        let alias = if is_v5 { self.server_aliases.of(&message.topic) } else { Alias::None };
        let mut outgoing = Outgoing {
            topic: message.topic.as_str(),
            topic_alias: None,
            payload: &message.payload,
            qos,
            dup: dup && qos != QoS::AtMostOnce,
            retain,
            packet_id: (qos != QoS::AtMostOnce).then_some(PacketId::MIN),
            properties: message.properties.as_deref().filter(|_| is_v5),
            expiry_seconds: if is_v5 { self.expiry_seconds(message, now) } else { None },
            subscription_ids: if is_v5 { subscription_ids } else { &[] },
        };
        match alias {
            Alias::None => {}
            Alias::New(alias) => outgoing.topic_alias = Some(alias),
            Alias::Known(alias) => (outgoing.topic, outgoing.topic_alias) = ("", Some(alias)),
        }
        if self.packet_bytes_max.is_some() && !fits(publish_bytes(&outgoing, self.protocol), self.packet_bytes_max) {
            return Delivered::TooLarge;
        }
        if qos != QoS::AtMostOnce {
            let Some(packet_id) = self.outbound.take(delivery.packet_id, qos) else { return Delivered::WindowFull };
            outgoing.packet_id = Some(packet_id);
        }
        if let Alias::New(alias) = alias {
            self.server_aliases.introduce(&message.topic, alias);
        }
        encode_publish(&outgoing, self.protocol, out);
        Delivered::Written(outgoing.packet_id)
    }

    /// A QoS 2 message that the client received on an earlier connection: PUBREL is owed [MQTT-4.4.0-1].
    pub fn release_again(&mut self, packet_id: PacketId, out: &mut BytesMut) {
        self.outbound.hold_released(packet_id);
        encode_ack(PacketType::PubRel, packet_id, ReasonCode::Success, self.protocol, out);
    }

    /// Tells a client of MQTT 5 why the server closes the connection; others are told nothing. The reason string is left
    /// out when the client does not take as much [MQTT-3.14.2-3]. A reason that only CONNACK may give, which a second
    /// CONNECT can earn, is told as what it is by then: a protocol error [MQTT-3.14.2-1], [MQTT-3.1.0-2].
    pub fn disconnect(&self, reason: ReasonCode, why: Option<&str>, out: &mut BytesMut) {
        let is_allowed = reason.is_allowed_in(PacketType::Disconnect);
        let reason = if is_allowed { reason } else { ReasonCode::ProtocolError };
        let before = out.len();
        for why in [why, None] {
            encode_disconnect(reason, why, self.protocol, out);
            if fits(out.len() - before, self.packet_bytes_max) {
                return;
            }
            out.truncate(before);
        }
    }

    /// Whether a QoS 1 or 2 delivery has to wait for an acknowledgement.
    pub fn window_is_full(&self) -> bool {
        self.outbound.is_full()
    }

    /// When the client counts as gone unless it sends something; none when keep alive is off [MQTT-3.1.2-22].
    pub fn keep_alive_deadline(&self) -> Option<Instant> {
        self.keep_alive.deadline()
    }

    /// The keep alive that the client is held to; none when it is off.
    pub fn keep_alive(&self) -> Option<Duration> {
        self.keep_alive.period()
    }

    /// The will, to be published once when the connection ends [MQTT-3.1.2-8], [MQTT-3.1.2-10]; none after an orderly
    /// DISCONNECT.
    pub fn take_will(&mut self) -> Option<Will> {
        self.will.take().map(|will| *will)
    }

    /// The client's own id or the one that the broker gave it.
    pub fn client_id(&self) -> &ClientId {
        &self.client_id
    }

    /// How long the session outlives its connection, in seconds; `u32::MAX` is for ever. A DISCONNECT may change it.
    pub fn session_expiry_seconds(&self) -> u32 {
        self.session_expiry_seconds
    }

    /// The version that the client speaks.
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// The contract that the session keeps.
    pub fn dialect(&self) -> Dialect {
        self.quotas.dialect
    }

    /// What the session keeps to.
    pub fn quotas(&self) -> &Arc<Quotas> {
        &self.quotas
    }

    /// The expiry interval to send on: what came less the whole seconds that it waited [MQTT-3.3.2-6]. AWS IoT Core sends
    /// the whole seconds that are left (developer guide, mqtt).
    fn expiry_seconds(&self, message: &Message, now: Timestamp) -> Option<u32> {
        let millis = message.expiry_millis_left(now)?;
        let seconds = if self.dialect() == Dialect::Aws { millis / 1000 } else { millis.div_ceil(1000) };
        Some(u32::try_from(seconds).unwrap_or(u32::MAX))
    }

    fn pubrec(&mut self, ack: Ack, out: &mut BytesMut) -> Option<Intent> {
        let Ack { packet_id, reason } = ack;
        if reason.is_error() {
            return self.outbound.refuse(packet_id).then_some(Intent::Acknowledged(packet_id));
        }
        let received = self.outbound.receive(packet_id);
        let answer =
            if received == Received::Unknown { ReasonCode::PacketIdentifierNotFound } else { ReasonCode::Success };
        encode_ack(PacketType::PubRel, packet_id, answer, self.protocol, out);
        (received == Received::Now).then_some(Intent::Received(packet_id))
    }

    fn pubrel(&mut self, ack: Ack, out: &mut BytesMut) -> Option<Intent> {
        let packet_id = ack.packet_id;
        let was_received = self.inbound.release(packet_id);
        let answer = if was_received { ReasonCode::Success } else { ReasonCode::PacketIdentifierNotFound };
        encode_ack(PacketType::PubComp, packet_id, answer, self.protocol, out);
        was_received.then_some(Intent::Released(packet_id))
    }

    /// DISCONNECT with reason 0 removes the will, with any other it stays [MQTT-3.14.4-3].
    fn disconnected(&mut self, disconnect: &Disconnect) -> Result<Intent, Violation> {
        let reason = disconnect.reason;
        if is_server_reason(reason) {
            return Err(Violation::ServerReason(reason));
        }
        if let Some(asked) = disconnect.session_expiry_seconds {
            if asked > 0 && self.is_unkept {
                return Err(Violation::SessionExpiryFromZero);
            }
            self.session_expiry_seconds = asked.min(self.quotas.session_expiry_seconds_max);
        }
        if reason == ReasonCode::Success {
            self.will = None;
        }
        Ok(Intent::Disconnect)
    }
}

/// DISCONNECT reasons that only a server gives (MQTT 5, table 3-10).
fn is_server_reason(reason: ReasonCode) -> bool {
    use ReasonCode::*;
    matches!(
        reason,
        NotAuthorized
            | ServerBusy
            | ServerShuttingDown
            | KeepAliveTimeout
            | SessionTakenOver
            | TopicFilterInvalid
            | RetainNotSupported
            | QosNotSupported
            | UseAnotherServer
            | ServerMoved
            | SharedSubscriptionsNotSupported
            | ConnectionRateExceeded
            | MaximumConnectTime
            | SubscriptionIdentifiersNotSupported
            | WildcardSubscriptionsNotSupported
    )
}
