//! `[shadows]`: how large device shadows may be and how often they may be asked for.

use anyhow::bail;
use names::limits;
use serde::Deserialize;
use shadow_document::Limits;
use shadows::ShadowSettings;

/// What differs from AWS's quotas.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ShadowsConfig {
    state_bytes_max: Option<usize>,
    depth_max: Option<usize>,
    in_flight_max: Option<usize>,
    requests_per_second_per_thing_max: Option<u32>,
    requests_per_second_max: Option<u32>,
}

impl ShadowsConfig {
    pub(crate) fn settings(&self) -> anyhow::Result<ShadowSettings> {
        let own = ShadowSettings::default();
        let document = Limits {
            state_bytes_max: self.state_bytes_max.unwrap_or(own.document.state_bytes_max),
            depth_max: self.depth_max.unwrap_or(own.document.depth_max),
        };
        let check = |key: &str, value: usize, max: usize| {
            if (1..=max).contains(&value) {
                return Ok(());
            }
            bail!("[shadows] {key} is {value}: give 1 to {max}")
        };
        check("state_bytes_max", document.state_bytes_max, limits::SHADOW_STATE_BYTES_MAX_MAX)?;
        check("depth_max", document.depth_max, limits::JSON_DEPTH_MAX)?;
        Ok(ShadowSettings {
            document,
            in_flight_max: self.in_flight_max.unwrap_or(own.in_flight_max),
            requests_per_second_per_thing_max: self
                .requests_per_second_per_thing_max
                .unwrap_or(own.requests_per_second_per_thing_max),
            requests_per_second_max: self.requests_per_second_max.unwrap_or(own.requests_per_second_max),
        })
    }
}
