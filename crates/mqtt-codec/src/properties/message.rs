//! The properties that travel with a message, in a PUBLISH and in a will alike (MQTT 5, 3.3.2.3 and 3.1.3.2).

use message::{PayloadFormat, Properties, TopicName};

use super::reader::PropertyReader;
use super::table::PropertyId;
use super::writer::PropertySink;
use crate::DecodeError;

/// Reads the value of `id` into `properties`, when it is one of theirs.
pub(crate) fn read_message_property(
    id: PropertyId,
    block: &mut PropertyReader,
    properties: &mut Properties,
) -> Result<(), DecodeError> {
    match id {
        PropertyId::PayloadFormatIndicator => {
            let is_text = block.flag(id)?;
            properties.payload_format =
                Some(if is_text { PayloadFormat::Utf8 } else { PayloadFormat::UnspecifiedBytes });
        }
        PropertyId::MessageExpiryInterval => properties.expiry_seconds = Some(block.long_integer()?),
        PropertyId::ContentType => properties.content_type = Some(block.text()?),
        PropertyId::ResponseTopic => {
            let topic = TopicName::new(block.utf8()?).map_err(DecodeError::InvalidResponseTopic)?;
            properties.response_topic = Some(topic);
        }
        PropertyId::CorrelationData => properties.correlation_data = Some(block.binary()?),
        PropertyId::UserProperty => properties.user_properties.push(block.user_property()?),
        id => block.pass_over(id)?,
    }
    Ok(())
}

/// Tells the properties to `sink`, with `expiry_seconds` in place of their own.
pub(crate) fn put_message_properties(
    properties: &Properties,
    expiry_seconds: Option<u32>,
    sink: &mut impl PropertySink,
) {
    if let Some(format) = properties.payload_format {
        sink.byte(PropertyId::PayloadFormatIndicator, format.byte());
    }
    if let Some(seconds) = expiry_seconds {
        sink.long_integer(PropertyId::MessageExpiryInterval, seconds);
    }
    if let Some(content_type) = &properties.content_type {
        sink.field(PropertyId::ContentType, content_type.as_bytes());
    }
    if let Some(topic) = &properties.response_topic {
        sink.field(PropertyId::ResponseTopic, topic.as_str().as_bytes());
    }
    if let Some(data) = &properties.correlation_data {
        sink.field(PropertyId::CorrelationData, data);
    }
    sink.user_properties(&properties.user_properties);
}
