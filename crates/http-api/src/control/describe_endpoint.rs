//! DescribeEndpoint: where devices and applications connect.

use serde::{Deserialize, Serialize};

use crate::error::ApiError;
use crate::services::Call;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Input {
    endpoint_type: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Output {
    endpoint_address: String,
}

/// One host serves everything. `iot:Data` and `iot:Jobs` are retired: AWS refuses them too.
pub(super) fn run(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    match input.endpoint_type.as_deref() {
        None | Some("iot:Data-ATS" | "iot:CredentialProvider") => {
            Ok(Output { endpoint_address: call.services.endpoint_host.clone() })
        }
        Some(other) => {
            let shown: String = other.chars().take(128).collect();
            Err(ApiError::invalid(format!("Endpoint type {shown} not recognized.")))
        }
    }
}
