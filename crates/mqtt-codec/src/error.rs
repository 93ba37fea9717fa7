//! Every way in which bytes fail to be a packet, one variant a rule.

use message::InvalidTopicName;

use crate::PacketType;

/// Why bytes are no MQTT packet. The connection cannot go on after any of these [MQTT-4.8.0-1].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// MQTT 3.1.1, 2.2.1: types 0 and 15.
    #[error("packet type {0} is forbidden (MQTT 3.1.1, 2.2.1)")]
    ForbiddenPacketType(u8),
    /// [MQTT-2.2.2-2], and for single types [MQTT-3.6.1-1], [MQTT-3.8.1-1], [MQTT-3.10.1-1], [MQTT-3.14.1-1].
    #[error("{packet_type} has the fixed-header flags {flags:#06b} [MQTT-2.2.2-2]")]
    FixedHeaderFlags {
        /// The type in the first byte.
        packet_type: PacketType,
        /// The lower four bits of the first byte.
        flags: u8,
    },
    /// MQTT 3.1.1, 2.2.3: a fifth byte.
    #[error("the remaining length takes more than four bytes (MQTT 3.1.1, 2.2.3)")]
    RemainingLengthTooLong,
    /// The receiver's own bound; MQTT 3.1.1 has none below 256 MB.
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
    /// The packet goes on after its last field: [MQTT-3.1.2-18], [MQTT-3.1.2-20] in a CONNECT.
    #[error("the packet has {0} bytes after its last field")]
    TrailingBytes(usize),
    /// [MQTT-1.5.3-1]
    #[error("a text is not well-formed UTF-8 [MQTT-1.5.3-1]")]
    InvalidUtf8,
    /// [MQTT-1.5.3-2]
    #[error("a text has the character U+0000 [MQTT-1.5.3-2]")]
    NullCharacter,
    /// [MQTT-2.3.1-1]
    #[error("the packet identifier is 0 [MQTT-2.3.1-1]")]
    PacketIdZero,

    /// [MQTT-3.1.2-1]
    #[error("the protocol name is not MQTT [MQTT-3.1.2-1]")]
    ProtocolName,
    /// [MQTT-3.1.2-2]; the one error that is answered: CONNACK 0x01.
    #[error("protocol level {0} is not served [MQTT-3.1.2-2]")]
    UnacceptableProtocolLevel(u8),
    /// [MQTT-3.1.2-3]
    #[error("the reserved connect flag is 1 [MQTT-3.1.2-3]")]
    ReservedConnectFlag,
    /// [MQTT-3.1.2-11], [MQTT-3.1.2-13], [MQTT-3.1.2-15]
    #[error("will QoS or will retain is set without a will [MQTT-3.1.2-11]")]
    WillFlagsWithoutWill,
    /// [MQTT-3.1.2-14]
    #[error("the will QoS is 3 [MQTT-3.1.2-14]")]
    WillQosThree,
    /// [MQTT-3.1.2-22]
    #[error("there is a password without a user name [MQTT-3.1.2-22]")]
    PasswordWithoutUserName,

    /// MQTT 3.1.1, 3.2.2.1: bits 7 to 1 of the CONNACK's first byte.
    #[error("a reserved CONNACK flag is 1 (MQTT 3.1.1, 3.2.2.1)")]
    ReservedConnAckFlag,
    /// MQTT 3.1.1, 3.2.2.3: codes 6 to 255.
    #[error("CONNACK return code {0} is reserved (MQTT 3.1.1, 3.2.2.3)")]
    ReservedReturnCode(u8),
    /// [MQTT-3.2.2-4]
    #[error("a refusing CONNACK says that a session is present [MQTT-3.2.2-4]")]
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

    /// [MQTT-3.8.3-3]
    #[error("SUBSCRIBE has no topic filter [MQTT-3.8.3-3]")]
    SubscribeWithoutFilter,
    /// [MQTT-3-8.3-4]
    #[error("the requested QoS byte is {0:#04x} [MQTT-3-8.3-4]")]
    RequestedQos(u8),
    /// [MQTT-3.10.3-2]
    #[error("UNSUBSCRIBE has no topic filter [MQTT-3.10.3-2]")]
    UnsubscribeWithoutFilter,
    /// Althing's own bound, `limits::FILTERS_PER_PACKET_MAX`.
    #[error("the packet has more than {max} topic filters")]
    TooManyFilters {
        /// What the receiver takes.
        max: usize,
    },
    /// [MQTT-3.9.3-2]
    #[error("SUBACK return code {0:#04x} is reserved [MQTT-3.9.3-2]")]
    ReservedSubAckCode(u8),
    /// [MQTT-3.8.4-5]: one code for each filter, and there is at least one.
    #[error("SUBACK has no return code [MQTT-3.8.4-5]")]
    SubAckWithoutCode,
}
