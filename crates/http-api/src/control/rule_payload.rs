//! A topic rule's payload, as requests carry it.

use rules::RulePayload;
use serde_json::Value;

use crate::error::ApiError;

/// The payload that the model's constraints let through, as the rules engine has it.
pub(crate) fn read(payload: Value) -> Result<RulePayload, ApiError> {
    serde_json::from_value(payload)
        .map_err(|problem| ApiError::invalid(format!("The rule payload is not valid: {problem}.")))
}
