//! Which shadow a request means: the classic one of a thing, or a named one.

use names::{ShadowName, ThingName};
use serde::Deserialize;
use shadows::ShadowId;

use crate::services::{Call, Permissions};

/// The input of all three shadow operations.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Input {
    thing_name: ThingName,
    shadow_name: Option<ShadowName>,
}

impl Input {
    /// The one action, on this shadow.
    pub(super) fn permission(&self, call: &Call<'_>, action: &'static str) -> Permissions {
        vec![(action, call.services.arns.shadow(&self.thing_name, self.shadow_name.as_ref()))]
    }
}

impl From<Input> for ShadowId {
    fn from(input: Input) -> Self {
        Self { thing: input.thing_name, name: input.shadow_name }
    }
}
