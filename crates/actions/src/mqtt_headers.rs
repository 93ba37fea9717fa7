//! `headers` of `republish`: what the new message says beside its payload in MQTT 5's terms (AWS IoT Core API reference,
//! `MqttHeaders`). All texts take substitution templates.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use message::{PayloadFormat, Properties, TopicName};
use names::limits;
use sql::{Input, SqlVersion, Variables};

use crate::field::Field;
use crate::spec::MqttHeadersSpec;
use crate::{ActionError, UserPropertySpec};

/// Compiled headers.
#[derive(Debug)]
pub(crate) struct MqttHeaders {
    payload_format: Option<Field>,
    content_type: Option<Field>,
    response_topic: Option<Field>,
    correlation_data: Option<Field>,
    expiry: Option<Field>,
    user_properties: Vec<(Field, Field)>,
}

impl MqttHeaders {
    pub(crate) fn compile(
        spec: &MqttHeadersSpec,
        version: SqlVersion,
        variables: &[String],
    ) -> Result<Self, ActionError> {
        let count = spec.user_properties.len();
        let max = limits::REPUBLISH_USER_PROPERTIES_MAX;
        if count > max {
            return Err(invalid(USER_PROPERTIES, format!("has {count} properties, {max} are allowed")));
        }
        let field = |name, text: &Option<String>| match text {
            Some(text) => Field::parse_any(name, text, version, variables).map(Some),
            None => Ok(None),
        };
        let pair = |UserPropertySpec { key, value }: &UserPropertySpec| {
            let parse = |text| Field::parse_any(USER_PROPERTIES, text, version, variables);
            Ok((parse(key)?, parse(value)?))
        };
        let headers = Self {
            payload_format: field(PAYLOAD_FORMAT, &spec.payload_format_indicator)?,
            content_type: field(CONTENT_TYPE, &spec.content_type)?,
            response_topic: field(RESPONSE_TOPIC, &spec.response_topic)?,
            correlation_data: field(CORRELATION_DATA, &spec.correlation_data)?,
            expiry: field(EXPIRY, &spec.message_expiry)?,
            user_properties: spec.user_properties.iter().map(pair).collect::<Result<_, ActionError>>()?,
        };
        headers.check_constants()?;
        Ok(headers)
    }

    /// The properties for one message; none when nothing is said.
    pub(crate) fn render(
        &self,
        input: &Input<'_>,
        variables: &Variables,
    ) -> Result<Option<Arc<Properties>>, ActionError> {
        let text = |field: &Option<Field>| field.as_ref().map(|field| field.render(input, variables)).transpose();
        let pair = |(key, value): &(Field, Field)| {
            let (key, value) = (key.render(input, variables)?, value.render(input, variables)?);
            check_text(USER_PROPERTIES, &key)?;
            check_text(USER_PROPERTIES, &value)?;
            Ok((key.into(), value.into()))
        };
        let properties = Properties {
            payload_format: text(&self.payload_format)?.as_deref().map(payload_format).transpose()?,
            expiry_seconds: text(&self.expiry)?.as_deref().map(expiry_seconds).transpose()?,
            content_type: text(&self.content_type)?.map(content_type).transpose()?.map(Into::into),
            response_topic: text(&self.response_topic)?.map(response_topic).transpose()?,
            correlation_data: text(&self.correlation_data)?
                .as_deref()
                .map(correlation_data)
                .transpose()?
                .map(Into::into),
            user_properties: self.user_properties.iter().map(pair).collect::<Result<_, ActionError>>()?,
        };
        let bytes = properties.user_properties.iter().map(|(key, value)| key.len() + value.len()).sum();
        check_bytes(USER_PROPERTIES, bytes, limits::AWS_USER_PROPERTIES_BYTES_MAX)?;
        Ok(if properties.is_empty() { None } else { Some(Arc::new(properties)) })
    }

    /// What is the same for all messages is wrong for all of them, and is told when the rule is made.
    fn check_constants(&self) -> Result<(), ActionError> {
        fn check<T>(field: Option<&Field>, read: impl Fn(&str) -> Result<T, ActionError>) -> Result<(), ActionError> {
            field.and_then(Field::as_constant).map_or(Ok(()), |text| read(text).map(drop))
        }
        check(self.payload_format.as_ref(), payload_format)?;
        check(self.content_type.as_ref(), |text| content_type(text.to_owned()))?;
        check(self.response_topic.as_ref(), |text| response_topic(text.to_owned()))?;
        check(self.correlation_data.as_ref(), correlation_data)?;
        check(self.expiry.as_ref(), expiry_seconds)
    }
}

fn payload_format(text: &str) -> Result<PayloadFormat, ActionError> {
    match text {
        "UNSPECIFIED_BYTES" => Ok(PayloadFormat::UnspecifiedBytes),
        "UTF8_DATA" => Ok(PayloadFormat::Utf8),
        _ => Err(invalid(PAYLOAD_FORMAT, "is neither UNSPECIFIED_BYTES nor UTF8_DATA".to_owned())),
    }
}

/// As over MQTT, 0 counts for 1 and more than the quota for the quota (developer guide, mqtt).
fn expiry_seconds(text: &str) -> Result<u32, ActionError> {
    let seconds: u64 = text.parse().map_err(|_| invalid(EXPIRY, "is no whole number of seconds".to_owned()))?;
    let seconds = u32::try_from(seconds).unwrap_or(u32::MAX);
    Ok(seconds.clamp(1, limits::AWS_MESSAGE_EXPIRY_SECONDS_MAX))
}

fn content_type(text: String) -> Result<String, ActionError> {
    check_text(CONTENT_TYPE, &text)?;
    check_bytes(CONTENT_TYPE, text.len(), limits::AWS_CONTENT_TYPE_BYTES_MAX)?;
    Ok(text)
}

fn response_topic(text: String) -> Result<TopicName, ActionError> {
    TopicName::new(text).map_err(|error| invalid(RESPONSE_TOPIC, error.to_string()))
}

fn correlation_data(text: &str) -> Result<Vec<u8>, ActionError> {
    let data = STANDARD.decode(text).map_err(|_| invalid(CORRELATION_DATA, "is not base64".to_owned()))?;
    check_bytes(CORRELATION_DATA, data.len(), limits::AWS_CORRELATION_DATA_BYTES_MAX)?;
    Ok(data)
}

/// MQTT's texts have no U+0000 [MQTT-1.5.4-2].
fn check_text(field: &'static str, text: &str) -> Result<(), ActionError> {
    if text.contains('\0') { Err(invalid(field, "has the character U+0000".to_owned())) } else { Ok(()) }
}

fn check_bytes(field: &'static str, bytes: usize, max: usize) -> Result<(), ActionError> {
    if bytes > max { Err(invalid(field, format!("takes {bytes} bytes, {max} are allowed"))) } else { Ok(()) }
}

fn invalid(field: &'static str, problem: String) -> ActionError {
    ActionError::InvalidField { field, problem }
}

const PAYLOAD_FORMAT: &str = "republish.headers.payloadFormatIndicator";
const CONTENT_TYPE: &str = "republish.headers.contentType";
const RESPONSE_TOPIC: &str = "republish.headers.responseTopic";
const CORRELATION_DATA: &str = "republish.headers.correlationData";
const EXPIRY: &str = "republish.headers.messageExpiry";
const USER_PROPERTIES: &str = "republish.headers.userProperties";
