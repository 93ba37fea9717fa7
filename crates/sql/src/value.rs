//! A value of the language.

use indexmap::IndexMap;

use crate::{Decimal, SqlVersion};

/// An object's members in the order in which they came.
pub type Object = IndexMap<String, Value>;

/// A value (AWS IoT Core developer guide, iot-sql-data-types).
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Value {
    /// What is not there, or makes no sense. Leaves no trace in the output.
    #[default]
    Undefined,
    /// JSON's null.
    Null,
    /// true or false.
    Bool(bool),
    /// A whole number of at most 34 digits.
    Int(i128),
    /// A number with 34 digits of precision.
    Decimal(Decimal),
    /// UTF-8 text.
    String(String),
    /// Values in order.
    Array(Vec<Value>),
    /// Named values in order.
    Object(Object),
}

impl Value {
    /// The member of an object; Undefined for every other value.
    pub(crate) fn member(&self, name: &str) -> &Value {
        match self {
            Self::Object(members) => members.get(name).unwrap_or(&UNDEFINED),
            _ => &UNDEFINED,
        }
    }

    /// A number as `version` has it: whole decimals become Int from 2016-03-23 on.
    pub(crate) fn number(decimal: Decimal, version: SqlVersion) -> Self {
        if version.collapses_whole_decimals() { Self::whole(decimal) } else { Self::Decimal(decimal) }
    }

    /// An Int if the number is whole and has at most 34 digits, else the Decimal.
    pub(crate) fn whole(decimal: Decimal) -> Self {
        decimal.to_int().map_or(Self::Decimal(decimal), Self::Int)
    }

    /// Roughly the bytes that this value holds; what copying it costs.
    pub(crate) fn weight(&self) -> usize {
        match self {
            Self::String(text) => 8 + text.len(),
            Self::Array(items) => 8 + items.iter().map(Self::weight).sum::<usize>(),
            Self::Object(members) => {
                8 + members.iter().map(|(name, value)| 8 + name.len() + value.weight()).sum::<usize>()
            }
            _ => 8,
        }
    }
}

/// What a missing member is.
pub(crate) static UNDEFINED: Value = Value::Undefined;
