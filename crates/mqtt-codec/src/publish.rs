//! PUBLISH: a message, in either direction (MQTT 3.1.1, 3.3).

use bytes::{BufMut, Bytes, BytesMut};

use message::{QoS, TopicName};

use crate::fields::{Fields, field_bytes, put_field};
use crate::{DecodeError, PacketId, PacketType, fixed_header};

/// A PUBLISH packet. Topic and payload are slices of the buffer it was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publish {
    /// Whether the sender says that it sent this before [MQTT-3.3.1-1]; the receiver passes nothing on of it
    /// [MQTT-3.3.1-3].
    pub dup: bool,
    /// The sender's QoS.
    pub qos: QoS,
    /// From a client: store it. From a server: it was stored [MQTT-3.3.1-5], [MQTT-3.3.1-8].
    pub retain: bool,
    /// Where it is published; no wildcards [MQTT-3.3.2-2].
    pub topic: TopicName,
    /// There is one above QoS 0 and none at QoS 0 [MQTT-2.3.1-1], [MQTT-2.3.1-5].
    pub packet_id: Option<PacketId>,
    /// What it says; any bytes, none too.
    pub payload: Bytes,
}

impl Publish {
    pub(crate) fn decode(flags: u8, body: Bytes) -> Result<Self, DecodeError> {
        let qos = QoS::from_bits(flags >> QOS_SHIFT & QOS_BITS).ok_or(DecodeError::QosThree)?;
        let dup = flags & DUP != 0;
        if dup && qos == QoS::AtMostOnce {
            return Err(DecodeError::DupAtQosZero);
        }
        let mut fields = Fields::new(body);
        let topic = fields.topic_name()?;
        let packet_id = if qos == QoS::AtMostOnce { None } else { Some(fields.packet_id()?) };
        Ok(Self { dup, qos, retain: flags & RETAIN != 0, topic, packet_id, payload: fields.rest() })
    }

    pub(crate) fn encode(&self, out: &mut BytesMut) {
        encode_publish(self.topic.as_str(), &self.payload, self.qos, self.dup, self.retain, self.packet_id, out);
    }
}

/// Writes a PUBLISH: the hot path of every delivery, so the buffer grows at most once and nothing else is allocated.
/// `packet_id` is written as it is given: there must be one above QoS 0, and none at QoS 0.
///
/// # Panics
/// With a topic over 65,535 bytes or a packet over 256 MB; both are refused where messages come in.
pub fn encode_publish(
    topic: &str,
    payload: &[u8],
    qos: QoS,
    dup: bool,
    retain: bool,
    packet_id: Option<PacketId>,
    out: &mut BytesMut,
) {
    debug_assert_eq!(packet_id.is_some(), qos != QoS::AtMostOnce, "[MQTT-2.3.1-1], [MQTT-2.3.1-5]");
    let flags = if dup { DUP } else { 0 } | qos.bits() << QOS_SHIFT | if retain { RETAIN } else { 0 };
    let id_bytes = if packet_id.is_some() { 2 } else { 0 };
    let remaining = field_bytes(topic.as_bytes()) + id_bytes + payload.len();
    out.reserve(HEADER_BYTES_MAX + remaining);
    fixed_header::put(PacketType::Publish.first_byte() | flags, remaining, out);
    put_field(topic.as_bytes(), out);
    if let Some(packet_id) = packet_id {
        out.put_u16(packet_id.get());
    }
    out.put_slice(payload);
}

const RETAIN: u8 = 1;
const QOS_SHIFT: u8 = 1;
const QOS_BITS: u8 = 0b11;
const DUP: u8 = 1 << 3;
const HEADER_BYTES_MAX: usize = 5;
