//! The table of properties: identifier, type, and where each may stand (MQTT 5, table 2-4).

use crate::PacketType;

/// A property's identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum PropertyId {
    PayloadFormatIndicator = 0x01,
    MessageExpiryInterval = 0x02,
    ContentType = 0x03,
    ResponseTopic = 0x08,
    CorrelationData = 0x09,
    SubscriptionIdentifier = 0x0B,
    SessionExpiryInterval = 0x11,
    AssignedClientIdentifier = 0x12,
    ServerKeepAlive = 0x13,
    AuthenticationMethod = 0x15,
    AuthenticationData = 0x16,
    RequestProblemInformation = 0x17,
    WillDelayInterval = 0x18,
    RequestResponseInformation = 0x19,
    ResponseInformation = 0x1A,
    ServerReference = 0x1C,
    ReasonString = 0x1F,
    ReceiveMaximum = 0x21,
    TopicAliasMaximum = 0x22,
    TopicAlias = 0x23,
    MaximumQos = 0x24,
    RetainAvailable = 0x25,
    UserProperty = 0x26,
    MaximumPacketSize = 0x27,
    WildcardSubscriptionAvailable = 0x28,
    SubscriptionIdentifierAvailable = 0x29,
    SharedSubscriptionAvailable = 0x2A,
}

/// What a property's value is on the wire (MQTT 5, 1.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Byte,
    TwoBytes,
    FourBytes,
    VariableByteInteger,
    Text,
    Binary,
    TextPair,
}

/// Where a block of properties stands: in a packet, or before the will in a CONNECT. A set of places, one bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place(u16);

impl Place {
    pub(crate) const CONNECT: Self = Self::in_packet(PacketType::Connect);
    pub(crate) const CONNACK: Self = Self::in_packet(PacketType::ConnAck);
    pub(crate) const PUBLISH: Self = Self::in_packet(PacketType::Publish);
    pub(crate) const SUBSCRIBE: Self = Self::in_packet(PacketType::Subscribe);
    pub(crate) const DISCONNECT: Self = Self::in_packet(PacketType::Disconnect);
    pub(crate) const AUTH: Self = Self::in_packet(PacketType::Auth);
    /// Type 0 is no packet, so its bit is free.
    pub(crate) const WILL: Self = Self(1);

    pub(crate) const fn in_packet(packet_type: PacketType) -> Self {
        Self(1 << packet_type as u8)
    }

