//! A client that has been accepted: its packets in, its deliveries out.

use std::time::{Duration, Instant};

use bytes::BytesMut;
use bytestring::ByteString;

use message::{Message, QoS, TopicFilter};
use mqtt_codec::{
    ConnectReturnCode, Packet, PacketId, PacketType, Publish, SubAckCode, Subscribe, Unsubscribe, Will, encode_connack,
    encode_pingresp, encode_puback, encode_publish, encode_suback, encode_unsuback,
};
use names::{ClientId, Dialect, limits};

use crate::connect::Opening;
use crate::inflight::Inflight;
use crate::intent::{Intent, PublishIntent, RequestedFilter};
use crate::keep_alive::KeepAlive;
use crate::subscriptions::Subscriptions;
use crate::{Violation, aws_limits};

/// The session of a connected client. Drop it when the connection ends; ask for the will first.
#[derive(Debug)]
pub struct Connected {
    client_id: ClientId,
    clean_session: bool,
    dialect: Dialect,
    keep_alive: KeepAlive,
    will: Option<Will>,
    inflight: Inflight,
    subscriptions: Subscriptions,
}

/// The transition into this state; the other way out of an opening is [`Opening::refuse`].
impl Opening {
    /// Writes the accepting CONNACK [MQTT-3.1.4-4]. `client_id` is the client's own or the one that the broker made up;
    /// `session_present` says that a stored session goes on, which a clean one never does [MQTT-3.2.2-1].
    pub fn accept(self, client_id: ClientId, session_present: bool, now: Instant, out: &mut BytesMut) -> Connected {
        encode_connack(session_present && !self.clean_session, ConnectReturnCode::Accepted, out);
        Connected::new(self, client_id, now)
    }
}

/// What became of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a message that was not written waits in the mailbox"]
pub enum Delivered {
    /// The PUBLISH is in the buffer.
    Written,
    /// Nothing was written: as many QoS 1 messages are unacknowledged as may be.
    WindowFull,
}

impl Connected {
    fn new(opening: Opening, client_id: ClientId, now: Instant) -> Self {
        let subscriptions_max = match opening.dialect {
            Dialect::Aws => limits::AWS_SUBSCRIPTIONS_PER_CONNECTION_MAX,
            Dialect::Mqtt => limits::SUBSCRIPTIONS_PER_CONNECTION_MAX,
        };
        Self {
            client_id,
            clean_session: opening.clean_session,
            dialect: opening.dialect,
            keep_alive: KeepAlive::new(opening.keep_alive, now),
            will: opening.will,
            inflight: Inflight::new(),
            subscriptions: Subscriptions::new(subscriptions_max),
        }
    }

    /// Takes a packet from the client. What needs no broker is answered here.
    ///
    /// # Errors
    /// [`Violation`]: close the connection without a word and publish the will [MQTT-4.8.0-1].
    pub fn handle(&mut self, packet: Packet, now: Instant, out: &mut BytesMut) -> Result<Option<Intent>, Violation> {
        self.keep_alive.heard(now);
        match packet {
            Packet::Publish(publish) => self.publish(publish).map(Some),
            Packet::PubAck(packet_id) => {
                self.inflight.release(packet_id);
                Ok(None)
            }
            Packet::Subscribe(subscribe) => self.subscribe(subscribe).map(Some),
            Packet::Unsubscribe(unsubscribe) => self.unsubscribe(unsubscribe).map(Some),
            Packet::PingReq => {
                encode_pingresp(out);
                Ok(None)
            }
            Packet::Disconnect => {
                self.will = None;
                Ok(Some(Intent::Disconnect))
            }
            Packet::Connect(_) => Err(Violation::SecondConnect),
            Packet::PubRec(_) | Packet::PubRel(_) | Packet::PubComp(_) => {
                Err(Violation::QosNotSupported { packet_type: packet.packet_type(), qos: QoS::ExactlyOnce })
            }
            other => Err(Violation::ServerPacket(other.packet_type())),
        }
    }

    /// The broker has the message: PUBACK at QoS 1, nothing at QoS 0 [MQTT-3.3.4-1].
    pub fn publish_done(&mut self, packet_id: Option<PacketId>, out: &mut BytesMut) {
        if let Some(packet_id) = packet_id {
            encode_puback(packet_id, out);
        }
    }

    /// The broker has decided on a SUBSCRIBE: one code for each filter, in their order [MQTT-3.8.4-5].
    pub fn subscribe_done(&mut self, packet_id: PacketId, codes: &[SubAckCode], out: &mut BytesMut) {
        self.subscriptions.answered(packet_id, codes);
        encode_suback(packet_id, codes, out);
    }

