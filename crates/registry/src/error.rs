//! What the registry refuses, in AWS's words where they are known.

use store::StoreError;

/// Why the registry did not do what it was asked. The text is for the caller.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RegistryError {
    /// `ResourceNotFoundException`: a thing, certificate, policy or type does not exist.
    #[error("{message}")]
    NotFound {
        /// What does not exist.
        message: String,
    },
    /// `ResourceAlreadyExistsException`: the name is taken.
    #[error("{message}")]
    AlreadyExists {
        /// What exists.
        message: String,
        /// Its id: the thing's or policy's name, or the certificate's id.
        resource_id: String,
        /// Its ARN.
        resource_arn: String,
    },
    /// `VersionConflictException`: the expected version is not the current one.
    #[error("{0}")]
    VersionConflict(String),
    /// `DeleteConflictException`: something is still attached.
    #[error("{0}")]
    DeleteConflict(String),
    /// `CertificateStateException`: the certificate's status does not allow it.
    #[error("{0}")]
    CertificateState(String),
    /// `CertificateValidationException`: the text is no certificate.
    #[error("{0}")]
    CertificateValidation(String),
    /// `MalformedPolicyException`: the document is no policy, or too long.
    #[error("{0}")]
    MalformedPolicy(String),
    /// `InvalidRequestException`.
    #[error("{0}")]
    InvalidRequest(String),
    /// `LimitExceededException`.
    #[error("{0}")]
    LimitExceeded(String),
    /// A page's token that this list has not given out.
    #[error("The token is not one that this list gave.")]
    InvalidToken,
    /// The store did not answer; the text is for the log.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl RegistryError {
    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::NotFound { message: message.into() }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::InvalidRequest(message.into())
    }
}
