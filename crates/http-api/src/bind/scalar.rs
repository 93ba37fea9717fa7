//! A scalar from the text of a label, a query parameter or a header.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Number, Value};

use super::instant;
use crate::error::ApiError;
use crate::model::{Kind, Member, Model};

/// Reads `text` as the member's kind of value.
pub(super) fn read(model: &Model, member: &Member, text: String) -> Result<Value, ApiError> {
    let refuse =
        |what: &str| ApiError::invalid(format!("Value '{}' at '{}' is not {what}.", shown(&text), member.name));
    if member.is_json_value {
        let json = STANDARD.decode(&text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        return json.map(Value::String).ok_or_else(|| refuse("JSON text in base64"));
    }
    Ok(match &model.shape(member.shape).kind {
        Kind::Boolean => match &*text {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            _ => return Err(refuse("'true' or 'false'")),
        },
        Kind::Integer { .. } => text.parse::<i32>().map_err(|_| refuse("a 32-bit integer"))?.into(),
        Kind::Long { .. } => text.parse::<i64>().map_err(|_| refuse("a 64-bit integer"))?.into(),
        Kind::Double { .. } => {
            text.parse().ok().and_then(Number::from_f64).map(Value::Number).ok_or_else(|| refuse("a number"))?
        }
        Kind::Timestamp => {
            let seconds = instant::seconds(&text).and_then(Number::from_f64);
            seconds.map(Value::Number).ok_or_else(|| refuse("a timestamp"))?
        }
        Kind::Text { .. } | Kind::Blob { .. } => Value::String(text),
        Kind::Structure(_) | Kind::List { .. } | Kind::Map { .. } => return Err(refuse("a scalar")),
    })
}

/// A value as a message shows it: bounded.
pub(super) fn shown(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARACTERS_MAX) {
        Some((cut, _)) => format!("{}...", text.get(..cut).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Characters of a value that a message repeats.
const SHOWN_CHARACTERS_MAX: usize = 256;
