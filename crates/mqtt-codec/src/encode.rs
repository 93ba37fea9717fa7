//! From packets to bytes, for whoever has a whole [`Packet`]. A server writes most with the `encode_*` functions.

use bytes::{BufMut, BytesMut};

use crate::{Packet, PacketType, Protocol, encode_ack, encode_connack, encode_suback, encode_unsuback};

/// Appends the packet to `out`, as a connection that speaks `protocol` has it: what the version cannot say is left out.
/// A CONNECT is written in its own version, and an AUTH as MQTT 5 has it, whatever `protocol` is.
///
/// # Panics
/// With a text over 65,535 bytes or a packet over 256 MB, neither of which a decoder lets in.
pub fn encode(packet: &Packet, protocol: Protocol, out: &mut BytesMut) {
    match packet {
        Packet::Connect(connect) => connect.encode(out),
        Packet::ConnAck(connack) => encode_connack(connack, protocol, out),
        Packet::Publish(publish) => publish.encode(protocol, out),
        Packet::PubAck(ack) | Packet::PubRec(ack) | Packet::PubRel(ack) | Packet::PubComp(ack) => {
            encode_ack(packet.packet_type(), ack.packet_id, ack.reason, protocol, out);
        }
        Packet::Subscribe(subscribe) => subscribe.encode(protocol, out),
        Packet::SubAck(suback) => encode_suback(suback.packet_id, &suback.reasons, protocol, out),
        Packet::Unsubscribe(unsubscribe) => unsubscribe.encode(protocol, out),
        Packet::UnsubAck(unsuback) => encode_unsuback(unsuback.packet_id, &unsuback.reasons, protocol, out),
        Packet::PingReq => out.put_slice(&[PacketType::PingReq.first_byte(), 0]),
        Packet::PingResp => encode_pingresp(out),
        Packet::Disconnect(disconnect) => disconnect.encode(protocol, out),
        Packet::Auth(auth) => auth.encode(out),
    }
}

/// Writes a PINGRESP [MQTT-3.12.4-1].
pub fn encode_pingresp(out: &mut BytesMut) {
    out.put_slice(&[PacketType::PingResp.first_byte(), 0]);
}
