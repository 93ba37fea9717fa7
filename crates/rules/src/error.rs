//! Why a rule was not made or found.

use actions::ActionError;
use names::{RuleName, limits};
use store::StoreError;

/// What is wrong with a call about rules; its text is the message for the caller.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RuleError {
    /// The statement cannot be parsed, or its topic filter is none (`SqlParseException`).
    #[error("{0}")]
    Sql(String),
    /// The SQL version is none that there is.
    #[error("{0}")]
    SqlVersion(String),
    /// An action is not served, or a field of it is wrong.
    #[error(transparent)]
    Action(#[from] ActionError),
    /// More actions than a rule may have.
    #[error("a rule may have at most {max} actions, this one has {0}", max = limits::ACTIONS_PER_RULE_MAX)]
    TooManyActions(usize),
    /// The rule's JSON is too long.
    #[error("a rule may have at most {max} bytes, this one has {0}", max = limits::RULE_PAYLOAD_BYTES_MAX)]
    TooLarge(usize),
    /// The account has as many rules as it may have.
    #[error("the account has {} rules already", limits::RULES_MAX)]
    TooManyRules,
    /// A rule has this name (`ResourceAlreadyExistsException`).
    #[error("Rule {0} already exists")]
    AlreadyExists(RuleName),
    /// No rule has this name; only for calls that change one.
    #[error("there is no rule {0}")]
    NotFound(RuleName),
    /// The store failed, or holds a rule that cannot be read.
    #[error("the rules could not be read or written: {0}")]
    Store(#[from] StoreError),
}
