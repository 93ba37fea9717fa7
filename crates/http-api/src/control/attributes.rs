//! A thing's attributes as requests carry them.

use std::collections::BTreeMap;

use serde::Deserialize;

/// `AttributePayload` of the API.
#[derive(Deserialize, Default)]
pub(crate) struct AttributePayload {
    pub(crate) attributes: Option<BTreeMap<String, String>>,
    #[serde(default)]
    pub(crate) merge: bool,
}
