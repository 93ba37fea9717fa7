//! What is asked, kept as it was typed: a shadow keeps its keys in the order in which they were sent.

use serde::Deserialize;
use serde_json::value::RawValue;

/// The body of a request without its client token.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Request {
    /// None for a get or a delete.
    #[serde(default)]
    pub(super) state: Option<Box<RawValue>>,
    /// The version that the shadow must have.
    #[serde(default)]
    pub(super) version: Option<u64>,
}

impl Request {
    /// An update of these sections.
    pub(super) fn of_sections(sections: &[(&str, &RawValue)]) -> Self {
        let sections: Vec<String> = sections.iter().map(|(name, section)| format!("\"{name}\":{section}")).collect();
        Self { state: RawValue::from_string(format!("{{{}}}", sections.join(","))).ok(), version: None }
    }

    /// The whole body.
    pub(super) fn body(&self, token: &str) -> String {
        let state = self.state.as_ref().map(|state| format!("\"state\":{state},")).unwrap_or_default();
        let version = self.version.map(|version| format!("\"version\":{version},")).unwrap_or_default();
        format!("{{{state}{version}\"clientToken\":\"{token}\"}}")
    }
}
