//! The packets that are a packet identifier and nothing else: PUBACK, PUBREC, PUBREL, PUBCOMP and UNSUBACK
//! (MQTT 3.1.1, 3.4 to 3.7 and 3.11).

use bytes::{BufMut, BytesMut};

use crate::{DecodeError, PacketId, PacketType};

/// Writes a PUBACK, which repeats the PUBLISH's identifier [MQTT-2.3.1-6].
pub fn encode_puback(packet_id: PacketId, out: &mut BytesMut) {
    encode(PacketType::PubAck, packet_id, out);
}

/// Writes an UNSUBACK, which repeats the UNSUBSCRIBE's identifier [MQTT-3.10.4-4].
pub fn encode_unsuback(packet_id: PacketId, out: &mut BytesMut) {
    encode(PacketType::UnsubAck, packet_id, out);
}

pub(crate) fn encode(packet_type: PacketType, packet_id: PacketId, out: &mut BytesMut) {
    let [high, low] = packet_id.get().to_be_bytes();
    out.put_slice(&[packet_type.first_byte(), 2, high, low]);
}

/// Reads the body without taking it out of the buffer: acknowledgements are as frequent as QoS 1 messages.
pub(crate) fn decode(body: &[u8]) -> Result<PacketId, DecodeError> {
    match *body {
        [high, low] => PacketId::new(u16::from_be_bytes([high, low])).ok_or(DecodeError::PacketIdZero),
        [_, _, ref trailing @ ..] => Err(DecodeError::TrailingBytes(trailing.len())),
        _ => Err(DecodeError::Truncated),
    }
}
