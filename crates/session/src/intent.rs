//! What a connected client wants from the broker. Nothing here is authorized yet.

use bytes::Bytes;
use bytestring::ByteString;

use message::{QoS, TopicFilter, TopicName};
use mqtt_codec::PacketId;

/// A wish of the client that the broker grants or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Intent {
    /// Publish a message; answer with [`Connected::publish_done`](crate::Connected::publish_done).
    Publish(PublishIntent),
    /// Subscribe; answer with [`Connected::subscribe_done`](crate::Connected::subscribe_done), one code a filter and
    /// in their order [MQTT-3.9.3-1].
    Subscribe {
        /// For the answer.
        packet_id: PacketId,
        /// Valid filters within the dialect's size limits.
        filters: Vec<RequestedFilter>,
    },
    /// Unsubscribe; answer with [`Connected::unsubscribe_done`](crate::Connected::unsubscribe_done), also when a filter
    /// was not subscribed [MQTT-3.10.4-5].
    Unsubscribe {
        /// For the answer.
        packet_id: PacketId,
        /// Valid filters; only an exact match is removed [MQTT-3.10.4-1].
        filters: Vec<ByteString>,
    },
    /// Close in good order. The will is gone already [MQTT-3.14.4-3]; nothing after this may be handled
    /// [MQTT-3.14.4-2].
    Disconnect,
}

/// A message that the client publishes, within the limits of its dialect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishIntent {
    /// A slice of the read buffer: take `TopicName::detached` of it to keep it.
    pub topic: TopicName,
    /// A slice of the read buffer too.
    pub payload: Bytes,
    /// QoS 0 or 1.
    pub qos: QoS,
    /// Store it as the topic's retained message [MQTT-3.3.1-5].
    pub retain: bool,
    /// For the answer; none at QoS 0.
    pub packet_id: Option<PacketId>,
}

/// One filter of a SUBSCRIBE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestedFilter {
    /// What the client wants to hear.
    pub filter: TopicFilter,
    /// The highest QoS to grant: what the client asked, lowered to what is served.
    pub qos: QoS,
    /// The connection holds as many subscriptions as it may: answer `SubAckCode::Failure` and do not subscribe.
    pub over_limit: bool,
}
