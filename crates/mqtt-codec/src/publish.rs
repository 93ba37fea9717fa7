//! PUBLISH: a message, in either direction (MQTT 3.1.1 and 5, 3.3).

use std::num::NonZeroU16;
use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use bytestring::ByteString;

use message::{Properties, QoS, TopicName};
use names::limits;

use crate::fields::{Fields, field_bytes, put_field};
use crate::properties::{
    Place, PropertyBlock, PropertyId, PropertyReader, PropertySink, put_message_properties, read_message_property,
};
use crate::{DecodeError, PacketId, PacketType, Protocol, fixed_header, variable_byte_integer};

/// A PUBLISH packet. Topic, texts and payload are slices of the buffer it was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publish {
    /// Whether the sender says that it sent this before [MQTT-3.3.1-1]; the receiver passes nothing on of it
    /// [MQTT-3.3.1-3].
    pub dup: bool,
    /// The sender's QoS.
    pub qos: QoS,
    /// From a client: store it. From a server: it was stored [MQTT-3.3.1-5], [MQTT-3.3.1-8].
    pub retain: bool,
    /// Where it is published; no wildcards [MQTT-3.3.2-2]. None when the alias stands for it, in MQTT 5 only.
    pub topic: Option<TopicName>,
    /// What stands for the topic from now on, or stood for it before (MQTT 5, 3.3.2.3.4).
    pub topic_alias: Option<NonZeroU16>,
    /// There is one above QoS 0 and none at QoS 0 [MQTT-2.3.1-1], [MQTT-2.3.1-5], [MQTT-2.2.1-2].
    pub packet_id: Option<PacketId>,
    /// From a server: the subscriptions that the message matched [MQTT-3.3.4-3]. A client must not say any
    /// [MQTT-3.3.4-6], but that is not the codec's question.
    pub subscription_ids: Vec<u32>,
    /// What travels with the message; none when nothing is said.
    pub properties: Option<Arc<Properties>>,
    /// What it says; any bytes, none too.
    pub payload: Bytes,
}

impl Publish {
    pub(crate) fn decode(flags: u8, body: Bytes, protocol: Protocol) -> Result<Self, DecodeError> {
        let qos = QoS::from_bits(flags >> QOS_SHIFT & QOS_BITS).ok_or(DecodeError::QosThree)?;
        let dup = flags & DUP != 0;
        if dup && qos == QoS::AtMostOnce {
            return Err(DecodeError::DupAtQosZero);
        }
        let mut fields = Fields::new(body);
        let topic = read_topic(fields.utf8()?, protocol)?;
        let packet_id = if qos == QoS::AtMostOnce { None } else { Some(fields.packet_id()?) };
        let block = if protocol == Protocol::V5 { Block::read(&mut fields)? } else { Block::default() };
        if topic.is_none() && block.topic_alias.is_none() {
            return Err(DecodeError::TopicEmptyWithoutAlias);
        }
        Ok(Self {
            dup,
            qos,
            retain: flags & RETAIN != 0,
            topic,
            topic_alias: block.topic_alias,
            packet_id,
            subscription_ids: block.subscription_ids,
            properties: block.properties,
            payload: fields.rest(),
        })
    }

    pub(crate) fn encode(&self, protocol: Protocol, out: &mut BytesMut) {
        let outgoing = Outgoing {
            topic: self.topic.as_ref().map_or("", TopicName::as_str),
            topic_alias: self.topic_alias,
            payload: &self.payload,
            qos: self.qos,
            dup: self.dup,
            retain: self.retain,
            packet_id: self.packet_id,
            properties: self.properties.as_deref(),
            expiry_seconds: None,
            subscription_ids: &self.subscription_ids,
        };
        encode_publish(&outgoing, protocol, out);
    }
}

/// A PUBLISH to write, made of what the writer has at hand. All but topic, payload, flags and packet identifier is for
/// MQTT 5 and left out of the others.
#[derive(Debug, Clone, Copy)]
pub struct Outgoing<'a> {
    /// Empty when the alias stands for it.
    pub topic: &'a str,
    /// Within what the receiver allows [MQTT-3.1.2-26].
    pub topic_alias: Option<NonZeroU16>,
    /// What the message says.
    pub payload: &'a [u8],
    /// The delivery's QoS.
    pub qos: QoS,
    /// Whether it was sent before [MQTT-3.3.1-1].
    pub dup: bool,
    /// Whether it was stored, or as it was published.
    pub retain: bool,
    /// There must be one above QoS 0, and none at QoS 0.
    pub packet_id: Option<PacketId>,
    /// What travels with the message.
    pub properties: Option<&'a Properties>,
    /// What is left of the message's time, in place of the whole in `properties` [MQTT-3.3.2-6]; none leaves that.
    pub expiry_seconds: Option<u32>,
    /// The receiver's subscriptions that matched [MQTT-3.3.4-4].
    pub subscription_ids: &'a [u32],
}

