//! AttachThingPrincipal: a certificate for a thing.

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
    thing_principal_type: Option<String>,
}

pub(super) fn run(call: &Call<'_>, input: Input) -> Result<Value, ApiError> {
    let certificate = principal::certificate(&call.services.arns, &input.principal)?;
    let exclusive = input.thing_principal_type.as_deref() == Some("EXCLUSIVE_THING");
    call.services.registry.attach_thing_principal(&input.thing_name, &certificate, exclusive)?;
    Ok(json!({}))
}
