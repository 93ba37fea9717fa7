//! UNSUBACK: the server's answer to UNSUBSCRIBE, in MQTT 5 one code a filter (MQTT 3.1.1 and 5, 3.11).

use bytes::{BufMut, Bytes, BytesMut};

use crate::fields::{Fields, reason_code};
use crate::properties::{Place, pass_over};
use crate::{DecodeError, PacketId, PacketType, Protocol, ReasonCode, fixed_header};

/// An UNSUBACK packet. A reason string and user properties are checked and not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsubAck {
    /// The UNSUBSCRIBE's identifier [MQTT-3.10.4-4].
    pub packet_id: PacketId,
    /// In the order of the UNSUBSCRIBE's filters [MQTT-3.11.3-1]; none before MQTT 5.
    pub reasons: Vec<ReasonCode>,
}

impl UnsubAck {
    pub(crate) fn decode(body: Bytes, protocol: Protocol) -> Result<Self, DecodeError> {
        let mut fields = Fields::new(body);
        let packet_id = fields.packet_id()?;
        if protocol < Protocol::V5 {
            fields.finish()?;
            return Ok(Self { packet_id, reasons: Vec::new() });
        }
        pass_over(&mut fields, Place::in_packet(PacketType::UnsubAck))?;
        let read = |&byte: &u8| reason_code(byte, PacketType::UnsubAck);
        let reasons = fields.rest().iter().map(read).collect::<Result<Vec<_>, DecodeError>>()?;
        if reasons.is_empty() {
            return Err(DecodeError::UnsubAckWithoutCode);
        }
        Ok(Self { packet_id, reasons })
    }
}

/// Writes an UNSUBACK; `reasons` stand in the order of the UNSUBSCRIBE's filters [MQTT-3.11.3-1]. Before MQTT 5 it is the
/// identifier alone.
pub fn encode_unsuback(packet_id: PacketId, reasons: &[ReasonCode], protocol: Protocol, out: &mut BytesMut) {
    let first = PacketType::UnsubAck.first_byte();
    if protocol < Protocol::V5 {
        fixed_header::put(first, 2, out);
        out.put_u16(packet_id.get());
        return;
    }
    fixed_header::put(first, 3 + reasons.len(), out);
    out.put_u16(packet_id.get());
    out.put_u8(NO_PROPERTIES);
    out.extend(reasons.iter().map(|reason| reason.byte()));
}

const NO_PROPERTIES: u8 = 0;