    /// The broker has removed what there was to remove [MQTT-3.10.4-4].
    pub fn unsubscribe_done(&mut self, packet_id: PacketId, out: &mut BytesMut) {
        encode_unsuback(packet_id, out);
    }

    /// Writes a message to the client at the lower of the message's QoS and `qos`, the granted one [MQTT-3.8.4-6].
    /// `retain` says that it is sent because of a new subscription [MQTT-3.3.1-8], [MQTT-3.3.1-9].
    pub fn deliver(&mut self, message: &Message, qos: QoS, retain: bool, out: &mut BytesMut) -> Delivered {
        let (qos, packet_id) = match message.qos.min(qos) {
            QoS::AtMostOnce => (QoS::AtMostOnce, None),
            QoS::AtLeastOnce | QoS::ExactlyOnce => match self.inflight.take() {
                Some(packet_id) => (QoS::AtLeastOnce, Some(packet_id)),
                None => return Delivered::WindowFull,
            },
        };
        encode_publish(message.topic.as_str(), &message.payload, qos, false, retain, packet_id, out);
        Delivered::Written
    }

    /// Whether a QoS 1 delivery has to wait for a PUBACK.
    pub fn window_is_full(&self) -> bool {
        self.inflight.is_full()
    }

    /// When the client counts as gone unless it sends something; none when keep alive is off [MQTT-3.1.2-24].
    pub fn keep_alive_deadline(&self) -> Option<Instant> {
        self.keep_alive.deadline()
    }

    /// The keep alive that the client is held to; none when it is off.
    pub fn keep_alive(&self) -> Option<Duration> {
        self.keep_alive.period()
    }

    /// The will, to be published once when the connection ends [MQTT-3.1.2-8], [MQTT-3.1.2-10]; none after DISCONNECT.
    pub fn take_will(&mut self) -> Option<Will> {
        self.will.take()
    }

    /// The client's own id or the one that the broker gave it.
    pub fn client_id(&self) -> &ClientId {
        &self.client_id
    }

    /// Whether the session ends with the connection.
    pub fn clean_session(&self) -> bool {
        self.clean_session
    }

    /// The contract that the session keeps.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    fn publish(&self, publish: Publish) -> Result<Intent, Violation> {
        let Publish { qos, retain, topic, packet_id, payload, .. } = publish;
        if qos == QoS::ExactlyOnce {
            return Err(Violation::QosNotSupported { packet_type: PacketType::Publish, qos });
        }
        aws_limits::check_publish(&topic, &payload, retain, self.dialect)?;
        Ok(Intent::Publish(PublishIntent { topic, payload, qos, retain, packet_id }))
    }

    fn subscribe(&mut self, subscribe: Subscribe) -> Result<Intent, Violation> {
        let Subscribe { packet_id, filters } = subscribe;
        let (count, max) = (filters.len(), limits::AWS_FILTERS_PER_SUBSCRIBE_MAX);
        if self.dialect == Dialect::Aws && count > max {
            return Err(Violation::TooManyFilters { filters: count, max });
        }
        let check = |(text, qos): &(ByteString, QoS)| self.requested_filter(text, *qos);
        let mut filters = filters.iter().map(check).collect::<Result<Vec<_>, _>>()?;
        let over_limit = self.subscriptions.ask(packet_id, filters.iter().map(|requested| &requested.filter));
        for (requested, over_limit) in filters.iter_mut().zip(over_limit) {
            requested.over_limit = over_limit;
        }
        Ok(Intent::Subscribe { packet_id, filters })
    }

    /// AWS closes on QoS 2; the standard lets a server grant less [MQTT-3.8.4-6].
    fn requested_filter(&self, text: &str, qos: QoS) -> Result<RequestedFilter, Violation> {
        if self.dialect == Dialect::Aws && qos == QoS::ExactlyOnce {
            return Err(Violation::QosNotSupported { packet_type: PacketType::Subscribe, qos });
        }
        let filter = TopicFilter::new(text)?;
        aws_limits::check_filter(&filter, self.dialect)?;
        Ok(RequestedFilter { filter, qos: qos.min(QoS::AtLeastOnce), over_limit: false })
    }

    fn unsubscribe(&mut self, unsubscribe: Unsubscribe) -> Result<Intent, Violation> {
        let Unsubscribe { packet_id, filters } = unsubscribe;
        for filter in &filters {
            self.subscriptions.remove(&TopicFilter::new(filter)?);
        }
        Ok(Intent::Unsubscribe { packet_id, filters })
    }
}
