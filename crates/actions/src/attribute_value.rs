//! From a statement's result to DynamoDB's typed attributes (DynamoDB API reference, `AttributeValue`).

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use sql::Value;

/// The attributes of an object; none for every other value. Undefined members are left out.
pub(crate) fn item(value: &Value) -> Option<HashMap<String, AttributeValue>> {
    let Value::Object(members) = value else { return None };
    let attributes = members.iter().filter_map(|(name, value)| Some((name.clone(), attribute(value)?)));
    Some(attributes.collect())
}

/// Strings to S, numbers to N, true and false to BOOL, null to NULL, objects to M, arrays to L.
fn attribute(value: &Value) -> Option<AttributeValue> {
    Some(match value {
        Value::Undefined => return None,
        Value::Null => AttributeValue::Null(true),
        Value::Bool(truth) => AttributeValue::Bool(*truth),
        Value::Int(number) => AttributeValue::N(number.to_string()),
        // Whole numbers without ".0", as DynamoDB gives them back.
        Value::Decimal(number) => {
            AttributeValue::N(number.to_int().map_or_else(|| number.to_string(), |whole| whole.to_string()))
        }
        Value::String(text) => AttributeValue::S(text.clone()),
        Value::Array(items) => AttributeValue::L(items.iter().filter_map(attribute).collect()),
        Value::Object(_) => AttributeValue::M(item(value)?),
    })
}

#[cfg(test)]
mod tests {
    use sql::SqlVersion;

    use super::*;

    fn check(json: &str, expected: &[(&str, AttributeValue)]) {
        for version in [SqlVersion::V2015_10_08, SqlVersion::V2016_03_23] {
            let value = Value::from_json(json.as_bytes(), version).unwrap();
            let expected = expected.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
            assert_eq!(item(&value), Some(expected), "{json} {version}");
        }
    }

    /// Contract of the action: S, N, BOOL, NULL, M, L.
    #[test]
    fn each_json_type_has_its_attribute_type() {
        use AttributeValue::{Bool, L, M, N, Null, S};
        let n = |text: &str| N(text.to_owned());
        check("{}", &[]);
        check(r#"{"device":"lamp"}"#, &[("device", S("lamp".to_owned()))]);
        check(r#"{"ts":1700000000123}"#, &[("ts", n("1700000000123"))]);
        check(r#"{"t":21.5,"w":-3.0,"e":1e3}"#, &[("t", n("21.5")), ("w", n("-3")), ("e", n("1000"))]);
        check(
            r#"{"on":true,"off":false,"none":null}"#,
            &[("on", Bool(true)), ("off", Bool(false)), ("none", Null(true))],
        );
        let inner = HashMap::from([("b".to_owned(), L(vec![n("1"), S(String::new()), Null(true)]))]);
        check(r#"{"a":{"b":[1,"",null]},"l":[]}"#, &[("a", M(inner)), ("l", L(vec![]))]);
    }

    #[test]
    fn only_objects_are_items() {
        for json in ["[]", "7", "\"text\"", "null", "true"] {
            assert_eq!(item(&Value::from_json(json.as_bytes(), SqlVersion::V2016_03_23).unwrap()), None, "{json}");
        }
        assert_eq!(item(&Value::Undefined), None);
        let members = [("gone".to_owned(), Value::Undefined), ("here".to_owned(), Value::Bool(true))];
        let expected = HashMap::from([("here".to_owned(), AttributeValue::Bool(true))]);
        assert_eq!(item(&Value::Object(members.into_iter().collect())), Some(expected));
    }
}
