//! JSON as policies need it: bounded in size and depth, and no member twice, since of two `Effect`s either could
//! be the one that its author meant.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use names::limits;

use crate::MalformedPolicy;

/// A JSON value. Numbers stay text, for conditions compare text as well as numbers.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Json {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    List(Vec<Json>),
    Object(BTreeMap<String, Json>),
}

impl Json {
    pub(crate) fn read(text: &str) -> Result<Self, MalformedPolicy> {
        let refuse = |problem: String| MalformedPolicy::new("the document", problem);
        if text.len() > limits::POLICY_DOCUMENT_BYTES_MAX {
            return Err(refuse(format!("is longer than {} bytes", limits::POLICY_DOCUMENT_BYTES_MAX)));
        }
        let not_json = |error: serde_json::Error| refuse(format!("is not valid JSON: {error}"));
        let mut source = serde_json::Deserializer::from_str(text);
        let value = Reader { depth: 0 }.deserialize(&mut source).map_err(not_json)?;
        source.end().map_err(not_json)?;
        Ok(value)
    }

    /// What kind of value this is, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Text(_) => "a string",
            Self::List(_) => "an array",
            Self::Object(_) => "an object",
        }
    }

    pub(crate) fn into_object(self, at: &str) -> Result<BTreeMap<String, Self>, MalformedPolicy> {
        match self {
            Self::Object(members) => Ok(members),
            other => Err(MalformedPolicy::new(at, format!("is {}, not an object", other.kind()))),
        }
    }

    pub(crate) fn into_text(self, at: &str) -> Result<String, MalformedPolicy> {
        match self {
            Self::Text(text) => Ok(text),
            other => Err(MalformedPolicy::new(at, format!("is {}, not a string", other.kind()))),
        }
    }

    /// One string or an array of strings, as actions, resources and principals are written.
    pub(crate) fn into_texts(self, at: &str) -> Result<Vec<String>, MalformedPolicy> {
        match self {
            Self::List(items) => {
                items.into_iter().enumerate().map(|(index, item)| item.into_text(&format!("{at}[{index}]"))).collect()
            }
            other => Ok(vec![other.into_text(at)?]),
        }
    }
}

struct Reader {
    depth: usize,
}

impl Reader {
    fn deeper<E: Error>(&self) -> Result<Self, E> {
        if self.depth >= limits::JSON_DEPTH_MAX {
            return Err(E::custom(format_args!("is nested deeper than {} levels", limits::JSON_DEPTH_MAX)));
        }
        Ok(Self { depth: self.depth + 1 })
    }
}

impl<'de> DeserializeSeed<'de> for Reader {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Number(value.to_string()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Number(value.to_string()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Json, E> {
        Ok(Json::Number(value.to_string()))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self.deeper()?)? {
            list.push(item);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Json, A::Error> {
        let mut members = BTreeMap::new();
        while let Some(name) = entries.next_key::<String>()? {
            let value = entries.next_value_seed(self.deeper()?)?;
            if members.contains_key(&name) {
                return Err(A::Error::custom(format_args!("the member {name:?} stands twice")));
            }
            members.insert(name, value);
        }
        Ok(Json::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_and_repeated_members_are_refused() {
        let check = |text: &str, expected: &str| {
            let refusal = Json::read(text).unwrap_err().to_string();
            assert!(refusal.contains(expected), "{refusal}");
        };
        check("", "is not valid JSON");
        check("{} {}", "trailing characters");
        check(r#"{"a": 1, "a": 1}"#, r#"the member "a" stands twice"#);
        check(&format!("{}{}", "[".repeat(101), "]".repeat(101)), "nested deeper than 100");
        check(&"[".repeat(60_000), "nested deeper than 100");
        check(&" ".repeat(65_537), "longer than 65536 bytes");
        assert!(Json::read(&format!("{}{}", "[".repeat(100), "]".repeat(100))).is_ok());
    }

    #[test]
    fn values_are_read_as_written() {
        let number = |text: &str| Json::Number(text.to_owned());
        let list = vec![Json::Null, Json::Bool(true), number("-3"), number("1.5"), Json::Text("a".to_owned())];
        assert_eq!(Json::read(r#"[null, true, -3, 1.5, "a"]"#), Ok(Json::List(list)));
    }
}
