//! Variable byte integers: seven bits a byte, the lowest first, four bytes at most. Remaining lengths in every version
//! (MQTT 3.1.1, 2.2.3), and in MQTT 5 property lengths and subscription identifiers too (1.5.5).

use bytes::{BufMut, BytesMut};

use names::limits;

/// A number as it stood on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Read {
    pub(crate) value: u32,
    /// How many bytes it took.
    pub(crate) bytes: usize,
    /// MQTT 5 demands the shortest form [MQTT-1.5.5-1], MQTT 3.1.1 does not.
    pub(crate) is_shortest: bool,
}

/// A fourth byte says that there is a fifth, which there never is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooLong;

/// Reads the number at the front of `bytes`; none when it goes on after them.
pub(crate) fn read(bytes: &[u8]) -> Result<Option<Read>, TooLong> {
    let mut value = 0;
    for (place, &byte) in bytes.iter().take(BYTES_MAX).enumerate() {
        value |= u32::from(byte & 0x7F) << (7 * place);
        if byte & 0x80 == 0 {
            return Ok(Some(Read { value, bytes: place + 1, is_shortest: place == 0 || byte != 0 }));
        }
    }
    if bytes.len() >= BYTES_MAX { Err(TooLong) } else { Ok(None) }
}

/// Writes the shortest form.
pub(crate) fn put(value: usize, out: &mut BytesMut) {
    assert!(value <= limits::MQTT_REMAINING_LENGTH_MAX, "payloads and identifiers are bounded where they come in");
    let mut left = value;
    while left > 127 {
        out.put_u8(seven_bits(left) | 0x80);
        left >>= 7;
    }
    out.put_u8(seven_bits(left));
}

/// How many bytes the shortest form takes.
pub(crate) const fn bytes(value: usize) -> usize {
    match value {
        0..=127 => 1,
        128..=16_383 => 2,
        16_384..=2_097_151 => 3,
        _ => 4,
    }
}

fn seven_bits(number: usize) -> u8 {
    u8::try_from(number & 0x7F).unwrap_or(0x7F)
}

const BYTES_MAX: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    /// MQTT 3.1.1, table 2.4, and MQTT 5, table 1-1: the first and last value of each size.
    #[test]
    fn numbers_as_in_the_standards_table() {
        let table: [(u32, &[u8]); 8] = [
            (0, &[0x00]),
            (127, &[0x7F]),
            (128, &[0x80, 0x01]),
            (16_383, &[0xFF, 0x7F]),
            (16_384, &[0x80, 0x80, 0x01]),
            (2_097_151, &[0xFF, 0xFF, 0x7F]),
            (2_097_152, &[0x80, 0x80, 0x80, 0x01]),
            (268_435_455, &[0xFF, 0xFF, 0xFF, 0x7F]),
        ];
        for (value, encoded) in table {
            let expected = Read { value, bytes: encoded.len(), is_shortest: true };
            assert_eq!(read(encoded), Ok(Some(expected)), "{value}");
            assert_eq!(read(&encoded[..encoded.len() - 1]), Ok(None), "{value}");
            let mut out = BytesMut::new();
            put(value as usize, &mut out);
            assert_eq!(out, encoded, "{value}");
            assert_eq!(bytes(value as usize), encoded.len(), "{value}");
        }
    }

    #[test]
    fn a_fifth_byte_is_refused_and_a_long_form_is_told() {
        assert_eq!(read(&[0x80; 4]), Err(TooLong));
        assert_eq!(read(&[0xFF, 0xFF, 0xFF, 0xFF, 0x01]), Err(TooLong));
        let long = |value, bytes| Ok(Some(Read { value, bytes, is_shortest: false }));
        assert_eq!(read(&[0x80, 0x00]), long(0, 2));
        assert_eq!(read(&[0x82, 0x80, 0x80, 0x00]), long(2, 4));
    }
}
