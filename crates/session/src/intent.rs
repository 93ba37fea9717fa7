//! What a connected client wants from the broker, and what it says of messages that went to it. Nothing here is
//! authorized yet.

use std::sync::Arc;

use bytes::Bytes;

use message::{Properties, QoS, SubscribeOptions, TopicFilter, TopicName};
use mqtt_codec::{PacketId, ReasonCode};

/// A wish of the client that the broker grants or not, or news of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Intent {
    /// Publish a message; answer with [`Connected::publish_done`](crate::Connected::publish_done).
    Publish(PublishIntent),
    /// PUBREL came for a QoS 2 message of the client: its identifier stands for a new one. PUBCOMP is written.
    Released(PacketId),
    /// A message that went to the client is done with: PUBACK, PUBCOMP, or a PUBREC that refuses it.
    Acknowledged(PacketId),
    /// A QoS 2 message that went to the client has arrived and is never sent again. PUBREL is written.
    Received(PacketId),
    /// Subscribe; answer with [`Connected::subscribe_done`](crate::Connected::subscribe_done), one code a filter and
    /// in their order [MQTT-3.9.3-1].
    Subscribe {
        /// For the answer.
        packet_id: PacketId,
        /// In the packet's order.
        filters: Vec<RequestedFilter>,
    },
    /// Unsubscribe; answer with [`Connected::unsubscribe_done`](crate::Connected::unsubscribe_done), also when a filter
    /// was not subscribed [MQTT-3.10.4-5].
    Unsubscribe {
        /// For the answer.
        packet_id: PacketId,
        /// In the packet's order, none for one that is no filter. Only an exact match is removed [MQTT-3.10.4-1].
        filters: Vec<Option<TopicFilter>>,
    },
    /// Close in good order. The will is gone already unless the client asked for it [MQTT-3.14.4-3]; nothing after this
    /// may be handled [MQTT-3.14.4-1].
    Disconnect,
}

/// A message that the client publishes, within its quotas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishIntent {
    /// A slice of the read buffer: take `TopicName::detached` of it to keep it. An alias is resolved.
    pub topic: TopicName,
    /// A slice of the read buffer too.
    pub payload: Bytes,
    /// The publisher's.
    pub qos: QoS,
    /// Store it as the topic's retained message [MQTT-3.3.1-5].
    pub retain: bool,
    /// What an MQTT 5 client says beside the payload.
    pub properties: Option<Arc<Properties>>,
    /// For the answer; none at QoS 0.
    pub packet_id: Option<PacketId>,
}

/// One filter of a SUBSCRIBE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestedFilter {
    /// What the client wants to hear; a shared subscription's with its `$share/` prefix. None when it is no filter, and
    /// then it is refused.
    pub filter: Option<TopicFilter>,
    /// What the client asked, lowered to what is served.
    pub options: SubscribeOptions,
    /// Answer this and do not subscribe.
    pub refused: Option<ReasonCode>,
}
