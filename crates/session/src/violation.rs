//! Every way in which a peer can break the contract that its session keeps.

use message::{InvalidTopicFilter, QoS};
use mqtt_codec::{DecodeError, PacketType, Protocol, ReasonCode};
use names::InvalidName;

/// What the peer did wrong. The server closes the connection [MQTT-4.8.0-1] and publishes the will; a client of MQTT 5
/// is told the [reason](Self::reason) first.
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
    /// A packet that only a server sends (MQTT 5, table 2-1).
    #[error("{0} is a packet that only a server sends (MQTT 5, 2.1.2)")]
    ServerPacket(PacketType),
    /// A DISCONNECT with a reason that is a server's [MQTT-3.14.2-1].
    #[error("DISCONNECT with the reason {:#04x} is a server's [MQTT-3.14.2-1]", .0.byte())]
    ServerReason(ReasonCode),
    /// Dialect `aws` speaks 3.1.1 and 5 (developer guide, mqtt).
    #[error("this listener does not speak {0:?}")]
    ProtocolNotServed(Protocol),
    /// [MQTT-4.12.0-1]: no method is known.
    #[error("the authentication method is not known [MQTT-4.12.0-1]")]
    AuthenticationMethod,
    /// [MQTT-4.12.0-7]
    #[error("AUTH without an authentication method in CONNECT [MQTT-4.12.0-7]")]
    Auth,
    /// [MQTT-3.1.3-8]; answered with CONNACK 0x02.
    #[error("the client id is empty and the session is to be stored [MQTT-3.1.3-8]")]
    EmptyClientIdOfStoredSession,
    /// The text is no client id [MQTT-3.1.3-9]; answered with CONNACK 0x02.
    #[error(transparent)]
    InvalidClientId(#[from] InvalidName),
    /// AWS quotas, message broker: 128 bytes. MQTT 3.1: 23 characters.
    #[error("the client id has {bytes} bytes, {max} are allowed")]
    ClientIdTooLong {
        /// Length of the client id.
        bytes: usize,
        /// What is allowed.
        max: usize,
    },
    /// AWS quotas, message broker: a client takes packets of 512 bytes at least.
    #[error("the client's Maximum Packet Size is {bytes}, {min} is the least")]
    ClientPacketTooSmall {
        /// What the client said.
        bytes: u32,
        /// What it must be.
        min: u32,
    },
    /// AWS IoT Core developer guide, mqtt: no QoS 2 (both directions, wills too).
    #[error("{packet_type} at QoS {} is not served", qos.bits())]
    QosNotSupported {
        /// The packet that asks for it; CONNECT for a will.
        packet_type: PacketType,
        /// What it asks for.
        qos: QoS,
    },
    /// [MQTT-4.7.1-1], [MQTT-4.7.1-2], [MQTT-4.7.3-1]
    #[error(transparent)]
    InvalidTopicFilter(#[from] InvalidTopicFilter),
    /// [MQTT-3.8.3-4]
    #[error("No Local on a shared subscription [MQTT-3.8.3-4]")]
    NoLocalOnShared,
    /// AWS IoT Core developer guide, mqtt: subscription identifiers are not supported.
    #[error("subscription identifiers are not served")]
    SubscriptionIdentifier,
    /// [MQTT-3.3.4-6]
    #[error("a client's PUBLISH has a subscription identifier [MQTT-3.3.4-6]")]
    SubscriptionIdentifierInPublish,
    /// [MQTT-3.3.2-9]
    #[error("topic alias {alias} is above {max} [MQTT-3.3.2-9]")]
    TopicAliasAboveMaximum {
        /// The client's.
        alias: u16,
        /// What CONNACK allowed.
        max: u16,
    },
    /// MQTT 5, 3.3.4: an alias that stands for nothing.
    #[error("topic alias {alias} stands for no topic (MQTT 5, 3.3.4)")]
    UnknownTopicAlias {
        /// The client's.
        alias: u16,
    },
    /// [MQTT-3.3.4-7]
    #[error("more than {max} QoS 1 and 2 messages are unacknowledged [MQTT-3.3.4-7]")]
    ReceiveMaximumExceeded {
        /// What CONNACK allowed.
        max: u16,
    },
    /// MQTT 5, 3.14.2.2.2: from 0 to more.
    #[error("DISCONNECT keeps a session that CONNECT let end with the connection (MQTT 5, 3.14.2.2.2)")]
    SessionExpiryFromZero,
    /// AWS quotas, message broker: 128 KB.
    #[error("the payload has {bytes} bytes, {max} are allowed")]
    PayloadTooLarge {
        /// Length of the payload.
        bytes: usize,
        /// What is allowed.
        max: usize,
    },
    /// AWS quotas, message broker.
    #[error("the {what} takes {bytes} bytes, {max} are allowed")]
    PropertyTooLong {
        /// Which property.
        what: &'static str,
        /// Its length.
        bytes: usize,
        /// What is allowed.
        max: usize,
    },
    /// AWS quotas, message broker: 256 bytes.
    #[error("the topic has {bytes} bytes, {max} are allowed")]
    TopicTooLong {
        /// Length of the topic, without the prefix that AWS does not count.
        bytes: usize,
        /// What is allowed.
        max: usize,
    },
    /// AWS quotas, message broker: 7 slashes.
    #[error("the topic has {slashes} slashes, {max} are allowed")]
    TooManySlashes {
        /// Slashes of the topic, without those in the prefix that AWS does not count.
        slashes: usize,
        /// What is allowed.
        max: usize,
    },
    /// AWS quotas, message broker: 256 bytes.
    #[error("the topic filter has {bytes} bytes, {max} are allowed")]
    FilterTooLong {
        /// Length of the filter, without the prefix that AWS does not count.
        bytes: usize,
        /// What is allowed.
        max: usize,
    },
    /// AWS quotas, message broker: 7 slashes.
    #[error("the topic filter has {slashes} slashes, {max} are allowed")]
    FilterTooDeep {
        /// Slashes of the filter, without those in the prefix that AWS does not count.
        slashes: usize,
        /// What is allowed.
        max: usize,
    },
    /// AWS quotas, message broker: 8 filters in a SUBSCRIBE.
    #[error("the SUBSCRIBE has {filters} topic filters, {max} are allowed")]
    TooManyFilters {
        /// Filters in the packet.
        filters: usize,
        /// What is allowed.
        max: usize,
    },
    /// AWS IoT Core developer guide, mqtt: nothing is retained on a topic that starts with `$`.
    #[error("RETAIN is set on a reserved topic, which starts with '$'")]
    RetainOnReservedTopic,
}

impl Violation {
    /// What a client of MQTT 5 is told: in CONNACK before it was accepted, in DISCONNECT afterwards.
    pub fn reason(&self) -> ReasonCode {
        match self {
            Self::Malformed(error) => error.reason(),
            Self::ProtocolNotServed(_) => ReasonCode::UnsupportedProtocolVersion,
            Self::AuthenticationMethod => ReasonCode::BadAuthenticationMethod,
            Self::EmptyClientIdOfStoredSession | Self::InvalidClientId(_) | Self::ClientIdTooLong { .. } => {
                ReasonCode::ClientIdentifierNotValid
            }
            Self::QosNotSupported { .. } => ReasonCode::QosNotSupported,
            Self::InvalidTopicFilter(_) | Self::FilterTooLong { .. } | Self::FilterTooDeep { .. } => {
                ReasonCode::TopicFilterInvalid
            }
            Self::TopicTooLong { .. } | Self::TooManySlashes { .. } | Self::RetainOnReservedTopic => {
                ReasonCode::TopicNameInvalid
            }
            Self::SubscriptionIdentifier => ReasonCode::SubscriptionIdentifiersNotSupported,
            Self::TopicAliasAboveMaximum { .. } => ReasonCode::TopicAliasInvalid,
            Self::ReceiveMaximumExceeded { .. } => ReasonCode::ReceiveMaximumExceeded,
            Self::PropertyTooLong { .. }
            | Self::TooManyFilters { .. }
            | Self::ClientPacketTooSmall { .. }
            | Self::PayloadTooLarge { .. } => ReasonCode::QuotaExceeded,
            Self::FirstPacketNotConnect(_)
            | Self::SecondConnect
            | Self::ServerPacket(_)
            | Self::ServerReason(_)
            | Self::Auth
            | Self::NoLocalOnShared
            | Self::SubscriptionIdentifierInPublish
            | Self::UnknownTopicAlias { .. }
            | Self::SessionExpiryFromZero => ReasonCode::ProtocolError,
        }
    }
}
