//! ListAttachedPolicies: the policies of a certificate.

use serde::{Deserialize, Serialize};

use crate::control::principal;
use crate::error::ApiError;
use crate::page;
use crate::services::Call;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Input {
    target: String,
    marker: Option<String>,
    page_size: Option<u32>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Output {
    policies: Vec<Policy>,
    next_marker: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Policy {
    policy_name: String,
    policy_arn: String,
}

pub(super) fn run(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let target = principal::policy_target(&call.services.arns, &input.target)?;
    let request = page::request(input.marker.as_deref(), input.page_size)?;
    let page = call.services.registry.attached_policies(&target, &request)?;
    let policies = page
        .items
        .iter()
        .map(|name| Policy { policy_name: name.to_string(), policy_arn: call.services.arns.policy(name) });
    Ok(Output { policies: policies.collect(), next_marker: page::token(page.next) })
}
