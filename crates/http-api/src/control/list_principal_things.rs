//! ListPrincipalThings: the things of a certificate.

use names::ThingName;
use serde::{Deserialize, Serialize};

use crate::control::principal;
use crate::error::ApiError;
use crate::page;
use crate::services::Call;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Input {
    principal: String,
    next_token: Option<String>,
    max_results: Option<u32>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Output {
    things: Vec<ThingName>,
    next_token: Option<String>,
}

pub(super) fn run(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let certificate = principal::certificate(&call.services.arns, &input.principal)?;
    let request = page::request(input.next_token.as_deref(), input.max_results)?;
    let page = call.services.registry.principal_things(&certificate, &request)?;
    Ok(Output { things: page.items, next_token: page::token(page.next) })
}
