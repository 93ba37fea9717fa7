//! MQTT 5's properties as members of Publish, SendDirectMessage and GetRetainedMessage (AWS IoT API reference, data
//! plane), held to the message broker's quotas here so that a refusal can name the member.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use message::{PayloadFormat, Properties, TopicName};
use names::limits;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::error::ApiError;

/// The members that become properties. SendDirectMessage has no expiry.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PropertyMembers {
    content_type: Option<String>,
    correlation_data: Option<String>,
    message_expiry: Option<i64>,
    payload_format_indicator: Option<PayloadFormatIndicator>,
    response_topic: Option<String>,
    /// JSON text, out of its base64 already.
    user_properties: Option<String>,
}

/// The model's words for [`PayloadFormat`].
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum PayloadFormatIndicator {
    UnspecifiedBytes,
    Utf8Data,
}

impl PropertyMembers {
    /// The message's properties; none when no member says any.
    pub(super) fn read(self) -> Result<Option<Arc<Properties>>, ApiError> {
        let properties = Properties {
            payload_format: self.payload_format_indicator.map(PayloadFormat::from),
            expiry_seconds: self.message_expiry.map(expiry_seconds).transpose()?,
            content_type: self.content_type.map(content_type).transpose()?.map(Into::into),
            response_topic: self.response_topic.map(response_topic).transpose()?,
            correlation_data: self.correlation_data.as_deref().map(correlation_data).transpose()?.map(Into::into),
            user_properties: match self.user_properties.as_deref().map(user_properties).transpose()? {
                Some(pairs) => pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect(),
                None => Vec::new(),
            },
        };
        Ok(if properties.is_empty() { None } else { Some(Arc::new(properties)) })
    }
}

/// User properties as GetRetainedMessage answers them: a JSON array of objects with one member each, in base64; none
/// when there are none.
pub(super) fn user_properties_blob(properties: &Properties) -> Option<String> {
    let pairs = properties.user_properties.iter();
    let single = pairs.map(|(name, value)| Map::from_iter([(name.to_string(), Value::from(&**value))]));
    let objects: Vec<Value> = single.map(Value::Object).collect();
    if objects.is_empty() { None } else { Some(STANDARD.encode(Value::Array(objects).to_string())) }
}

impl From<PayloadFormatIndicator> for PayloadFormat {
    fn from(indicator: PayloadFormatIndicator) -> Self {
        match indicator {
            PayloadFormatIndicator::UnspecifiedBytes => Self::UnspecifiedBytes,
            PayloadFormatIndicator::Utf8Data => Self::Utf8,
        }
    }
}

/// As over MQTT, 0 counts for 1 and more than the quota for the quota (developer guide, mqtt).
fn expiry_seconds(seconds: i64) -> Result<u32, ApiError> {
    if seconds < 0 {
        return Err(refuse("messageExpiry", format_args!("is {seconds}, and must not be negative")));
    }
    let seconds = u32::try_from(seconds).unwrap_or(u32::MAX);
    Ok(seconds.clamp(1, limits::AWS_MESSAGE_EXPIRY_SECONDS_MAX))
}

fn content_type(text: String) -> Result<String, ApiError> {
    check_text("contentType", &text)?;
    check_bytes("contentType", text.len(), limits::AWS_CONTENT_TYPE_BYTES_MAX)?;
    Ok(text)
}

fn response_topic(text: String) -> Result<TopicName, ApiError> {
    TopicName::new(text).map_err(|problem| refuse("responseTopic", format_args!("is not valid: {problem}")))
}

fn correlation_data(text: &str) -> Result<Vec<u8>, ApiError> {
    let data = STANDARD.decode(text).map_err(|_| refuse("correlationData", format_args!("is not base64")))?;
    check_bytes("correlationData", data.len(), limits::AWS_CORRELATION_DATA_BYTES_MAX)?;
    Ok(data)
}

/// Names and values, in order. An SDK that is given the JSON text where it wants the value encodes it as JSON once more,
/// so an array within a string is taken too.
fn user_properties(text: &str) -> Result<Vec<(String, String)>, ApiError> {
    let parsed = match serde_json::from_str(text) {
        Ok(Value::String(inner)) => serde_json::from_str(&inner).ok(),
        parsed => parsed.ok(),
    };
    let malformed = || {
        let wanted = r#"must be a JSON array of objects with one string each, such as [{"name": "value"}]"#;
        refuse(USER_PROPERTIES, format_args!("{wanted}"))
    };
    let Some(Value::Array(objects)) = parsed else { return Err(malformed()) };
    let max = limits::USER_PROPERTIES_PER_PACKET_MAX;
    if objects.len() > max {
        return Err(refuse(USER_PROPERTIES, format_args!("has {} properties, {max} are allowed", objects.len())));
    }
    let pairs: Option<Vec<_>> = objects.into_iter().map(single_pair).collect();
    let pairs = pairs.ok_or_else(malformed)?;
    pairs.iter().flat_map(|(name, value)| [name, value]).try_for_each(|text| check_text(USER_PROPERTIES, text))?;
    let bytes = pairs.iter().map(|(name, value)| name.len() + value.len()).sum();
    check_bytes(USER_PROPERTIES, bytes, limits::AWS_USER_PROPERTIES_BYTES_MAX)?;
    Ok(pairs)
}

fn single_pair(object: Value) -> Option<(String, String)> {
    let Value::Object(members) = object else { return None };
    let mut members = members.into_iter();
    match (members.next(), members.next()) {
        (Some((name, Value::String(value))), None) => Some((name, value)),
        _ => None,
    }
}

/// MQTT's texts have no U+0000 [MQTT-1.5.4-2].
fn check_text(member: &str, text: &str) -> Result<(), ApiError> {
    if text.contains('\0') { Err(refuse(member, format_args!("has the character U+0000"))) } else { Ok(()) }
}

