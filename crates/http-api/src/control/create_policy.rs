//! CreatePolicy: a policy and its first version.

use names::PolicyName;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::ApiError;
use crate::services::Call;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Input {
    policy_name: PolicyName,
    policy_document: String,
    tags: Option<Vec<Value>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Output {
    policy_name: PolicyName,
    policy_arn: String,
    policy_document: String,
    policy_version_id: String,
}

pub(super) fn run(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    if input.tags.is_some_and(|tags| !tags.is_empty()) {
        return Err(ApiError::not_implemented("Tagging"));
    }
    let policy = call.services.registry.create_policy(&input.policy_name, &input.policy_document, call.now)?;
    Ok(Output {
        policy_arn: call.services.arns.policy(&policy.name),
        policy_name: policy.name,
        policy_document: policy.document,
        policy_version_id: policy.default_version_id,
    })
}
