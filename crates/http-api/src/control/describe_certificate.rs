//! DescribeCertificate: one certificate.

use names::{CertificateId, Timestamp};
use registry::{CertificateMode, CertificateStatus};
use serde::{Deserialize, Serialize};

use crate::error::ApiError;
use crate::services::Call;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Input {
    certificate_id: CertificateId,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Output {
    certificate_description: Description,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Description {
    certificate_arn: String,
    certificate_id: CertificateId,
    status: CertificateStatus,
    certificate_pem: String,
    owned_by: String,
    creation_date: Timestamp,
    last_modified_date: Timestamp,
    customer_version: u64,
    transfer_data: TransferData,
    generation_id: String,
    validity: Validity,
    certificate_mode: CertificateMode,
}

/// Transfers between accounts are not served: there is only one.
#[derive(Serialize)]
struct TransferData {}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Validity {
    not_before: Timestamp,
    not_after: Timestamp,
}

pub(super) fn run(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let record = call.services.registry.certificate(&input.certificate_id)?;
    let certificate_description = Description {
        certificate_arn: call.services.arns.certificate(&record.id),
        certificate_id: record.id,
        status: record.status,
        certificate_pem: record.pem,
        owned_by: call.services.arns.account.to_string(),
        creation_date: record.created_at,
        last_modified_date: record.modified_at,
        customer_version: record.customer_version,
        transfer_data: TransferData {},
        generation_id: record.generation_id,
        validity: Validity { not_before: record.not_before, not_after: record.not_after },
        certificate_mode: record.mode,
    };
    Ok(Output { certificate_description })
}
