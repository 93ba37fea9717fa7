//! UNSUBSCRIBE: the client wants no more messages (MQTT 3.1.1, 3.10).

use bytes::{BufMut, Bytes, BytesMut};
use bytestring::ByteString;

use names::limits;

use crate::fields::{Fields, field_bytes, put_field};
use crate::{DecodeError, PacketId, PacketType, fixed_header};

/// An UNSUBSCRIBE packet. The filters are well-formed text; whether they are valid filters is the session's question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsubscribe {
    /// The UNSUBACK repeats it [MQTT-3.10.4-4].
    pub packet_id: PacketId,
    /// Topic filters; at least one [MQTT-3.10.3-2].
    pub filters: Vec<ByteString>,
}

impl Unsubscribe {
    pub(crate) fn decode(body: Bytes) -> Result<Self, DecodeError> {
        let mut fields = Fields::new(body);
        let packet_id = fields.packet_id()?;
        let mut filters = Vec::new();
        while !fields.is_empty() {
            if filters.len() == limits::FILTERS_PER_PACKET_MAX {
                return Err(DecodeError::TooManyFilters { max: limits::FILTERS_PER_PACKET_MAX });
            }
            filters.push(fields.text()?);
        }
        if filters.is_empty() {
            return Err(DecodeError::UnsubscribeWithoutFilter);
        }
        Ok(Self { packet_id, filters })
    }

    pub(crate) fn encode(&self, out: &mut BytesMut) {
        let filter_bytes = self.filters.iter().map(|filter| field_bytes(filter.as_bytes())).sum::<usize>();
        fixed_header::put(PacketType::Unsubscribe.first_byte(), 2 + filter_bytes, out);
        out.put_u16(self.packet_id.get());
        for filter in &self.filters {
            put_field(filter.as_bytes(), out);
        }
    }
}
