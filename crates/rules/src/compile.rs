//! From a rule's texts to what is evaluated: the statement parsed, its filter checked, all actions compiled.

use actions::Action;
use message::TopicFilter;
use names::limits;
use sql::{SqlVersion, Statement};

use crate::{RuleError, RulePayload};

/// A rule that can be evaluated.
#[derive(Debug)]
pub(crate) struct CompiledRule {
    pub(crate) statement: Statement,
    /// What is after FROM; Basic Ingest needs none.
    pub(crate) from: Option<TopicFilter>,
    pub(crate) actions: Vec<Action>,
    pub(crate) error_action: Option<Action>,
}

impl CompiledRule {
    /// Checks everything about a rule that can be known before its first message.
    pub(crate) fn new(payload: &RulePayload) -> Result<Self, RuleError> {
        if payload.actions.len() > limits::ACTIONS_PER_RULE_MAX {
            return Err(RuleError::TooManyActions(payload.actions.len()));
        }
        let version = match payload.aws_iot_sql_version.as_deref() {
            None => SqlVersion::default(),
            Some(text) => {
                text.parse().map_err(|error: sql::UnknownSqlVersion| RuleError::SqlVersion(error.to_string()))?
            }
        };
        let statement = Statement::parse(&payload.sql, version).map_err(|error| RuleError::Sql(error.to_string()))?;
        let from = statement.from_filter().map(TopicFilter::new).transpose();
        let from = from.map_err(|error| RuleError::Sql(format!("the topic filter after FROM: {error}")))?;
        let variables = statement.variable_names();
        let compile = |spec| Action::compile_with(spec, version, &variables);
        let actions = payload.actions.iter().map(compile).collect::<Result<_, _>>()?;
        // It is told what failed, not what the statement made: no variables.
        let error_action = payload.error_action.as_ref().map(|spec| Action::compile(spec, version)).transpose()?;
        Ok(Self { statement, from, actions, error_action })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payload(sql: &str, actions: &str) -> RulePayload {
        serde_json::from_str(&format!(r#"{{"sql":{sql:?},"actions":{actions},"awsIotSqlVersion":"2016-03-23"}}"#))
            .unwrap()
    }

    const REPUBLISH: &str = r#"{"republish":{"roleArn":"arn:aws:iam::123456789012:role/r","topic":"out"}}"#;

    #[test]
    fn good_rules_compile() {
        let rule = CompiledRule::new(&payload("SELECT * FROM 'room/+'", &format!("[{REPUBLISH}]"))).unwrap();
        assert_eq!(rule.from.unwrap().as_str(), "room/+");
        assert_eq!((rule.actions.len(), rule.error_action.is_none()), (1, true));
        assert!(CompiledRule::new(&payload("SELECT * FROM 'a'", "[]")).is_ok());
        assert!(CompiledRule::new(&payload("SELECT * FROM 'a'", &format!("[{}]", [REPUBLISH; 10].join(",")))).is_ok());
    }

    #[test]
    fn bad_rules_are_refused() {
        let check = |sql: &str, actions: &str, expected: &str| {
            let refusal = CompiledRule::new(&payload(sql, actions)).unwrap_err().to_string();
            assert!(refusal.starts_with(expected), "{refusal}");
        };
        check("SELECT * FRM 'a'", "[]", "expected");
        check("SELECT * FROM 'a/#/b'", "[]", "the topic filter after FROM: '#' must be the last level");
        check("SELECT aws_lambda('f', *) AS x FROM 'a'", "[]", "the function aws_lambda is not supported");
        check("SELECT * FROM 'a'", r#"[{"lambda":{"functionArn":"f"}}]"#, "the action lambda is not supported");
        check(
            "SELECT * FROM 'a'",
            &format!("[{}]", [REPUBLISH; 11].join(",")),
            "a rule may have at most 10 actions, this one has 11",
        );
        check(
            "SELECT * FROM 'a'",
            r#"[{"republish":{"roleArn":"r","topic":"out"}}]"#,
            "republish.roleArn: is not the ARN of an IAM role",
        );
        let mut unknown = payload("SELECT * FROM 'a'", "[]");
        unknown.aws_iot_sql_version = Some("2020-01-01".to_owned());
        assert!(matches!(CompiledRule::new(&unknown), Err(RuleError::SqlVersion(_))));
        let mut error_action = payload("SELECT * FROM 'a'", "[]");
        error_action.error_action = serde_json::from_str(r#"{"sns":{}}"#).unwrap();
        assert!(matches!(CompiledRule::new(&error_action), Err(RuleError::Action(_))));
    }
}
