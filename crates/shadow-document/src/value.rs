//! A JSON value that keeps its keys' order, and how it is read without going deeper than allowed.

use std::cell::Cell;
use std::fmt;

use indexmap::IndexMap;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};
use serde_json::Number;
use smol_str::SmolStr;

/// The keys and values of a JSON object, in the order in which they were first named. Short texts need no memory of their
/// own, and long ones are shared by copies.
pub(crate) type Object = IndexMap<SmolStr, Value>;

/// A JSON value.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Number(Number),
    Text(SmolStr),
    Array(Vec<Value>),
    Object(Object),
}

impl Value {
    /// Whether an array anywhere within has null as an element.
    pub(crate) fn has_null_in_array(&self) -> bool {
        match self {
            Self::Array(items) => items.iter().any(|item| matches!(item, Self::Null) || item.has_null_in_array()),
            Self::Object(fields) => fields.values().any(Self::has_null_in_array),
            _ => false,
        }
    }
}

/// Numbers are equal by value (1 and 1.0), objects whatever their order.
impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Number(a), Self::Number(b)) => a == b || is_same_number(a, b),
            (Self::Text(a), Self::Text(b)) => a == b,
            (Self::Array(a), Self::Array(b)) => a == b,
            (Self::Object(a), Self::Object(b)) => a == b,
            _ => false,
        }
    }
}

fn is_same_number(a: &Number, b: &Number) -> bool {
    // Two whole numbers are compared exactly by `Number`; only a fraction on one side needs the detour.
    (a.is_f64() || b.is_f64()) && a.as_f64() == b.as_f64()
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Number(value) => value.serialize(serializer),
            Self::Text(value) => serializer.serialize_str(value),
            Self::Array(items) => serializer.collect_seq(items),
            Self::Object(fields) => serializer.collect_map(fields),
        }
    }
}

/// Reads a [`Value`] with at most `levels` objects and arrays inside each other. What lies deeper is skipped
/// without recursion, read as null, and noted in `too_deep`, so that the rest of the request can still be read.
#[derive(Clone, Copy)]
pub(crate) struct Bounded<'a> {
    pub(crate) levels: usize,
    pub(crate) too_deep: &'a Cell<bool>,
}

impl<'a> Bounded<'a> {
    fn below(self) -> Option<Bounded<'a>> {
        let levels = self.levels.checked_sub(1);
        self.too_deep.set(self.too_deep.get() || levels.is_none());
        levels.map(|levels| Bounded { levels, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Bounded<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Bounded<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("not a finite number"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::Text(SmolStr::new(value)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Value, A::Error> {
        let Some(below) = self.below() else {
            while sequence.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(Value::Null);
        };
        let mut items = Vec::new();
        while let Some(item) = sequence.next_element_seed(below)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let Some(below) = self.below() else {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(Value::Null);
        };
        let mut fields = Object::new();
        while let Some(key) = map.next_key::<SmolStr>()? {
            fields.insert(key, map.next_value_seed(below)?);
        }
        Ok(Value::Object(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, levels: usize) -> (Value, bool) {
        let too_deep = Cell::new(false);
        let seed = Bounded { levels, too_deep: &too_deep };
        let value = seed.deserialize(&mut serde_json::Deserializer::from_str(text)).unwrap();
        (value, too_deep.get())
    }

    #[test]
    fn order_is_kept_and_the_last_of_two_equal_keys_counts() {
        let check = |input: &str, expected: &str| {
            assert_eq!(serde_json::to_string(&read(input, 9).0).unwrap(), expected);
        };
        check(
            r#"{"z":1, "a":[true, null, "x"], "m":{"b":-2,"a":1.5}}"#,
            r#"{"z":1,"a":[true,null,"x"],"m":{"b":-2,"a":1.5}}"#,
        );
        check(r#"{"a":1,"b":2,"a":3}"#, r#"{"a":3,"b":2}"#);
    }

    #[test]
    fn numbers_are_equal_by_value() {
        let check = |a: &str, b: &str, expected: bool| assert_eq!(read(a, 9).0 == read(b, 9).0, expected, "{a} {b}");
        check("1", "1.0", true);
        check("1e2", "100", true);
        check("-0.0", "0", true);
        check("9007199254740993", "9007199254740992", false);
        check("18446744073709551615", "18446744073709551614", false);
        check("[1,{\"a\":2}]", "[1.0,{\"a\":2.0}]", true);
        check("{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}", true);
        check("[1,2]", "[2,1]", false);
        check("1", "\"1\"", false);
        check("0", "false", false);
        check("null", "false", false);
    }

    #[test]
    fn what_is_too_deep_is_skipped() {
        assert!(!read("{\"a\":[1]}", 2).1);
        assert!(read("{\"a\":[[]]}", 2).1);
        assert!(read("{\"a\":{\"b\":{}}}", 2).1);
        let abyss = format!("{{\"a\":{}{},\"b\":1}}", "[".repeat(100_000), "]".repeat(100_000));
        let (value, too_deep) = read(&abyss, 1);
        assert!(too_deep);
        assert_eq!(serde_json::to_string(&value).unwrap(), r#"{"a":null,"b":1}"#);
    }
}
