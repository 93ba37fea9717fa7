//! DeletePolicy: a policy that is attached to nothing.

use names::PolicyName;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::error::ApiError;
use crate::services::Call;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Input {
    policy_name: PolicyName,
}

pub(super) fn run(call: &Call<'_>, input: Input) -> Result<Value, ApiError> {
    call.services.registry.delete_policy(&input.policy_name)?;
    Ok(json!({}))
}
