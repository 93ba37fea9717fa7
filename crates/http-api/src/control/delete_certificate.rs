//! DeleteCertificate: an inactive certificate without things.

use names::CertificateId;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::error::ApiError;
use crate::services::Call;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Input {
    certificate_id: CertificateId,
    #[serde(default)]
    force_delete: bool,
}

pub(super) fn run(call: &Call<'_>, input: Input) -> Result<Value, ApiError> {
    call.services.registry.delete_certificate(&input.certificate_id, input.force_delete)?;
    Ok(json!({}))
}
