//! AUTH: authentication goes on, by a method that the two sides know (MQTT 5, 3.15).

use std::fmt;

use bytes::{BufMut, Bytes, BytesMut};
use bytestring::ByteString;

use crate::fields::Fields;
use crate::properties::{Place, PropertyBlock, PropertyId, PropertyReader, PropertySink};
use crate::{DecodeError, PacketType, ReasonCode, fixed_header};

/// An AUTH packet. A reason string and user properties are checked and not kept.
#[derive(Clone, PartialEq, Eq)]
pub struct Auth {
    /// Success, go on, or start again [MQTT-3.15.2-1].
    pub reason: ReasonCode,
    /// The CONNECT's method [MQTT-4.12.0-5]; only the form without any content, which is a success, leaves it out.
    pub method: Option<ByteString>,
    /// The method's own data; a secret.
    pub data: Option<Bytes>,
}

impl Auth {
    pub(crate) fn decode(body: Bytes) -> Result<Self, DecodeError> {
        let mut fields = Fields::new(body);
        let mut auth = Self { reason: ReasonCode::Success, method: None, data: None };
        // Reason and properties are left out together or not at all (MQTT 5, 3.15.2.1).
        if fields.is_empty() {
            return Ok(auth);
        }
        auth.reason = fields.reason_code(PacketType::Auth)?;
        let mut block = PropertyReader::new(&mut fields, Place::AUTH)?;
        while let Some(id) = block.next()? {
            match id {
                PropertyId::AuthenticationMethod => auth.method = Some(block.text()?),
                PropertyId::AuthenticationData => auth.data = Some(block.binary()?),
                other => block.pass_over(other)?,
            }
        }
        fields.finish()?;
        if auth.method.is_none() {
            return Err(DecodeError::AuthWithoutMethod);
        }
        Ok(auth)
    }

    pub(crate) fn encode(&self, out: &mut BytesMut) {
        let first = PacketType::Auth.first_byte();
        if self.reason == ReasonCode::Success && self.properties_bytes() == 0 {
            fixed_header::put(first, 0, out);
            return;
        }
        fixed_header::put(first, 1 + self.block_bytes(), out);
        out.put_u8(self.reason.byte());
        self.put_block(out);
    }
}

impl PropertyBlock for Auth {
    fn put_properties(&self, sink: &mut impl PropertySink) {
        if let Some(method) = &self.method {
            sink.field(PropertyId::AuthenticationMethod, method.as_bytes());
        }
        if let Some(data) = &self.data {
            sink.field(PropertyId::AuthenticationData, data);
        }
    }
}

/// The data is a secret and stays out of logs.
impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Auth")
            .field("reason", &self.reason)
            .field("method", &self.method)
            .field("data", &self.data.as_ref().map(|_| "hidden"))
            .finish()
    }
}
