//! Does a gathered input satisfy what the model asks? Every violation is told, in AWS's words.
//!
//! Constraints hold for inputs only: what the services answer is theirs.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::gather::Gathered;
use super::scalar::shown;
use crate::error::ApiError;
use crate::model::{Bounds, Kind, Model, Operation, ShapeId, Structure};

/// Checks every constraint of the operation's input.
pub(crate) fn check(model: &Model, operation: &Operation, gathered: &Gathered) -> Result<(), ApiError> {
    let Some(structure) = model.structure(operation.input) else { return Ok(()) };
    let mut checker = Checker { model, violations: Vec::new() };
    checker.check_structure(
        structure,
        &gathered.input,
        "",
        structure.payload.as_deref().filter(|_| !gathered.payload.is_empty()),
    );
    match checker.violations.len() {
        0 => Ok(()),
        1 => Err(ApiError::invalid(format!("1 validation error detected: {}", checker.violations.concat()))),
        n => Err(ApiError::invalid(format!("{n} validation errors detected: {}", checker.violations.join("; ")))),
    }
}

struct Checker<'m> {
    model: &'m Model,
    violations: Vec<String>,
}

impl Checker<'_> {
    /// `elsewhere` names a required member that travels outside the JSON.
    fn check_structure(
        &mut self,
        structure: &Structure,
        input: &Map<String, Value>,
        path: &str,
        elsewhere: Option<&str>,
    ) {
        for member in &structure.members {
            let path = if path.is_empty() { member.name.clone() } else { format!("{path}.{}", member.name) };
            match input.get(&member.name) {
                Some(value) => self.check_value(member.shape, value, &path),
                None if member.is_required && elsewhere != Some(&member.name) => {
                    self.report("Value null", &path, "not be null".to_owned());
                }
                None => {}
            }
        }
    }

    fn check_value(&mut self, shape: ShapeId, value: &Value, path: &str) {
        let shape_of = self.model.shape(shape);
        match (&shape_of.kind, value) {
            (Kind::Structure(structure), Value::Object(object)) => self.check_structure(structure, object, path, None),
            (Kind::List { member, size }, Value::Array(items)) => {
                self.check_scalar(shape, value, path, size_problems(*size, items.len()));
                for (n, item) in items.iter().enumerate() {
                    self.check_value(*member, item, &format!("{path}.{}.member", n + 1));
                }
            }
            (Kind::Map { key, value: member, size }, Value::Object(object)) => {
                self.check_scalar(shape, value, path, size_problems(*size, object.len()));
                for (name, item) in object {
                    self.check_key(*key, name, path);
                    self.check_value(*member, item, &format!("{path}.{name}.member"));
                }
            }
            (kind, value) => self.check_scalar(shape, value, path, problems(kind, value)),
        }
    }

    fn check_key(&mut self, shape: ShapeId, key: &str, path: &str) {
        if self.violations.len() >= VIOLATIONS_MAX {
            return;
        }
        let problems = problems(&self.model.shape(shape).kind, &Value::String(key.to_owned()));
        if !problems.is_empty() {
            let all: Vec<String> = problems.into_iter().map(|problem| format!("Member must {problem}")).collect();
            let value = format!("Value '{}'", shown(key));
            self.violations.push(format!(
                "{value} at '{}' failed to satisfy constraint: Map keys must satisfy constraint: [{}]",
                shown(path),
                all.join(", ")
            ));
        }
    }

    fn check_scalar(&mut self, shape: ShapeId, value: &Value, path: &str, problems: Vec<String>) {
        if problems.is_empty() || self.violations.len() >= VIOLATIONS_MAX {
            return;
        }
        let value = match (self.model.shape(shape).is_sensitive, value) {
            (true, _) => "Value".to_owned(),
            (false, Value::String(text)) => format!("Value '{}'", shown(text)),
            (false, other) => format!("Value '{}'", shown(&other.to_string())),
        };
        for problem in problems {
            self.report(&value, path, problem);
        }
    }

    fn report(&mut self, value: &str, path: &str, problem: String) {
        if self.violations.len() < VIOLATIONS_MAX {
            let path = shown(path);
            self.violations.push(format!("{value} at '{path}' failed to satisfy constraint: Member must {problem}"));
        }
    }
}

