//! From packets to bytes, for whoever has a whole [`Packet`]. A server writes most with the `encode_*` functions.

use bytes::{BufMut, BytesMut};

use crate::{Packet, PacketType, acknowledgement, encode_connack, encode_suback};

/// Appends the packet to `out`.
///
/// # Panics
/// With a text over 65,535 bytes or a packet over 256 MB, neither of which a decoder lets in.
pub fn encode(packet: &Packet, out: &mut BytesMut) {
    match packet {
        Packet::Connect(connect) => connect.encode(out),
        Packet::ConnAck(connack) => encode_connack(connack.session_present, connack.code, out),
        Packet::Publish(publish) => publish.encode(out),
        Packet::Subscribe(subscribe) => subscribe.encode(out),
        Packet::SubAck(suback) => encode_suback(suback.packet_id, &suback.codes, out),
        Packet::Unsubscribe(unsubscribe) => unsubscribe.encode(out),
        Packet::PubAck(id) | Packet::PubRec(id) | Packet::PubRel(id) | Packet::PubComp(id) | Packet::UnsubAck(id) => {
            acknowledgement::encode(packet.packet_type(), *id, out);
        }
        Packet::PingReq | Packet::PingResp | Packet::Disconnect => put_bare(packet.packet_type(), out),
    }
}

/// Writes a PINGRESP [MQTT-3.12.4-1].
pub fn encode_pingresp(out: &mut BytesMut) {
    put_bare(PacketType::PingResp, out);
}

fn put_bare(packet_type: PacketType, out: &mut BytesMut) {
    out.put_slice(&[packet_type.first_byte(), 0]);
}
