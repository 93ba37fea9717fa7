//! Functions on numbers that keep their digits.

use super::function::{Arguments, Function};
use crate::convert::to_int_clamped;
use crate::decimal::{Decimal, Rounding};
use crate::operators::modulo;
use crate::{EvaluateError, Value};

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("abs", 1..=1, abs),
    Function::new("ceil", 1..=1, |call| whole(call, Rounding::Up)),
    Function::new("floor", 1..=1, |call| whole(call, Rounding::Down)),
    Function::new("mod", 2..=2, |call| Ok(Some(modulo(call.value(0), call.value(1))))),
    Function::new("nanvl", 2..=2, nanvl),
    Function::new("rand", 0..=0, |call| Ok(Decimal::from_f64((call.input.random)()).map(Value::Decimal))),
    Function::new("remainder", 2..=2, |call| Ok(Some(modulo(call.value(0), call.value(1))))),
    Function::new("round", 1..=1, |call| whole(call, Rounding::HalfAwayFromZero)),
    Function::new("sign", 1..=1, |call| Ok(call.decimal(0).map(|number| Value::Int(number.signum())))),
    Function::new("trunc", 2..=2, trunc),
];

fn abs(call: &Arguments<'_>) -> Result<Option<Value>, EvaluateError> {
    Ok(match call.value(0) {
        Value::Int(number) => Some(Value::Int(number.abs())),
        _ => call.decimal(0).map(|number| Value::Decimal(number.abs())),
    })
}

/// An Int, in every version; beyond 34 digits a number is whole anyway.
fn whole(call: &Arguments<'_>, rounding: Rounding) -> Result<Option<Value>, EvaluateError> {
    Ok(call.decimal(0).map(|number| Value::whole(number.round(0, rounding))))
}

fn nanvl(call: &Arguments<'_>) -> Result<Option<Value>, EvaluateError> {
    let is_missing = matches!(call.value(0), Value::Undefined | Value::Null);
    Ok(Some(call.value(usize::from(is_missing)).clone()))
}

fn trunc(call: &Arguments<'_>) -> Result<Option<Value>, EvaluateError> {
    let Some((number, places)) = call.decimal(0).zip(to_int_clamped(call.value(1))) else {
        return Ok(None);
    };
    if let Value::Int(source) = call.value(0) {
        return Ok(Some(Value::Int(*source)));
    }
    let places = u32::try_from(places.clamp(0, 34)).unwrap_or_default();
    Ok(Some(Value::Decimal(number.round(places, Rounding::TowardZero))))
}
