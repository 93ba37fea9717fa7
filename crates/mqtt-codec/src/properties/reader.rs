//! Reading a block of properties, one after the other.

use std::num::{NonZeroU16, NonZeroU32};

use bytes::Bytes;
use bytestring::ByteString;

use names::limits;

use super::table::{Kind, Place, PropertyId};
use crate::DecodeError;
use crate::fields::Fields;

/// What is left to read of a block. Whoever reads asks for the [`next`](Self::next) identifier and then for its value,
/// or has it [passed over](Self::pass_over).
pub(crate) struct PropertyReader {
    fields: Fields,
    place: Place,
    /// One bit an identifier: those that were there.
    seen: u64,
    user_properties: usize,
    user_properties_bytes: usize,
}

impl PropertyReader {
    /// Takes the block's length and as many bytes off the fields.
    pub(crate) fn new(fields: &mut Fields, place: Place) -> Result<Self, DecodeError> {
        let length = fields.variable_byte_integer()?;
        let block = if length == 0 { Bytes::new() } else { fields.split(length as usize)? };
        Ok(Self { fields: Fields::new(block), place, seen: 0, user_properties: 0, user_properties_bytes: 0 })
    }

    /// The next property's identifier, which may stand here; none at the end of the block.
    pub(crate) fn next(&mut self) -> Result<Option<PropertyId>, DecodeError> {
        if self.fields.is_empty() {
            return Ok(None);
        }
        let byte = self.fields.byte()?;
        let id = PropertyId::from_byte(byte).ok_or(DecodeError::UnknownProperty(byte))?;
        if !id.is_allowed_in(self.place) {
            return Err(DecodeError::PropertyNotAllowed(byte));
        }
        if self.seen & 1 << byte != 0 && !id.may_repeat_in(self.place) {
            return Err(DecodeError::DuplicateProperty(byte));
        }
        self.seen |= 1 << byte;
        Ok(Some(id))
    }

    /// 0 or 1.
    pub(crate) fn flag(&mut self, id: PropertyId) -> Result<bool, DecodeError> {
        debug_assert_eq!(id.kind(), Kind::Byte, "{id:?}");
        match self.fields.byte().map_err(within_block)? {
            0 => Ok(false),
            1 => Ok(true),
            value => Err(DecodeError::PropertyNeitherZeroNorOne { property: id.byte(), value }),
        }
    }

    pub(crate) fn integer(&mut self) -> Result<u16, DecodeError> {
        self.fields.integer().map_err(within_block)
    }

    pub(crate) fn long_integer(&mut self) -> Result<u32, DecodeError> {
        self.fields.long_integer().map_err(within_block)
    }

    /// A Receive Maximum, 1 to 65,535.
    pub(crate) fn receive_maximum(&mut self) -> Result<NonZeroU16, DecodeError> {
        NonZeroU16::new(self.integer()?).ok_or(DecodeError::ReceiveMaximumZero)
    }

    /// A topic alias, 1 to 65,535.
    pub(crate) fn topic_alias(&mut self) -> Result<NonZeroU16, DecodeError> {
        NonZeroU16::new(self.integer()?).ok_or(DecodeError::TopicAliasZero)
    }

    /// A Maximum Packet Size, 1 and more.
    pub(crate) fn maximum_packet_size(&mut self) -> Result<NonZeroU32, DecodeError> {
        NonZeroU32::new(self.long_integer()?).ok_or(DecodeError::MaximumPacketSizeZero)
    }

    /// A subscription identifier, 1 to 268,435,455.
    pub(crate) fn subscription_id(&mut self) -> Result<u32, DecodeError> {
        match self.fields.variable_byte_integer().map_err(within_block)? {
            0 => Err(DecodeError::SubscriptionIdZero),
            id => Ok(id),
        }
    }

    pub(crate) fn text(&mut self) -> Result<ByteString, DecodeError> {
        self.fields.text().map_err(within_block)
    }

    /// Well-formed UTF-8 that becomes a topic name.
    pub(crate) fn utf8(&mut self) -> Result<ByteString, DecodeError> {
        self.fields.utf8().map_err(within_block)
    }

    pub(crate) fn binary(&mut self) -> Result<Bytes, DecodeError> {
        self.fields.binary().map_err(within_block)
    }

    /// Name and value. Short ones make a small packet large in memory, so their number is bounded.
    pub(crate) fn user_property(&mut self) -> Result<(ByteString, ByteString), DecodeError> {
        if self.user_properties == limits::USER_PROPERTIES_PER_PACKET_MAX {
            return Err(DecodeError::TooManyUserProperties { max: limits::USER_PROPERTIES_PER_PACKET_MAX });
        }
        self.user_properties += 1;
        let (name, value) = (self.text()?, self.text()?);
        self.user_properties_bytes += name.len() + value.len();
        Ok((name, value))
    }

    /// Checks a value that nobody here wants.
    pub(crate) fn pass_over(&mut self, id: PropertyId) -> Result<(), DecodeError> {
        match id.kind() {
            Kind::Byte => self.flag(id).map(drop),
            Kind::TwoBytes => self.integer().map(drop),
            Kind::FourBytes => self.long_integer().map(drop),
            Kind::VariableByteInteger => self.subscription_id().map(drop),
            Kind::Text => self.text().map(drop),
            Kind::Binary => self.binary().map(drop),
            Kind::TextPair => self.user_property().map(drop),
        }
    }

    /// Bytes of names and values of all user properties so far.
    pub(crate) fn user_properties_bytes(&self) -> usize {
        self.user_properties_bytes
    }
}

/// Reads a block that nobody here wants.
pub(crate) fn pass_over(fields: &mut Fields, place: Place) -> Result<(), DecodeError> {
    let mut block = PropertyReader::new(fields, place)?;
    while let Some(id) = block.next()? {
        block.pass_over(id)?;
    }
    Ok(())
}

/// The block ends, the packet may go on.
fn within_block(error: DecodeError) -> DecodeError {
    if error == DecodeError::Truncated { DecodeError::PropertyTruncated } else { error }
}
