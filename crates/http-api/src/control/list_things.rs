//! ListThings: things, all or by attribute or type.

use std::collections::BTreeMap;

use names::{ThingName, ThingTypeName};
use registry::ThingQuery;
use serde::{Deserialize, Serialize};

use crate::error::ApiError;
use crate::page;
use crate::services::Call;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Input {
    next_token: Option<String>,
    max_results: Option<u32>,
    attribute_name: Option<String>,
    attribute_value: Option<String>,
    thing_type_name: Option<String>,
    #[serde(default)]
    use_prefix_attribute_value: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Output {
    things: Vec<ThingAttribute>,
    next_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ThingAttribute {
    thing_name: ThingName,
    thing_type_name: Option<ThingTypeName>,
    thing_arn: String,
    attributes: BTreeMap<String, String>,
    version: u64,
}

pub(super) fn run(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    if input.attribute_name.is_none() && input.attribute_value.is_some() {
        return Err(ApiError::invalid("attributeValue needs an attributeName."));
    }
    let query = ThingQuery {
        attribute: input.attribute_name.map(|name| (name, input.attribute_value)),
        thing_type: input.thing_type_name,
        prefix: input.use_prefix_attribute_value,
    };
    let page =
        call.services.registry.list_things(&query, &page::request(input.next_token.as_deref(), input.max_results)?)?;
    let things = page.items.into_iter().map(|thing| ThingAttribute {
        thing_arn: call.services.arns.thing(&thing.name),
        thing_name: thing.name,
        thing_type_name: thing.thing_type,
        attributes: thing.attributes,
        version: thing.version,
    });
    Ok(Output { things: things.collect(), next_token: page::token(page.next) })
}
