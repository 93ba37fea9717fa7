//! How large and how deep a shadow may be.

/// Bounds of a shadow's state. Metadata is never counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the state written as compact JSON, after the merge; a request's own state keeps to it too, nulls
    /// included. AWS: 8 KB, adjustable (AWS quotas, device shadow).
    pub state_bytes_max: usize,
    /// Objects and arrays inside each other, the section's own object being the first. AWS: 8 (AWS quotas,
    /// device shadow). More than `names::limits::JSON_DEPTH_MAX` counts as that.
    pub depth_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { state_bytes_max: names::limits::SHADOW_STATE_BYTES_MAX, depth_max: names::limits::SHADOW_DEPTH_MAX }
    }
}
