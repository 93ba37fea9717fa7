//! A message as bytes: what its subscribers are to get, and of its origin what rules and no-local ask.

use std::net::IpAddr;
use std::sync::Arc;

use bytes::{BufMut, Bytes};
use message::{Message, Origin, PayloadFormat, Properties, QoS, TopicName};
use names::Timestamp;

use crate::fields::{Fields, put_bytes, put_length};

const QOS: u8 = 0b0000_0011;
const RETAIN: u8 = 0b0000_0100;
const PROPERTIES: u8 = 0b0000_1000;
const IS_WILL: u8 = 0b0001_0000;
const CLIENT_ID: u8 = 0b0010_0000;
const PRINCIPAL: u8 = 0b0100_0000;
const SOURCE_IP: u8 = 0b1000_0000;

/// Appends the message.
pub(crate) fn encode(message: &Message, out: &mut Vec<u8>) {
    let origin = &*message.origin;
    let flag = |is_set: bool, flag: u8| if is_set { flag } else { 0 };
    out.push(
        message.qos.bits()
            | flag(message.retain, RETAIN)
            | flag(message.properties.is_some(), PROPERTIES)
            | flag(origin.is_will, IS_WILL)
            | flag(origin.client_id.is_some(), CLIENT_ID)
            | flag(origin.principal.is_some(), PRINCIPAL)
            | flag(origin.source_ip.is_some(), SOURCE_IP),
    );
    out.put_u64(message.received_at.as_millis());
    put_bytes(out, message.topic.as_str().as_bytes());
    origin.client_id.iter().chain(&origin.principal).for_each(|text| put_bytes(out, text.as_bytes()));
    match origin.source_ip {
        Some(IpAddr::V4(address)) => put_bytes(out, &address.octets()),
        Some(IpAddr::V6(address)) => put_bytes(out, &address.octets()),
        None => {}
    }
    if let Some(properties) = &message.properties {
        encode_properties(properties, out);
    }
    out.extend_from_slice(&message.payload);
}

/// The message, which is all that is left of the value; its topic and payload are slices of it.
pub(crate) fn decode(mut fields: Fields) -> Option<Message> {
    let flags = fields.byte()?;
    let has = |flag: u8| flags & flag != 0;
    let received_at = Timestamp::from_millis(fields.u64()?);
    let topic = TopicName::new(fields.text()?).ok()?;
    let text = |fields: &mut Fields| fields.text().map(|text| Arc::<str>::from(&*text));
    let client_id = if has(CLIENT_ID) { Some(text(&mut fields)?) } else { None };
    let principal = if has(PRINCIPAL) { Some(text(&mut fields)?) } else { None };
    let source_ip = if has(SOURCE_IP) { Some(address(&fields.bytes()?)?) } else { None };
    let properties = if has(PROPERTIES) { Some(Arc::new(read_properties(&mut fields)?)) } else { None };
    Some(Message {
        topic,
        payload: fields.rest(),
        qos: QoS::from_bits(flags & QOS)?,
        retain: has(RETAIN),
        properties,
        received_at,
        origin: Arc::new(Origin { client_id, principal, source_ip, is_will: has(IS_WILL) }),
    })
}

fn address(bytes: &Bytes) -> Option<IpAddr> {
    match bytes.len() {
        4 => bytes.first_chunk::<4>().map(|octets| IpAddr::from(*octets)),
        16 => bytes.first_chunk::<16>().map(|octets| IpAddr::from(*octets)),
        _ => None,
    }
}

const FORMAT: u8 = 1;
const EXPIRY: u8 = 2;
const CONTENT_TYPE: u8 = 4;
const RESPONSE_TOPIC: u8 = 8;
const CORRELATION: u8 = 16;

