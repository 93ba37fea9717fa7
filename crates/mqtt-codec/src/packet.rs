//! A control packet of any type.

use crate::{ConnAck, Connect, PacketId, PacketType, Publish, SubAck, Subscribe, Unsubscribe};

/// An MQTT control packet. Each packet with more than an identifier has its own type and file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Packet {
    /// The client asks to open a session.
    Connect(Connect),
    /// The server's answer to CONNECT.
    ConnAck(ConnAck),
    /// A message.
    Publish(Publish),
    /// The receiver of a QoS 1 message has it.
    PubAck(PacketId),
    /// QoS 2, first answer.
    PubRec(PacketId),
    /// QoS 2, release.
    PubRel(PacketId),
    /// QoS 2, end.
    PubComp(PacketId),
    /// The client wants messages.
    Subscribe(Subscribe),
    /// The server's answer to SUBSCRIBE.
    SubAck(SubAck),
    /// The client wants no more messages.
    Unsubscribe(Unsubscribe),
    /// The server's answer to UNSUBSCRIBE.
    UnsubAck(PacketId),
    /// The client is alive.
    PingReq,
    /// The server is alive.
    PingResp,
    /// The client closes in good order.
    Disconnect,
}

impl Packet {
    /// The packet's type.
    pub fn packet_type(&self) -> PacketType {
        match self {
            Self::Connect(_) => PacketType::Connect,
            Self::ConnAck(_) => PacketType::ConnAck,
            Self::Publish(_) => PacketType::Publish,
            Self::PubAck(_) => PacketType::PubAck,
            Self::PubRec(_) => PacketType::PubRec,
            Self::PubRel(_) => PacketType::PubRel,
            Self::PubComp(_) => PacketType::PubComp,
            Self::Subscribe(_) => PacketType::Subscribe,
            Self::SubAck(_) => PacketType::SubAck,
            Self::Unsubscribe(_) => PacketType::Unsubscribe,
            Self::UnsubAck(_) => PacketType::UnsubAck,
            Self::PingReq => PacketType::PingReq,
            Self::PingResp => PacketType::PingResp,
            Self::Disconnect => PacketType::Disconnect,
        }
    }
}
