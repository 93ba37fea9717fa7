//! Fields of a value: numbers, and bytes and texts that their length goes before. Reading is total: any bytes give a
//! field or none.

use bytes::{Buf, Bytes};
use bytestring::ByteString;

/// What is still to be read of a value. Bytes and texts that are read are slices of it.
pub(crate) struct Fields(Bytes);

impl Fields {
    /// The fields of a value, behind the byte of its format.
    pub(crate) fn of(value: impl Into<Bytes>, format: u8) -> Option<Self> {
        let mut fields = Self(value.into());
        (fields.byte()? == format).then_some(fields)
    }

    /// Fields without a format of their own.
    pub(crate) fn inner(value: impl Into<Bytes>) -> Self {
        Self(value.into())
    }

    pub(crate) fn byte(&mut self) -> Option<u8> {
        self.0.try_get_u8().ok()
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.0.try_get_u16().ok()
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.0.try_get_u32().ok()
    }

    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.0.try_get_u64().ok()
    }

    /// A number of up to nine groups of seven bits, the lowest first.
    pub(crate) fn length(&mut self) -> Option<usize> {
        let mut number = 0;
        for shift in (0..63).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return usize::try_from(number).ok();
            }
        }
        None
    }

    pub(crate) fn bytes(&mut self) -> Option<Bytes> {
        let length = self.length()?;
        (length <= self.0.len()).then(|| self.0.split_to(length))
    }

    pub(crate) fn text(&mut self) -> Option<ByteString> {
        ByteString::try_from(self.bytes()?).ok()
    }

    /// All that is left.
    pub(crate) fn rest(self) -> Bytes {
        self.0
    }
}

pub(crate) fn put_length(out: &mut Vec<u8>, length: usize) {
    let mut number = length;
    while number >= 0x80 {
        out.push(u8::try_from(number & 0x7f).unwrap_or_default() | 0x80);
        number >>= 7;
    }
    out.push(u8::try_from(number).unwrap_or_default());
}

pub(crate) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_length(out, bytes.len());
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_read_as_they_were_written() {
        for length in [0, 1, 127, 128, 300, 16_383, 16_384, 268_435_455, usize::MAX >> 1] {
            let mut out = Vec::new();
            put_length(&mut out, length);
            assert_eq!(Fields::inner(out).length(), Some(length));
        }
        assert_eq!(Fields::inner(vec![0xff; 12]).length(), None, "no end");
        assert_eq!(Fields::inner(vec![0x80]).length(), None, "cut off");
        assert_eq!(Fields::inner(vec![5, b'a']).bytes(), None, "longer than what is there");
    }
}
