//! The fixed header: packet type, flags and remaining length (MQTT 3.1.1, 2.2).

use bytes::{BufMut, BytesMut};

use names::limits;

use crate::{DecodeError, PacketType};

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
}

impl FixedHeader {
    /// None when the header has not arrived in full. A bad first byte is refused as soon as it is seen.
    pub(crate) fn read(bytes: &[u8]) -> Result<Option<Self>, DecodeError> {
        let Some((&first, length)) = bytes.split_first() else {
            return Ok(None);
        };
        let (bits, flags) = (first >> 4, first & 0b1111);
        let packet_type = PacketType::from_bits(bits).ok_or(DecodeError::ForbiddenPacketType(bits))?;
        if packet_type.reserved_flags().is_some_and(|reserved| reserved != flags) {
            return Err(DecodeError::FixedHeaderFlags { packet_type, flags });
        }
        let Some((length_bytes, remaining_bytes)) = read_remaining_length(length)? else {
            return Ok(None);
        };
        Ok(Some(Self { packet_type, flags, header_bytes: 1 + length_bytes, remaining_bytes }))
    }

    /// Bytes of the whole packet.
    pub(crate) fn packet_bytes(&self) -> usize {
        self.header_bytes + self.remaining_bytes
    }
}

/// Writes a fixed header; `first` is packet type and flags.
pub(crate) fn put(first: u8, remaining_bytes: usize, out: &mut BytesMut) {
    assert!(remaining_bytes <= limits::MQTT_REMAINING_LENGTH_MAX, "payloads are bounded where they come in");
    out.put_u8(first);
    let mut left = remaining_bytes;
    while left > 127 {
        out.put_u8(seven_bits(left) | 0x80);
        left >>= 7;
    }
    out.put_u8(seven_bits(left));
}

/// Bytes of the length and the length itself. The shortest form is not demanded (MQTT 3.1.1, 2.2.3).
fn read_remaining_length(bytes: &[u8]) -> Result<Option<(usize, usize)>, DecodeError> {
    let mut length = 0;
    for (place, &byte) in bytes.iter().take(LENGTH_BYTES_MAX).enumerate() {
        length |= usize::from(byte & 0x7F) << (7 * place);
        if byte & 0x80 == 0 {
            return Ok(Some((place + 1, length)));
        }
    }
    if bytes.len() >= LENGTH_BYTES_MAX { Err(DecodeError::RemainingLengthTooLong) } else { Ok(None) }
}

fn seven_bits(number: usize) -> u8 {
    u8::try_from(number & 0x7F).unwrap_or(0x7F)
}

const LENGTH_BYTES_MAX: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    /// MQTT 3.1.1, table 2.4: the first and last value of each size.
    #[test]
    fn remaining_lengths_as_in_the_standards_table() {
        let table: [(usize, &[u8]); 8] = [
            (0, &[0x00]),
            (127, &[0x7F]),
            (128, &[0x80, 0x01]),
            (16_383, &[0xFF, 0x7F]),
            (16_384, &[0x80, 0x80, 0x01]),
            (2_097_151, &[0xFF, 0xFF, 0x7F]),
            (2_097_152, &[0x80, 0x80, 0x80, 0x01]),
            (268_435_455, &[0xFF, 0xFF, 0xFF, 0x7F]),
        ];
        for (length, bytes) in table {
            assert_eq!(read_remaining_length(bytes), Ok(Some((bytes.len(), length))), "{length}");
            assert_eq!(read_remaining_length(&bytes[..bytes.len() - 1]), Ok(None), "{length}");
            let mut out = BytesMut::new();
            put(0x30, length, &mut out);
            assert_eq!(&out[1..], bytes, "{length}");
        }
    }

    #[test]
    fn a_fifth_length_byte_is_refused_and_a_long_form_is_not() {
        assert_eq!(read_remaining_length(&[0x80; 4]), Err(DecodeError::RemainingLengthTooLong));
        assert_eq!(read_remaining_length(&[0xFF, 0xFF, 0xFF, 0xFF, 0x01]), Err(DecodeError::RemainingLengthTooLong));
        assert_eq!(read_remaining_length(&[0x80, 0x00]), Ok(Some((2, 0))));
        assert_eq!(read_remaining_length(&[0x82, 0x80, 0x80, 0x00]), Ok(Some((4, 2))));
    }
}
