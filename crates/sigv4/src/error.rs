//! Why a signature is refused, in AWS's words.

/// What is wrong with a request's signature; its text is the message for the caller.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// There is no AWS signature in the request.
    #[error("Missing Authentication Token")]
    MissingAuthenticationToken,
    /// The `Authorization` header lacks something or cannot be read.
    #[error("{0}")]
    IncompleteSignature(String),
    /// The access key is not known; made by the caller, who looks it up.
    #[error("The security token included in the request is invalid.")]
    UnrecognizedClient,
    /// The signature does not fit the request, or its scope, headers or payload hash are wrong.
    #[error("{0}")]
    InvalidSignature(String),
    /// The request was signed too long ago.
    #[error("Signature expired: {signed} is now earlier than {earliest} ({now} - 15 min.)")]
    SignatureExpired {
        /// When it says it was signed, ISO 8601 basic, as the other two.
        signed: String,
        /// The earliest time that is accepted.
        earliest: String,
        /// The server's time.
        now: String,
    },
    /// The request was signed too far in the future.
    #[error("Signature not yet current: {signed} is still later than {latest} ({now} + 15 min.)")]
    SignatureNotYetCurrent {
        /// When it says it was signed, ISO 8601 basic, as the other two.
        signed: String,
        /// The latest time that is accepted.
        latest: String,
        /// The server's time.
        now: String,
    },
}

impl SignatureError {
    /// AWS's name of the error, as in `x-amzn-ErrorType` (AWS General Reference, common errors).
    pub fn error_name(&self) -> &'static str {
        match self {
            Self::MissingAuthenticationToken => "MissingAuthenticationTokenException",
            Self::IncompleteSignature(_) => "IncompleteSignatureException",
            Self::UnrecognizedClient => "UnrecognizedClientException",
            Self::InvalidSignature(_) | Self::SignatureExpired { .. } | Self::SignatureNotYetCurrent { .. } => {
                "InvalidSignatureException"
            }
        }
    }

    /// The usual refusal: the signature is another's, or the request was changed on its way.
    pub(crate) fn mismatch() -> Self {
        Self::InvalidSignature(
            "The request signature we calculated does not match the signature you provided. Check your AWS Secret \
             Access Key and signing method. Consult the service documentation for details."
                .to_owned(),
        )
    }
}
