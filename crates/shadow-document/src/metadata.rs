//! Metadata mirrors state: each leaf becomes `{"timestamp":seconds}`, an array an array of them.

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::section::{Field, Fields};
use crate::value::Value;

/// A section's or a field's metadata as JSON.
pub(crate) struct MetadataOf<'a, T>(pub(crate) &'a T);

impl Serialize for MetadataOf<'_, Field> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Field::Leaf { value, changed_at_seconds } => {
                Stamped { value, seconds: *changed_at_seconds }.serialize(serializer)
            }
            Field::Object(fields) => MetadataOf(fields).serialize(serializer),
        }
    }
}

impl Serialize for MetadataOf<'_, Fields> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, field)| (key, MetadataOf(field))))
    }
}

/// The metadata of a value that was sent at one time. A null has metadata as any leaf has: AWS answers
/// `{"state":null}` with `"metadata":{"timestamp":seconds}`.
pub(crate) struct Stamped<'a> {
    pub(crate) value: &'a Value,
    pub(crate) seconds: u64,
}

impl Serialize for Stamped<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let seconds = self.seconds;
        match self.value {
            Value::Object(fields) => {
                serializer.collect_map(fields.iter().map(|(key, value)| (key, Stamped { value, seconds })))
            }
            Value::Array(items) => serializer.collect_seq(items.iter().map(|value| Stamped { value, seconds })),
            _ => {
                let mut stamp = serializer.serialize_map(Some(1))?;
                stamp.serialize_entry("timestamp", &seconds)?;
                stamp.end()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Object;

    #[test]
    fn every_leaf_and_every_element_has_its_timestamp() {
        let text = |t: &str| Value::Text(t.into());
        let inner = Object::from_iter([("n".into(), Value::Null), ("e".into(), Value::Object(Object::new()))]);
        let items = vec![text("x"), Value::Array(vec![text("y")])];
        let value =
            Value::Object(Object::from_iter([("a".into(), Value::Array(items)), ("o".into(), Value::Object(inner))]));
        let json = serde_json::to_string(&Stamped { value: &value, seconds: 7 }).unwrap();
        assert_eq!(json, r#"{"a":[{"timestamp":7},[{"timestamp":7}]],"o":{"n":{"timestamp":7},"e":{}}}"#);
    }
}
