//! The codec from outside: malformed bytes, golden bytes, and properties that hold for any bytes.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod golden;
mod malformed;
mod properties;

use bytes::BytesMut;

use mqtt_codec::{DecodeError, Packet, decode};

/// Far above every packet in these tests.
const PACKET_BYTES_MAX: usize = 1 << 20;

/// Decodes one packet from all of `bytes`.
fn decode_bytes(bytes: &[u8]) -> Result<Option<Packet>, DecodeError> {
    decode(&mut BytesMut::from(bytes), PACKET_BYTES_MAX)
}

/// A packet around `body`, with its length.
fn framed(first: u8, body: &[u8]) -> Vec<u8> {
    let length = u8::try_from(body.len()).ok().filter(|&length| length < 128).expect("test bodies are short");
    [&[first, length], body].concat()
}

/// A text or binary field.
fn field(text: impl AsRef<[u8]>) -> Vec<u8> {
    let text = text.as_ref();
    [&u16::try_from(text.len()).unwrap().to_be_bytes()[..], text].concat()
}
