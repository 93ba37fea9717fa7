//! DeleteThingShadow: the version and the time of the deletion.

use bytes::Bytes;

use crate::data::shadow_id::Input;
use crate::error::ApiError;
use crate::services::{Call, Permissions};

pub(super) fn permission(call: &Call<'_>, input: &Input) -> Permissions {
    input.permission(call, "iot:DeleteThingShadow")
}

pub(super) fn run(call: &Call<'_>, input: Input, _payload: &Bytes) -> Result<Bytes, ApiError> {
    Ok(call.services.shadows.delete(&input.into(), Bytes::new(), call.now)?)
}
