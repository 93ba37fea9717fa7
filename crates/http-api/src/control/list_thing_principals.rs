//! ListThingPrincipals: the ARNs of a thing's certificates.

use names::ThingName;
use serde::{Deserialize, Serialize};

use crate::error::ApiError;
use crate::page;
use crate::services::Call;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Input {
    thing_name: ThingName,
    next_token: Option<String>,
    max_results: Option<u32>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Output {
    principals: Vec<String>,
    next_token: Option<String>,
}

pub(super) fn run(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let request = page::request(input.next_token.as_deref(), input.max_results)?;
    let page = call.services.registry.thing_principals(&input.thing_name, &request)?;
    let principals = page.items.iter().map(|id| call.services.arns.certificate(id)).collect();
    Ok(Output { principals, next_token: page::token(page.next) })
}
