//! JSON in and out, with every digit of its numbers. Bounded in depth; total on any bytes.

mod number;
mod read;
mod write;

pub(crate) use number::read_number;
pub use read::NotJson;
pub(crate) use read::members;

use crate::{SqlVersion, Value};

impl Value {
    /// Reads JSON (RFC 8259), with numbers as `version` has them: from 2016-03-23 on, 10.0 is the Int 10.
    ///
    /// # Errors
    /// The text is no JSON, or deeper than `names::limits::JSON_DEPTH_MAX`.
    pub fn from_json(bytes: &[u8], version: SqlVersion) -> Result<Self, NotJson> {
        read::read(bytes, version)
    }

    /// Writes JSON without white space. Undefined members are left out; Undefined alone is the empty text
    /// (developer guide, iot-sql-select).
    #[must_use]
    pub fn to_json(&self) -> String {
        write::write(self)
    }
}
