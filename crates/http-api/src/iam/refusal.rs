//! Errors as IAM and STS have them: a code, a status and a text.

use ::iam::IamError;
use bytes::Bytes;
use http::{Response, StatusCode};
use store::StoreError;

use super::xml::{self, Element};
use crate::error::ApiError;

/// Why an action was not done.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) code: &'static str,
    pub(super) status: u16,
    pub(super) message: String,
}

impl Refusal {
    pub(super) fn new(code: &'static str, status: u16, message: impl Into<String>) -> Self {
        Self { code, status, message: message.into() }
    }

    pub(super) fn not_implemented(action: &str) -> Self {
        let shown: String = action.chars().take(128).collect();
        Self::new("NotImplemented", 501, format!("The action {shown} is not implemented by Althing."))
    }

    pub(super) fn answer(&self, request_id: &str) -> Response<Bytes> {
        let blame = if self.status < 500 { "Sender" } else { "Receiver" };
        let error =
            [Element::text("Type", blame), Element::text("Code", self.code), Element::text("Message", &self.message)];
        let mut response = xml::failure(Element::parent("Error", error), request_id);
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        response
    }
}

/// The front door's names in this protocol (IAM API reference, common errors).
impl From<&ApiError> for Refusal {
    fn from(error: &ApiError) -> Self {
        let (code, status) = match error.name() {
            Some("MissingAuthenticationTokenException") => ("MissingAuthenticationToken", 403),
            Some("IncompleteSignatureException") => ("IncompleteSignature", 400),
            Some("UnrecognizedClientException") => ("InvalidClientTokenId", 403),
            Some("InvalidSignatureException") => ("SignatureDoesNotMatch", 403),
            Some("SerializationException") => ("ValidationError", 400),
            Some("RequestTimeoutException") => ("RequestTimeout", 408),
            Some("RequestEntityTooLargeException") => ("RequestEntityTooLarge", 413),
            Some("ServiceUnavailableException") => ("ServiceUnavailable", 503),
            _ => ("ServiceFailure", 500),
        };
        Self::new(code, status, error.message.clone())
    }
}

impl From<IamError> for Refusal {
    fn from(error: IamError) -> Self {
        let message = error.to_string();
        let (code, status) = match error {
            IamError::NoSuchEntity(..) => ("NoSuchEntity", 404),
            IamError::EntityAlreadyExists(..) => ("EntityAlreadyExists", 409),
            IamError::MalformedPolicyDocument(..) => ("MalformedPolicyDocument", 400),
            IamError::DeleteConflict => ("DeleteConflict", 409),
            IamError::LimitExceeded(..) => ("LimitExceeded", 409),
            IamError::InvalidInput(..) => ("ValidationError", 400),
            IamError::Store(StoreError::Conflict) => {
                let message = "Multiple requests to change this object were submitted simultaneously. Try again.";
                return Self::new("ConcurrentModification", 409, message);
            }
            problem => {
                tracing::error!(%problem, "an IAM request failed");
                let message = "The request processing has failed because of an unknown error, exception or failure.";
                return Self::new("ServiceFailure", 500, message);
            }
        };
        Self::new(code, status, message)
    }
}
