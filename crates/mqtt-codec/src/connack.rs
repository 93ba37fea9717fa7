//! CONNACK: the server's answer to CONNECT (MQTT 3.1.1, 3.2).

use bytes::{BufMut, Bytes, BytesMut};

use crate::fields::Fields;
use crate::{DecodeError, PacketType, fixed_header};

/// A CONNACK packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnAck {
    /// Whether the server goes on with a stored session; never with a refusal [MQTT-3.2.2-4].
    pub session_present: bool,
    /// Accepted, or why not.
    pub code: ConnectReturnCode,
}

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

impl ConnAck {
    pub(crate) fn decode(body: Bytes) -> Result<Self, DecodeError> {
        let mut fields = Fields::new(body);
        let (flags, code) = (fields.byte()?, fields.byte()?);
        fields.finish()?;
        if flags > 1 {
            return Err(DecodeError::ReservedConnAckFlag);
        }
        let session_present = flags == 1;
        let code = ConnectReturnCode::from_byte(code).ok_or(DecodeError::ReservedReturnCode(code))?;
        if session_present && code != ConnectReturnCode::Accepted {
            return Err(DecodeError::SessionPresentOnRefusal);
        }
        Ok(Self { session_present, code })
    }
}

/// Writes a CONNACK; with a refusing code `session_present` goes out as 0 whatever is asked [MQTT-3.2.2-4].
pub fn encode_connack(session_present: bool, code: ConnectReturnCode, out: &mut BytesMut) {
    let session_present = session_present && code == ConnectReturnCode::Accepted;
    fixed_header::put(PacketType::ConnAck.first_byte(), 2, out);
    out.put_u8(u8::from(session_present));
    out.put_u8(code.byte());
}
