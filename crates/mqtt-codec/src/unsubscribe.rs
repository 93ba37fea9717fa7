//! UNSUBSCRIBE: the client wants no more messages (MQTT 3.1.1 and 5, 3.10).

use bytes::{BufMut, Bytes, BytesMut};
use bytestring::ByteString;

use names::limits;

use crate::fields::{Fields, field_bytes, put_field};
use crate::properties::{Place, PropertyReader};
use crate::{DecodeError, PacketId, PacketType, Protocol, fixed_header};

/// An UNSUBSCRIBE packet. The filters are well-formed text; whether they are valid filters is the session's question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsubscribe {
    /// The UNSUBACK repeats it [MQTT-3.10.4-4].
    pub packet_id: PacketId,
    /// Topic filters; at least one [MQTT-3.10.3-2].
    pub filters: Vec<ByteString>,
    /// Bytes of names and values of all user properties, which are not kept, and not written.
    pub user_properties_bytes: usize,
}

impl Unsubscribe {
    pub(crate) fn decode(body: Bytes, protocol: Protocol) -> Result<Self, DecodeError> {
        let mut fields = Fields::new(body);
        let packet_id = fields.packet_id()?;
        let user_properties_bytes = if protocol == Protocol::V5 { read_properties(&mut fields)? } else { 0 };
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
        Ok(Self { packet_id, filters, user_properties_bytes })
    }

    pub(crate) fn encode(&self, protocol: Protocol, out: &mut BytesMut) {
        let is_v5 = protocol == Protocol::V5;
        let filter_bytes = self.filters.iter().map(|filter| field_bytes(filter.as_bytes())).sum::<usize>();
        fixed_header::put(PacketType::Unsubscribe.first_byte(), 2 + usize::from(is_v5) + filter_bytes, out);
        out.put_u16(self.packet_id.get());
        if is_v5 {
            out.put_u8(NO_PROPERTIES);
        }
        for filter in &self.filters {
            put_field(filter.as_bytes(), out);
        }
    }
}

/// The user properties' bytes; there are no others.
fn read_properties(fields: &mut Fields) -> Result<usize, DecodeError> {
    let mut block = PropertyReader::new(fields, Place::in_packet(PacketType::Unsubscribe))?;
    while let Some(id) = block.next()? {
        block.pass_over(id)?;
    }
    Ok(block.user_properties_bytes())
}

const NO_PROPERTIES: u8 = 0;
