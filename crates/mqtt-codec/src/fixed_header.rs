//! The fixed header: packet type, flags and remaining length (MQTT 3.1.1, 2.2; MQTT 5, 2.1).

use bytes::{BufMut, BytesMut};

use crate::{DecodeError, PacketType, Protocol, variable_byte_integer};

/// A fixed header whose type and flags are in order.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FixedHeader {
    pub(crate) packet_type: PacketType,
    /// The lower four bits of the first byte; they say something for PUBLISH only.
    pub(crate) flags: u8,
    /// Bytes of the header itself.
    pub(crate) header_bytes: usize,
    /// Bytes that follow the header.
    pub(crate) remaining_bytes: usize,
    /// Whether the remaining length has its shortest form [MQTT-1.5.5-1].
    pub(crate) is_shortest: bool,
}

impl FixedHeader {
    /// None when the header has not arrived in full. A bad first byte is refused as soon as it is seen.
    pub(crate) fn read(bytes: &[u8], protocol: Protocol) -> Result<Option<Self>, DecodeError> {
        let Some((&first, length)) = bytes.split_first() else {
            return Ok(None);
        };
        let (bits, flags) = (first >> 4, first & 0b1111);
        let packet_type = PacketType::from_bits(bits)
            .filter(|&packet_type| packet_type != PacketType::Auth || protocol == Protocol::V5)
            .ok_or(DecodeError::ForbiddenPacketType(bits))?;
        if packet_type.reserved_flags().is_some_and(|reserved| !is_allowed(flags, reserved, protocol)) {
            return Err(DecodeError::FixedHeaderFlags { packet_type, flags });
        }
        let length = variable_byte_integer::read(length).map_err(|_| DecodeError::RemainingLengthTooLong)?;
        let Some(length) = length else {
            return Ok(None);
        };
        let header = Self {
            packet_type,
            flags,
            header_bytes: 1 + length.bytes,
            remaining_bytes: length.value as usize,
            is_shortest: length.is_shortest,
        };
        header.check_length(protocol)?;
        Ok(Some(header))
    }

    /// Only MQTT 5 demands the shortest form; a CONNECT is asked again when it has said its version.
    pub(crate) fn check_length(&self, protocol: Protocol) -> Result<(), DecodeError> {
        if protocol == Protocol::V5 && !self.is_shortest {
            return Err(DecodeError::VariableByteIntegerNotShortest);
        }
        Ok(())
    }

    /// Bytes of the whole packet.
    pub(crate) fn packet_bytes(&self) -> usize {
        self.header_bytes + self.remaining_bytes
    }
}

/// Bytes of a whole packet.
pub(crate) fn packet_bytes(remaining_bytes: usize) -> usize {
    1 + variable_byte_integer::bytes(remaining_bytes) + remaining_bytes
}

/// Writes a fixed header; `first` is packet type and flags.
pub(crate) fn put(first: u8, remaining_bytes: usize, out: &mut BytesMut) {
    out.put_u8(first);
    variable_byte_integer::put(remaining_bytes, out);
}

/// In MQTT 3.1 the packets that demand 0010 are QoS 1 messages, which have DUP when they are sent again.
fn is_allowed(flags: u8, reserved: u8, protocol: Protocol) -> bool {
    flags == reserved || protocol == Protocol::V31 && reserved == QOS_1 && flags == DUP | QOS_1
}

const QOS_1: u8 = 0b0010;
const DUP: u8 = 0b1000;
