//! Functions on arrays and objects, and questions about what a value is.

use super::function::{Arguments, Function};
use crate::convert::{to_int, to_text};
use crate::error::RESULT_BYTES_MAX;
use crate::value::Object;
use crate::{EvaluateError, Value};

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("concat", 0..=usize::MAX, concat),
    Function::new("get", 2..=2, |call| Ok(get(call.value(0), call.value(1)))).that_looks_only(),
    Function::new("isnull", 1..=1, |call| Ok(Some(Value::Bool(*call.value(0) == Value::Null)))).that_looks_only(),
    Function::later("isundefined", 1..=1, |call| Ok(Some(Value::Bool(*call.value(0) == Value::Undefined))))
        .that_looks_only(),
    Function::later("transform", 3..=3, transform),
];

/// One argument as it is; with an array one flat array; else one text.
fn concat(call: &Arguments<'_>) -> Result<Option<Value>, EvaluateError> {
    if let [single] = call.values {
        return Ok(Some(single.clone().into_owned()));
    }
    if call.values.iter().any(|value| matches!(**value, Value::Array(_))) {
        let mut joined = Vec::new();
        for value in call.values {
            match &**value {
                Value::Array(items) => joined.extend(items.iter().cloned()),
                other => joined.push(other.clone()),
            }
        }
        return Ok(Some(Value::Array(joined)));
    }
    let mut joined = String::new();
    for value in call.values {
        let Some(text) = to_text(value) else { return Ok(None) };
        joined.push_str(&text);
        if joined.len() > RESULT_BYTES_MAX {
            return Err(EvaluateError::ResultTooLong("concat"));
        }
    }
    Ok((!call.values.is_empty()).then_some(Value::String(joined)))
}

/// An item by its index, a member by its name. A name is not converted, an index is.
fn get(collection: &Value, key: &Value) -> Option<Value> {
    let index = || to_int(key).and_then(|index| usize::try_from(index).ok());
    match (collection, key) {
        (Value::Array(items), _) => items.get(index()?).cloned(),
        (Value::String(text), _) => text.chars().nth(index()?).map(|character| Value::String(character.to_string())),
        (Value::Object(members), Value::String(name)) => members.get(name).cloned(),
        _ => None,
    }
}

/// `transform("enrichArray", object, array)`: each element with the object's members behind its own.
fn transform(call: &Arguments<'_>) -> Result<Option<Value>, EvaluateError> {
    let (Value::String(mode), Value::Object(members), Value::Array(elements)) =
        (call.value(0), call.value(1), call.value(2))
    else {
        return Ok(None);
    };
    if mode != "enrichArray" {
        return Ok(None);
    }
    let added = call.value(1).weight().saturating_mul(elements.len());
    if call.value(2).weight().saturating_add(added) > RESULT_BYTES_MAX {
        return Err(EvaluateError::ResultTooLong("transform"));
    }
    let enriched = elements.iter().map(|element| enriched(element, members)).collect::<Option<_>>();
    Ok(enriched.map(Value::Array))
}

fn enriched(element: &Value, members: &Object) -> Option<Value> {
    let Value::Object(own) = element else { return None };
    let mut all = own.clone();
    all.extend(members.iter().map(|(name, value)| (name.clone(), value.clone())));
    Some(Value::Object(all))
}
