//! Every way in which bytes fail to be a packet, one variant a rule. Where the versions number a rule differently, the
//! clause of MQTT 3.1.1 stands first and that of MQTT 5 second.

use message::InvalidTopicName;

use crate::{PacketType, ReasonCode};

/// Why bytes are no MQTT packet. The connection cannot go on after any of these (MQTT 3.1.1 [MQTT-4.8.0-1], MQTT 5
/// [MQTT-4.13.1-1]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// Type 0, and before MQTT 5 type 15 (MQTT 3.1.1, 2.2.1; MQTT 5, 2.1.2).
    #[error("packet type {0} is forbidden (MQTT 3.1.1, 2.2.1; MQTT 5, 2.1.2)")]
    ForbiddenPacketType(u8),
    /// [MQTT-2.2.2-2] or [MQTT-2.1.3-1], and for single types [MQTT-3.6.1-1], [MQTT-3.8.1-1], [MQTT-3.10.1-1],
    /// [MQTT-3.14.1-1], [MQTT-3.15.1-1].
    #[error("{packet_type} has the fixed-header flags {flags:#06b} [MQTT-2.2.2-2], [MQTT-2.1.3-1]")]
    FixedHeaderFlags {
        /// The type in the first byte.
        packet_type: PacketType,
        /// The lower four bits of the first byte.
        flags: u8,
    },
    /// A fifth byte (MQTT 3.1.1, 2.2.3; MQTT 5, 2.1.4).
    #[error("the remaining length takes more than four bytes (MQTT 3.1.1, 2.2.3; MQTT 5, 2.1.4)")]
    RemainingLengthTooLong,
    /// The receiver's own bound; MQTT has none below 256 MB.
    #[error("the packet has {bytes} bytes, {max} are accepted")]
    PacketTooLarge {
        /// The whole packet, fixed header included.
        bytes: usize,
        /// What the receiver takes.
        max: usize,
    },
    /// A field reaches beyond the packet's end, or is missing: [MQTT-3.1.4-1] in a CONNECT.
    #[error("the packet ends within or before a field it must have")]
    Truncated,
    /// The packet goes on after its last field: in a CONNECT [MQTT-3.1.2-18], [MQTT-3.1.2-20] or [MQTT-3.1.2-16],
    /// [MQTT-3.1.2-18].
    #[error("the packet has {0} bytes after its last field")]
    TrailingBytes(usize),
    /// [MQTT-1.5.3-1] or [MQTT-1.5.4-1]
    #[error("a text is not well-formed UTF-8 [MQTT-1.5.3-1], [MQTT-1.5.4-1]")]
    InvalidUtf8,
    /// [MQTT-1.5.3-2] or [MQTT-1.5.4-2]
    #[error("a text has the character U+0000 [MQTT-1.5.3-2], [MQTT-1.5.4-2]")]
    NullCharacter,
    /// [MQTT-2.3.1-1] or [MQTT-2.2.1-3]
    #[error("the packet identifier is 0 [MQTT-2.3.1-1], [MQTT-2.2.1-3]")]
    PacketIdZero,

    /// A fifth byte, outside the fixed header (MQTT 5, 1.5.5).
    #[error("a variable byte integer takes more than four bytes (MQTT 5, 1.5.5)")]
    VariableByteIntegerTooLong,
    /// [MQTT-1.5.5-1]; MQTT 3.1.1 has no such rule.
    #[error("a variable byte integer has not its shortest form [MQTT-1.5.5-1]")]
    VariableByteIntegerNotShortest,
    /// A byte that is no property's identifier (MQTT 5, 2.2.2.2).
    #[error("property {0:#04x} is not known (MQTT 5, 2.2.2.2)")]
    UnknownProperty(u8),
    /// The property belongs to other packets (MQTT 5, table 2-4).
    #[error("property {0:#04x} may not stand in this packet (MQTT 5, 2.2.2.2)")]
    PropertyNotAllowed(u8),
    /// Only user properties may come again, and in a PUBLISH subscription identifiers (MQTT 5, 2.2.2.2).
    #[error("property {0:#04x} stands in the packet twice (MQTT 5, 2.2.2.2)")]
    DuplicateProperty(u8),
    /// A property reaches beyond the length that the packet's properties say to have (MQTT 5, 2.2.2).
    #[error("a property reaches beyond the property length (MQTT 5, 2.2.2)")]
    PropertyTruncated,
    /// A property that is 0 or 1: Payload Format Indicator, Request Problem Information and so on (MQTT 5, 3.1.2.11.7
    /// and others).
    #[error("property {property:#04x} is {value}, only 0 and 1 have a meaning (MQTT 5, 2.2.2.2)")]
    PropertyNeitherZeroNorOne {
        /// The property's identifier.
        property: u8,
        /// What it says.
        value: u8,
    },
    /// MQTT 5, 3.1.2.11.3
    #[error("Receive Maximum is 0 (MQTT 5, 3.1.2.11.3)")]
    ReceiveMaximumZero,
    /// MQTT 5, 3.1.2.11.4
    #[error("Maximum Packet Size is 0 (MQTT 5, 3.1.2.11.4)")]
    MaximumPacketSizeZero,
    /// MQTT 5, 3.1.2.11.10
    #[error("there is Authentication Data without an Authentication Method (MQTT 5, 3.1.2.11.10)")]
    AuthenticationDataWithoutMethod,
    /// MQTT 5, 3.15.2.2.2
    #[error("AUTH has no Authentication Method (MQTT 5, 3.15.2.2.2)")]
    AuthWithoutMethod,
    /// [MQTT-3.3.2-14], [MQTT-4.7.3-1], [MQTT-4.7.3-2]
    #[error("the Response Topic is no topic name: {0} [MQTT-3.3.2-14]")]
    InvalidResponseTopic(InvalidTopicName),
    /// Althing's own bound, `limits::USER_PROPERTIES_PER_PACKET_MAX`.
    #[error("the packet has more than {max} user properties")]
    TooManyUserProperties {
        /// What the receiver takes.
        max: usize,
    },
    /// A byte that is no reason code (MQTT 5, 2.4).
    #[error("reason code {0:#04x} is not known (MQTT 5, 2.4)")]
    UnknownReasonCode(u8),
    /// [MQTT-3.2.2-8], [MQTT-3.4.2-1], [MQTT-3.5.2-1], [MQTT-3.6.2-1], [MQTT-3.7.2-1], [MQTT-3.9.3-2],
    /// [MQTT-3.11.3-2], [MQTT-3.14.2-1], [MQTT-3.15.2-1]
    #[error("{packet_type} has reason code {byte:#04x}, {reason}, of other packets (MQTT 5, 2.4)", byte = reason.byte())]
    ReasonCodeNotAllowed {
        /// Where it stands.
        packet_type: PacketType,
        /// Which one.
        reason: ReasonCode,
    },

    /// [MQTT-3.1.2-1]
    #[error("the protocol name is not MQTT [MQTT-3.1.2-1]")]
    ProtocolName,
    /// [MQTT-3.1.2-2]; the one error that is answered in every version: CONNACK 0x01 or 0x84.
    #[error("protocol level {0} is not served [MQTT-3.1.2-2]")]
    UnacceptableProtocolLevel(u8),
    /// [MQTT-3.1.2-3]
    #[error("the reserved connect flag is 1 [MQTT-3.1.2-3]")]
    ReservedConnectFlag,
    /// [MQTT-3.1.2-11], [MQTT-3.1.2-13], and in MQTT 3.1.1 [MQTT-3.1.2-15]
    #[error("will QoS or will retain is set without a will [MQTT-3.1.2-11]")]
    WillFlagsWithoutWill,
    /// [MQTT-3.1.2-14] or [MQTT-3.1.2-12]
    #[error("the will QoS is 3 [MQTT-3.1.2-14], [MQTT-3.1.2-12]")]
    WillQosThree,
    /// [MQTT-3.1.2-22]; legal in MQTT 5.
    #[error("there is a password without a user name [MQTT-3.1.2-22]")]
    PasswordWithoutUserName,

    /// Bits 7 to 1 of the CONNACK's first byte: MQTT 3.1.1, 3.2.2.1, or [MQTT-3.2.2-1].
    #[error("a reserved CONNACK flag is 1 (MQTT 3.1.1, 3.2.2.1; MQTT 5, 3.2.2.1)")]
    ReservedConnAckFlag,
    /// MQTT 3.1.1, 3.2.2.3: codes 6 to 255.
    #[error("CONNACK return code {0} is reserved (MQTT 3.1.1, 3.2.2.3)")]
    ReservedReturnCode(u8),
    /// [MQTT-3.2.2-4] or [MQTT-3.2.2-6]
    #[error("a refusing CONNACK says that a session is present [MQTT-3.2.2-4], [MQTT-3.2.2-6]")]
    SessionPresentOnRefusal,

    /// [MQTT-3.3.1-4]
    #[error("the QoS is 3 [MQTT-3.3.1-4]")]
    QosThree,
    /// [MQTT-3.3.1-2]
    #[error("DUP is set at QoS 0 [MQTT-3.3.1-2]")]
    DupAtQosZero,
    /// [MQTT-3.3.2-2], [MQTT-4.7.3-1], [MQTT-4.7.3-2]; of a PUBLISH or a will.
    #[error(transparent)]
    InvalidTopicName(#[from] InvalidTopicName),
    /// MQTT 5, 3.3.2.1
    #[error("the topic name is empty and there is no topic alias (MQTT 5, 3.3.2.1)")]
    TopicEmptyWithoutAlias,
    /// [MQTT-3.3.2-8]
    #[error("the topic alias is 0 [MQTT-3.3.2-8]")]
    TopicAliasZero,
    /// MQTT 5, 3.3.2.3.8 and 3.8.2.1.2
    #[error("a subscription identifier is 0 (MQTT 5, 3.3.2.3.8 and 3.8.2.1.2)")]
    SubscriptionIdZero,
    /// Althing's own bound, `limits::SUBSCRIPTION_IDS_PER_PACKET_MAX`.
    #[error("the packet has more than {max} subscription identifiers")]
    TooManySubscriptionIds {
        /// What the receiver takes.
        max: usize,
    },

    /// [MQTT-3.8.3-3] or [MQTT-3.8.3-2]
    #[error("SUBSCRIBE has no topic filter [MQTT-3.8.3-3], [MQTT-3.8.3-2]")]
    SubscribeWithoutFilter,
    /// [MQTT-3-8.3-4] for the whole byte; MQTT 5, 3.8.3.1 for QoS 3 in the subscription options.
    #[error("the requested QoS byte is {0:#04x} [MQTT-3-8.3-4], (MQTT 5, 3.8.3.1)")]
    RequestedQos(u8),
    /// [MQTT-3.8.3-5]
    #[error("the subscription options {0:#04x} have a reserved bit set [MQTT-3.8.3-5]")]
    ReservedSubscriptionOption(u8),
    /// MQTT 5, 3.8.3.1
    #[error("Retain Handling is 3 (MQTT 5, 3.8.3.1)")]
    RetainHandlingThree,
    /// [MQTT-3.10.3-2]
    #[error("UNSUBSCRIBE has no topic filter [MQTT-3.10.3-2]")]
    UnsubscribeWithoutFilter,
    /// Althing's own bound, `limits::FILTERS_PER_PACKET_MAX`.
    #[error("the packet has more than {max} topic filters")]
    TooManyFilters {
        /// What the receiver takes.
        max: usize,
    },
    /// [MQTT-3.9.3-2], before MQTT 5.
    #[error("SUBACK return code {0:#04x} is reserved [MQTT-3.9.3-2]")]
    ReservedSubAckCode(u8),
    /// [MQTT-3.8.4-5] or [MQTT-3.8.4-6]: one code for each filter, and there is at least one.
    #[error("SUBACK has no return code [MQTT-3.8.4-5], [MQTT-3.8.4-6]")]
    SubAckWithoutCode,
    /// MQTT 5, 3.11.3: one code for each filter, and there is at least one.
    #[error("UNSUBACK has no reason code (MQTT 5, 3.11.3)")]
    UnsubAckWithoutCode,
}

