//! The will: what a CONNECT leaves with the server for the case that the client goes away (MQTT 3.1.1, 3.1.2.5; MQTT 5,
//! 3.1.3.2 to 3.1.3.4).

use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use message::{Properties, QoS, TopicName};

use crate::fields::{Fields, field_bytes, put_field};
use crate::properties::{
    Place, PropertyBlock, PropertyId, PropertyReader, PropertySink, put_message_properties, read_message_property,
};
use crate::{DecodeError, Protocol};

/// The message that a client leaves with the server for the case that it goes away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Will {
    /// Where it is published.
    pub topic: TopicName,
    /// What it says; up to 65,535 bytes.
    pub payload: Bytes,
    /// At which QoS it is published.
    pub qos: QoS,
    /// Whether it is published as a retained message [MQTT-3.1.2-17], [MQTT-3.1.2-15].
    pub retain: bool,
    /// How long after the connection it is published at the latest [MQTT-3.1.3-9]; 0 before MQTT 5.
    pub delay_seconds: u32,
    /// What is published with it; none when nothing is said.
    pub properties: Option<Arc<Properties>>,
}

impl Will {
    pub(crate) fn read(fields: &mut Fields, qos: QoS, retain: bool, protocol: Protocol) -> Result<Self, DecodeError> {
        let (delay_seconds, properties) =
            if protocol == Protocol::V5 { read_properties(fields)? } else { (0, Properties::default()) };
        let properties = (!properties.is_empty()).then(|| Arc::new(properties));
        let (topic, payload) = (fields.topic_name()?, fields.binary()?);
        Ok(Self { topic, payload, qos, retain, delay_seconds, properties })
    }

    /// Bytes in the payload of the CONNECT.
    pub(crate) fn bytes(&self, protocol: Protocol) -> usize {
        let properties = if protocol == Protocol::V5 { self.block_bytes() } else { 0 };
        properties + field_bytes(self.topic.as_str().as_bytes()) + field_bytes(&self.payload)
    }

    pub(crate) fn put(&self, protocol: Protocol, out: &mut BytesMut) {
        if protocol == Protocol::V5 {
            self.put_block(out);
        }
        put_field(self.topic.as_str().as_bytes(), out);
        put_field(&self.payload, out);
    }
}

impl PropertyBlock for Will {
    fn put_properties(&self, sink: &mut impl PropertySink) {
        if self.delay_seconds != 0 {
            sink.long_integer(PropertyId::WillDelayInterval, self.delay_seconds);
        }
        if let Some(properties) = &self.properties {
            put_message_properties(properties, properties.expiry_seconds, sink);
        }
    }
}

fn read_properties(fields: &mut Fields) -> Result<(u32, Properties), DecodeError> {
    let (mut delay_seconds, mut properties) = (0, Properties::default());
    let mut block = PropertyReader::new(fields, Place::WILL)?;
    while let Some(id) = block.next()? {
        match id {
            PropertyId::WillDelayInterval => delay_seconds = block.long_integer()?,
            id => read_message_property(id, &mut block, &mut properties)?,
        }
    }
    Ok((delay_seconds, properties))
}
