//! The services' errors in AWS's words. Nothing else in this crate turns one into the other.

use ::iam::IamError;
use actions::ActionError;
use broker::{NotKept, NotReached, PublishRefused, SendRefused};
use registry::RegistryError;
use rules::RuleError;
use session::Violation;
use shadows::ServiceError;
use store::StoreError;
use x509::X509Error;

use super::ApiError;

impl From<NotKept> for ApiError {
    fn from(error: NotKept) -> Self {
        match error {
            NotKept::Store(error) => error.into(),
            NotKept::Service(dropped) => Self::unavailable(dropped.to_string()),
        }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict | StoreError::Closed => Self::unavailable(error.to_string()),
            other => Self::internal(other.to_string()),
        }
    }
}

impl From<RegistryError> for ApiError {
    fn from(error: RegistryError) -> Self {
        let message = error.to_string();
        match error {
            RegistryError::NotFound { .. } => Self::named("ResourceNotFoundException", message),
            RegistryError::AlreadyExists { resource_id, resource_arn, .. } => {
                Self::named("ResourceAlreadyExistsException", message).about(resource_id, resource_arn)
            }
            RegistryError::VersionConflict(_) => Self::named("VersionConflictException", message),
            RegistryError::DeleteConflict(_) => Self::named("DeleteConflictException", message),
            RegistryError::CertificateState(_) => Self::named("CertificateStateException", message),
            RegistryError::CertificateValidation(_) => Self::named("CertificateValidationException", message),
            RegistryError::MalformedPolicy(_) => Self::named("MalformedPolicyException", message),
            RegistryError::LimitExceeded(_) => Self::named("LimitExceededException", message),
            RegistryError::InvalidRequest(_) | RegistryError::InvalidToken => Self::invalid(message),
            RegistryError::Store(error) => error.into(),
        }
    }
}

/// Access keys are read for every request; IAM's own actions have their own errors.
impl From<IamError> for ApiError {
    fn from(error: IamError) -> Self {
        match error {
            IamError::Store(error) => error.into(),
            other => Self::internal(other.to_string()),
        }
    }
}

impl From<X509Error> for ApiError {
    fn from(error: X509Error) -> Self {
        match error {
            X509Error::BadAuthority(_) | X509Error::Cryptography(_) => Self::internal(error.to_string()),
            other => Self::invalid(other.to_string()),
        }
    }
}

/// The codes are the HTTP API's statuses too (developer guide, device-shadow-error-messages).
impl From<ServiceError> for ApiError {
    fn from(error: ServiceError) -> Self {
        let error = match error {
            ServiceError::Store(error) => return error.into(),
            ServiceError::Shadow(error) => error,
        };
        let name = match error.code() {
            400 => return Self::invalid(error.http_message()),
            401 => "UnauthorizedException",
            403 => "ForbiddenException",
            404 => "ResourceNotFoundException",
            409 => "ConflictException",
            413 => "RequestEntityTooLargeException",
            415 => "UnsupportedDocumentEncodingException",
            429 => "ThrottlingException",
            _ => return Self::internal(error.http_message()),
        };
        Self::named(name, error.http_message())
    }
}

/// The Errors section of Publish names too few: 403 and 413 are the data plane's (AWS IoT API reference, common errors).
impl From<PublishRefused> for ApiError {
    fn from(refused: PublishRefused) -> Self {
        let message = format!("The message was not published: {refused}.");
        match refused {
            PublishRefused::Reserved(_) => Self::named("ForbiddenException", message),
            PublishRefused::Congested => Self::named("ThrottlingException", message),
            PublishRefused::Limit(Violation::PayloadTooLarge { .. }) => {
                Self::named("RequestEntityTooLargeException", message)
            }
            PublishRefused::Limit(_) | PublishRefused::QosNotSupported(_) => Self::invalid(message),
        }
    }
}

