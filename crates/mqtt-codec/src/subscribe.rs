//! SUBSCRIBE: the client wants messages (MQTT 3.1.1, 3.8).

use bytes::{BufMut, Bytes, BytesMut};
use bytestring::ByteString;

use message::QoS;
use names::limits;

use crate::fields::{Fields, field_bytes, put_field};
use crate::{DecodeError, PacketId, PacketType, fixed_header};

/// A SUBSCRIBE packet. The filters are well-formed text; whether they are valid filters is the session's question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscribe {
    /// The SUBACK repeats it [MQTT-3.8.4-2].
    pub packet_id: PacketId,
    /// Topic filters with the highest QoS that the client wants; at least one [MQTT-3.8.3-3].
    pub filters: Vec<(ByteString, QoS)>,
}

impl Subscribe {
    pub(crate) fn decode(body: Bytes) -> Result<Self, DecodeError> {
        let mut fields = Fields::new(body);
        let packet_id = fields.packet_id()?;
        let mut filters = Vec::new();
        while !fields.is_empty() {
            if filters.len() == limits::FILTERS_PER_PACKET_MAX {
                return Err(DecodeError::TooManyFilters { max: limits::FILTERS_PER_PACKET_MAX });
            }
            filters.push((fields.text()?, read_qos(fields.byte()?)?));
        }
        if filters.is_empty() {
            return Err(DecodeError::SubscribeWithoutFilter);
        }
        Ok(Self { packet_id, filters })
    }

    pub(crate) fn encode(&self, out: &mut BytesMut) {
        let filter_bytes = self.filters.iter().map(|(filter, _)| field_bytes(filter.as_bytes()) + 1).sum::<usize>();
        fixed_header::put(PacketType::Subscribe.first_byte(), 2 + filter_bytes, out);
        out.put_u16(self.packet_id.get());
        for (filter, qos) in &self.filters {
            put_field(filter.as_bytes(), out);
            out.put_u8(qos.bits());
        }
    }
}

/// Bits 7 to 2 are reserved, so a larger number than 2 is wrong in one way or the other [MQTT-3-8.3-4].
fn read_qos(byte: u8) -> Result<QoS, DecodeError> {
    QoS::from_bits(byte).ok_or(DecodeError::RequestedQos(byte))
}
