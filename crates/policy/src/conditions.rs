//! A statement's `Condition` block: operators, set quantifiers, `...IfExists` and `Null`, as the IAM reference
//! (condition operators, multivalued context keys) defines them.

use crate::MalformedPolicy;
use crate::comparand::{Comparand, Kind, Relation};
use crate::glob::Case;
use crate::json::Json;
use crate::keys;
use crate::question::Context;
use crate::variables::Unresolved;

/// One operator on one key.
#[derive(Debug, Clone)]
pub(crate) struct Condition {
    /// As the document writes it.
    pub(crate) operator: Box<str>,
    pub(crate) key: Box<str>,
    test: Test,
}

#[derive(Debug, Clone)]
enum Test {
    /// Whether the key must be absent.
    Null(Vec<bool>),
    Compare {
        quantifier: Quantifier,
        is_negated: bool,
        if_exists: bool,
        comparands: Vec<Comparand>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quantifier {
    Single,
    ForAll,
    ForAny,
}

/// An operator's name, taken apart.
#[derive(Debug, Clone, Copy)]
struct Operator {
    quantifier: Quantifier,
    if_exists: bool,
    is_negated: bool,
    /// None for `Null`.
    kind: Option<Kind>,
}

/// Reads the whole block.
pub(crate) fn read(block: Json, at: &str, variables: bool) -> Result<Vec<Condition>, MalformedPolicy> {
    let mut conditions = Vec::new();
    for (name, keys) in block.into_object(at)? {
        let at = format!("{at}.{name}");
        let operator = Operator::parse(&name).map_err(|problem| MalformedPolicy::new(&at, problem))?;
        for (key, values) in keys.into_object(&at)? {
            let at = format!("{at}.{key}");
            if key.is_empty() {
                return Err(MalformedPolicy::new(at, "has no condition key"));
            }
            let test = operator.test(&value_texts(values, &at)?, &at, variables)?;
            conditions.push(Condition { operator: name.as_str().into(), key: keys::canonical(&key), test });
        }
    }
    Ok(conditions)
}

impl Condition {
    /// Whether the context fulfils this condition. A variable without a value fails it, negated or not.
    pub(crate) fn holds(&self, context: &dyn Context) -> Result<bool, Unresolved<'_>> {
        let values = context.values(&self.key);
        let values = values.as_ref().map(|values| values.as_slice()).filter(|values| !values.is_empty());
        let (quantifier, is_negated, if_exists, comparands) = match &self.test {
            Test::Null(wanted) => return Ok(wanted.contains(&values.is_none())),
            Test::Compare { quantifier, is_negated, if_exists, comparands } => {
                (*quantifier, *is_negated, *if_exists, comparands)
            }
        };
        if if_exists && values.is_none() {
            return Ok(true);
        }
        let unresolved = || comparands.iter().find_map(|comparand| comparand.first_unresolved(context));
        if is_negated && let Some(unresolved) = unresolved() {
            return Err(unresolved);
        }
        let matches = |value: &str| comparands.iter().any(|wanted| wanted.matches(value, context).unwrap_or(false));
        let holds = match (quantifier, values) {
            (Quantifier::ForAll, values) => values.unwrap_or_default().iter().all(|value| matches(value) != is_negated),
            (Quantifier::ForAny, values) => values.unwrap_or_default().iter().any(|value| matches(value) != is_negated),
            (Quantifier::Single, values) => values.unwrap_or_default().iter().any(|value| matches(value)) != is_negated,
        };
        match unresolved() {
            Some(unresolved) if !holds => Err(unresolved),
            _ => Ok(holds),
        }
    }
}

impl Operator {
    /// The error is the problem with the name.
    fn parse(name: &str) -> Result<Self, String> {
        let (quantifier, rest) = if let Some(rest) = name.strip_prefix("ForAllValues:") {
            (Quantifier::ForAll, rest)
        } else if let Some(rest) = name.strip_prefix("ForAnyValue:") {
            (Quantifier::ForAny, rest)
        } else {
            (Quantifier::Single, name)
        };
        if rest == "Null" && quantifier == Quantifier::Single {
            return Ok(Self { quantifier, if_exists: false, is_negated: false, kind: None });
        }
        let (base, if_exists) = match rest.strip_suffix("IfExists") {
            Some(base) => (base, true),
            None => (rest, false),
        };
        if base == "BinaryEquals" {
            return Err("the operator BinaryEquals is not supported".to_owned());
        }
        let (kind, is_negated) = comparison(base).ok_or_else(|| format!("{name:?} is not a condition operator"))?;
        Ok(Self { quantifier, if_exists, is_negated, kind: Some(kind) })
    }

