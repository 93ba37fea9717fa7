//! PUBACK, PUBREC, PUBREL and PUBCOMP: a packet identifier and, in MQTT 5, how it went (MQTT 3.1.1 and 5, 3.4 to 3.7).

use bytes::{BufMut, Bytes, BytesMut};

use crate::fields::{Fields, reason_code};
use crate::properties::{Place, pass_over};
use crate::{DecodeError, PacketId, PacketType, Protocol, ReasonCode};

/// A PUBACK, PUBREC, PUBREL or PUBCOMP. A reason string and user properties are checked and not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ack {
    /// The PUBLISH's identifier [MQTT-2.3.1-6], [MQTT-2.2.1-5].
    pub packet_id: PacketId,
    /// How it went; `Success` before MQTT 5.
    pub reason: ReasonCode,
}

impl Ack {
    /// Reads the forms without properties where they are, because acknowledgements are as frequent as QoS 1 messages.
    /// The bytes need not be taken out of the buffer for that.
    pub(crate) fn decode_short(body: &[u8], packet_type: PacketType, protocol: Protocol) -> Result<Self, DecodeError> {
        let packet_id = |high, low| PacketId::new(u16::from_be_bytes([high, low])).ok_or(DecodeError::PacketIdZero);
        match *body {
            [high, low] => Ok(Self { packet_id: packet_id(high, low)?, reason: ReasonCode::Success }),
            [high, low, reason] if protocol == Protocol::V5 => {
                Ok(Self { packet_id: packet_id(high, low)?, reason: reason_code(reason, packet_type)? })
            }
            [_, _, ref trailing @ ..] => Err(DecodeError::TrailingBytes(trailing.len())),
            _ => Err(DecodeError::Truncated),
        }
    }

    /// Reads the form with properties, which MQTT 5 has.
    pub(crate) fn decode_long(body: Bytes, packet_type: PacketType) -> Result<Self, DecodeError> {
        let mut fields = Fields::new(body);
        let (packet_id, reason) = (fields.packet_id()?, fields.reason_code(packet_type)?);
        pass_over(&mut fields, Place::in_packet(packet_type))?;
        fields.finish()?;
        Ok(Self { packet_id, reason })
    }
}

/// Writes a PUBACK, PUBREC, PUBREL or PUBCOMP, as `packet_type` says. MQTT 5 has a byte more for anything but success
/// (MQTT 5, 3.4.2.1); before it there is no way to say `reason`.
pub fn encode_ack(
    packet_type: PacketType,
    packet_id: PacketId,
    reason: ReasonCode,
    protocol: Protocol,
    out: &mut BytesMut,
) {
    debug_assert!(
        matches!(packet_type, PacketType::PubAck | PacketType::PubRec | PacketType::PubRel | PacketType::PubComp),
        "{packet_type} is no acknowledgement of a message"
    );
    let [high, low] = packet_id.get().to_be_bytes();
    if protocol < Protocol::V5 || reason == ReasonCode::Success {
        out.put_slice(&[packet_type.first_byte(), 2, high, low]);
    } else {
        out.put_slice(&[packet_type.first_byte(), 3, high, low, reason.byte()]);
    }
}
