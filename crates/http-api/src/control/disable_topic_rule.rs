//! DisableTopicRule: a rule rests.

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
    call.services.rules.set_disabled(&input.rule_name, true)?;
    Ok(json!({}))
}
