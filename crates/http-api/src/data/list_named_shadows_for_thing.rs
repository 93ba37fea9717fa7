//! ListNamedShadowsForThing: the names of a thing's named shadows.

use names::{ShadowName, ThingName};
use serde::{Deserialize, Serialize};

use crate::error::ApiError;
use crate::page;
use crate::services::{Call, Permissions};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Input {
    thing_name: ThingName,
    next_token: Option<String>,
    page_size: Option<u32>,
}

/// The timestamp is in whole seconds and no timestamp of the model's.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Output {
    results: Vec<ShadowName>,
    next_token: Option<String>,
    timestamp: u64,
}

pub(super) fn permission(call: &Call<'_>, input: &Input) -> Permissions {
    vec![("iot:ListNamedShadowsForThing", call.services.arns.thing(&input.thing_name))]
}

pub(super) fn run(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let after = input.next_token.as_deref().map(page::read_token).transpose()?.map(ShadowName::new).transpose();
    let after = after.map_err(|_| ApiError::invalid("The pagination token is not valid."))?;
    let page = call.services.shadows.list_named(&input.thing_name, after.as_ref(), page::limit(input.page_size))?;
    let next_token = page::token(page.next_after.map(|name| name.to_string()));
    Ok(Output { results: page.names, next_token, timestamp: call.now.as_seconds() })
}
