//! A body's JSON held against its shape: right types, no nulls, no members that the model does not know.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use crate::error::ApiError;
use crate::model::{Kind, Member, Model, ShapeId};

/// The value as `shape` has it. Unknown members are ignored and nulls are absent, as AWS does.
///
/// The recursion is bounded by the value's own depth, which the JSON reader bounds.
pub(super) fn conform(model: &Model, shape: ShapeId, value: Value, path: &str) -> Result<Value, ApiError> {
    Ok(match (&model.shape(shape).kind, value) {
        (Kind::Structure(structure), Value::Object(object)) => {
            Value::Object(conform_members(model, structure.members.iter(), object, path)?)
        }
        (Kind::List { member, .. }, Value::Array(items)) => {
            let items = items.into_iter().enumerate();
            let conformed = items.map(|(n, item)| conform(model, *member, item, &format!("{path}.{}.member", n + 1)));
            Value::Array(conformed.collect::<Result<_, _>>()?)
        }
        (Kind::Map { value: member, .. }, Value::Object(object)) => {
            let entries = object.into_iter().filter(|(_, item)| !item.is_null());
            let conformed = entries.map(|(key, item)| {
                let item = conform(model, *member, item, &format!("{path}.{key}.member"))?;
                Ok((key, item))
            });
            Value::Object(conformed.collect::<Result<_, ApiError>>()?)
        }
        (Kind::Text { .. }, value @ Value::String(_))
        | (Kind::Boolean, value @ Value::Bool(_))
        | (Kind::Double { .. } | Kind::Timestamp, value @ Value::Number(_)) => value,
        (Kind::Blob { .. }, Value::String(text)) if STANDARD.decode(&text).is_ok() => Value::String(text),
        (Kind::Integer { .. }, Value::Number(n)) if n.as_i64().is_some_and(|n| i32::try_from(n).is_ok()) => n.into(),
        (Kind::Long { .. }, Value::Number(n)) if n.is_i64() => n.into(),
        (kind, value) => {
            return Err(ApiError::invalid(format!(
                "Value at '{path}' must be {}, but is {}.",
                wanted(kind),
                found(&value)
            )));
        }
    })
}

/// Picks `members` out of an object.
pub(super) fn conform_members<'m>(
    model: &Model,
    members: impl Iterator<Item = &'m Member>,
    mut object: Map<String, Value>,
    path: &str,
) -> Result<Map<String, Value>, ApiError> {
    let mut conformed = Map::new();
    for member in members {
        let Some(value) = object.remove(&member.name).filter(|value| !value.is_null()) else { continue };
        let path = if path.is_empty() { member.name.clone() } else { format!("{path}.{}", member.name) };
        conformed.insert(member.name.clone(), conform(model, member.shape, value, &path)?);
    }
    Ok(conformed)
}

fn wanted(kind: &Kind) -> &'static str {
    match kind {
        Kind::Structure(_) | Kind::Map { .. } => "an object",
        Kind::List { .. } => "a list",
        Kind::Text { .. } => "a string",
        Kind::Blob { .. } => "a base64 string",
        Kind::Boolean => "a boolean",
        Kind::Integer { .. } => "a 32-bit integer",
        Kind::Long { .. } => "a 64-bit integer",
        Kind::Double { .. } => "a number",
        Kind::Timestamp => "a number of seconds",
    }
}

fn found(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
