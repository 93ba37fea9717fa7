//! A section of a shadow, `desired` or `reported`: a tree whose leaves carry the time of their last change.
//!
//! State and metadata always have the same shape, so they are kept as one tree and written as two.

use std::fmt;

use indexmap::IndexMap;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeSeq, Serializer};
use smol_str::SmolStr;

use crate::value::{Bounded, Value};

/// The fields of a section or of an object within it, in the order in which they were first named.
pub(crate) type Fields = IndexMap<SmolStr, Field>;

/// One field.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Field {
    /// A scalar or an array, and when it was last sent. Never null, never an object.
    Leaf {
        value: Value,
        /// Seconds since the epoch.
        changed_at_seconds: u64,
    },
    /// An object; may be empty.
    Object(Fields),
}

/// A section's or a field's state as JSON.
pub(crate) struct StateOf<'a, T>(pub(crate) &'a T);

impl Serialize for StateOf<'_, Field> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Field::Leaf { value, .. } => value.serialize(serializer),
            Field::Object(fields) => StateOf(fields).serialize(serializer),
        }
    }
}

impl Serialize for StateOf<'_, Fields> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, field)| (key, StateOf(field))))
    }
}

/// The stored form: an object is an object, a leaf is `[value, seconds]`.
impl Serialize for Field {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Object(fields) => serializer.collect_map(fields),
            Self::Leaf { value, changed_at_seconds } => {
                let mut pair = serializer.serialize_seq(Some(2))?;
                pair.serialize_element(value)?;
                pair.serialize_element(changed_at_seconds)?;
                pair.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FieldVisitor)
    }
}

struct FieldVisitor;

impl<'de> Visitor<'de> for FieldVisitor {
    type Value = Field;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object, or a value and its time")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Field, A::Error> {
        let missing = || serde::de::Error::custom("a leaf needs a value and its time");
        // What was stored was bounded when it came in; the reader's own bound on recursion is enough here.
        let too_deep = std::cell::Cell::new(false);
        let seed = Bounded { levels: usize::MAX, too_deep: &too_deep };
        let value = sequence.next_element_seed(seed)?.ok_or_else(missing)?;
        let changed_at_seconds = sequence.next_element()?.ok_or_else(missing)?;
        if matches!(value, Value::Null | Value::Object(_)) {
            return Err(serde::de::Error::custom("a leaf is neither null nor an object"));
        }
        Ok(Field::Leaf { value, changed_at_seconds })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Field, A::Error> {
        let mut fields = Fields::new();
        while let Some((key, field)) = map.next_entry()? {
            fields.insert(key, field);
        }
        Ok(Field::Object(fields))
    }
}
