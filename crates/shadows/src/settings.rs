//! What the service allows.

use names::limits;
use shadow_document::Limits;

/// Bounds of shadows and of the requests for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShadowSettings {
    /// How large and how deep a shadow may be.
    pub document: Limits,
    /// Requests of one connection on one thing that are not answered yet; more are refused with 429. AWS: 10 (AWS
    /// quotas, device shadow). 0 is no bound.
    pub in_flight_max: usize,
    /// Requests a second on one thing, all its shadows together; more are refused with 429. AWS: 20, adjustable. 0 is no
    /// bound.
    pub requests_per_second_per_thing_max: u32,
    /// The same on all things. AWS has a quota for each account and region. 0 is no bound.
    pub requests_per_second_max: u32,
}

impl Default for ShadowSettings {
    fn default() -> Self {
        Self {
            document: Limits::default(),
            in_flight_max: limits::SHADOW_IN_FLIGHT_MAX,
            requests_per_second_per_thing_max: 0,
            requests_per_second_max: 0,
        }
    }
}