/// Writes a PUBLISH: the hot path of every delivery, so the buffer grows at most once and nothing else is allocated.
///
/// # Panics
/// With a topic over 65,535 bytes or a packet over 256 MB; both are refused where messages come in.
pub fn encode_publish(publish: &Outgoing<'_>, protocol: Protocol, out: &mut BytesMut) {
    debug_assert_eq!(publish.packet_id.is_some(), publish.qos != QoS::AtMostOnce, "[MQTT-2.3.1-1], [MQTT-2.3.1-5]");
    let is_v5 = protocol == Protocol::V5;
    debug_assert!(!publish.topic.is_empty() || is_v5 && publish.topic_alias.is_some(), "[MQTT-4.7.3-1]");
    let properties_bytes = if is_v5 { publish.properties_bytes() } else { 0 };
    let remaining = publish.remaining_bytes(properties_bytes, is_v5);
    out.reserve(fixed_header::packet_bytes(remaining));
    fixed_header::put(PacketType::Publish.first_byte() | publish.flags(), remaining, out);
    put_field(publish.topic.as_bytes(), out);
    if let Some(packet_id) = publish.packet_id {
        out.put_u16(packet_id.get());
    }
    if is_v5 {
        variable_byte_integer::put(properties_bytes, out);
        publish.put_properties(out);
    }
    out.put_slice(publish.payload);
}

/// Bytes of the whole packet, to hold against the receiver's Maximum Packet Size [MQTT-3.1.2-24].
pub fn publish_bytes(publish: &Outgoing<'_>, protocol: Protocol) -> usize {
    let is_v5 = protocol == Protocol::V5;
    let properties_bytes = if is_v5 { publish.properties_bytes() } else { 0 };
    fixed_header::packet_bytes(publish.remaining_bytes(properties_bytes, is_v5))
}

impl Outgoing<'_> {
    fn flags(&self) -> u8 {
        let when = |condition: bool, flag: u8| if condition { flag } else { 0 };
        when(self.dup, DUP) | self.qos.bits() << QOS_SHIFT | when(self.retain, RETAIN)
    }

    fn remaining_bytes(&self, properties_bytes: usize, is_v5: bool) -> usize {
        let id_bytes = if self.packet_id.is_some() { 2 } else { 0 };
        let block_bytes = if is_v5 { variable_byte_integer::bytes(properties_bytes) + properties_bytes } else { 0 };
        field_bytes(self.topic.as_bytes()) + id_bytes + block_bytes + self.payload.len()
    }
}

impl PropertyBlock for Outgoing<'_> {
    fn put_properties(&self, sink: &mut impl PropertySink) {
        if let Some(alias) = self.topic_alias {
            sink.integer(PropertyId::TopicAlias, alias.get());
        }
        for &id in self.subscription_ids {
            sink.variable_byte_integer(PropertyId::SubscriptionIdentifier, id);
        }
        match self.properties {
            Some(properties) => {
                put_message_properties(properties, self.expiry_seconds.or(properties.expiry_seconds), sink);
            }
            None => {
                if let Some(seconds) = self.expiry_seconds {
                    sink.long_integer(PropertyId::MessageExpiryInterval, seconds);
                }
            }
        }
    }
}

/// What the properties of a PUBLISH say.
#[derive(Default)]
struct Block {
    topic_alias: Option<NonZeroU16>,
    subscription_ids: Vec<u32>,
    properties: Option<Arc<Properties>>,
}

impl Block {
    fn read(fields: &mut Fields) -> Result<Self, DecodeError> {
        let mut reader = PropertyReader::new(fields, Place::PUBLISH)?;
        let mut block = Self::default();
        let mut properties: Option<Properties> = None;
        while let Some(id) = reader.next()? {
            match id {
                PropertyId::TopicAlias => block.topic_alias = Some(reader.topic_alias()?),
                PropertyId::SubscriptionIdentifier => block.read_subscription_id(&mut reader)?,
                id => read_message_property(id, &mut reader, properties.get_or_insert_default())?,
            }
        }
        block.properties = properties.map(Arc::new);
        Ok(block)
    }

    fn read_subscription_id(&mut self, reader: &mut PropertyReader) -> Result<(), DecodeError> {
        if self.subscription_ids.len() == limits::SUBSCRIPTION_IDS_PER_PACKET_MAX {
            return Err(DecodeError::TooManySubscriptionIds { max: limits::SUBSCRIPTION_IDS_PER_PACKET_MAX });
        }
        self.subscription_ids.push(reader.subscription_id()?);
        Ok(())
    }
}

/// None when it is empty, which MQTT 5 allows when there is an alias.
fn read_topic(text: ByteString, protocol: Protocol) -> Result<Option<TopicName>, DecodeError> {
    if text.is_empty() && protocol == Protocol::V5 {
        return Ok(None);
    }
    Ok(Some(TopicName::new(text)?))
}

const RETAIN: u8 = 1;
const QOS_SHIFT: u8 = 1;
const QOS_BITS: u8 = 0b11;
const DUP: u8 = 1 << 3;
