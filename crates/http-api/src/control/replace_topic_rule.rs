//! ReplaceTopicRule: another payload for a rule that is there.

use names::RuleName;
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
}

pub(super) fn run(call: &Call<'_>, input: Input) -> Result<Value, ApiError> {
    call.services.rules.replace(&input.rule_name, rule_payload::read(input.topic_rule_payload)?)?;
    Ok(json!({}))
}
