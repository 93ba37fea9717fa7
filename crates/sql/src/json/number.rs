//! Numbers as JSON and SQL write them.

use crate::{Decimal, SqlVersion, Value};

/// Reads a number's text: an Int where it is written as one and has at most 34 digits. None beyond the Decimal range.
pub(crate) fn read_number(text: &str, version: SqlVersion) -> Option<Value> {
    if text.trim_start_matches('-').len() <= INT_DIGITS_MAX
        && let Ok(number) = text.parse::<i128>()
    {
        return Some(Value::Int(number));
    }
    let decimal = Decimal::parse(text)?;
    let is_whole = !text.contains(['.', 'e', 'E']);
    Some(if is_whole { Value::whole(decimal) } else { Value::number(decimal, version) })
}

/// Digits of an Int (developer guide, iot-sql-data-types).
const INT_DIGITS_MAX: usize = 34;
