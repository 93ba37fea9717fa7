//! CreateCertificateFromCsr: a certificate for a key that only the device knows.

use registry::{CertificateMode, CertificateStatus, NewCertificate};
use serde::{Deserialize, Serialize};

use crate::error::ApiError;
use crate::services::Call;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Input {
    certificate_signing_request: String,
    #[serde(default)]
    set_as_active: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Output {
    certificate_arn: String,
    certificate_id: String,
    certificate_pem: String,
}

pub(super) fn run(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let pem = call.services.authority.issue_from_csr(&input.certificate_signing_request, call.now)?;
    let status = if input.set_as_active { CertificateStatus::Active } else { CertificateStatus::Inactive };
    let new = NewCertificate { pem: pem.clone(), status, mode: CertificateMode::Default };
    let record = call.services.registry.register_certificate(new, &call.new_id(), call.now)?;
    Ok(Output {
        certificate_arn: call.services.arns.certificate(&record.id),
        certificate_id: record.id.to_string(),
        certificate_pem: pem,
    })
}
