//! RegisterCertificateWithoutCA: a certificate that somebody else has signed.

use names::CertificateId;
use registry::{CertificateMode, CertificateStatus, NewCertificate};
use serde::{Deserialize, Serialize};

use crate::error::ApiError;
use crate::services::Call;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Input {
    certificate_pem: String,
    status: Option<CertificateStatus>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Output {
    certificate_arn: String,
    certificate_id: CertificateId,
}

/// Without a status the certificate is inactive (API reference, `RegisterCertificateWithoutCA`).
pub(super) fn run(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let status = input.status.unwrap_or(CertificateStatus::Inactive);
    let new = NewCertificate { pem: input.certificate_pem, status, mode: CertificateMode::SniOnly };
    let record = call.services.registry.register_certificate(new, &call.new_id(), call.now)?;
    Ok(Output { certificate_arn: call.services.arns.certificate(&record.id), certificate_id: record.id })
}
