//! Reading and writing the fields that packets are made of (MQTT 3.1.1, 1.5 and 2.3.1; MQTT 5, 1.5 and 2.2.1).

use bytes::{Buf, BufMut, Bytes, BytesMut};
use bytestring::ByteString;

use message::TopicName;

use crate::{DecodeError, PacketId, PacketType, ReasonCode, variable_byte_integer};

/// What is left to read of a packet's variable header and payload, or of a property block.
pub(crate) struct Fields(Bytes);

impl Fields {
    pub(crate) fn new(body: Bytes) -> Self {
        Self(body)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn byte(&mut self) -> Result<u8, DecodeError> {
        self.0.try_get_u8().map_err(|_| DecodeError::Truncated)
    }

    /// Two bytes, the higher first.
    pub(crate) fn integer(&mut self) -> Result<u16, DecodeError> {
        self.0.try_get_u16().map_err(|_| DecodeError::Truncated)
    }

    /// Four bytes, the highest first.
    pub(crate) fn long_integer(&mut self) -> Result<u32, DecodeError> {
        self.0.try_get_u32().map_err(|_| DecodeError::Truncated)
    }

    /// In its shortest form: outside the fixed header, only MQTT 5 has these.
    pub(crate) fn variable_byte_integer(&mut self) -> Result<u32, DecodeError> {
        let read = variable_byte_integer::read(&self.0).map_err(|_| DecodeError::VariableByteIntegerTooLong)?;
        let read = read.ok_or(DecodeError::Truncated)?;
        if !read.is_shortest {
            return Err(DecodeError::VariableByteIntegerNotShortest);
        }
        self.0.advance(read.bytes);
        Ok(read.value)
    }

    pub(crate) fn packet_id(&mut self) -> Result<PacketId, DecodeError> {
        PacketId::new(self.integer()?).ok_or(DecodeError::PacketIdZero)
    }

    /// A code that packets of this type may have.
    pub(crate) fn reason_code(&mut self, packet_type: PacketType) -> Result<ReasonCode, DecodeError> {
        reason_code(self.byte()?, packet_type)
    }

    /// Bytes behind their two-byte length.
    pub(crate) fn binary(&mut self) -> Result<Bytes, DecodeError> {
        let length = usize::from(self.integer()?);
        self.split(length)
    }

    /// So many bytes.
    pub(crate) fn split(&mut self, length: usize) -> Result<Bytes, DecodeError> {
        if length > self.0.len() {
            return Err(DecodeError::Truncated);
        }
        Ok(self.0.split_to(length))
    }

    /// Well-formed UTF-8 without U+0000.
    pub(crate) fn text(&mut self) -> Result<ByteString, DecodeError> {
        let text = self.utf8()?;
        if text.as_bytes().contains(&0) {
            return Err(DecodeError::NullCharacter);
        }
        Ok(text)
    }

    pub(crate) fn topic_name(&mut self) -> Result<TopicName, DecodeError> {
        Ok(TopicName::new(self.utf8()?)?)
    }

    /// Well-formed UTF-8; what makes a topic name of it refuses U+0000 itself.
    pub(crate) fn utf8(&mut self) -> Result<ByteString, DecodeError> {
        ByteString::try_from(self.binary()?).map_err(|_| DecodeError::InvalidUtf8)
    }

    /// Everything up to the packet's end.
    pub(crate) fn rest(self) -> Bytes {
        self.0
    }

    /// The packet must end here.
    pub(crate) fn finish(self) -> Result<(), DecodeError> {
        match self.0.len() {
            0 => Ok(()),
            count => Err(DecodeError::TrailingBytes(count)),
        }
    }
}

/// A byte that is a code which packets of this type may have.
pub(crate) fn reason_code(byte: u8, packet_type: PacketType) -> Result<ReasonCode, DecodeError> {
    let reason = ReasonCode::from_byte(byte).ok_or(DecodeError::UnknownReasonCode(byte))?;
    if !reason.is_allowed_in(packet_type) {
        return Err(DecodeError::ReasonCodeNotAllowed { packet_type, reason });
    }
    Ok(reason)
}

/// Bytes a text or binary field takes.
pub(crate) const fn field_bytes(field: &[u8]) -> usize {
    2 + field.len()
}

/// Writes a text or binary field.
pub(crate) fn put_field(field: &[u8], out: &mut BytesMut) {
    let length = u16::try_from(field.len()).expect("texts were checked against 65,535 bytes when they were made");
    out.put_u16(length);
    out.put_slice(field);
}
