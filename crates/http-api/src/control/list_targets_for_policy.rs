//! ListTargetsForPolicy: what a policy is attached to.

use names::PolicyName;
use registry::PolicyTarget;
use serde::{Deserialize, Serialize};

use crate::error::ApiError;
use crate::page;
use crate::services::Call;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Input {
    policy_name: PolicyName,
    marker: Option<String>,
    page_size: Option<u32>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Output {
    targets: Vec<String>,
    next_marker: Option<String>,
}

pub(super) fn run(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let request = page::request(input.marker.as_deref(), input.page_size)?;
    let page = call.services.registry.policy_targets(&input.policy_name, &request)?;
    let arn = |target: &PolicyTarget| match target {
        PolicyTarget::Certificate(id) => Ok(call.services.arns.certificate(id)),
        _ => Err(ApiError::internal("a policy is attached to a target whose ARN is not known here")),
    };
    let targets = page.items.iter().map(arn).collect::<Result<_, _>>()?;
    Ok(Output { targets, next_marker: page::token(page.next) })
}
