//! Which shadow a request means: the classic one of a thing, or a named one.

use names::{ShadowName, ThingName};
use serde::Deserialize;
use shadows::ShadowId;

/// The input of all three shadow operations.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Input {
    thing_name: ThingName,
    shadow_name: Option<ShadowName>,
}

impl From<Input> for ShadowId {
    fn from(input: Input) -> Self {
        Self { thing: input.thing_name, name: input.shadow_name }
    }
}
