//! SUBACK: the server's answer to SUBSCRIBE, one code a filter (MQTT 3.1.1, 3.9).

use bytes::{BufMut, Bytes, BytesMut};

use message::QoS;

use crate::fields::Fields;
use crate::{DecodeError, PacketId, PacketType, fixed_header};

/// A SUBACK packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubAck {
    /// The SUBSCRIBE's identifier.
    pub packet_id: PacketId,
    /// In the order of the SUBSCRIBE's filters [MQTT-3.9.3-1].
    pub codes: Vec<SubAckCode>,
}

/// What became of one filter (MQTT 3.1.1, 3.9.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SubAckCode {
    /// 0x00, 0x01, 0x02: subscribed, with at most this QoS.
    Granted(QoS),
    /// 0x80: not subscribed.
    Failure,
}

impl SubAckCode {
    /// From the byte on the wire; all but four are reserved [MQTT-3.9.3-2].
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match (byte, QoS::from_bits(byte)) {
            (_, Some(qos)) => Some(Self::Granted(qos)),
            (FAILURE, None) => Some(Self::Failure),
            _ => None,
        }
    }

    /// The byte on the wire.
    pub const fn byte(self) -> u8 {
        match self {
            Self::Granted(qos) => qos.bits(),
            Self::Failure => FAILURE,
        }
    }
}

impl SubAck {
    pub(crate) fn decode(body: Bytes) -> Result<Self, DecodeError> {
        let mut fields = Fields::new(body);
        let packet_id = fields.packet_id()?;
        let read_code = |&byte: &u8| SubAckCode::from_byte(byte).ok_or(DecodeError::ReservedSubAckCode(byte));
        let codes = fields.rest().iter().map(read_code).collect::<Result<Vec<_>, _>>()?;
        if codes.is_empty() {
            return Err(DecodeError::SubAckWithoutCode);
        }
        Ok(Self { packet_id, codes })
    }
}

/// Writes a SUBACK; `codes` stand in the order of the SUBSCRIBE's filters [MQTT-3.9.3-1].
pub fn encode_suback(packet_id: PacketId, codes: &[SubAckCode], out: &mut BytesMut) {
    fixed_header::put(PacketType::SubAck.first_byte(), 2 + codes.len(), out);
    out.put_u16(packet_id.get());
    out.extend(codes.iter().map(|code| code.byte()));
}

const FAILURE: u8 = 0x80;
