//! A policy document: JSON text in, compiled statements out. Strict: what isn't understood isn't accepted.

use std::sync::Arc;

use crate::MalformedPolicy;
use crate::json::Json;
use crate::question::Context;
use crate::statement::{Dialect, Effect, Statement};

/// A compiled policy document.
#[derive(Debug, Clone)]
pub struct Document {
    pub(crate) statements: Vec<Arc<Statement>>,
}

impl Document {
    /// Reads a policy that speaks of actions on resources: an IoT policy, or a role's permissions.
    ///
    /// # Errors
    /// [`MalformedPolicy`] names the first element that is missing, unknown or not what the IAM policy language
    /// allows there. Documents above 64 KB are refused; the caller counts characters against AWS's quota.
    pub fn parse(json: &str) -> Result<Self, MalformedPolicy> {
        Self::read(json, false)
    }

    /// Reads a role's trust policy, which has a `Principal` and no `Resource`.
    ///
    /// # Errors
    /// [`MalformedPolicy`], as for [`Document::parse`].
    pub fn parse_trust(json: &str) -> Result<Self, MalformedPolicy> {
        Self::read(json, true)
    }

    /// Whether this trust policy lets `service` (`iot.amazonaws.com`) do `action` (`sts:AssumeRole`). False for a
    /// document that isn't a trust policy.
    pub fn trusts_service(&self, service: &str, action: &str, context: &dyn Context) -> bool {
        let speaks = |effect: Effect| {
            let mut statements = self.statements.iter().filter(|statement| statement.effect == effect);
            statements.any(|statement| statement.speaks_of_service(service, action, context))
        };
        !speaks(Effect::Deny) && speaks(Effect::Allow)
    }

    fn read(json: &str, is_trust: bool) -> Result<Self, MalformedPolicy> {
        let mut members = Json::read(json)?.into_object("the document")?;
        let has_variables = read_version(members.remove("Version"))?;
        if let Some(id) = members.remove("Id") {
            id.into_text("Id")?;
        }
        let statements = members.remove("Statement");
        if let Some((name, _)) = members.first_key_value() {
            return Err(MalformedPolicy::new(name, "is not an element of a policy"));
        }
        let dialect = Dialect { has_variables, is_trust };
        let read = |value: Json, at: &str| Statement::read(value, at, dialect).map(Arc::new);
        let statements = match statements {
            None => return Err(MalformedPolicy::new("the document", "has no Statement")),
            Some(Json::List(items)) if items.is_empty() => return Err(MalformedPolicy::new("Statement", "is empty")),
            Some(Json::List(items)) => {
                let numbered = items.into_iter().enumerate();
                numbered.map(|(index, item)| read(item, &format!("Statement[{index}]"))).collect::<Result<_, _>>()?
            }
            Some(single) => vec![read(single, "Statement")?],
        };
        Ok(Self { statements })
    }
}

/// How many characters of a document count against AWS's quota: all but white space.
pub fn characters_without_white_space(json: &str) -> usize {
    json.chars().filter(|c| !c.is_whitespace()).count()
}