    fn test(self, values: &[String], at: &str, variables: bool) -> Result<Test, MalformedPolicy> {
        let refuse = |problem: String| MalformedPolicy::new(at, problem);
        let Some(kind) = self.kind else {
            let parse = |value: &String| match value.as_str() {
                "true" => Ok(true),
                "false" => Ok(false),
                other => Err(refuse(format!("{other:?} is not true or false"))),
            };
            return values.iter().map(parse).collect::<Result<_, _>>().map(Test::Null);
        };
        let parse = |value: &String| Comparand::parse(value, kind, variables).map_err(refuse);
        Ok(Test::Compare {
            quantifier: self.quantifier,
            is_negated: self.is_negated,
            if_exists: self.if_exists,
            comparands: values.iter().map(parse).collect::<Result<_, _>>()?,
        })
    }
}

/// What an operator compares, and whether it wants no match.
fn comparison(base: &str) -> Option<(Kind, bool)> {
    let text = |wildcards, case| Kind::Text { wildcards, case };
    Some(match base {
        "StringEquals" => (text(false, Case::Sensitive), false),
        "StringNotEquals" => (text(false, Case::Sensitive), true),
        "StringEqualsIgnoreCase" => (text(false, Case::Ignored), false),
        "StringNotEqualsIgnoreCase" => (text(false, Case::Ignored), true),
        "StringLike" => (text(true, Case::Sensitive), false),
        "StringNotLike" => (text(true, Case::Sensitive), true),
        "ArnEquals" | "ArnLike" => (Kind::Arn, false),
        "ArnNotEquals" | "ArnNotLike" => (Kind::Arn, true),
        "NumericEquals" => (Kind::Number(Relation::Equal), false),
        "NumericNotEquals" => (Kind::Number(Relation::Equal), true),
        "NumericLessThan" => (Kind::Number(Relation::Less), false),
        "NumericLessThanEquals" => (Kind::Number(Relation::LessOrEqual), false),
        "NumericGreaterThan" => (Kind::Number(Relation::Greater), false),
        "NumericGreaterThanEquals" => (Kind::Number(Relation::GreaterOrEqual), false),
        "DateEquals" => (Kind::Date(Relation::Equal), false),
        "DateNotEquals" => (Kind::Date(Relation::Equal), true),
        "DateLessThan" => (Kind::Date(Relation::Less), false),
        "DateLessThanEquals" => (Kind::Date(Relation::LessOrEqual), false),
        "DateGreaterThan" => (Kind::Date(Relation::Greater), false),
        "DateGreaterThanEquals" => (Kind::Date(Relation::GreaterOrEqual), false),
        "Bool" => (Kind::Bool, false),
        "IpAddress" => (Kind::Address, false),
        "NotIpAddress" => (Kind::Address, true),
        _ => return None,
    })
}

/// One value or an array of them; an empty array is a set without members.
fn value_texts(values: Json, at: &str) -> Result<Vec<String>, MalformedPolicy> {
    let text = |value: Json, at: &str| match value {
        Json::Text(text) | Json::Number(text) => Ok(text),
        Json::Bool(value) => Ok(value.to_string()),
        other => Err(MalformedPolicy::new(at, format!("is {}, not a string, number or boolean", other.kind()))),
    };
    match values {
        Json::List(items) => {
            items.into_iter().enumerate().map(|(index, item)| text(item, &format!("{at}[{index}]"))).collect()
        }
        value => Ok(vec![text(value, at)?]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MapContext;

    fn context() -> MapContext {
        MapContext::new()
            .with("iot:ClientId", "c1")
            .with("aws:SourceIp", "203.0.113.7")
            .with("iot:Connection.Thing.IsAttached", "true")
            .with("n", "5")
            .with("aws:CurrentTime", "2020-04-01T12:00:00Z")
            .with("arn", "arn:aws:iot:us-east-1:123456789012:topic/will")
            .with_many("set", ["a", "b"])
            .with_many("empty", Vec::<String>::new())
    }

    fn check(block: &str, expected: Result<bool, &str>) {
        let conditions = read(Json::read(block).unwrap(), "Condition", true).unwrap();
        let answer = conditions.iter().map(|condition| condition.holds(&context()).map_err(|Unresolved(key)| key));
        let answer = answer.reduce(|all, one| Ok(all? && one?)).unwrap();
        assert_eq!(answer, expected, "{block}");
    }

    #[test]
    fn each_operator_compares() {
        let check = |block: &str, expected: bool| check(block, Ok(expected));
        check(r#"{"StringEquals": {"iot:ClientId": "c1"}}"#, true);
        check(r#"{"StringEquals": {"IOT:CLIENTID": ["x", "c1"]}}"#, true);
        check(r#"{"StringEquals": {"iot:ClientId": "C1"}}"#, false);
        check(r#"{"StringEquals": {"iot:ClientId": "c*"}}"#, false);
        check(r#"{"StringNotEquals": {"iot:ClientId": ["x", "c1"]}}"#, false);
        check(r#"{"StringNotEquals": {"iot:ClientId": ["x", "y"]}}"#, true);
        check(r#"{"StringEqualsIgnoreCase": {"iot:ClientId": "C1"}}"#, true);
        check(r#"{"StringNotEqualsIgnoreCase": {"iot:ClientId": "C1"}}"#, false);
        check(r#"{"StringLike": {"iot:ClientId": "c?"}}"#, true);
        check(r#"{"StringNotLike": {"iot:ClientId": "c*"}}"#, false);
        check(r#"{"StringEquals": {"iot:ClientId": "${iot:ClientId}"}}"#, true);
        check(r#"{"NumericEquals": {"n": 5}}"#, true);
        check(r#"{"NumericNotEquals": {"n": "5.0"}}"#, false);
        check(r#"{"NumericLessThan": {"n": 6}, "NumericGreaterThan": {"n": 4}}"#, true);
        check(r#"{"NumericLessThanEquals": {"n": 5}, "NumericGreaterThanEquals": {"n": 6}}"#, false);
        check(r#"{"DateGreaterThan": {"aws:CurrentTime": "2020-04-01T00:00:00Z"}}"#, true);
        check(r#"{"DateLessThan": {"aws:CurrentTime": "2020-04-01T00:00:00Z"}}"#, false);
        check(r#"{"DateEquals": {"aws:CurrentTime": "1585742400"}}"#, true);
        check(r#"{"DateNotEquals": {"aws:CurrentTime": "1585742400"}}"#, false);
        check(r#"{"DateLessThanEquals": {"aws:CurrentTime": "1585742400"}}"#, true);
        check(r#"{"DateGreaterThanEquals": {"aws:CurrentTime": "1585742401"}}"#, false);
        check(r#"{"Bool": {"iot:Connection.Thing.IsAttached": ["true"]}}"#, true);
        check(r#"{"Bool": {"iot:Connection.Thing.IsAttached": false}}"#, false);
        check(r#"{"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}"#, true);
        check(r#"{"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}}"#, false);
        check(r#"{"ArnEquals": {"arn": "arn:aws:iot:*:*:topic/w*"}}"#, true);
        check(r#"{"ArnNotEquals": {"arn": "arn:aws:iot:*:*:topic/w*"}}"#, false);
        check(r#"{"ArnLike": {"arn": "arn:aws:iot:us-east-1:123456789012:topic/x"}}"#, false);
        check(r#"{"ArnNotLike": {"arn": "arn:aws:iot:us-east-1:123456789012:topic/x"}}"#, true);
    }

    #[test]
    fn absent_keys_match_only_what_wants_no_match() {
        let check = |block: &str, expected: bool| check(block, Ok(expected));
        check(r#"{"StringEquals": {"gone": "a"}}"#, false);
        check(r#"{"StringLike": {"gone": "*"}}"#, false);
        check(r#"{"StringNotEquals": {"gone": "a"}}"#, true);
        check(r#"{"NotIpAddress": {"gone": "10.0.0.0/8"}}"#, true);
        check(r#"{"Bool": {"gone": "false"}}"#, false);
        check(r#"{"StringEqualsIfExists": {"gone": "a"}}"#, true);
        check(r#"{"StringEqualsIfExists": {"iot:ClientId": "a"}}"#, false);
        check(r#"{"Null": {"gone": "true"}}"#, true);
        check(r#"{"Null": {"gone": false}}"#, false);
        check(r#"{"Null": {"empty": true}}"#, true);
        check(r#"{"Null": {"iot:ClientId": "false"}}"#, true);
        check(r#"{"Null": {"iot:ClientId": "true"}}"#, false);
    }

    #[test]
    fn sets_are_quantified() {
        let check = |block: &str, expected: bool| check(block, Ok(expected));
        check(r#"{"ForAllValues:StringEquals": {"set": ["a", "b", "c"]}}"#, true);
        check(r#"{"ForAllValues:StringEquals": {"set": ["a"]}}"#, false);
        check(r#"{"ForAnyValue:StringEquals": {"set": ["a"]}}"#, true);
        check(r#"{"ForAnyValue:StringEquals": {"set": ["x"]}}"#, false);
        check(r#"{"ForAllValues:StringNotEquals": {"set": ["x"]}}"#, true);
        check(r#"{"ForAllValues:StringNotEquals": {"set": ["b"]}}"#, false);
        check(r#"{"ForAnyValue:StringNotEquals": {"set": ["a"]}}"#, true);
        check(r#"{"ForAnyValue:StringNotEquals": {"set": ["a", "b"]}}"#, false);
        check(r#"{"ForAllValues:StringEquals": {"gone": ["a"]}}"#, true);
        check(r#"{"ForAnyValue:StringEquals": {"gone": ["a"]}}"#, false);
        check(r#"{"ForAnyValue:StringNotEquals": {"gone": ["a"]}}"#, false);
        check(r#"{"ForAnyValue:StringEqualsIfExists": {"gone": ["a"]}}"#, true);
        // AWS IoT Core developer guide, connect-policy: an empty list allows a clean connect without a will only.
        check(r#"{"ForAllValues:StringEquals": {"set": []}}"#, false);
        check(r#"{"ForAllValues:StringEquals": {"empty": []}}"#, true);
    }

    #[test]
    fn variables_without_value_fail_negated_or_not() {
        check(r#"{"StringEquals": {"iot:ClientId": "${gone:key}"}}"#, Err("gone:key"));
        check(r#"{"StringNotEquals": {"iot:ClientId": "${gone:key}"}}"#, Err("gone:key"));
        check(r#"{"StringNotEquals": {"gone": "${gone:key}"}}"#, Err("gone:key"));
        check(r#"{"StringEquals": {"iot:ClientId": ["${gone:key}", "c1"]}}"#, Ok(true));
        check(r#"{"StringEquals": {"iot:ClientId": ["${gone:key}", "c2"]}}"#, Err("gone:key"));
    }

    #[test]
    fn unknown_operators_and_wrong_values_are_refused() {
        let check = |block: &str, expected: &str| {
            let refusal = read(Json::read(block).unwrap(), "Condition", true).unwrap_err().to_string();
            assert_eq!(refusal, expected);
        };
        check("[]", "Condition: is an array, not an object");
        check(
            r#"{"stringequals": {"a": "b"}}"#,
            "Condition.stringequals: \"stringequals\" is not a condition operator",
        );
        check(
            r#"{"NullIfExists": {"a": true}}"#,
            "Condition.NullIfExists: \"NullIfExists\" is not a condition operator",
        );
        check(r#"{"BinaryEquals": {"a": "b"}}"#, "Condition.BinaryEquals: the operator BinaryEquals is not supported");
        check(r#"{"NumericEquals": {"n": ["x"]}}"#, "Condition.NumericEquals.n: \"x\" is not a number");
        check(
            r#"{"StringEquals": {"n": [1, null]}}"#,
            "Condition.StringEquals.n[1]: is null, not a string, number or boolean",
        );
        check(r#"{"StringEquals": {"": "a"}}"#, "Condition.StringEquals.: has no condition key");
        check(r#"{"Null": {"a": "yes"}}"#, "Condition.Null.a: \"yes\" is not true or false");
        check(r#"{"StringEquals": "a"}"#, "Condition.StringEquals: is a string, not an object");
    }
}
