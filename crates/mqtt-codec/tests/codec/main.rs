//! The codec from outside: malformed bytes, golden bytes, and properties that hold for any bytes.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod golden_v3;
mod golden_v5;
mod malformed_v3;
mod malformed_v5;
mod packets;
mod properties;
mod reason_codes;

use bytes::BytesMut;

use message::TopicName;
use mqtt_codec::{DecodeError, Packet, PacketId, Protocol, decode, encode};

/// Far above every packet in these tests.
const PACKET_BYTES_MAX: usize = 1 << 20;

/// Decodes one packet from all of `bytes`.
fn decode_bytes(bytes: &[u8], protocol: Protocol) -> Result<Option<Packet>, DecodeError> {
    decode(&mut BytesMut::from(bytes), PACKET_BYTES_MAX, protocol)
}

/// The packet is these bytes, both ways.
fn check_both_ways(packet: Packet, protocol: Protocol, bytes: &[u8]) {
    let mut out = BytesMut::new();
    encode(&packet, protocol, &mut out);
    assert_eq!(out, bytes, "{protocol:?} {packet:?}");
    assert_eq!(decode_bytes(bytes, protocol), Ok(Some(packet)), "{protocol:?}");
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

fn topic(text: &'static str) -> TopicName {
    TopicName::new(text).unwrap()
}

fn id(number: u16) -> PacketId {
    PacketId::new(number).unwrap()
}
