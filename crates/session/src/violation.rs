//! Every way in which a peer can break the contract that its session keeps.

use message::{InvalidTopicFilter, QoS};
use mqtt_codec::{DecodeError, PacketType};
use names::InvalidName;

/// What the peer did wrong. The server closes the connection without a word [MQTT-4.8.0-1] and publishes the will;
/// only a [`Refusal`](crate::Refusal) may say something first.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Violation {
    /// The bytes are no packet.
    #[error(transparent)]
    Malformed(#[from] DecodeError),
    /// [MQTT-3.1.0-1]
    #[error("the first packet is {0}, not CONNECT [MQTT-3.1.0-1]")]
    FirstPacketNotConnect(PacketType),
    /// [MQTT-3.1.0-2]
    #[error("a second CONNECT on one connection [MQTT-3.1.0-2]")]
    SecondConnect,
    /// A packet that only a server sends (MQTT 3.1.1, table 2.1).
    #[error("{0} is a packet that only a server sends (MQTT 3.1.1, 2.2.1)")]
    ServerPacket(PacketType),
    /// [MQTT-3.1.3-8]; answered with CONNACK 0x02.
    #[error("the client id is empty and the session is to be stored [MQTT-3.1.3-8]")]
    EmptyClientIdOfStoredSession,
    /// The text is no client id [MQTT-3.1.3-9]; answered with CONNACK 0x02.
    #[error(transparent)]
    InvalidClientId(#[from] InvalidName),
    /// AWS quotas, message broker: 128 bytes; answered with CONNACK 0x02 [MQTT-3.1.3-9].
    #[error("the client id has {bytes} bytes, {max} are allowed")]
    ClientIdTooLong {
        /// Length of the client id.
        bytes: usize,
        /// What the dialect allows.
        max: usize,
    },
    /// AWS IoT Core developer guide, mqtt: no QoS 2 (both directions, wills too). In dialect `mqtt`: not served yet.
    #[error("{packet_type} at QoS {} is not served", qos.bits())]
    QosNotSupported {
        /// The packet that asks for it; CONNECT for a will.
        packet_type: PacketType,
        /// What it asks for.
        qos: QoS,
    },
    /// [MQTT-4.7.1-2], [MQTT-4.7.1-3], [MQTT-4.7.3-1]
    #[error(transparent)]
    InvalidTopicFilter(#[from] InvalidTopicFilter),
    /// AWS quotas, message broker: 128 KB.
    #[error("the payload has {bytes} bytes, {max} are allowed")]
    PayloadTooLarge {
        /// Length of the payload.
        bytes: usize,
        /// What the dialect allows.
        max: usize,
    },
    /// AWS quotas, message broker: 256 bytes, names and filters.
    #[error("the topic has {bytes} bytes, {max} are allowed")]
    TopicTooLong {
        /// Length of the topic, without the prefix that AWS does not count.
        bytes: usize,
        /// What the dialect allows.
        max: usize,
    },
    /// AWS quotas, message broker: 7 slashes, names and filters.
    #[error("the topic has {slashes} slashes, {max} are allowed")]
    TooManySlashes {
        /// Slashes of the topic, without those in the prefix that AWS does not count.
        slashes: usize,
        /// What the dialect allows.
        max: usize,
    },
    /// AWS quotas, message broker: 8 filters in a SUBSCRIBE.
    #[error("the SUBSCRIBE has {filters} topic filters, {max} are allowed")]
    TooManyFilters {
        /// Filters in the packet.
        filters: usize,
        /// What the dialect allows.
        max: usize,
    },
    /// AWS IoT Core developer guide, mqtt: nothing is retained on a topic that starts with `$`.
    #[error("RETAIN is set on a reserved topic, which starts with '$'")]
    RetainOnReservedTopic,
}
