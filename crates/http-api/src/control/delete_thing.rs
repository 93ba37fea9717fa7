//! DeleteThing: gone, also when it was not there.

use names::ThingName;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::error::ApiError;
use crate::services::Call;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Input {
    thing_name: ThingName,
    expected_version: Option<u64>,
}

pub(super) fn run(call: &Call<'_>, input: Input) -> Result<Value, ApiError> {
    call.services.registry.delete_thing(&input.thing_name, input.expected_version)?;
    Ok(json!({}))
}
