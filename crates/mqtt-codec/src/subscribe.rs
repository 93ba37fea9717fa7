//! SUBSCRIBE: the client wants messages (MQTT 3.1.1 and 5, 3.8).

use bytes::{BufMut, Bytes, BytesMut};
use bytestring::ByteString;

use message::{QoS, RetainHandling};
use names::limits;

use crate::fields::{Fields, field_bytes, put_field};
use crate::properties::{Place, PropertyBlock, PropertyId, PropertyReader, PropertySink};
use crate::{DecodeError, PacketId, PacketType, Protocol, fixed_header};

/// A SUBSCRIBE packet. The filters are well-formed text; whether they are valid filters is the session's question, and
/// so is whether they are shared, which bars No Local [MQTT-3.8.3-4].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscribe {
    /// The SUBACK repeats it [MQTT-3.8.4-2].
    pub packet_id: PacketId,
    /// Goes with every message that any of the filters matches, 1 to 268,435,455 (MQTT 5, 3.8.2.1.2).
    pub subscription_id: Option<u32>,
    /// Topic filters and how their messages are wanted; at least one [MQTT-3.8.3-3], [MQTT-3.8.3-2].
    pub filters: Vec<(ByteString, RequestedOptions)>,
    /// Bytes of names and values of all user properties, which are not kept, and not written.
    pub user_properties_bytes: usize,
}

/// How a client wants the messages of one filter (MQTT 5, 3.8.3.1). Before MQTT 5 all but the QoS is the default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestedOptions {
    /// The highest QoS that the client wants.
    pub qos: QoS,
    /// Whether messages that the same client publishes are left out [MQTT-3.8.3-3].
    pub no_local: bool,
    /// Whether live messages keep the RETAIN flag that they were published with [MQTT-3.3.1-13].
    pub retain_as_published: bool,
    /// Whether subscribing sends the retained messages.
    pub retain_handling: RetainHandling,
}

impl Subscribe {
    pub(crate) fn decode(body: Bytes, protocol: Protocol) -> Result<Self, DecodeError> {
        let mut fields = Fields::new(body);
        let packet_id = fields.packet_id()?;
        let (subscription_id, user_properties_bytes) =
            if protocol == Protocol::V5 { read_properties(&mut fields)? } else { (None, 0) };
        let mut filters = Vec::new();
        while !fields.is_empty() {
            if filters.len() == limits::FILTERS_PER_PACKET_MAX {
                return Err(DecodeError::TooManyFilters { max: limits::FILTERS_PER_PACKET_MAX });
            }
            filters.push((fields.text()?, RequestedOptions::read(fields.byte()?, protocol)?));
        }
        if filters.is_empty() {
            return Err(DecodeError::SubscribeWithoutFilter);
        }
        Ok(Self { packet_id, subscription_id, filters, user_properties_bytes })
    }

    pub(crate) fn encode(&self, protocol: Protocol, out: &mut BytesMut) {
        let is_v5 = protocol == Protocol::V5;
        let filter_bytes = self.filters.iter().map(|(filter, _)| field_bytes(filter.as_bytes()) + 1).sum::<usize>();
        let block_bytes = if is_v5 { self.block_bytes() } else { 0 };
        fixed_header::put(PacketType::Subscribe.first_byte(), 2 + block_bytes + filter_bytes, out);
        out.put_u16(self.packet_id.get());
        if is_v5 {
            self.put_block(out);
        }
        for (filter, options) in &self.filters {
            put_field(filter.as_bytes(), out);
            out.put_u8(if is_v5 { options.byte() } else { options.qos.bits() });
        }
    }
}

impl PropertyBlock for Subscribe {
    fn put_properties(&self, sink: &mut impl PropertySink) {
        if let Some(id) = self.subscription_id {
            sink.variable_byte_integer(PropertyId::SubscriptionIdentifier, id);
        }
    }
}

impl RequestedOptions {
    /// What a client before MQTT 5 can ask for: everything at this QoS.
    pub const fn plain(qos: QoS) -> Self {
        Self { qos, no_local: false, retain_as_published: false, retain_handling: RetainHandling::Send }
    }

    fn read(byte: u8, protocol: Protocol) -> Result<Self, DecodeError> {
        if protocol < Protocol::V5 {
            // Bits 7 to 2 are reserved, so a larger number than 2 is wrong in one way or the other [MQTT-3-8.3-4].
            return QoS::from_bits(byte).map(Self::plain).ok_or(DecodeError::RequestedQos(byte));
        }
        if byte & RESERVED != 0 {
            return Err(DecodeError::ReservedSubscriptionOption(byte));
        }
        let retain_handling = byte >> RETAIN_HANDLING_SHIFT & TWO_BITS;
        Ok(Self {
            qos: QoS::from_bits(byte & TWO_BITS).ok_or(DecodeError::RequestedQos(byte))?,
            no_local: byte & NO_LOCAL != 0,
            retain_as_published: byte & RETAIN_AS_PUBLISHED != 0,
            retain_handling: RetainHandling::from_bits(retain_handling).ok_or(DecodeError::RetainHandlingThree)?,
        })
    }

    fn byte(self) -> u8 {
        let when = |condition: bool, flag: u8| if condition { flag } else { 0 };
        self.qos.bits()
            | when(self.no_local, NO_LOCAL)
            | when(self.retain_as_published, RETAIN_AS_PUBLISHED)
            | self.retain_handling.bits() << RETAIN_HANDLING_SHIFT
    }
}

/// The subscription identifier, and the user properties' bytes.
fn read_properties(fields: &mut Fields) -> Result<(Option<u32>, usize), DecodeError> {
    let mut subscription_id = None;
    let mut block = PropertyReader::new(fields, Place::SUBSCRIBE)?;
    while let Some(id) = block.next()? {
        match id {
            PropertyId::SubscriptionIdentifier => subscription_id = Some(block.subscription_id()?),
            other => block.pass_over(other)?,
        }
    }
    Ok((subscription_id, block.user_properties_bytes()))
}

const TWO_BITS: u8 = 0b11;
const NO_LOCAL: u8 = 1 << 2;
const RETAIN_AS_PUBLISHED: u8 = 1 << 3;
const RETAIN_HANDLING_SHIFT: u8 = 4;
const RESERVED: u8 = 0b1100_0000;
