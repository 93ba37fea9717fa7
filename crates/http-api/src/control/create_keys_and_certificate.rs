//! CreateKeysAndCertificate: a key pair and its certificate; the private key is given once and not kept.

use registry::{CertificateMode, CertificateStatus, NewCertificate};
use serde::{Deserialize, Serialize};

use crate::error::ApiError;
use crate::services::Call;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Input {
    #[serde(default)]
    set_as_active: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Output {
    certificate_arn: String,
    certificate_id: String,
    certificate_pem: String,
    key_pair: KeyPair,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct KeyPair {
    public_key: String,
    private_key: String,
}

pub(super) fn run(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let device = call.services.authority.issue_device(call.now)?;
    let status = if input.set_as_active { CertificateStatus::Active } else { CertificateStatus::Inactive };
    let new = NewCertificate { pem: device.certificate_pem.clone(), status, mode: CertificateMode::Default };
    let record = call.services.registry.register_certificate(new, &call.new_id(), call.now)?;
    Ok(Output {
        certificate_arn: call.services.arns.certificate(&record.id),
        certificate_id: record.id.to_string(),
        certificate_pem: device.certificate_pem,
        key_pair: KeyPair { public_key: device.public_key_pem, private_key: device.private_key_pem },
    })
}