    const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl PropertyId {
    /// From the byte on the wire. Identifiers are variable byte integers, but none needs a second byte.
    pub(crate) const fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            0x01 => Self::PayloadFormatIndicator,
            0x02 => Self::MessageExpiryInterval,
            0x03 => Self::ContentType,
            0x08 => Self::ResponseTopic,
            0x09 => Self::CorrelationData,
            0x0B => Self::SubscriptionIdentifier,
            0x11 => Self::SessionExpiryInterval,
            0x12 => Self::AssignedClientIdentifier,
            0x13 => Self::ServerKeepAlive,
            0x15 => Self::AuthenticationMethod,
            0x16 => Self::AuthenticationData,
            0x17 => Self::RequestProblemInformation,
            0x18 => Self::WillDelayInterval,
            0x19 => Self::RequestResponseInformation,
            0x1A => Self::ResponseInformation,
            0x1C => Self::ServerReference,
            0x1F => Self::ReasonString,
            0x21 => Self::ReceiveMaximum,
            0x22 => Self::TopicAliasMaximum,
            0x23 => Self::TopicAlias,
            0x24 => Self::MaximumQos,
            0x25 => Self::RetainAvailable,
            0x26 => Self::UserProperty,
            0x27 => Self::MaximumPacketSize,
            0x28 => Self::WildcardSubscriptionAvailable,
            0x29 => Self::SubscriptionIdentifierAvailable,
            0x2A => Self::SharedSubscriptionAvailable,
            _ => return None,
        })
    }

    /// The byte on the wire.
    pub(crate) const fn byte(self) -> u8 {
        self as u8
    }

    /// What its value is.
    pub(crate) const fn kind(self) -> Kind {
        self.row().0
    }

    /// Whether it may stand there.
    pub(crate) const fn is_allowed_in(self, place: Place) -> bool {
        self.row().1.0 & place.0 != 0
    }

    /// Whether it may stand there more than once.
    pub(crate) fn may_repeat_in(self, place: Place) -> bool {
        self == Self::UserProperty || self == Self::SubscriptionIdentifier && place == Place::PUBLISH
    }

    const fn row(self) -> (Kind, Place) {
        match self {
            Self::PayloadFormatIndicator => (Kind::Byte, MESSAGE),
            Self::MessageExpiryInterval => (Kind::FourBytes, MESSAGE),
            Self::ContentType => (Kind::Text, MESSAGE),
            Self::ResponseTopic => (Kind::Text, MESSAGE),
            Self::CorrelationData => (Kind::Binary, MESSAGE),
            Self::SubscriptionIdentifier => (Kind::VariableByteInteger, Place::PUBLISH.or(Place::SUBSCRIBE)),
            Self::SessionExpiryInterval => (Kind::FourBytes, OPENING.or(Place::DISCONNECT)),
            Self::AssignedClientIdentifier => (Kind::Text, Place::CONNACK),
            Self::ServerKeepAlive => (Kind::TwoBytes, Place::CONNACK),
            Self::AuthenticationMethod => (Kind::Text, OPENING.or(Place::AUTH)),
            Self::AuthenticationData => (Kind::Binary, OPENING.or(Place::AUTH)),
            Self::RequestProblemInformation => (Kind::Byte, Place::CONNECT),
            Self::WillDelayInterval => (Kind::FourBytes, Place::WILL),
            Self::RequestResponseInformation => (Kind::Byte, Place::CONNECT),
            Self::ResponseInformation => (Kind::Text, Place::CONNACK),
            Self::ServerReference => (Kind::Text, Place::CONNACK.or(Place::DISCONNECT)),
            Self::ReasonString => (Kind::Text, ANSWERS),
            Self::ReceiveMaximum => (Kind::TwoBytes, OPENING),
            Self::TopicAliasMaximum => (Kind::TwoBytes, OPENING),
            Self::TopicAlias => (Kind::TwoBytes, Place::PUBLISH),
            Self::MaximumQos => (Kind::Byte, Place::CONNACK),
            Self::RetainAvailable => (Kind::Byte, Place::CONNACK),
            Self::UserProperty => (Kind::TextPair, EVERYWHERE),
            Self::MaximumPacketSize => (Kind::FourBytes, OPENING),
            Self::WildcardSubscriptionAvailable => (Kind::Byte, Place::CONNACK),
            Self::SubscriptionIdentifierAvailable => (Kind::Byte, Place::CONNACK),
            Self::SharedSubscriptionAvailable => (Kind::Byte, Place::CONNACK),
        }
    }
}

/// What travels with a message.
const MESSAGE: Place = Place::PUBLISH.or(Place::WILL);
/// What the two sides tell each other at first.
const OPENING: Place = Place::CONNECT.or(Place::CONNACK);
/// The packets that say how something went.
const ANSWERS: Place = Place::CONNACK
    .or(Place::in_packet(PacketType::PubAck))
    .or(Place::in_packet(PacketType::PubRec))
    .or(Place::in_packet(PacketType::PubRel))
    .or(Place::in_packet(PacketType::PubComp))
    .or(Place::in_packet(PacketType::SubAck))
    .or(Place::in_packet(PacketType::UnsubAck))
    .or(Place::DISCONNECT)
    .or(Place::AUTH);
/// A block of properties anywhere.
const EVERYWHERE: Place =
    ANSWERS.or(MESSAGE).or(Place::CONNECT).or(Place::SUBSCRIBE).or(Place::in_packet(PacketType::Unsubscribe));
