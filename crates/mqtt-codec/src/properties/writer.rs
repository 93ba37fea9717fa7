//! Writing a block of properties: told once, counted and written by the same telling.

use bytes::{BufMut, BytesMut};

use super::table::{Kind, PropertyId};
use crate::fields::{field_bytes, put_field};
use crate::variable_byte_integer;

/// Something that has properties in a packet.
pub(crate) trait PropertyBlock {
    /// Tells every property to `sink`, in the order of the wire.
    fn put_properties(&self, sink: &mut impl PropertySink);

    /// Bytes of the properties, without the length before them.
    fn properties_bytes(&self) -> usize {
        let mut count = Count(0);
        self.put_properties(&mut count);
        count.0
    }

    /// Bytes of the properties and the length before them.
    fn block_bytes(&self) -> usize {
        let bytes = self.properties_bytes();
        variable_byte_integer::bytes(bytes) + bytes
    }

    /// Writes the length and the properties.
    fn put_block(&self, out: &mut BytesMut) {
        variable_byte_integer::put(self.properties_bytes(), out);
        self.put_properties(out);
    }
}

/// What properties are told to. The methods check nothing but the type: values were checked where they came in.
pub(crate) trait PropertySink {
    fn byte(&mut self, id: PropertyId, value: u8);
    fn integer(&mut self, id: PropertyId, value: u16);
    fn long_integer(&mut self, id: PropertyId, value: u32);
    fn variable_byte_integer(&mut self, id: PropertyId, value: u32);
    /// A text or binary data.
    fn field(&mut self, id: PropertyId, value: &[u8]);
    fn pair(&mut self, id: PropertyId, name: &str, value: &str);

    fn user_properties<T: AsRef<str>>(&mut self, properties: &[(T, T)]) {
        for (name, value) in properties {
            self.pair(PropertyId::UserProperty, name.as_ref(), value.as_ref());
        }
    }
}

/// Counts bytes.
struct Count(usize);

impl PropertySink for Count {
    fn byte(&mut self, _: PropertyId, _: u8) {
        self.0 += 2;
    }

    fn integer(&mut self, _: PropertyId, _: u16) {
        self.0 += 3;
    }

    fn long_integer(&mut self, _: PropertyId, _: u32) {
        self.0 += 5;
    }

    fn variable_byte_integer(&mut self, _: PropertyId, value: u32) {
        self.0 += 1 + variable_byte_integer::bytes(value as usize);
    }

    fn field(&mut self, _: PropertyId, value: &[u8]) {
        self.0 += 1 + field_bytes(value);
    }

    fn pair(&mut self, _: PropertyId, name: &str, value: &str) {
        self.0 += 1 + field_bytes(name.as_bytes()) + field_bytes(value.as_bytes());
    }
}

impl PropertySink for BytesMut {
    fn byte(&mut self, id: PropertyId, value: u8) {
        debug_assert_eq!(id.kind(), Kind::Byte, "{id:?}");
        self.put_slice(&[id.byte(), value]);
    }

    fn integer(&mut self, id: PropertyId, value: u16) {
        debug_assert_eq!(id.kind(), Kind::TwoBytes, "{id:?}");
        self.put_u8(id.byte());
        self.put_u16(value);
    }

    fn long_integer(&mut self, id: PropertyId, value: u32) {
        debug_assert_eq!(id.kind(), Kind::FourBytes, "{id:?}");
        self.put_u8(id.byte());
        self.put_u32(value);
    }

    fn variable_byte_integer(&mut self, id: PropertyId, value: u32) {
        debug_assert_eq!(id.kind(), Kind::VariableByteInteger, "{id:?}");
        self.put_u8(id.byte());
        variable_byte_integer::put(value as usize, self);
    }

    fn field(&mut self, id: PropertyId, value: &[u8]) {
        debug_assert!(matches!(id.kind(), Kind::Text | Kind::Binary), "{id:?}");
        self.put_u8(id.byte());
        put_field(value, self);
    }

    fn pair(&mut self, id: PropertyId, name: &str, value: &str) {
        debug_assert_eq!(id.kind(), Kind::TextPair, "{id:?}");
        self.put_u8(id.byte());
        put_field(name.as_bytes(), self);
        put_field(value.as_bytes(), self);
    }
}
