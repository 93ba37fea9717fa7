//! Functions between points in time and their texts.

use super::function::{Arguments, Function};
use crate::convert::to_int_down;
use crate::{EvaluateError, Value, date_pattern};

pub(super) static FUNCTIONS: &[Function] =
    &[Function::later("parse_time", 2..=3, parse_time), Function::later("time_to_epoch", 2..=2, time_to_epoch)];

/// `parse_time(pattern, milliseconds[, zone])`: the text of a time, in UTC unless a zone is given.
fn parse_time(call: &Arguments<'_>) -> Result<Option<Value>, EvaluateError> {
    let name = if call.values.len() == 3 { call.text(2) } else { Some("UTC".into()) };
    let milliseconds = to_int_down(call.value(1)).and_then(|number| i64::try_from(number).ok());
    let zone = name.and_then(|name| date_pattern::find_zone(&name));
    let Some(((pattern, milliseconds), zone)) = call.text(0).zip(milliseconds).zip(zone) else {
        return Ok(None);
    };
    Ok(date_pattern::write(&pattern, milliseconds, zone)?.map(Value::String))
}

/// `time_to_epoch(text, pattern)`: milliseconds since 1970.
fn time_to_epoch(call: &Arguments<'_>) -> Result<Option<Value>, EvaluateError> {
    let Some((text, pattern)) = call.text(0).zip(call.text(1)) else { return Ok(None) };
    Ok(date_pattern::read(&pattern, &text)?.map(|milliseconds| Value::Int(milliseconds.into())))
}
