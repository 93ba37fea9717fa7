//! The CONNACK return codes of MQTT 3.1 and 3.1.1, where MQTT 5 has reason codes.

/// The CONNACK return codes (MQTT 3.1.1, table 3.1). After any but `Accepted` the server closes [MQTT-3.2.2-5].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ConnectReturnCode {
    /// 0x00.
    Accepted = 0,
    /// 0x01: the server does not serve this version [MQTT-3.1.2-2].
    UnacceptableProtocolLevel = 1,
    /// 0x02: right UTF-8, but not allowed [MQTT-3.1.3-9].
    IdentifierRejected = 2,
    /// 0x03: the connection stands, the service does not.
    ServerUnavailable = 3,
    /// 0x04: malformed or wrong.
    BadUserNameOrPassword = 4,
    /// 0x05: the client may not connect.
    NotAuthorized = 5,
}

impl ConnectReturnCode {
    /// From the byte on the wire; 6 to 255 are reserved.
    pub const fn from_byte(byte: u8) -> Option<Self> {
        Some(match byte {
            0 => Self::Accepted,
            1 => Self::UnacceptableProtocolLevel,
            2 => Self::IdentifierRejected,
            3 => Self::ServerUnavailable,
            4 => Self::BadUserNameOrPassword,
            5 => Self::NotAuthorized,
            _ => return None,
        })
    }

    /// The byte on the wire.
    pub const fn byte(self) -> u8 {
        self as u8
    }
}
