//! Functions in double precision; a result that is no number is Undefined.

use super::function::{Arguments, Function};
use crate::{Decimal, EvaluateError, Value};

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("acos", 1..=1, |call| double(call, f64::acos)),
    Function::new("asin", 1..=1, |call| double(call, f64::asin)),
    Function::new("atan", 1..=1, |call| double(call, f64::atan)),
    Function::new("atan2", 2..=2, |call| doubles(call, f64::atan2)),
    Function::new("cos", 1..=1, |call| double(call, f64::cos)),
    Function::new("cosh", 1..=1, |call| double(call, f64::cosh)),
    Function::new("exp", 1..=1, |call| double(call, f64::exp)),
    Function::new("ln", 1..=1, |call| double(call, f64::ln)),
    Function::new("log", 1..=1, |call| double(call, f64::log10)),
    Function::new("power", 2..=2, |call| doubles(call, f64::powf)),
    Function::new("sin", 1..=1, |call| double(call, f64::sin)),
    Function::new("sinh", 1..=1, |call| double(call, f64::sinh)),
    Function::new("sqrt", 1..=1, |call| double(call, f64::sqrt)),
    Function::new("tan", 1..=1, |call| double(call, f64::tan)),
    Function::new("tanh", 1..=1, |call| double(call, f64::tanh)),
];

fn double(call: &Arguments<'_>, function: fn(f64) -> f64) -> Result<Option<Value>, EvaluateError> {
    Ok(call.double(0).and_then(|number| decimal(function(number))))
}

fn doubles(call: &Arguments<'_>, function: fn(f64, f64) -> f64) -> Result<Option<Value>, EvaluateError> {
    let arguments = call.double(0).zip(call.double(1));
    Ok(arguments.and_then(|(first, second)| decimal(function(first, second))))
}

fn decimal(number: f64) -> Option<Value> {
    Decimal::from_f64(number).map(Value::Decimal)
}
