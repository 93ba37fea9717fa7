//! UpdateCertificate: a certificate's status.

use names::CertificateId;
use registry::CertificateStatus;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::error::ApiError;
use crate::services::Call;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Input {
    certificate_id: CertificateId,
    new_status: CertificateStatus,
}

pub(super) fn run(call: &Call<'_>, input: Input) -> Result<Value, ApiError> {
    call.services.registry.update_certificate_status(&input.certificate_id, input.new_status, call.now)?;
    Ok(json!({}))
}
