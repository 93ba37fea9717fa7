//! Why a text is not a policy document.

/// What is wrong with a policy document, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {problem}")]
pub struct MalformedPolicy {
    /// The element, as a path (`Statement[1].Effect`), or `the document`.
    pub at: String,
    /// What is wrong with it, in words for the document's author.
    pub problem: String,
}

impl MalformedPolicy {
    pub(crate) fn new(at: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { at: at.into(), problem: problem.into() }
    }
}