fn check_bytes(member: &str, bytes: usize, max: usize) -> Result<(), ApiError> {
    if bytes > max {
        return Err(refuse(member, format_args!("takes {bytes} bytes, {max} are allowed")));
    }
    Ok(())
}

fn refuse(member: &str, problem: std::fmt::Arguments<'_>) -> ApiError {
    ApiError::invalid(format!("Value at '{member}' {problem}."))
}

const USER_PROPERTIES: &str = "userProperties";

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(members: Value) -> Result<Option<Properties>, String> {
        let members: PropertyMembers = serde_json::from_value(members).unwrap();
        let properties = members.read().map_err(|error| error.message)?;
        Ok(properties.map(|properties| Properties::clone(&properties)))
    }

    fn pairs(pairs: &[(&str, &str)]) -> Properties {
        let user_properties = pairs.iter().map(|&(name, value)| (name.into(), value.into())).collect();
        Properties { user_properties, ..Properties::default() }
    }

    /// AWS IoT API reference, Publish; developer guide, mqtt: message expiry.
    #[test]
    fn members_become_properties() {
        let check = |members: Value, expected: Properties| {
            let shown = members.to_string();
            assert_eq!(read(members), Ok(Some(expected)), "{shown}");
        };
        let none = Properties::default;
        assert_eq!(read(json!({})), Ok(None));
        assert_eq!(read(json!({"userProperties":"[]"})), Ok(None), "nothing is said");
        check(json!({"contentType":"text/plain"}), Properties { content_type: Some("text/plain".into()), ..none() });
        let utf8 = Properties { payload_format: Some(PayloadFormat::Utf8), ..none() };
        check(json!({"payloadFormatIndicator":"UTF8_DATA"}), utf8);
        let bytes = Properties { payload_format: Some(PayloadFormat::UnspecifiedBytes), ..none() };
        check(json!({"payloadFormatIndicator":"UNSPECIFIED_BYTES"}), bytes);
        let topic = TopicName::new("answers/1").unwrap();
        check(json!({"responseTopic":"answers/1"}), Properties { response_topic: Some(topic), ..none() });
        let data = Properties { correlation_data: Some(vec![0, 255].into()), ..none() };
        check(json!({"correlationData":"AP8="}), data);
        for (asked, kept) in [(0, 1), (1, 1), (604_800, 604_800), (604_801, 604_800), (i64::MAX, 604_800)] {
            check(json!({"messageExpiry":asked}), Properties { expiry_seconds: Some(kept), ..none() });
        }
        let text = r#"[{"deviceName": "alpha"}, {"deviceCnt": "45"}, {"deviceName": ""}]"#;
        let expected = pairs(&[("deviceName", "alpha"), ("deviceCnt", "45"), ("deviceName", "")]);
        check(json!({"userProperties":text}), expected.clone());
        check(json!({"userProperties":Value::from(text).to_string()}), expected);
    }

    #[test]
    fn what_cannot_be_sent_is_refused_by_member() {
        let check = |members: Value, expected: &str| {
            let shown = members.to_string();
            let refusal = read(members).unwrap_err();
            assert!(refusal.starts_with("Value at '") && refusal.contains(expected), "{shown}: {refusal}");
        };
        assert!(read(json!({"contentType":"x".repeat(256)})).is_ok());
        check(json!({"contentType":"x".repeat(257)}), "'contentType' takes 257 bytes, 256 are allowed");
        check(json!({"contentType":"a\0"}), "'contentType' has the character U+0000");
        check(json!({"messageExpiry":-1}), "'messageExpiry' is -1");
        check(json!({"responseTopic":"a/+"}), "'responseTopic' is not valid: the topic name has a wildcard");
        check(json!({"responseTopic":""}), "'responseTopic' is not valid: the topic name is empty");
        check(json!({"correlationData":"*"}), "'correlationData' is not base64");
        assert!(read(json!({"correlationData":STANDARD.encode([7; 8192])})).is_ok());
        check(json!({"correlationData":STANDARD.encode([7; 8193])}), "'correlationData' takes 8193 bytes");
        let wrong = ["", "[", "{}", "1", r#""[""#, r#"["a"]"#, r#"[{}]"#, r#"[{"a":1}]"#, r#"[{"a":"b","c":"d"}]"#];
        for text in wrong {
            check(json!({"userProperties":text}), "'userProperties' must be a JSON array of objects");
        }
        check(json!({"userProperties":r#"[{"a\u0000":"b"}]"#}), "'userProperties' has the character U+0000");
        let of_bytes = |bytes: usize| json!([{"ab":"x".repeat(bytes - 2)}]).to_string();
        assert!(read(json!({"userProperties":of_bytes(8192)})).is_ok());
        check(json!({"userProperties":of_bytes(8193)}), "'userProperties' takes 8193 bytes, 8192 are allowed");
        let many = Value::from(vec![json!({"":""}); 1025]).to_string();
        check(json!({"userProperties":many}), "'userProperties' has 1025 properties, 1024 are allowed");
    }

    /// AWS IoT API reference, GetRetainedMessage: base64 of an array of objects.
    #[test]
    fn user_properties_are_told_as_they_are_said() {
        let check = |properties: Properties, expected: Option<&str>| {
            let blob = user_properties_blob(&properties).map(|blob| STANDARD.decode(blob).unwrap());
            assert_eq!(blob.as_deref(), expected.map(str::as_bytes));
        };
        check(Properties::default(), None);
        check(pairs(&[("b", "1"), ("a", "\""), ("b", "")]), Some(r#"[{"b":"1"},{"a":"\""},{"b":""}]"#));
    }
}
