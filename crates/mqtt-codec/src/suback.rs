//! SUBACK: the server's answer to SUBSCRIBE, one code a filter (MQTT 3.1.1 and 5, 3.9).

use bytes::{BufMut, Bytes, BytesMut};

use crate::fields::{Fields, reason_code};
use crate::properties::{Place, pass_over};
use crate::{DecodeError, PacketId, PacketType, Protocol, ReasonCode, fixed_header};

/// A SUBACK packet. A reason string and user properties are checked and not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubAck {
    /// The SUBSCRIBE's identifier.
    pub packet_id: PacketId,
    /// In the order of the SUBSCRIBE's filters [MQTT-3.9.3-1]: the granted QoS, or why not. Before MQTT 5 every failure
    /// is `UnspecifiedError`, 0x80 [MQTT-3.9.3-2].
    pub reasons: Vec<ReasonCode>,
}

impl SubAck {
    pub(crate) fn decode(body: Bytes, protocol: Protocol) -> Result<Self, DecodeError> {
        let mut fields = Fields::new(body);
        let packet_id = fields.packet_id()?;
        if protocol == Protocol::V5 {
            pass_over(&mut fields, Place::in_packet(PacketType::SubAck))?;
        }
        let reasons =
            fields.rest().iter().map(|&byte| read_code(byte, protocol)).collect::<Result<Vec<_>, DecodeError>>()?;
        if reasons.is_empty() {
            return Err(DecodeError::SubAckWithoutCode);
        }
        Ok(Self { packet_id, reasons })
    }
}

/// Writes a SUBACK; `reasons` stand in the order of the SUBSCRIBE's filters [MQTT-3.9.3-1]. Before MQTT 5 every error is
/// written as 0x80.
pub fn encode_suback(packet_id: PacketId, reasons: &[ReasonCode], protocol: Protocol, out: &mut BytesMut) {
    let is_v5 = protocol == Protocol::V5;
    fixed_header::put(PacketType::SubAck.first_byte(), 2 + usize::from(is_v5) + reasons.len(), out);
    out.put_u16(packet_id.get());
    if is_v5 {
        out.put_u8(NO_PROPERTIES);
    }
    let byte = |reason: &ReasonCode| if is_v5 || !reason.is_error() { reason.byte() } else { FAILURE.byte() };
    out.extend(reasons.iter().map(byte));
}

fn read_code(byte: u8, protocol: Protocol) -> Result<ReasonCode, DecodeError> {
    if protocol == Protocol::V5 {
        return reason_code(byte, PacketType::SubAck);
    }
    match ReasonCode::from_byte(byte) {
        Some(code @ (ReasonCode::Success | ReasonCode::GrantedQos1 | ReasonCode::GrantedQos2 | FAILURE)) => Ok(code),
        _ => Err(DecodeError::ReservedSubAckCode(byte)),
    }
}

const FAILURE: ReasonCode = ReasonCode::UnspecifiedError;
const NO_PROPERTIES: u8 = 0;
