//! Functions on the bits of whole numbers; decimals are rounded down.

use super::function::{Arguments, Function};
use crate::convert::to_int_down;
use crate::{EvaluateError, Value};

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("bitand", 2..=2, |call| both(call, |left, right| left & right)),
    Function::new("bitor", 2..=2, |call| both(call, |left, right| left | right)),
    Function::new("bitxor", 2..=2, |call| both(call, |left, right| left ^ right)),
    Function::new("bitnot", 1..=1, bitnot),
];

fn both(call: &Arguments<'_>, combine: fn(i64, i64) -> i64) -> Result<Option<Value>, EvaluateError> {
    Ok(word(call, 0).zip(word(call, 1)).map(|(left, right)| Value::Int(combine(left, right).into())))
}

/// The two's complement; the page's example (13 to 2) would be that of four bits.
fn bitnot(call: &Arguments<'_>) -> Result<Option<Value>, EvaluateError> {
    Ok(word(call, 0).map(|number| Value::Int((!number).into())))
}

fn word(call: &Arguments<'_>, index: usize) -> Option<i64> {
    to_int_down(call.value(index))?.try_into().ok()
}
