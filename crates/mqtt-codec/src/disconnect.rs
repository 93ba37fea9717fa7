//! DISCONNECT: the connection ends in good order; in MQTT 5 from either side, with a reason (MQTT 3.1.1 and 5, 3.14).

use bytes::{BufMut, Bytes, BytesMut};
use bytestring::ByteString;

use crate::fields::Fields;
use crate::properties::{Place, PropertyBlock, PropertyId, PropertyReader, PropertySink};
use crate::{DecodeError, PacketType, Protocol, ReasonCode, fixed_header};

/// A DISCONNECT packet. Which codes and properties are the client's and which the server's is the session's question
/// [MQTT-3.14.2-1], [MQTT-3.14.2-2]. User properties and a server reference are checked and not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disconnect {
    /// `Success` is "normal disconnection"; it always is that before MQTT 5.
    pub reason: ReasonCode,
    /// In place of what the CONNECT said (MQTT 5, 3.14.2.2.2).
    pub session_expiry_seconds: Option<u32>,
    /// For people who look for the fault.
    pub reason_string: Option<ByteString>,
}

impl Disconnect {
    pub(crate) fn decode(body: Bytes, protocol: Protocol) -> Result<Self, DecodeError> {
        let mut fields = Fields::new(body);
        let mut disconnect = Self { reason: ReasonCode::Success, session_expiry_seconds: None, reason_string: None };
        if protocol == Protocol::V5 && !fields.is_empty() {
            disconnect.reason = fields.reason_code(PacketType::Disconnect)?;
            // A remaining length of 1 is the reason alone (MQTT 5, 3.14.2.2.1).
            if !fields.is_empty() {
                disconnect.read_properties(&mut fields)?;
            }
        }
        fields.finish()?;
        Ok(disconnect)
    }

    fn read_properties(&mut self, fields: &mut Fields) -> Result<(), DecodeError> {
        let mut block = PropertyReader::new(fields, Place::DISCONNECT)?;
        while let Some(id) = block.next()? {
            match id {
                PropertyId::SessionExpiryInterval => self.session_expiry_seconds = Some(block.long_integer()?),
                PropertyId::ReasonString => self.reason_string = Some(block.text()?),
                other => block.pass_over(other)?,
            }
        }
        Ok(())
    }

    pub(crate) fn encode(&self, protocol: Protocol, out: &mut BytesMut) {
        if protocol < Protocol::V5 {
            fixed_header::put(PacketType::Disconnect.first_byte(), 0, out);
            return;
        }
        let session_expiry_seconds = self.session_expiry_seconds;
        put(self.reason, &Said { session_expiry_seconds, reason_string: self.reason_string.as_deref() }, out);
    }
}

/// Writes the server's DISCONNECT. Before MQTT 5 a server has none, and nothing is written.
pub fn encode_disconnect(reason: ReasonCode, reason_string: Option<&str>, protocol: Protocol, out: &mut BytesMut) {
    if protocol == Protocol::V5 {
        put(reason, &Said { session_expiry_seconds: None, reason_string }, out);
    }
}

/// With the property length even where no property follows: it may be left out (MQTT 5, 3.14.2.2.1), but there are
/// clients that do not read the reason then.
fn put(reason: ReasonCode, said: &Said<'_>, out: &mut BytesMut) {
    let first = PacketType::Disconnect.first_byte();
    match (reason, said.properties_bytes()) {
        (ReasonCode::Success, 0) => fixed_header::put(first, 0, out),
        (reason, _) => {
            fixed_header::put(first, 1 + said.block_bytes(), out);
            out.put_u8(reason.byte());
            said.put_block(out);
        }
    }
}

/// The properties that are written.
struct Said<'a> {
    session_expiry_seconds: Option<u32>,
    reason_string: Option<&'a str>,
}

impl PropertyBlock for Said<'_> {
    fn put_properties(&self, sink: &mut impl PropertySink) {
        if let Some(seconds) = self.session_expiry_seconds {
            sink.long_integer(PropertyId::SessionExpiryInterval, seconds);
        }
        if let Some(text) = self.reason_string {
            sink.field(PropertyId::ReasonString, text.as_bytes());
        }
    }
}