/// Appends what an MQTT 5 publisher said beside the payload, as it is kept on the disk.
pub fn encode_properties(properties: &Properties, out: &mut Vec<u8>) {
    let flag = |is_set: bool, flag: u8| if is_set { flag } else { 0 };
    out.push(
        flag(properties.payload_format.is_some(), FORMAT)
            | flag(properties.expiry_seconds.is_some(), EXPIRY)
            | flag(properties.content_type.is_some(), CONTENT_TYPE)
            | flag(properties.response_topic.is_some(), RESPONSE_TOPIC)
            | flag(properties.correlation_data.is_some(), CORRELATION),
    );
    properties.payload_format.iter().for_each(|format| out.push(format.byte()));
    properties.expiry_seconds.iter().for_each(|seconds| out.put_u32(*seconds));
    properties.content_type.iter().for_each(|text| put_bytes(out, text.as_bytes()));
    properties.response_topic.iter().for_each(|topic| put_bytes(out, topic.as_str().as_bytes()));
    properties.correlation_data.iter().for_each(|data| put_bytes(out, data));
    put_length(out, properties.user_properties.len());
    for (name, value) in &properties.user_properties {
        put_bytes(out, name.as_bytes());
        put_bytes(out, value.as_bytes());
    }
}

/// The properties that [`encode_properties`] wrote, which are all of `value`; none when it is something else.
pub fn decode_properties(value: Bytes) -> Option<Properties> {
    let mut fields = Fields::inner(value);
    let properties = read_properties(&mut fields)?;
    fields.rest().is_empty().then_some(properties)
}

fn read_properties(fields: &mut Fields) -> Option<Properties> {
    let flags = fields.byte()?;
    let has = |flag: u8| flags & flag != 0;
    let payload_format = if has(FORMAT) { Some(PayloadFormat::from_byte(fields.byte()?)?) } else { None };
    let expiry_seconds = if has(EXPIRY) { Some(fields.u32()?) } else { None };
    let content_type = if has(CONTENT_TYPE) { Some(fields.text()?) } else { None };
    let response_topic = if has(RESPONSE_TOPIC) { Some(TopicName::new(fields.text()?).ok()?) } else { None };
    let correlation_data = if has(CORRELATION) { Some(fields.bytes()?) } else { None };
    // Grown as they are read: the number alone proves nothing.
    let mut user_properties = Vec::new();
    for _ in 0..fields.length()? {
        user_properties.push((fields.text()?, fields.text()?));
    }
    Some(Properties { payload_format, expiry_seconds, content_type, response_topic, correlation_data, user_properties })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn origin() -> impl Strategy<Value = Origin> {
        let text = || prop::option::of("[a-z]{0,200}".prop_map(|text| Arc::<str>::from(text.as_str())));
        (text(), text(), any::<Option<IpAddr>>(), any::<bool>())
            .prop_map(|(client_id, principal, source_ip, is_will)| Origin { client_id, principal, source_ip, is_will })
    }

    fn properties() -> impl Strategy<Value = Properties> {
        let text = || "[a-z]{0,10}".prop_map(bytestring::ByteString::from);
        let bytes = || prop::collection::vec(any::<u8>(), 0..200).prop_map(Bytes::from);
        (
            prop::option::of(prop_oneof![Just(PayloadFormat::UnspecifiedBytes), Just(PayloadFormat::Utf8)]),
            any::<Option<u32>>(),
            prop::option::of(text()),
            prop::option::of("[a-z]{1,10}".prop_map(|topic| TopicName::new(topic).unwrap())),
            prop::option::of(bytes()),
            prop::collection::vec((text(), text()), 0..4),
        )
            .prop_map(
                |(payload_format, expiry_seconds, content_type, response_topic, correlation_data, user_properties)| {
                    Properties {
                        payload_format,
                        expiry_seconds,
                        content_type,
                        response_topic,
                        correlation_data,
                        user_properties,
                    }
                },
            )
    }

    proptest! {
        #[test]
        fn a_message_is_read_as_it_was_written(
            topic in "[a-z$/]{1,300}",
            payload in prop::collection::vec(any::<u8>(), 0..300),
            qos in 0u8..3,
            retain in any::<bool>(),
            received_at in any::<u64>(),
            properties in prop::option::of(properties()),
            origin in origin(),
        ) {
            let message = Message {
                topic: TopicName::new(topic).unwrap(),
                payload: payload.into(),
                qos: QoS::from_bits(qos).unwrap(),
                retain,
                properties: properties.map(Arc::new),
                received_at: Timestamp::from_millis(received_at),
                origin: Arc::new(origin),
            };
            let mut out = Vec::new();
            encode(&message, &mut out);
            let read = decode(Fields::inner(out)).unwrap();
            prop_assert_eq!(format!("{:?}", read), format!("{:?}", message));
        }

        #[test]
        fn any_bytes_are_a_message_or_none(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let _either = decode(Fields::inner(bytes));
        }
    }
}