impl From<NotReached> for ApiError {
    fn from(error: NotReached) -> Self {
        let text = error.to_string();
        match error {
            NotReached::NotConnected { client_id, has_session: true } => Self::named(
                "ResourceNotFoundException",
                format!("The client '{client_id}' is not connected; it has an active persistent session."),
            ),
            NotReached::NotConnected { client_id, .. } => {
                Self::named("ResourceNotFoundException", format!("The client '{client_id}' is not connected."))
            }
            NotReached::NotAllowed { .. } => {
                Self::named("ForbiddenException", format!("The message was not sent: {text}."))
            }
            NotReached::Congested(_) => {
                Self::named("ThrottlingException", format!("The message was not sent: {text}."))
            }
            NotReached::Store(error) => error.into(),
        }
    }
}

impl From<SendRefused> for ApiError {
    fn from(refused: SendRefused) -> Self {
        let text = format!("The message was not sent: {refused}.");
        match refused {
            SendRefused::NotReached(error) => error.into(),
            SendRefused::Limit(Violation::PayloadTooLarge { .. }) => {
                Self::named("RequestEntityTooLargeException", text)
            }
            SendRefused::Reserved(_) | SendRefused::Limit(_) => Self::invalid(text),
        }
    }
}

impl From<RuleError> for ApiError {
    fn from(error: RuleError) -> Self {
        let message = error.to_string();
        match error {
            RuleError::Sql(_) => Self::named("SqlParseException", message),
            RuleError::Action(ActionError::NotSupported(what)) => {
                Self::not_implemented(format_args!("The action {what}"))
            }
            RuleError::AlreadyExists(_) => {
                Self::named("ResourceAlreadyExistsException", "Rule with given name already exists")
            }
            RuleError::TooManyRules => Self::named("LimitExceededException", message),
            RuleError::NotFound(name) => {
                Self::named("UnauthorizedException", format!("Access to topic rule '{name}' was denied"))
            }
            RuleError::Store(error) => error.into(),
            _ => Self::invalid(message),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Api, Model};

    /// Names and statuses of the AWS IoT API reference.
    #[test]
    fn service_errors_get_names_and_statuses() {
        let model = Model::load().unwrap();
        let check = |api, operation: &str, error: ApiError, expected: (&str, u16)| {
            let operation = model.operation(model.find(api, operation).unwrap());
            assert_eq!(error.name_and_status(&model, Some(operation)), expected, "{}", error.message);
        };
        let text = || "text".to_owned();
        let thing = |error: RegistryError, expected| check(Api::Control, "UpdateThing", error.into(), expected);
        thing(RegistryError::NotFound { message: text() }, ("ResourceNotFoundException", 404));
        thing(RegistryError::VersionConflict(text()), ("VersionConflictException", 409));
        thing(RegistryError::InvalidRequest(text()), ("InvalidRequestException", 400));
        thing(RegistryError::InvalidToken, ("InvalidRequestException", 400));
        thing(StoreError::Closed.into(), ("ServiceUnavailableException", 503));
        thing(StoreError::Failed(text()).into(), ("InternalFailureException", 500));
        let certificate = |error: ApiError, expected| check(Api::Control, "DeleteCertificate", error, expected);
        certificate(RegistryError::CertificateState(text()).into(), ("CertificateStateException", 406));
        certificate(RegistryError::DeleteConflict(text()).into(), ("DeleteConflictException", 409));
        certificate(X509Error::TooLarge.into(), ("InvalidRequestException", 400));
        certificate(X509Error::Cryptography(text()).into(), ("InternalFailureException", 500));
        let policy = |error: RegistryError, expected| check(Api::Control, "CreatePolicy", error.into(), expected);
        policy(RegistryError::MalformedPolicy(text()), ("MalformedPolicyException", 400));
        let exists = || RegistryError::AlreadyExists { message: text(), resource_id: text(), resource_arn: text() };
        policy(exists(), ("ResourceAlreadyExistsException", 409));
        assert!(ApiError::from(exists()).resource.is_some());
        let rule = |error: RuleError, expected| check(Api::Control, "CreateTopicRule", error.into(), expected);
        rule(RuleError::Sql(text()), ("SqlParseException", 400));
        rule(RuleError::TooManyActions(11), ("InvalidRequestException", 400));
        rule(ActionError::NotSupported("lambda".to_owned()).into(), ("NotImplementedException", 501));
        rule(RuleError::Store(StoreError::Failed(text())), ("InternalException", 500));
    }

    /// Statuses of the iot-data errors of the AWS IoT API reference.
    #[test]
    fn refused_messages_get_names_and_statuses() {
        let model = Model::load().unwrap();
        let publish = model.operation(model.find(Api::Data, "Publish").unwrap());
        let check = |refused: PublishRefused, expected: (&str, u16)| {
            assert_eq!(ApiError::from(refused.clone()).name_and_status(&model, Some(publish)), expected, "{refused}");
        };
        let topic = message::TopicName::new("$aws/events/x").unwrap();
        check(PublishRefused::Reserved(topic), ("ForbiddenException", 403));
        check(PublishRefused::Congested, ("ThrottlingException", 429));
        check(PublishRefused::QosNotSupported(message::QoS::ExactlyOnce), ("InvalidRequestException", 400));
        check(PublishRefused::Limit(Violation::RetainOnReservedTopic), ("InvalidRequestException", 400));
        check(
            PublishRefused::Limit(Violation::TopicTooLong { bytes: 257, max: 256 }),
            ("InvalidRequestException", 400),
        );
        let too_large = Violation::PayloadTooLarge { bytes: 131_073, max: 131_072 };
        check(PublishRefused::Limit(too_large), ("RequestEntityTooLargeException", 413));
    }

    /// Statuses of the iot-data errors of the AWS IoT API reference.
    #[test]
    fn messages_that_were_not_sent_get_names_and_statuses() {
        let model = Model::load().unwrap();
        let send = model.operation(model.find(Api::Data, "SendDirectMessage").unwrap());
        let check = |refused: SendRefused, expected: (&str, u16), text: &str| {
            let error = ApiError::from(refused);
            assert_eq!(error.name_and_status(&model, Some(send)), expected, "{}", error.message);
            assert!(error.message.contains(text), "{}", error.message);
        };
        let client_id = || names::ClientId::new("c").unwrap();
        let topic = || message::TopicName::new("$a").unwrap();
        let absent = |has_session| NotReached::NotConnected { client_id: client_id(), has_session }.into();
        check(absent(false), ("ResourceNotFoundException", 404), "'c' is not connected.");
        check(absent(true), ("ResourceNotFoundException", 404), "has an active persistent session");
        let denied = NotReached::NotAllowed { client_id: client_id(), topic: topic() };
        check(denied.into(), ("ForbiddenException", 403), "'c' may not receive the topic '$a'");
        check(NotReached::Congested(client_id()).into(), ("ThrottlingException", 429), "too slowly");
        let failed = NotReached::Store(StoreError::Failed("/dev/sda".to_owned()));
        check(failed.into(), ("InternalFailureException", 500), "unexpected");
        check(SendRefused::Reserved(topic()), ("InvalidRequestException", 400), "'$a' starts with '$'");
        let large = Violation::PayloadTooLarge { bytes: 131_073, max: 131_072 };
        check(SendRefused::Limit(large), ("RequestEntityTooLargeException", 413), "131073 bytes");
        let long = Violation::TopicTooLong { bytes: 257, max: 256 };
        check(SendRefused::Limit(long), ("InvalidRequestException", 400), "257 bytes");
    }

    #[test]
    fn the_text_for_the_log_is_kept_from_the_caller() {
        let error = ApiError::from(StoreError::Failed("/dev/sda is on fire".to_owned()));
        assert!(!error.message.contains("sda"));
        assert!(error.log.is_some_and(|log| log.contains("sda")));
    }
}
