//! The reason codes of MQTT 5 (2.4) with the packets in which each may stand, and what MQTT 3.1.1 says instead.

use std::fmt;

use message::QoS;

use crate::{ConnectReturnCode, PacketType};

/// One row a code: the byte, the name, MQTT's words, and the packets (MQTT 5, table 2-6 and each packet's own table).
macro_rules! reason_codes {
    ($($byte:literal $name:ident $words:literal [$($packet:ident)*];)*) => {
        /// How it went, or why not (MQTT 5, 2.4). Codes from 0x80 on are errors.
        ///
        /// The names, in the variants and in the text, are MQTT's.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum ReasonCode {
            $(#[doc = concat!("`", stringify!($byte), "`: ", $words, ".")] $name = $byte,)*
        }

        impl ReasonCode {
            /// Every code there is, by rising byte.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// From the byte on the wire; none for bytes without meaning.
            pub const fn from_byte(byte: u8) -> Option<Self> {
                match byte {
                    $($byte => Some(Self::$name),)*
                    _ => None,
                }
            }

            const fn words(self) -> &'static str {
                match self {
                    $(Self::$name => $words,)*
                }
            }

            /// One bit a packet type.
            const fn packets(self) -> u16 {
                match self {
                    $(Self::$name => 0 $(| 1 << PacketType::$packet as u8)*,)*
                }
            }
        }
    };
}

reason_codes! {
    0x00 Success "Success" [ConnAck PubAck PubRec PubRel PubComp SubAck UnsubAck Disconnect Auth];
    0x01 GrantedQos1 "Granted QoS 1" [SubAck];
    0x02 GrantedQos2 "Granted QoS 2" [SubAck];
    0x04 DisconnectWithWill "Disconnect with Will Message" [Disconnect];
    0x10 NoMatchingSubscribers "No matching subscribers" [PubAck PubRec];
    0x11 NoSubscriptionExisted "No subscription existed" [UnsubAck];
    0x18 ContinueAuthentication "Continue authentication" [Auth];
    0x19 ReAuthenticate "Re-authenticate" [Auth];
    0x80 UnspecifiedError "Unspecified error" [ConnAck PubAck PubRec SubAck UnsubAck Disconnect];
    0x81 MalformedPacket "Malformed Packet" [ConnAck Disconnect];
    0x82 ProtocolError "Protocol Error" [ConnAck Disconnect];
    0x83 ImplementationSpecificError "Implementation specific error" [ConnAck PubAck PubRec SubAck UnsubAck Disconnect];
    0x84 UnsupportedProtocolVersion "Unsupported Protocol Version" [ConnAck];
    0x85 ClientIdentifierNotValid "Client Identifier not valid" [ConnAck];
    0x86 BadUserNameOrPassword "Bad User Name or Password" [ConnAck];
    0x87 NotAuthorized "Not authorized" [ConnAck PubAck PubRec SubAck UnsubAck Disconnect];
    0x88 ServerUnavailable "Server unavailable" [ConnAck];
    0x89 ServerBusy "Server busy" [ConnAck Disconnect];
    0x8A Banned "Banned" [ConnAck];
    0x8B ServerShuttingDown "Server shutting down" [Disconnect];
    // The general table has this in DISCONNECT, DISCONNECT's own table has not: it is read, and better not sent.
    0x8C BadAuthenticationMethod "Bad authentication method" [ConnAck Disconnect];
    0x8D KeepAliveTimeout "Keep Alive timeout" [Disconnect];
    0x8E SessionTakenOver "Session taken over" [Disconnect];
    0x8F TopicFilterInvalid "Topic Filter invalid" [SubAck UnsubAck Disconnect];
    0x90 TopicNameInvalid "Topic Name invalid" [ConnAck PubAck PubRec Disconnect];
    0x91 PacketIdentifierInUse "Packet Identifier in use" [PubAck PubRec SubAck UnsubAck];
    0x92 PacketIdentifierNotFound "Packet Identifier not found" [PubRel PubComp];
    0x93 ReceiveMaximumExceeded "Receive Maximum exceeded" [Disconnect];
    0x94 TopicAliasInvalid "Topic Alias invalid" [Disconnect];
    0x95 PacketTooLarge "Packet too large" [ConnAck Disconnect];
    0x96 MessageRateTooHigh "Message rate too high" [Disconnect];
    0x97 QuotaExceeded "Quota exceeded" [ConnAck PubAck PubRec SubAck Disconnect];
    0x98 AdministrativeAction "Administrative action" [Disconnect];
    0x99 PayloadFormatInvalid "Payload format invalid" [ConnAck PubAck PubRec Disconnect];
    0x9A RetainNotSupported "Retain not supported" [ConnAck Disconnect];
    0x9B QosNotSupported "QoS not supported" [ConnAck Disconnect];
    0x9C UseAnotherServer "Use another server" [ConnAck Disconnect];
    0x9D ServerMoved "Server moved" [ConnAck Disconnect];
    0x9E SharedSubscriptionsNotSupported "Shared Subscriptions not supported" [SubAck Disconnect];
    0x9F ConnectionRateExceeded "Connection rate exceeded" [ConnAck Disconnect];
    0xA0 MaximumConnectTime "Maximum connect time" [Disconnect];
    0xA1 SubscriptionIdentifiersNotSupported "Subscription Identifiers not supported" [SubAck Disconnect];
    0xA2 WildcardSubscriptionsNotSupported "Wildcard Subscriptions not supported" [SubAck Disconnect];
}

impl ReasonCode {
    /// The byte on the wire.
    pub const fn byte(self) -> u8 {
        self as u8
    }

    /// Whether it is a failure.
    pub const fn is_error(self) -> bool {
        self.byte() >= 0x80
    }

    /// The SUBACK code of a subscription at this QoS.
    pub const fn granted(qos: QoS) -> Self {
        match qos {
            QoS::AtMostOnce => Self::Success,
            QoS::AtLeastOnce => Self::GrantedQos1,
            QoS::ExactlyOnce => Self::GrantedQos2,
        }
    }

    /// Whether the code is in that packet's table, such as [MQTT-3.4.2-1] for PUBACK. DISCONNECT has one table for both
    /// sides here: which codes are the client's and which the server's is not the codec's question.
    pub const fn is_allowed_in(self, packet_type: PacketType) -> bool {
        self.packets() & 1 << packet_type as u8 != 0
    }

    /// The nearest CONNACK return code of MQTT 3.1.1 (table 3.1). What the server cannot do now is "unavailable", what
    /// it does not let the client do is "not authorized".
    pub const fn connect_return_code(self) -> ConnectReturnCode {
        match self {
            _ if !self.is_error() => ConnectReturnCode::Accepted,
            Self::UnsupportedProtocolVersion => ConnectReturnCode::UnacceptableProtocolLevel,
            Self::ClientIdentifierNotValid => ConnectReturnCode::IdentifierRejected,
            Self::BadUserNameOrPassword => ConnectReturnCode::BadUserNameOrPassword,
            Self::UnspecifiedError
            | Self::ImplementationSpecificError
            | Self::ServerUnavailable
            | Self::ServerBusy
            | Self::ServerShuttingDown
            | Self::MessageRateTooHigh
            | Self::QuotaExceeded
            | Self::UseAnotherServer
            | Self::ServerMoved
            | Self::ConnectionRateExceeded
            | Self::MaximumConnectTime => ConnectReturnCode::ServerUnavailable,
            _ => ConnectReturnCode::NotAuthorized,
        }
    }
}

/// MQTT's words for it (MQTT 5, table 2-6).
impl fmt::Display for ReasonCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}