impl DecodeError {
    /// The code with which a client of MQTT 5 is told, in a CONNACK or a DISCONNECT (MQTT 5, 4.13): Malformed Packet
    /// for bytes that cannot be read, Protocol Error for what can be read and is not allowed, or the code made for it.
    pub fn reason(&self) -> ReasonCode {
        match self {
            Self::ProtocolName | Self::UnacceptableProtocolLevel(_) => ReasonCode::UnsupportedProtocolVersion,
            Self::PacketTooLarge { .. } => ReasonCode::PacketTooLarge,
            Self::TooManyUserProperties { .. } | Self::TooManySubscriptionIds { .. } | Self::TooManyFilters { .. } => {
                ReasonCode::QuotaExceeded
            }
            Self::TopicAliasZero => ReasonCode::TopicAliasInvalid,
            Self::InvalidTopicName(InvalidTopicName::Wildcard | InvalidTopicName::TooLong) => {
                ReasonCode::TopicNameInvalid
            }
            Self::PacketIdZero
            | Self::DuplicateProperty(_)
            | Self::PropertyNeitherZeroNorOne { .. }
            | Self::ReceiveMaximumZero
            | Self::MaximumPacketSizeZero
            | Self::AuthenticationDataWithoutMethod
            | Self::AuthWithoutMethod
            | Self::InvalidResponseTopic(
                InvalidTopicName::Empty | InvalidTopicName::Wildcard | InvalidTopicName::TooLong,
            )
            | Self::ReasonCodeNotAllowed { .. }
            | Self::SessionPresentOnRefusal
            | Self::InvalidTopicName(InvalidTopicName::Empty)
            | Self::TopicEmptyWithoutAlias
            | Self::SubscriptionIdZero
            | Self::SubscribeWithoutFilter
            | Self::RequestedQos(_)
            | Self::RetainHandlingThree
            | Self::UnsubscribeWithoutFilter
            | Self::SubAckWithoutCode
            | Self::UnsubAckWithoutCode => ReasonCode::ProtocolError,
            Self::ForbiddenPacketType(_)
            | Self::FixedHeaderFlags { .. }
            | Self::RemainingLengthTooLong
            | Self::Truncated
            | Self::TrailingBytes(_)
            | Self::InvalidUtf8
            | Self::NullCharacter
            | Self::VariableByteIntegerTooLong
            | Self::VariableByteIntegerNotShortest
            | Self::UnknownProperty(_)
            | Self::PropertyNotAllowed(_)
            | Self::PropertyTruncated
            | Self::UnknownReasonCode(_)
            | Self::ReservedConnectFlag
            | Self::WillFlagsWithoutWill
            | Self::WillQosThree
            | Self::PasswordWithoutUserName
            | Self::ReservedConnAckFlag
            | Self::ReservedReturnCode(_)
            | Self::QosThree
            | Self::DupAtQosZero
            | Self::InvalidTopicName(InvalidTopicName::Null)
            | Self::InvalidResponseTopic(InvalidTopicName::Null)
            | Self::ReservedSubscriptionOption(_)
            | Self::ReservedSubAckCode(_) => ReasonCode::MalformedPacket,
        }
    }
}
