//! Functions on text. Other types are converted first; characters are counted, not bytes.

use super::function::{Arguments, Function};
use crate::convert::{to_int_clamped, to_int_down};
use crate::error::RESULT_BYTES_MAX;
use crate::{EvaluateError, Value};

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("chr", 1..=1, chr),
    Function::new("endswith", 2..=2, |call| truth(call, |text, part| text.ends_with(part))),
    Function::later("indexof", 2..=2, indexof),
    Function::later("length", 1..=1, |call| Ok(call.text(0).map(|text| count(text.chars().count())))),
    Function::new("lower", 1..=1, |call| convert(call, str::to_lowercase)),
    Function::new("lpad", 2..=2, |call| padded(call, |text, spaces| spaces + text)),
    Function::new("ltrim", 1..=1, |call| convert(call, |text| text.trim_start_matches(SPACE).to_owned())),
    Function::later("numbytes", 1..=1, |call| Ok(call.text(0).map(|text| count(text.len())))),
    Function::new("replace", 3..=3, replace),
    Function::new("rpad", 2..=2, |call| padded(call, |text, spaces| text.to_owned() + &spaces)),
    Function::new("rtrim", 1..=1, |call| convert(call, |text| text.trim_end_matches(SPACE).to_owned())),
    Function::new("startswith", 2..=2, |call| truth(call, |text, part| text.starts_with(part))),
    Function::new("substring", 2..=3, substring),
    Function::new("trim", 1..=1, |call| convert(call, |text| text.trim_matches(SPACE).to_owned())),
    Function::new("upper", 1..=1, |call| convert(call, str::to_uppercase)),
];

fn convert(call: &Arguments<'_>, function: fn(&str) -> String) -> Result<Option<Value>, EvaluateError> {
    Ok(call.text(0).map(|text| Value::String(function(&text))))
}

fn truth(call: &Arguments<'_>, function: fn(&str, &str) -> bool) -> Result<Option<Value>, EvaluateError> {
    Ok(call.text(0).zip(call.text(1)).map(|(text, part)| Value::Bool(function(&text, &part))))
}

fn chr(call: &Arguments<'_>) -> Result<Option<Value>, EvaluateError> {
    let code = to_int_down(call.value(0)).and_then(|code| u8::try_from(code).ok());
    Ok(code.filter(u8::is_ascii).map(|code| Value::String(char::from(code).to_string())))
}

/// -1 where there is none; AWS documents nothing for that.
fn indexof(call: &Arguments<'_>) -> Result<Option<Value>, EvaluateError> {
    Ok(call.text(0).zip(call.text(1)).map(|(text, part)| {
        let before = text.find(&*part).and_then(|index| text.get(..index));
        before.map_or(Value::Int(-1), |before| count(before.chars().count()))
    }))
}

/// Adds spaces, whatever the length is.
fn padded(call: &Arguments<'_>, combine: fn(&str, String) -> String) -> Result<Option<Value>, EvaluateError> {
    Ok(call.text(0).zip(to_int_clamped(call.value(1))).map(|(text, spaces)| {
        let spaces = usize::try_from(spaces.clamp(0, PADDING_MAX)).unwrap_or_default();
        Value::String(combine(&text, " ".repeat(spaces)))
    }))
}

fn replace(call: &Arguments<'_>) -> Result<Option<Value>, EvaluateError> {
    let Some(((text, from), to)) = call.text(0).zip(call.text(1)).zip(call.text(2)) else {
        return Ok(None);
    };
    let added = text.matches(&*from).count().saturating_mul(to.len());
    if text.len().saturating_add(added) > RESULT_BYTES_MAX {
        return Err(EvaluateError::ResultTooLong("replace"));
    }
    Ok(Some(Value::String(text.replace(&*from, &to))))
}

/// Indexes beyond the text are those of its ends.
fn substring(call: &Arguments<'_>) -> Result<Option<Value>, EvaluateError> {
    let Some((text, from)) = call.text(0).zip(to_int_clamped(call.value(1))) else {
        return Ok(None);
    };
    let to = if call.values.len() == 3 { to_int_clamped(call.value(2)) } else { Some(i128::MAX) };
    let clamped = |index: i128| usize::try_from(index.clamp(0, INDEX_MAX)).unwrap_or_default();
    Ok(to.map(|to| {
        let (from, to) = (clamped(from), clamped(to));
        Value::String(text.chars().skip(from).take(to.saturating_sub(from)).collect())
    }))
}

fn count(number: usize) -> Value {
    Value::Int(i128::try_from(number).unwrap_or(i128::MAX))
}

/// What trimming takes away (developer guide, iot-sql-functions, trim).
const SPACE: [char; 2] = [' ', '\t'];
/// Spaces that lpad and rpad add at most (developer guide, iot-sql-functions).
const PADDING_MAX: i128 = 1000;
/// No text is longer.
const INDEX_MAX: i128 = 1 << 31;
