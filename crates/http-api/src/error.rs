//! Where errors become AWS's: a name, a status, a text for the caller, and apart from it a text for the log.
//!
//! The services' errors are converted in `convert`; the model says which status a name has.

mod convert;

use crate::model::{Model, Operation};

/// An error on its way to a caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ApiError {
    kind: ErrorKind,
    pub(crate) message: String,
    pub(crate) resource: Option<Resource>,
    /// What the operator should read; never sent.
    pub(crate) log: Option<String>,
}

/// How an error is named. The last three have another name in some operations.
#[derive(Debug, Clone, PartialEq, Eq)]
enum ErrorKind {
    Named(&'static str),
    /// The request breaks a rule that the model or the developer guide states.
    Invalid,
    /// The service cannot answer now.
    Unavailable,
    /// The service is wrong.
    Internal,
}

/// What an "already exists" speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Resource {
    pub(crate) id: String,
    pub(crate) arn: String,
}

impl ApiError {
    pub(crate) fn named(name: &'static str, message: impl Into<String>) -> Self {
        Self { kind: ErrorKind::Named(name), message: message.into(), resource: None, log: None }
    }

    /// The operation's InvalidRequestException, or its ValidationException.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self { kind: ErrorKind::Invalid, ..Self::named("", message) }
    }

    pub(crate) fn unavailable(log: impl Into<String>) -> Self {
        let message = "The service is temporarily unavailable.";
        Self { kind: ErrorKind::Unavailable, log: Some(log.into()), ..Self::named("", message) }
    }

    pub(crate) fn internal(log: impl Into<String>) -> Self {
        let message = "An unexpected error has occurred.";
        Self { kind: ErrorKind::Internal, log: Some(log.into()), ..Self::named("", message) }
    }

    pub(crate) fn not_implemented(what: impl std::fmt::Display) -> Self {
        Self::named("NotImplementedException", format!("{what} is not implemented by Althing."))
    }

    pub(crate) fn about(mut self, id: impl Into<String>, arn: impl Into<String>) -> Self {
        self.resource = Some(Resource { id: id.into(), arn: arn.into() });
        self
    }

    /// The name, where it is the same in every operation.
    pub(crate) fn name(&self) -> Option<&'static str> {
        match self.kind {
            ErrorKind::Named(name) => Some(name),
            _ => None,
        }
    }

    /// The name and HTTP status that the error has in an answer of `operation`.
    pub(crate) fn name_and_status(&self, model: &Model, operation: Option<&Operation>) -> (&'static str, u16) {
        let listed = |names: &[&'static str]| operation.and_then(|o| o.listed(names));
        let name = match self.kind {
            ErrorKind::Named(name) => name,
            ErrorKind::Invalid => {
                listed(&["InvalidRequestException", "ValidationException"]).unwrap_or("InvalidRequestException")
            }
            ErrorKind::Unavailable => "ServiceUnavailableException",
            ErrorKind::Internal => {
                listed(&["InternalFailureException", "InternalException", "InternalServerException"])
                    .unwrap_or("InternalFailureException")
            }
        };
        let in_operation = operation.and_then(|o| o.errors.iter().find(|(listed, _)| listed == name));
        let status = in_operation.map(|(_, status)| *status).or_else(|| front_door_status(name));
        (name, status.or_else(|| model.error_status(name)).unwrap_or(500))
    }
}

/// Errors that no operation lists (AWS IoT API reference, common errors; 501 is ours).
fn front_door_status(name: &str) -> Option<u16> {
    Some(match name {
        "SerializationException" => 400,
        "AccessDeniedException"
        | "IncompleteSignatureException"
        | "InvalidSignatureException"
        | "MissingAuthenticationTokenException"
        | "UnrecognizedClientException" => 403,
        "UnknownOperationException" => 404,
        "MethodNotAllowedException" => 405,
        "RequestTimeoutException" => 408,
        "RequestEntityTooLargeException" => 413,
        "NotImplementedException" => 501,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Api;

    /// AWS IoT API reference: each operation's Errors section.
    #[test]
    fn the_operation_names_the_error_and_its_status() {
        let model = Model::load().unwrap();
        let check = |operation: Option<(Api, &str)>, error: ApiError, expected: (&str, u16)| {
            let operation = operation.map(|(api, name)| model.operation(model.find(api, name).unwrap()));
            assert_eq!(error.name_and_status(&model, operation), expected, "{operation:?}");
        };
        check(Some((Api::Control, "CreateThing")), ApiError::invalid(""), ("InvalidRequestException", 400));
        check(Some((Api::Control, "CreatePackage")), ApiError::invalid(""), ("ValidationException", 400));
        check(Some((Api::Control, "CreateThing")), ApiError::internal(""), ("InternalFailureException", 500));
        check(Some((Api::Control, "CreateTopicRule")), ApiError::internal(""), ("InternalException", 500));
        check(Some((Api::Control, "CreatePackage")), ApiError::internal(""), ("InternalServerException", 500));
        check(Some((Api::Control, "CreateThing")), ApiError::unavailable(""), ("ServiceUnavailableException", 503));
        let state = ApiError::named("CertificateStateException", "");
        check(Some((Api::Control, "DeleteCertificate")), state.clone(), ("CertificateStateException", 406));
        check(None, state, ("CertificateStateException", 406));
        let throttled = ApiError::named("ThrottlingException", "");
        check(Some((Api::Control, "CreateThing")), throttled.clone(), ("ThrottlingException", 400));
        check(Some((Api::Data, "GetThingShadow")), throttled, ("ThrottlingException", 429));
        check(None, ApiError::not_implemented("X"), ("NotImplementedException", 501));
        check(None, ApiError::named("UnknownOperationException", ""), ("UnknownOperationException", 404));
        check(None, ApiError::named("NeverHeardOfException", ""), ("NeverHeardOfException", 500));
    }
}
