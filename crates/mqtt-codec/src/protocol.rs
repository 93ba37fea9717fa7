//! The versions of MQTT, and the name and level by which a CONNECT says its own (MQTT 3.1.1 and 5, 3.1.2.1 and 3.1.2.2).

use bytes::{BufMut, BytesMut};

use crate::fields::{Fields, field_bytes, put_field};
use crate::{DecodeError, PacketType, variable_byte_integer};

/// A version of MQTT. Later versions are greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Protocol {
    /// MQTT 3.1: name `MQIsdp`, level 3.
    V31,
    /// MQTT 3.1.1: name `MQTT`, level 4.
    V311,
    /// MQTT 5: name `MQTT`, level 5.
    V5,
}

impl Protocol {
    /// The protocol level on the wire.
    pub const fn level(self) -> u8 {
        match self {
            Self::V31 => 3,
            Self::V311 => 4,
            Self::V5 => 5,
        }
    }

    /// From the protocol level on the wire.
    pub const fn from_level(level: u8) -> Option<Self> {
        match level {
            3 => Some(Self::V31),
            4 => Some(Self::V311),
            5 => Some(Self::V5),
            _ => None,
        }
    }

    /// The protocol name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::V31 => "MQIsdp",
            Self::V311 | Self::V5 => "MQTT",
        }
    }

    /// Reads name and level, the first fields of a CONNECT. A level that is none of the name's is not served, whether
    /// it belongs to the other name, to a later version, or carries a bridge's private bit (0x84).
    pub(crate) fn read(fields: &mut Fields) -> Result<Self, DecodeError> {
        let name = fields.binary()?;
        if ![Self::V31, Self::V5].iter().any(|protocol| protocol.name().as_bytes() == name) {
            return Err(DecodeError::ProtocolName);
        }
        let level = fields.byte()?;
        Self::named(&name, level).ok_or(DecodeError::UnacceptableProtocolLevel(level))
    }

    /// Bytes of name and level.
    pub(crate) const fn bytes(self) -> usize {
        field_bytes(self.name().as_bytes()) + 1
    }

    /// Writes name and level.
    pub(crate) fn put(self, out: &mut BytesMut) {
        put_field(self.name().as_bytes(), out);
        out.put_u8(self.level());
    }

    fn named(name: &[u8], level: u8) -> Option<Self> {
        Self::from_level(level).filter(|protocol| protocol.name().as_bytes() == name)
    }
}

/// The version that a CONNECT at the front of `buffer` says, when name and level are there and known, whatever is wrong
/// with the rest. `decode` leaves a CONNECT that it refused in the buffer, so that a client of MQTT 5 can be told why
/// (MQTT 5, 4.13.1), and the others are not [MQTT-3.1.4-1].
pub fn connect_protocol(buffer: &[u8]) -> Option<Protocol> {
    let (first, rest) = buffer.split_first()?;
    if PacketType::from_bits(first >> 4) != Some(PacketType::Connect) {
        return None;
    }
    let length = variable_byte_integer::read(rest).ok()??;
    let (name_length, rest) = rest.get(length.bytes..)?.split_first_chunk()?;
    let (name, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*name_length)))?;
    Protocol::named(name, *rest.first()?)
}
