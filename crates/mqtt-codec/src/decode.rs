//! From a read buffer to packets.

use bytes::{Buf, Bytes, BytesMut};

use crate::fixed_header::FixedHeader;
use crate::{
    ConnAck, Connect, DecodeError, Packet, PacketType, Publish, SubAck, Subscribe, Unsubscribe, acknowledgement,
};

/// Takes one packet off the front of `buffer`; `None` when it has not arrived in full.
///
/// `packet_bytes_max` bounds the whole packet, fixed header included. It is held against the length that the header
/// announces, so a packet that is too large is refused before it is buffered. The buffer is never grown here.
///
/// # Errors
/// [`DecodeError`] names the broken clause. The stream has lost its frame then: nothing more can be read from it.
pub fn decode(buffer: &mut BytesMut, packet_bytes_max: usize) -> Result<Option<Packet>, DecodeError> {
    let Some(header) = FixedHeader::read(buffer)? else {
        return Ok(None);
    };
    let packet_bytes = header.packet_bytes();
    if packet_bytes > packet_bytes_max {
        return Err(DecodeError::PacketTooLarge { bytes: packet_bytes, max: packet_bytes_max });
    }
    if packet_bytes > buffer.len() {
        return Ok(None);
    }
    decode_whole(&header, buffer).map(Some)
}

fn decode_whole(header: &FixedHeader, buffer: &mut BytesMut) -> Result<Packet, DecodeError> {
    match header.packet_type {
        PacketType::Connect => Connect::decode(take(header, buffer)).map(Packet::Connect),
        PacketType::ConnAck => ConnAck::decode(take(header, buffer)).map(Packet::ConnAck),
        PacketType::Publish => Publish::decode(header.flags, take(header, buffer)).map(Packet::Publish),
        PacketType::PubAck => in_place(header, buffer, acknowledgement::decode).map(Packet::PubAck),
        PacketType::PubRec => in_place(header, buffer, acknowledgement::decode).map(Packet::PubRec),
        PacketType::PubRel => in_place(header, buffer, acknowledgement::decode).map(Packet::PubRel),
        PacketType::PubComp => in_place(header, buffer, acknowledgement::decode).map(Packet::PubComp),
        PacketType::Subscribe => Subscribe::decode(take(header, buffer)).map(Packet::Subscribe),
        PacketType::SubAck => SubAck::decode(take(header, buffer)).map(Packet::SubAck),
        PacketType::Unsubscribe => Unsubscribe::decode(take(header, buffer)).map(Packet::Unsubscribe),
        PacketType::UnsubAck => in_place(header, buffer, acknowledgement::decode).map(Packet::UnsubAck),
        PacketType::PingReq => in_place(header, buffer, decode_nothing).map(|()| Packet::PingReq),
        PacketType::PingResp => in_place(header, buffer, decode_nothing).map(|()| Packet::PingResp),
        PacketType::Disconnect => in_place(header, buffer, decode_nothing).map(|()| Packet::Disconnect),
    }
}

/// The body of a packet whose fields are slices of the buffer.
fn take(header: &FixedHeader, buffer: &mut BytesMut) -> Bytes {
    let mut packet = buffer.split_to(header.packet_bytes()).freeze();
    packet.advance(header.header_bytes);
    packet
}

/// Reads a packet that leaves nothing behind in the buffer, so the buffer is not shared.
fn in_place<T>(
    header: &FixedHeader,
    buffer: &mut BytesMut,
    read: impl Fn(&[u8]) -> Result<T, DecodeError>,
) -> Result<T, DecodeError> {
    let body = buffer.get(header.header_bytes..header.packet_bytes()).ok_or(DecodeError::Truncated)?;
    let content = read(body)?;
    buffer.advance(header.packet_bytes());
    Ok(content)
}

fn decode_nothing(body: &[u8]) -> Result<(), DecodeError> {
    match body.len() {
        0 => Ok(()),
        count => Err(DecodeError::TrailingBytes(count)),
    }
}