/// Whether the language's version knows variables. A document without `Version` has the old one (IAM reference,
/// version element).
fn read_version(value: Option<Json>) -> Result<bool, MalformedPolicy> {
    let Some(value) = value else {
        return Ok(false);
    };
    match value.into_text("Version")?.as_str() {
        "2012-10-17" => Ok(true),
        "2008-10-17" => Ok(false),
        other => Err(MalformedPolicy::new("Version", format!("{other:?} is neither 2012-10-17 nor 2008-10-17"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MapContext;

    #[test]
    fn malformed_documents_are_told_where() {
        let check = |json: &str, expected: &str| assert_eq!(Document::parse(json).unwrap_err().to_string(), expected);
        let statement = |inside: &str| format!(r#"{{"Version": "2012-10-17", "Statement": [{{{inside}}}]}}"#);
        check("[]", "the document: is an array, not an object");
        check("{}", "the document: has no Statement");
        check(r#"{"Statement": []}"#, "Statement: is empty");
        check(r#"{"Statement": "x"}"#, "Statement: is a string, not an object");
        check(r#"{"Version": "2012", "Statement": []}"#, r#"Version: "2012" is neither 2012-10-17 nor 2008-10-17"#);
        check(r#"{"Statement": [], "Statements": []}"#, "Statements: is not an element of a policy");
        check(&statement(""), "Statement[0]: has no Effect");
        check(&statement(r#""Effect": "allow""#), r#"Statement[0].Effect: "allow" is neither Allow nor Deny"#);
        check(&statement(r#""Effect": "Allow""#), "Statement[0]: has neither Action nor NotAction");
        let rest = |inside: &str| statement(&format!(r#""Effect": "Allow", {inside}"#));
        check(&rest(r#""Action": [], "Resource": "*""#), "Statement[0].Action: is empty");
        check(&rest(r#""Action": "*", "NotAction": "*""#), "Statement[0]: has both Action and NotAction");
        check(&rest(r#""Action": ["*", 1]"#), "Statement[0].Action[1]: is a number, not a string");
        for bad in ["publish", ":a", "iot:", "io*:Publish", "iot:a b", ""] {
            let message = format!(r#"Statement[0].Action: {bad:?} is not an action such as iot:Publish, iot:* or *"#);
            check(&rest(&format!(r#""Action": {bad:?}, "Resource": "*""#)), &message);
        }
        check(&rest(r#""Action": "*""#), "Statement[0]: has neither Resource nor NotResource");
        check(
            &rest(r#""Action": "*", "Resource": "topic/a""#),
            r#"Statement[0].Resource: "topic/a" is neither "*" nor an ARN"#,
        );
        check(
            &rest(r#""Action": "*", "Resource": "arn:${a""#),
            r#"Statement[0].Resource: "arn:${a" has a "${" without its "}""#,
        );
        check(
            &rest(r#""Action": "*", "Resource": "*", "Principal": "*""#),
            "Statement[0]: has a Principal, which only a trust policy may have",
        );
        check(
            &rest(r#""Action": "*", "Resource": "*", "Conditions": {}"#),
            "Statement[0].Conditions: is not an element of a statement",
        );
    }

    #[test]
    fn the_allowed_forms_are_accepted() {
        for json in [
            r#"{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#,
            r#"{"Version": "2008-10-17", "Id": "x", "Statement": [{"Effect": "Deny", "NotAction": ["iot:*"],
                "NotResource": ["arn:aws:iot:*"], "Sid": "s", "Condition": {}}]}"#,
        ] {
            Document::parse(json).unwrap();
        }
    }

    #[test]
    fn trust_policies_trust_services() {
        let check = |statements: &str, expected: bool| {
            let document = format!(r#"{{"Version": "2012-10-17", "Statement": [{statements}]}}"#);
            let document = Document::parse_trust(&document).unwrap();
            let context = MapContext::new().with("aws:SourceAccount", "123456789012");
            let answer = document.trusts_service("iot.amazonaws.com", "sts:AssumeRole", &context);
            assert_eq!(answer, expected, "{statements}");
        };
        let iot = r#"{"Effect": "Allow", "Principal": {"Service": "iot.amazonaws.com"}, "Action": "sts:AssumeRole"}"#;
        check(iot, true);
        check(&iot.replace("iot.", "lambda."), false);
        check(&iot.replace("AssumeRole", "TagSession"), false);
        check(&format!(r#"{iot}, {{"Effect": "Deny", "Principal": "*", "Action": "sts:*"}}"#), false);
        let account = |account: &str| {
            let condition =
                format!(r#""Condition": {{"StringEquals": {{"aws:SourceAccount": "{account}"}}}}, "Action""#);
            iot.replace(r#""Action""#, &condition)
        };
        check(&account("123456789012"), true);
        check(&account("210987654321"), false);
    }

    #[test]
    fn trust_policies_have_principals_and_no_resources() {
        let check =
            |json: &str, expected: &str| assert_eq!(Document::parse_trust(json).unwrap_err().to_string(), expected);
        check(r#"{"Statement": {"Effect": "Allow", "Action": "*"}}"#, "Statement: has no Principal");
        check(
            r#"{"Statement": {"Effect": "Allow", "Action": "*", "Principal": "*", "Resource": "*"}}"#,
            "Statement: has a Resource, which a trust policy must not have",
        );
        let plain = Document::parse(r#"{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#).unwrap();
        assert!(!plain.trusts_service("iot.amazonaws.com", "sts:AssumeRole", &()));
    }

    #[test]
    fn white_space_does_not_count() {
        assert_eq!(characters_without_white_space(" { \"a\u{e4}\" :\n\t1 }\r\n"), 8);
    }
}
