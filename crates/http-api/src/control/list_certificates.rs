//! ListCertificates: certificates by the time of their creation.

use names::{CertificateId, Timestamp};
use registry::{CertificateMode, CertificateStatus};
use serde::{Deserialize, Serialize};

use crate::error::ApiError;
use crate::page;
use crate::services::Call;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Input {
    page_size: Option<u32>,
    marker: Option<String>,
    #[serde(default)]
    ascending_order: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Output {
    certificates: Vec<Certificate>,
    next_marker: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Certificate {
    certificate_arn: String,
    certificate_id: CertificateId,
    status: CertificateStatus,
    certificate_mode: CertificateMode,
    creation_date: Timestamp,
}

pub(super) fn run(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let request = page::request(input.marker.as_deref(), input.page_size)?;
    let page = call.services.registry.list_certificates(&request, input.ascending_order)?;
    let certificates = page.items.into_iter().map(|record| Certificate {
        certificate_arn: call.services.arns.certificate(&record.id),
        certificate_id: record.id,
        status: record.status,
        certificate_mode: record.mode,
        creation_date: record.created_at,
    });
    Ok(Output { certificates: certificates.collect(), next_marker: page::token(page.next) })
}
