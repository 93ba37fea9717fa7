//! CreateThing: a thing, or the same one again.

use names::{ThingName, ThingTypeName};
use registry::NewThing;
use serde::{Deserialize, Serialize};

use crate::control::attributes::AttributePayload;
use crate::error::ApiError;
use crate::services::Call;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Input {
    thing_name: ThingName,
    thing_type_name: Option<ThingTypeName>,
    attribute_payload: Option<AttributePayload>,
    billing_group_name: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Output {
    thing_arn: String,
    thing_id: String,
    thing_name: ThingName,
}

pub(super) fn run(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let new = NewThing {
        thing_type: input.thing_type_name,
        attributes: input.attribute_payload.and_then(|payload| payload.attributes).unwrap_or_default(),
        billing_group: input.billing_group_name,
    };
    let thing = call.services.registry.create_thing(&input.thing_name, new, &call.new_id(), call.now)?;
    Ok(Output { thing_arn: call.services.arns.thing(&thing.name), thing_id: thing.id, thing_name: thing.name })
}
