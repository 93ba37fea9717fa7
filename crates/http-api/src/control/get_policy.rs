//! GetPolicy: a policy and its default version.

use names::{PolicyName, Timestamp};
use serde::{Deserialize, Serialize};

use crate::error::ApiError;
use crate::services::Call;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Input {
    policy_name: PolicyName,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Output {
    policy_name: PolicyName,
    policy_arn: String,
    policy_document: String,
    default_version_id: String,
    creation_date: Timestamp,
    last_modified_date: Timestamp,
    generation_id: String,
}

pub(super) fn run(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let policy = call.services.registry.policy(&input.policy_name)?;
    Ok(Output {
        policy_arn: call.services.arns.policy(&policy.name),
        policy_name: policy.name,
        policy_document: policy.document,
        default_version_id: policy.default_version_id,
        creation_date: policy.created_at,
        last_modified_date: policy.modified_at,
        generation_id: policy.generation_id,
    })
}
