//! DescribeThing: one thing.

use std::collections::BTreeMap;

use names::{ThingName, ThingTypeName};
use serde::{Deserialize, Serialize};

use crate::error::ApiError;
use crate::services::Call;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Input {
    thing_name: ThingName,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Output {
    default_client_id: String,
    thing_name: ThingName,
    thing_id: String,
    thing_arn: String,
    thing_type_name: Option<ThingTypeName>,
    attributes: BTreeMap<String, String>,
    version: u64,
    billing_group_name: Option<String>,
}

pub(super) fn run(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let thing = call.services.registry.thing(&input.thing_name)?;
    Ok(Output {
        default_client_id: thing.name.to_string(),
        thing_arn: call.services.arns.thing(&thing.name),
        thing_name: thing.name,
        thing_id: thing.id,
        thing_type_name: thing.thing_type,
        attributes: thing.attributes,
        version: thing.version,
        billing_group_name: thing.billing_group,
    })
}
