//! Why an action was not taken or did not succeed.

/// What is wrong with an action, when a rule is made or when it runs. No text holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ActionError {
    /// The action, or a part of it, is one of AWS IoT Core's that Althing does not serve.
    #[error("the action {0} is not supported")]
    NotSupported(String),
    /// A field of the action breaks its rules (API model, `Action`).
    #[error("{field}: {problem}")]
    InvalidField {
        /// The field's path, such as `republish.topic`.
        field: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// A substitution template gives no text for this message.
    #[error("the template in {0} is undefined for this message")]
    UndefinedTemplate(&'static str),
    /// A substitution template cannot be carried out for this message.
    #[error("the template in {field} failed: {problem}")]
    FailedTemplate {
        /// The field's path.
        field: &'static str,
        /// What went wrong.
        problem: sql::EvaluateError,
    },
    /// The result is not what this action takes.
    #[error("{0}")]
    UnsuitableResult(String),
    /// The rule's role may not do this; the text says why.
    #[error("not authorized: {0}")]
    NotAuthorized(String),
    /// Whether the role may do this could not be found out, or the service refused, retries included.
    #[error("{0}")]
    Failed(String),
    /// The service could not be reached or did not answer in time, retries included.
    #[error("{0}")]
    Unanswered(String),
}

impl ActionError {
    /// Whether the rule's role was refused.
    pub fn is_denied(&self) -> bool {
        matches!(self, Self::NotAuthorized(_))
    }

    /// Whether the service was not reached or did not answer; it may be out for every other message, too.
    pub fn is_unanswered(&self) -> bool {
        matches!(self, Self::Unanswered(_))
    }
}