/// What is wrong with a scalar, as what follows "Member must".
fn problems(kind: &Kind, value: &Value) -> Vec<String> {
    match (kind, value) {
        (Kind::Text { length, pattern, values }, Value::String(text)) => {
            let mut problems = size_problems(*length, text.chars().count());
            if let Some(pattern) = pattern.as_ref().filter(|pattern| !pattern.matches(text)) {
                problems.push(format!("satisfy regular expression pattern: {}", pattern.as_str()));
            }
            if !values.is_empty() && !values.contains(text) {
                problems.push(format!("satisfy enum value set: [{}]", values.join(", ")));
            }
            problems
        }
        (Kind::Blob { length }, Value::String(text)) => {
            size_problems(*length, STANDARD.decode(text).map_or(0, |bytes| bytes.len()))
        }
        (Kind::Integer { range } | Kind::Long { range }, Value::Number(number)) => match number.as_i64() {
            Some(number) => range_problems(*range, number),
            None => Vec::new(),
        },
        (Kind::Double { range }, Value::Number(number)) => match number.as_f64() {
            Some(number) => range_problems(*range, number),
            None => Vec::new(),
        },
        _ => Vec::new(),
    }
}

fn size_problems(bounds: Bounds<u64>, length: usize) -> Vec<String> {
    let length = length as u64;
    let above = bounds.max.filter(|max| length > *max);
    let below = bounds.min.filter(|min| length < *min);
    let above = above.map(|max| format!("have length less than or equal to {max} (its length is {length})"));
    let below = below.map(|min| format!("have length greater than or equal to {min} (its length is {length})"));
    above.into_iter().chain(below).collect()
}

fn range_problems<T: PartialOrd + std::fmt::Display>(bounds: Bounds<T>, value: T) -> Vec<String> {
    let above = bounds.max.filter(|max| value > *max).map(|max| format!("have value less than or equal to {max}"));
    let below = bounds.min.filter(|min| value < *min).map(|min| format!("have value greater than or equal to {min}"));
    above.into_iter().chain(below).collect()
}

