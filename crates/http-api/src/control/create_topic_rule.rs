//! CreateTopicRule: a rule that sees messages from now on.

use names::RuleName;
use rules::RuleError;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::control::rule_payload;
use crate::error::ApiError;
use crate::services::Call;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Input {
    rule_name: RuleName,
    topic_rule_payload: Value,
    tags: Option<String>,
}

pub(super) fn run(call: &Call<'_>, input: Input) -> Result<Value, ApiError> {
    if input.tags.is_some_and(|tags| !tags.is_empty()) {
        return Err(ApiError::not_implemented("Tagging"));
    }
    let payload = rule_payload::read(input.topic_rule_payload)?;
    let name = input.rule_name;
    call.services.rules.create(name.clone(), payload, call.now).map_err(|error| match error {
        RuleError::AlreadyExists(_) => ApiError::from(error).about(name.as_str(), call.services.arns.rule(&name)),
        other => other.into(),
    })?;
    Ok(json!({}))
}
