//! UpdateThingShadow: the accepted document, once it is durable.

use bytes::Bytes;

use crate::data::shadow_id::Input;
use crate::error::ApiError;
use crate::services::{Call, Permissions};

pub(super) fn permission(call: &Call<'_>, input: &Input) -> Permissions {
    input.permission(call, "iot:UpdateThingShadow")
}

pub(super) fn run(call: &Call<'_>, input: Input, payload: &Bytes) -> Result<Bytes, ApiError> {
    Ok(call.services.shadows.update(&input.into(), payload.clone(), call.now)?)
}