/// Violations that one answer lists.
const VIOLATIONS_MAX: usize = 25;

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use serde_json::json;

    use super::*;
    use crate::model::Api;

    fn refusal(api: Api, operation: &str, input: Value, payload: &'static [u8]) -> String {
        let model = Model::load().unwrap();
        let Value::Object(input) = input else { panic!("not an object") };
        let gathered = Gathered { input, payload: Bytes::from_static(payload) };
        let operation = model.operation(model.find(api, operation).unwrap());
        check(&model, operation, &gathered).err().map(|e| e.message).unwrap_or_default()
    }

    /// Constraints of the AWS IoT API reference; the text form as other AWS services have it.
    #[test]
    fn each_kind_of_constraint_is_told_in_aws_words() {
        let check = |operation: &str, input: Value, expected: &str| {
            assert_eq!(refusal(Api::Control, operation, input.clone(), b""), expected, "{operation} {input}");
        };
        let one = "1 validation error detected: ";
        check("CreateThing", json!({"thingName":"lamp"}), "");
        check(
            "CreateThing",
            json!({"thingName":"a b"}),
            &format!(
                "{one}Value 'a b' at 'thingName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9:_-]+"
            ),
        );
        let long = "x".repeat(129);
        check(
            "CreateThing",
            json!({"thingName":long}),
            &format!(
                "{one}Value '{long}' at 'thingName' failed to satisfy constraint: Member must have length less than or equal to 128 (its length is 129)"
            ),
        );
        check(
            "CreateThing",
            json!({}),
            &format!("{one}Value null at 'thingName' failed to satisfy constraint: Member must not be null"),
        );
        check(
            "ListThings",
            json!({"maxResults":251}),
            &format!(
                "{one}Value '251' at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to 250"
            ),
        );
        check(
            "ListThings",
            json!({"maxResults":0}),
            &format!(
                "{one}Value '0' at 'maxResults' failed to satisfy constraint: Member must have value greater than or equal to 1"
            ),
        );
        check(
            "UpdateCertificate",
            json!({"certificateId":"a".repeat(64),"newStatus":"GONE"}),
            &format!(
                "{one}Value 'GONE' at 'newStatus' failed to satisfy constraint: Member must satisfy enum value set: [ACTIVE, INACTIVE, REVOKED, PENDING_TRANSFER, REGISTER_INACTIVE, PENDING_ACTIVATION]"
            ),
        );
        check(
            "CreateTopicRule",
            json!({"ruleName":"a-b","topicRulePayload":{"sql":"S","actions":[]}}),
            &format!(
                "{one}Value 'a-b' at 'ruleName' failed to satisfy constraint: Member must satisfy regular expression pattern: ^[a-zA-Z0-9_]+$"
            ),
        );
        check(
            "CreateTopicRule",
            json!({"ruleName":"r","topicRulePayload":{"actions":[]}}),
            &format!("{one}Value null at 'topicRulePayload.sql' failed to satisfy constraint: Member must not be null"),
        );
        check(
            "CreateTopicRule",
            json!({"ruleName":"r"}),
            &format!("{one}Value null at 'topicRulePayload' failed to satisfy constraint: Member must not be null"),
        );
        let attribute =
            |name: &str, value: &str| json!({"thingName":"t","attributePayload":{"attributes":{name:value}}});
        check(
            "CreateThing",
            attribute("a", "b c"),
            &format!(
                "{one}Value 'b c' at 'attributePayload.attributes.a.member' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.,@/:#=\\[\\]-]*"
            ),
        );
        check(
            "CreateThing",
            attribute("a b", "c"),
            &format!(
                "{one}Value 'a b' at 'attributePayload.attributes' failed to satisfy constraint: Map keys must satisfy constraint: [Member must satisfy regular expression pattern: [a-zA-Z0-9_.,@/:#-]+]"
            ),
        );
        let eleven = vec![json!({"republish":{"roleArn":"r","topic":"t"}}); 11];
        let text = refusal(
            Api::Control,
            "CreateTopicRule",
            json!({"ruleName":"r","topicRulePayload":{"sql":"S","actions":eleven}}),
            b"",
        );
        assert!(text.ends_with("at 'topicRulePayload.actions' failed to satisfy constraint: Member must have length less than or equal to 10 (its length is 11)"), "{text}");
        let input = json!({"ruleName":"r","topicRulePayload":{"sql":"S","actions":[{"republish":{"topic":"t"}}]}});
        check(
            "CreateTopicRule",
            input,
            &format!(
                "{one}Value null at 'topicRulePayload.actions.1.member.republish.roleArn' failed to satisfy constraint: Member must not be null"
            ),
        );
        check(
            "UpdateCertificate",
            json!({}),
            "2 validation errors detected: Value null at 'certificateId' failed to satisfy constraint: Member must not be null; Value null at 'newStatus' failed to satisfy constraint: Member must not be null",
        );
    }

    #[test]
    fn a_required_body_may_be_raw_bytes() {
        let thing = || json!({"thingName":"lamp"});
        assert_eq!(refusal(Api::Data, "UpdateThingShadow", thing(), b"{}"), "");
        assert!(refusal(Api::Data, "UpdateThingShadow", thing(), b"").contains("Value null at 'payload'"));
    }

    #[test]
    fn secrets_are_not_repeated_and_lists_of_violations_end() {
        let model = r#"{"operations":{"O":{"http":{"method":"POST","requestUri":"/"},"input":"I"}},"shapes":{
            "I":{"type":"structure","members":{"s":{"shape":"S"},"l":{"shape":"L"}}},
            "S":{"type":"string","max":3,"sensitive":true},"L":{"type":"list","member":{"shape":"N"}},
            "N":{"type":"double","max":0.5}}}"#;
        let model = Model::from_text(model).unwrap();
        let (_, operation) = model.operations().next().unwrap();
        let run = |input: Value| {
            let Value::Object(input) = input else { panic!("not an object") };
            check(&model, operation, &Gathered { input, payload: Bytes::new() }).unwrap_err().message
        };
        assert!(run(json!({"s":"secret"})).starts_with("1 validation error detected: Value at 's' failed"));
        let many = run(json!({"l":vec![0.75; 1000]}));
        assert!(many.starts_with("25 validation errors detected: Value '0.75' at 'l.1.member' failed"), "{many}");
        assert_eq!(many.matches("less than or equal to 0.5").count(), 25);
        let bad_names: Map<String, Value> = (0..1000).map(|n| (format!("!{n}"), json!(""))).collect();
        let input = json!({"thingName":"t","attributePayload":{"attributes":bad_names}});
        let many = refusal(Api::Control, "CreateThing", input, b"");
        assert!(many.starts_with("25 validation errors detected: "), "{} bytes: {many:.99}", many.len());
    }
}
