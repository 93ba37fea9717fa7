//! AttachPolicy: a policy for a certificate.

use names::PolicyName;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::control::principal;
use crate::error::ApiError;
use crate::services::Call;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Input {
    policy_name: PolicyName,
    target: String,
}

pub(super) fn run(call: &Call<'_>, input: Input) -> Result<Value, ApiError> {
    let target = principal::policy_target(&call.services.arns, &input.target)?;
    call.services.registry.attach_policy(&input.policy_name, &target)?;
    Ok(json!({}))
}
