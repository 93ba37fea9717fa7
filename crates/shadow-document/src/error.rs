//! Why a shadow request is refused: AWS's error codes and texts, and the body of the `rejected` message.

use bytes::Bytes;
use serde::Serialize;
use smol_str::SmolStr;

use crate::json::to_bytes;

/// A refused request (AWS IoT Core developer guide, device-shadow-error-messages).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct ShadowError {
    /// What is wrong.
    pub problem: Problem,
    /// The request's client token, when it could be read.
    pub client_token: Option<SmolStr>,
}

impl ShadowError {
    /// A refusal of the request with this client token.
    pub fn new(problem: Problem, client_token: Option<&str>) -> Self {
        Self { problem, client_token: client_token.map(SmolStr::new) }
    }

    /// AWS's error code, which is an HTTP status too.
    pub fn code(&self) -> u16 {
        self.problem.code()
    }

    /// The text of the `rejected` message.
    pub fn message(&self) -> String {
        self.problem.to_string()
    }

    /// The text of the HTTP answer. AWS words one problem differently there than in its table.
    pub fn http_message(&self) -> String {
        match self.problem {
            Problem::InvalidJson => "Payload contains invalid json".to_owned(),
            _ => self.message(),
        }
    }

    /// The body of the `rejected` message: code, message and, when one was sent, the client token.
    pub fn rejected(&self) -> Bytes {
        to_bytes(&Rejected { code: self.code(), message: &self.message(), client_token: self.client_token.as_deref() })
    }
}

/// What is wrong with a request. The texts are AWS's own where AWS has one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The body is not one JSON object.
    #[error("Invalid JSON")]
    InvalidJson,
    /// The body is not UTF-8.
    #[error("Unsupported documented encoding; supported encoding is UTF-8")]
    NotUtf8,
    /// No `state`.
    #[error("Missing required node: state")]
    MissingState,
    /// `state` is neither an object nor null.
    #[error("State node must be an object")]
    StateNotObject,
    /// `state.desired` is neither an object nor null.
    #[error("Desired node must be an object")]
    DesiredNotObject,
    /// `state.reported` is neither an object nor null.
    #[error("Reported node must be an object")]
    ReportedNotObject,
    /// `state` has a key that is no section; the key, cut to 256 characters.
    #[error("State contains an invalid node: '{0}'")]
    InvalidNode(String),
    /// `version` is not a whole number from 0.
    #[error("Invalid version")]
    InvalidVersion,
    /// `clientToken` is not a text of at most 64 bytes.
    #[error("Invalid clientToken")]
    InvalidClientToken,
    /// An array has a null element. AWS refuses it with a text that is not published.
    #[error("Arrays must not contain null values")]
    NullInArray,
    /// Deeper than the limit, which the text names.
    #[error("JSON contains too many levels of nesting; maximum is {0}")]
    TooDeep(usize),
    /// No such shadow; the thing's name for the classic shadow, the shadow's own name otherwise.
    #[error("No shadow exists with name: '{0}'")]
    NotFound(String),
    /// The request names a version that is not the shadow's.
    #[error("Version conflict")]
    VersionConflict,
    /// The state would be, or the request's state is, larger than the limit.
    #[error("The payload exceeds the maximum size allowed")]
    TooLarge,
    /// More requests than a quota allows. AWS's own text is not published.
    #[error("Too many requests")]
    TooManyRequests,
    /// The server failed, not the peer.
    #[error("Internal service failure")]
    Internal,
}

impl Problem {
    /// AWS's error code, which is an HTTP status too.
    pub fn code(&self) -> u16 {
        match self {
            Self::NotFound(_) => 404,
            Self::VersionConflict => 409,
            Self::TooLarge => 413,
            Self::NotUtf8 => 415,
            Self::TooManyRequests => 429,
            Self::Internal => 500,
            _ => 400,
        }
    }
}

#[derive(Serialize)]
struct Rejected<'a> {
    code: u16,
    message: &'a str,
    #[serde(rename = "clientToken", skip_serializing_if = "Option::is_none")]
    client_token: Option<&'a str>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Codes and texts from the table in device-shadow-error-messages; the order of keys as recorded from AWS.
    #[test]
    fn rejected_bodies_are_awss() {
        let check = |problem: Problem, token: Option<&str>, expected: &str| {
            assert_eq!(ShadowError::new(problem, token).rejected(), expected);
        };
        check(
            Problem::MissingState,
            Some("tok"),
            r#"{"code":400,"message":"Missing required node: state","clientToken":"tok"}"#,
        );
        check(Problem::NotFound("T".into()), None, r#"{"code":404,"message":"No shadow exists with name: 'T'"}"#);
        check(Problem::VersionConflict, Some("z"), r#"{"code":409,"message":"Version conflict","clientToken":"z"}"#);
        check(Problem::TooLarge, None, r#"{"code":413,"message":"The payload exceeds the maximum size allowed"}"#);
        check(Problem::Internal, None, r#"{"code":500,"message":"Internal service failure"}"#);
        let not_utf8 = r#"{"code":415,"message":"Unsupported documented encoding; supported encoding is UTF-8"}"#;
        check(Problem::NotUtf8, None, not_utf8);
        check(
            Problem::InvalidNode("a\"b".into()),
            None,
            r#"{"code":400,"message":"State contains an invalid node: 'a\"b'"}"#,
        );
    }

    #[test]
    fn http_words_invalid_json_differently() {
        let error = ShadowError::new(Problem::InvalidJson, None);
        assert_eq!(
            (error.message().as_str(), error.http_message().as_str()),
            ("Invalid JSON", "Payload contains invalid json")
        );
        assert_eq!(ShadowError::new(Problem::VersionConflict, None).http_message(), "Version conflict");
    }
}
