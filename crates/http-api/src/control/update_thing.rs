//! UpdateThing: a thing's attributes and type.

use names::{ThingName, ThingTypeName};
use registry::ThingUpdate;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::control::attributes::AttributePayload;
use crate::error::ApiError;
use crate::services::Call;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Input {
    thing_name: ThingName,
    thing_type_name: Option<ThingTypeName>,
    attribute_payload: Option<AttributePayload>,
    expected_version: Option<u64>,
    #[serde(default)]
    remove_thing_type: bool,
}

pub(super) fn run(call: &Call<'_>, input: Input) -> Result<Value, ApiError> {
    let payload = input.attribute_payload.unwrap_or_default();
    let update = ThingUpdate {
        attributes: payload.attributes,
        merge: payload.merge,
        thing_type: input.thing_type_name,
        remove_thing_type: input.remove_thing_type,
        expected_version: input.expected_version,
    };
    call.services.registry.update_thing(&input.thing_name, update)?;
    Ok(json!({}))
}
