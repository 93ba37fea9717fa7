//! A control packet of any type.

use crate::{Ack, Auth, ConnAck, Connect, Disconnect, PacketType, Publish, SubAck, Subscribe, UnsubAck, Unsubscribe};

/// An MQTT control packet. Each packet with fields has its own type and file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Packet {
    /// The client asks to open a session. In a box, because it is large and comes once.
    Connect(Box<Connect>),
    /// The server's answer to CONNECT.
    ConnAck(ConnAck),
    /// A message.
    Publish(Publish),
    /// The receiver of a QoS 1 message has it.
    PubAck(Ack),
    /// QoS 2, first answer.
    PubRec(Ack),
    /// QoS 2, release.
    PubRel(Ack),
    /// QoS 2, end.
    PubComp(Ack),
    /// The client wants messages.
    Subscribe(Subscribe),
    /// The server's answer to SUBSCRIBE.
    SubAck(SubAck),
    /// The client wants no more messages.
    Unsubscribe(Unsubscribe),
    /// The server's answer to UNSUBSCRIBE.
    UnsubAck(UnsubAck),
    /// The client is alive.
    PingReq,
    /// The server is alive.
    PingResp,
    /// The client closes in good order; in MQTT 5, either side says why it closes.
    Disconnect(Disconnect),
    /// Authentication goes on; MQTT 5 only.
    Auth(Auth),
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
            Self::Disconnect(_) => PacketType::Disconnect,
            Self::Auth(_) => PacketType::Auth,
        }
    }
}
