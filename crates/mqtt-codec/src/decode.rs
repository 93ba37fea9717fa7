//! From a read buffer to packets.

use bytes::{Buf, Bytes, BytesMut};

use crate::fixed_header::FixedHeader;
use crate::{
    Ack, Auth, ConnAck, Connect, DecodeError, Disconnect, Packet, PacketType, Protocol, Publish, SubAck, Subscribe,
    UnsubAck, Unsubscribe,
};

/// Takes one packet off the front of `buffer`; `None` when it has not arrived in full.
///
/// `protocol` is what the connection speaks. Before it has said so, pass `V311`: a CONNECT says its own version, and is
/// read by that whatever is passed.
///
/// `packet_bytes_max` bounds the whole packet, fixed header included. It is held against the length that the header
/// announces, so a packet that is too large is refused before it is buffered. The buffer is never grown here.
///
/// # Errors
/// [`DecodeError`] names the broken clause. The stream has lost its frame then: nothing more can be read from it. Only
/// a CONNECT is still there, for [`connect_protocol`](crate::connect_protocol).
pub fn decode(
    buffer: &mut BytesMut,
    packet_bytes_max: usize,
    protocol: Protocol,
) -> Result<Option<Packet>, DecodeError> {
    let Some(header) = FixedHeader::read(buffer, protocol)? else {
        return Ok(None);
    };
    let packet_bytes = header.packet_bytes();
    if packet_bytes > packet_bytes_max {
        return Err(DecodeError::PacketTooLarge { bytes: packet_bytes, max: packet_bytes_max });
    }
    if packet_bytes > buffer.len() {
        return Ok(None);
    }
    decode_whole(&header, buffer, protocol).map(Some)
}

/// How many bytes the packet at the front of `bytes` has in all, header included; `None` when the header has not arrived
/// in full. `protocol` as for [`decode`].
///
/// # Errors
/// [`DecodeError`] as soon as the header is broken.
pub fn packet_bytes(bytes: &[u8], protocol: Protocol) -> Result<Option<usize>, DecodeError> {
    Ok(FixedHeader::read(bytes, protocol)?.map(|header| header.packet_bytes()))
}

fn decode_whole(header: &FixedHeader, buffer: &mut BytesMut, protocol: Protocol) -> Result<Packet, DecodeError> {
    match header.packet_type {
        PacketType::Connect => decode_connect(header, buffer).map(Packet::Connect),
        PacketType::ConnAck => ConnAck::decode(take(header, buffer), protocol).map(Packet::ConnAck),
        PacketType::Publish => Publish::decode(header.flags, take(header, buffer), protocol).map(Packet::Publish),
        PacketType::PubAck => decode_ack(header, buffer, protocol).map(Packet::PubAck),
        PacketType::PubRec => decode_ack(header, buffer, protocol).map(Packet::PubRec),
        PacketType::PubRel => decode_ack(header, buffer, protocol).map(Packet::PubRel),
        PacketType::PubComp => decode_ack(header, buffer, protocol).map(Packet::PubComp),
        PacketType::Subscribe => Subscribe::decode(take(header, buffer), protocol).map(Packet::Subscribe),
        PacketType::SubAck => SubAck::decode(take(header, buffer), protocol).map(Packet::SubAck),
        PacketType::Unsubscribe => Unsubscribe::decode(take(header, buffer), protocol).map(Packet::Unsubscribe),
        PacketType::UnsubAck => UnsubAck::decode(take(header, buffer), protocol).map(Packet::UnsubAck),
        PacketType::PingReq => in_place(header, buffer, decode_nothing).map(|()| Packet::PingReq),
        PacketType::PingResp => in_place(header, buffer, decode_nothing).map(|()| Packet::PingResp),
        PacketType::Disconnect => Disconnect::decode(take(header, buffer), protocol).map(Packet::Disconnect),
        PacketType::Auth => Auth::decode(take(header, buffer)).map(Packet::Auth),
    }
}

/// Reads a copy: the bytes stay until they are known to be a CONNECT, and what a session keeps of them for hours does
/// not keep the read buffer.
fn decode_connect(header: &FixedHeader, buffer: &mut BytesMut) -> Result<Box<Connect>, DecodeError> {
    let connect = Connect::decode(Bytes::copy_from_slice(body(header, buffer)?))?;
    header.check_length(connect.protocol)?;
    buffer.advance(header.packet_bytes());
    Ok(Box::new(connect))
}

fn decode_ack(header: &FixedHeader, buffer: &mut BytesMut, protocol: Protocol) -> Result<Ack, DecodeError> {
    let packet_type = header.packet_type;
    if protocol == Protocol::V5 && header.remaining_bytes > ACK_BYTES_WITHOUT_PROPERTIES {
        return Ack::decode_long(take(header, buffer), packet_type);
    }
    in_place(header, buffer, |body| Ack::decode_short(body, packet_type, protocol))
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
    let content = read(body(header, buffer)?)?;
    buffer.advance(header.packet_bytes());
    Ok(content)
}

fn body<'a>(header: &FixedHeader, buffer: &'a [u8]) -> Result<&'a [u8], DecodeError> {
    buffer.get(header.header_bytes..header.packet_bytes()).ok_or(DecodeError::Truncated)
}

fn decode_nothing(body: &[u8]) -> Result<(), DecodeError> {
    match body.len() {
        0 => Ok(()),
        count => Err(DecodeError::TrailingBytes(count)),
    }
}

/// Identifier and reason code.
const ACK_BYTES_WITHOUT_PROPERTIES: usize = 3;
