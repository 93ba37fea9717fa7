//! DeleteTopicRule: gone, also when it was not there.

use names::RuleName;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::error::ApiError;
use crate::services::Call;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Input {
    rule_name: RuleName,
}

pub(super) fn run(call: &Call<'_>, input: Input) -> Result<Value, ApiError> {
    call.services.rules.delete(&input.rule_name)?;
    Ok(json!({}))
}
