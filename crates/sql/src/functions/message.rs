//! Functions that tell about the message, its publisher and the rule.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::function::{Arguments, Function};
use crate::convert::to_int;
use crate::value::Object;
use crate::{EvaluateError, Value};

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("accountid", 0..=0, |call| text(Some(call.input.account_id))),
    Function::new("clientid", 0..=0, |call| text(Some(call.input.client_id.unwrap_or("n/a")))),
    Function::later("get_mqtt_property", 1..=1, mqtt_property),
    Function::later("get_user_properties", 0..=1, user_properties),
    Function::new("newuuid", 0..=0, |call| text(Some(&(call.input.uuid)()))),
    Function::new("principal", 0..=0, |call| text(call.input.principal)),
    Function::later("sourceip", 0..=0, |call| text(call.input.source_ip.map(|address| address.to_string()).as_deref())),
    Function::new("sql_version", 0..=0, |call| text(Some(call.version.as_str()))),
    Function::new("timestamp", 0..=0, |call| Ok(Some(Value::Int(call.input.timestamp_ms.into())))),
    Function::new("topic", 0..=1, topic),
    Function::new("traceid", 0..=0, |call| text(call.input.client_id.map(|_| call.input.trace_id))),
];

fn text(text: Option<&str>) -> Result<Option<Value>, EvaluateError> {
    Ok(text.map(|text| Value::String(text.to_owned())))
}

/// The whole topic, or a segment counted from 1.
fn topic(call: &Arguments<'_>) -> Result<Option<Value>, EvaluateError> {
    if call.values.is_empty() {
        return text(Some(call.input.topic));
    }
    let index = to_int(call.value(0)).and_then(|number| usize::try_from(number).ok()?.checked_sub(1));
    text(index.and_then(|index| call.input.topic.split('/').nth(index)))
}

fn mqtt_property(call: &Arguments<'_>) -> Result<Option<Value>, EvaluateError> {
    let Value::String(name) = call.value(0) else { return Ok(None) };
    let properties = call.input.properties.copied().unwrap_or_default();
    match name.as_str() {
        "content_type" => text(properties.content_type),
        "response_topic" => text(properties.response_topic),
        "correlation_data" => text(properties.correlation_data.map(|data| STANDARD.encode(data)).as_deref()),
        "format_indicator" => text(Some(if properties.is_utf8 { "UTF8_DATA" } else { "UNSPECIFIED_BYTES" })),
        _ => Ok(None),
    }
}

/// All properties as objects of one member, or all values of one name; Undefined where there are none.
fn user_properties(call: &Arguments<'_>) -> Result<Option<Value>, EvaluateError> {
    let properties = call.input.properties.copied().unwrap_or_default().user_properties;
    let value = |text: &str| Value::String(text.to_owned());
    let found: Vec<Value> = if call.values.is_empty() {
        let single =
            |(name, text): &(&str, &str)| Value::Object(Object::from_iter([((*name).to_owned(), value(text))]));
        properties.iter().map(single).collect()
    } else {
        let Some(key) = call.text(0) else { return Ok(None) };
        properties.iter().filter(|(name, _)| *name == key).map(|(_, text)| value(text)).collect()
    };
    Ok((!found.is_empty()).then_some(Value::Array(found)))
}
