//! Digests of a text, in lower-case hexadecimal.

use md5::Md5;
use sha1::Sha1;
use sha2::digest::Digest;
use sha2::{Sha224, Sha256, Sha384, Sha512};

use super::function::{Arguments, Function};
use crate::{EvaluateError, Value};

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("md2", 1..=1, hexadecimal::<md2::Md2>),
    Function::new("md5", 1..=1, hexadecimal::<Md5>),
    Function::new("sha1", 1..=1, hexadecimal::<Sha1>),
    Function::new("sha224", 1..=1, hexadecimal::<Sha224>),
    Function::new("sha256", 1..=1, hexadecimal::<Sha256>),
    Function::new("sha384", 1..=1, hexadecimal::<Sha384>),
    Function::new("sha512", 1..=1, hexadecimal::<Sha512>),
];

fn hexadecimal<D: Digest>(call: &Arguments<'_>) -> Result<Option<Value>, EvaluateError> {
    Ok(call.text(0).map(|text| Value::String(hex::encode(D::digest(text.as_bytes())))))
}
