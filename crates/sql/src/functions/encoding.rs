//! Base64 in and out.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::function::{Arguments, Function};
use crate::{EvaluateError, Value};

pub(super) static FUNCTIONS: &[Function] =
    &[Function::later("decode", 2..=6, decode), Function::later("encode", 2..=2, encode).with_bytes()];

/// The base64 of the published bytes, if they are asked for, or of a value's text.
fn encode(call: &Arguments<'_>) -> Result<Option<Value>, EvaluateError> {
    if !is_base64(call) {
        return Ok(None);
    }
    let encoded = match call.payload {
        Some(payload) => Some(BASE64.encode(payload)),
        None => call.text(0).map(|text| BASE64.encode(&*text)),
    };
    Ok(encoded.map(Value::String))
}

/// JSON if there is JSON in it, else the text; Null if it is not base64 of a text.
fn decode(call: &Arguments<'_>) -> Result<Option<Value>, EvaluateError> {
    if call.value(1) == &Value::String("proto".into()) {
        return Err(EvaluateError::ProtobufNotServed);
    }
    if !is_base64(call) || call.values.len() != 2 {
        return Ok(None);
    }
    let Some(encoded) = call.text(0) else { return Ok(None) };
    let Ok(decoded) = BASE64.decode(&*encoded) else { return Ok(Some(Value::Null)) };
    Ok(Some(match Value::from_json(&decoded, call.version) {
        Ok(value) => value,
        Err(_) => String::from_utf8(decoded).map_or(Value::Null, Value::String),
    }))
}

fn is_base64(call: &Arguments<'_>) -> bool {
    call.value(1) == &Value::String("base64".into())
}

/// Reads base64 with and without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
