//! A row of the table of functions, and what a function is called with.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use bytes::Bytes;
use regex::Regex;

use crate::decimal::Decimal;
use crate::value::UNDEFINED;
use crate::{EvaluateError, Input, SqlVersion, Value, convert};

/// One function. Called with another number of arguments it is Undefined.
#[derive(Debug)]
pub(crate) struct Function {
    /// In lower case.
    pub(crate) name: &'static str,
    /// The first version that has it.
    pub(crate) since: SqlVersion,
    /// How many arguments it takes.
    pub(crate) arguments: RangeInclusive<usize>,
    /// What it does; None is Undefined.
    pub(crate) run: Run,
    /// The second argument is a regular expression, compiled with the statement if it is a literal.
    pub(crate) takes_regex: bool,
    /// `*` as the first argument means the published bytes.
    pub(crate) takes_bytes: bool,
    /// The whole of its arguments is not read, so a call's work does not depend on their size.
    pub(crate) looks_only: bool,
}

/// What a function does.
pub(crate) type Run = fn(&Arguments<'_>) -> Result<Option<Value>, EvaluateError>;

impl Function {
    /// A function of the first version.
    pub(super) const fn new(name: &'static str, arguments: RangeInclusive<usize>, run: Run) -> Self {
        Self {
            name,
            since: SqlVersion::V2015_10_08,
            arguments,
            run,
            takes_regex: false,
            takes_bytes: false,
            looks_only: false,
        }
    }

    /// A function that came with 2016-03-23.
    pub(super) const fn later(name: &'static str, arguments: RangeInclusive<usize>, run: Run) -> Self {
        Self { since: SqlVersion::V2016_03_23, ..Self::new(name, arguments, run) }
    }

    pub(super) const fn with_regex(self) -> Self {
        Self { takes_regex: true, ..self }
    }

    pub(super) const fn with_bytes(self) -> Self {
        Self { takes_bytes: true, ..self }
    }

    pub(super) const fn that_looks_only(self) -> Self {
        Self { looks_only: true, ..self }
    }
}

/// What a function is called with.
pub(crate) struct Arguments<'a> {
    pub(crate) input: &'a Input<'a>,
    pub(crate) version: SqlVersion,
    pub(crate) values: &'a [Cow<'a, Value>],
    /// The published bytes, if the first argument is `*`.
    pub(crate) payload: Option<&'a Bytes>,
    /// The second argument's regular expression, if it was known before the message.
    pub(crate) regex: Option<&'a Regex>,
}

impl Arguments<'_> {
    /// The argument; Undefined if there is none.
    pub(crate) fn value(&self, index: usize) -> &Value {
        self.values.get(index).map_or(&UNDEFINED, |value| value)
    }

    /// The argument as text.
    pub(crate) fn text(&self, index: usize) -> Option<Cow<'_, str>> {
        convert::to_text(self.value(index))
    }

    /// The argument as a number.
    pub(crate) fn decimal(&self, index: usize) -> Option<Decimal> {
        convert::to_decimal(self.value(index))
    }

    /// The argument as a double.
    pub(crate) fn double(&self, index: usize) -> Option<f64> {
        convert::to_double(self.value(index))
    }
}
