//! The operators (AWS IoT Core developer guide, iot-sql-operators). What makes no sense is Undefined.

use std::cmp::Ordering;

use crate::convert::{to_bool, to_decimal, to_text};
use crate::error::RESULT_BYTES_MAX;
use crate::{Decimal, EvaluateError, Value};

/// An operator between two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Plus,
    Minus,
    Times,
    Divide,
    Modulo,
}

/// `left operator right`.
pub(crate) fn apply(operator: Operator, left: &Value, right: &Value) -> Result<Value, EvaluateError> {
    Ok(match operator {
        Operator::And => logical(left, right, |left, right| left && right),
        Operator::Or => logical(left, right, |left, right| left || right),
        Operator::Equal => truth(equal(left, right)),
        Operator::NotEqual => truth(equal(left, right).map(|is_equal| !is_equal)),
        Operator::Less => compare(left, right, Ordering::is_lt),
        Operator::LessOrEqual => compare(left, right, Ordering::is_le),
        Operator::Greater => compare(left, right, Ordering::is_gt),
        Operator::GreaterOrEqual => compare(left, right, Ordering::is_ge),
        Operator::Plus => plus(left, right)?,
        Operator::Minus => arithmetic(left, right, i128::checked_sub, Decimal::minus),
        Operator::Times => arithmetic(left, right, i128::checked_mul, Decimal::times),
        Operator::Divide => arithmetic(left, right, exact_quotient, Decimal::divided_by),
        Operator::Modulo => modulo(left, right),
    })
}

/// `NOT value`.
pub(crate) fn not(value: &Value) -> Value {
    truth(to_bool(value).map(|value| !value))
}

/// `-value`.
pub(crate) fn negative(value: &Value) -> Value {
    match value {
        Value::Int(number) => Value::Int(-number),
        other => to_decimal(other).map_or(Value::Undefined, |number| Value::Decimal(number.negated())),
    }
}

/// `left = right`: None is Undefined. Types are not converted but Int and Decimal.
pub(crate) fn equal(left: &Value, right: &Value) -> Option<bool> {
    match (left, right) {
        (Value::Undefined, _) | (_, Value::Undefined) => None,
        _ => Some(is_same(left, right)),
    }
}

/// `left % right`, also `mod` and `remainder`.
pub(crate) fn modulo(left: &Value, right: &Value) -> Value {
    arithmetic(left, right, i128::checked_rem, Decimal::remainder)
}

fn is_same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Int(left), Value::Decimal(right)) | (Value::Decimal(right), Value::Int(left)) => {
            Decimal::from_int(*left) == *right
        }
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| is_same(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            let has_same =
                |(name, value): (&String, &Value)| right.get(name).is_some_and(|other| is_same(value, other));
            left.len() == right.len() && left.iter().all(has_same)
        }
        (left, right) => left == right,
    }
}

fn logical(left: &Value, right: &Value, combine: fn(bool, bool) -> bool) -> Value {
    truth(to_bool(left).zip(to_bool(right)).map(|(left, right)| combine(left, right)))
}

fn compare(left: &Value, right: &Value, is: fn(Ordering) -> bool) -> Value {
    if let (Value::Int(left), Value::Int(right)) = (left, right) {
        return Value::Bool(is(left.cmp(right)));
    }
    truth(to_decimal(left).zip(to_decimal(right)).map(|(left, right)| is(left.cmp(&right))))
}

fn plus(left: &Value, right: &Value) -> Result<Value, EvaluateError> {
    if !matches!((left, right), (Value::String(_), _) | (_, Value::String(_))) {
        return Ok(arithmetic(left, right, i128::checked_add, Decimal::plus));
    }
    let Some((left, right)) = to_text(left).zip(to_text(right)) else {
        return Ok(Value::Undefined);
    };
    if left.len() + right.len() > RESULT_BYTES_MAX {
        return Err(EvaluateError::ResultTooLong("+"));
    }
    Ok(Value::String(left.into_owned() + &right))
}

/// Int with Int is Int where that is exact, everything else Decimal; Booleans and the like are Undefined.
fn arithmetic(
    left: &Value,
    right: &Value,
    exact: fn(i128, i128) -> Option<i128>,
    rounded: fn(Decimal, Decimal) -> Option<Decimal>,
) -> Value {
    if let (Value::Int(left), Value::Int(right)) = (left, right)
        && let Some(result) = exact(*left, *right)
        && result.unsigned_abs() < INT_LIMIT
    {
        return Value::Int(result);
    }
    let result = to_decimal(left).zip(to_decimal(right)).and_then(|(left, right)| rounded(left, right));
    result.map_or(Value::Undefined, Value::Decimal)
}

/// AWS's pages show a Decimal where whole numbers do not divide (iot-sql-set), else an Int.
fn exact_quotient(left: i128, right: i128) -> Option<i128> {
    left.checked_rem(right).filter(|rest| *rest == 0)?;
    left.checked_div(right)
}

fn truth(value: Option<bool>) -> Value {
    value.map_or(Value::Undefined, Value::Bool)
}

/// An Int has at most 34 digits.
const INT_LIMIT: u128 = 10_u128.pow(34);
