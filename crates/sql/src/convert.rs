//! Conversions between types (AWS IoT Core developer guide, iot-sql-data-types and iot-sql-functions, cast).
//! `None` is Undefined; Null converts to nothing that could be used.

use std::borrow::Cow;

use crate::decimal::Rounding;
use crate::{Decimal, SqlVersion, Value};

/// What cast makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CastType {
    String,
    Int,
    Double,
    Decimal,
    Boolean,
}

/// The implicit conversion to Decimal: numbers and numeric strings.
pub(crate) fn to_decimal(value: &Value) -> Option<Decimal> {
    match value {
        Value::Int(number) => Some(Decimal::from_int(*number)),
        Value::Decimal(number) => Some(*number),
        Value::String(text) if is_numeric(text) => Decimal::parse(text),
        _ => None,
    }
}

/// The implicit conversion to Int: the nearest, but a string's fraction is cut.
pub(crate) fn to_int(value: &Value) -> Option<i128> {
    let rounding = if matches!(value, Value::String(_)) { Rounding::TowardZero } else { Rounding::HalfAwayFromZero };
    int_with(value, rounding)
}

/// The conversion of the functions whose page says that decimals are rounded down.
pub(crate) fn to_int_down(value: &Value) -> Option<i128> {
    int_with(value, Rounding::Down)
}

/// The same for a count or an index: a number too long for an Int is as good as the largest.
pub(crate) fn to_int_clamped(value: &Value) -> Option<i128> {
    let number = to_decimal(value)?.round(0, Rounding::Down);
    Some(number.to_int().unwrap_or_else(|| if number.signum() < 0 { i128::MIN } else { i128::MAX }))
}

/// The implicit conversion to Boolean.
pub(crate) fn to_bool(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(value) => Some(*value),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// The implicit conversion to String: arrays and objects become JSON.
pub(crate) fn to_text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::Undefined | Value::Null => None,
        Value::String(text) => Some(Cow::Borrowed(text)),
        other => Some(Cow::Owned(other.to_json())),
    }
}

/// The double of a number or numeric string.
pub(crate) fn to_double(value: &Value) -> Option<f64> {
    to_decimal(value).map(Decimal::to_f64)
}

/// `cast(value AS to)`.
pub(crate) fn cast(value: &Value, to: CastType, version: SqlVersion) -> Option<Value> {
    match to {
        CastType::String => to_text(value).map(|text| Value::String(text.into_owned())),
        CastType::Int => match value {
            Value::Bool(value) => Some(Value::Int(i128::from(*value))),
            other => to_int_down(other).map(Value::Int),
        },
        CastType::Decimal => cast_decimal(value).map(|number| Value::number(number, version)),
        CastType::Double => {
            let double = cast_decimal(value).map(Decimal::to_f64).and_then(Decimal::from_f64);
            double.map(|number| Value::number(number, version))
        }
        CastType::Boolean => match value {
            Value::Int(number) => Some(Value::Bool(*number != 0)),
            Value::Decimal(number) => Some(Value::Bool(number.signum() != 0)),
            other => to_bool(other).map(Value::Bool),
        },
    }
}

fn cast_decimal(value: &Value) -> Option<Decimal> {
    match value {
        Value::Bool(value) => Some(Decimal::from_int(i128::from(*value))),
        other => to_decimal(other),
    }
}

fn int_with(value: &Value, rounding: Rounding) -> Option<i128> {
    match value {
        Value::Int(number) => Some(*number),
        other => to_decimal(other)?.round(0, rounding).to_int(),
    }
}

/// `^-?\d+(\.\d+)?((?i)E-?\d+)?$`: narrower than what [`Decimal::parse`] reads by the exponent's plus.
fn is_numeric(text: &str) -> bool {
    !text.contains('+')
}
