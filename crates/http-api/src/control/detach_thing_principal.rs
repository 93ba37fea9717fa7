//! DetachThingPrincipal: takes a certificate from a thing.

use names::ThingName;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::control::principal;
use crate::error::ApiError;
use crate::services::Call;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Input {
    thing_name: ThingName,
    principal: String,
}

pub(super) fn run(call: &Call<'_>, input: Input) -> Result<Value, ApiError> {
    let certificate = principal::certificate(&call.services.arns, &input.principal)?;
    call.services.registry.detach_thing_principal(&input.thing_name, &certificate)?;
    Ok(json!({}))
}
