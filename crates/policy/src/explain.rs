//! A decision and its reason, for logs and for `TestAuthorization`.

use std::fmt;
use std::sync::Arc;

/// The answer to a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// This statement allows it and none denies it.
    Allowed(By),
    /// This statement denies it.
    ExplicitDeny(By),
    /// No statement speaks of it, so it is denied.
    ImplicitDeny {
        /// The statement that came nearest to allowing it; none when no Allow names the action.
        nearest: Option<NearMiss>,
    },
}

/// The statement that decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct By {
    /// The policy's name.
    pub policy: Arc<str>,
    /// The statement's place in the document, from 0.
    pub statement: usize,
    /// The statement's `Sid`, when it has one.
    pub sid: Option<Arc<str>>,
}

/// A statement that names the action and still doesn't allow it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NearMiss {
    /// The statement.
    pub by: By,
    /// Why it doesn't allow it.
    pub miss: Miss,
}

/// What keeps a statement from allowing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Miss {
    /// It speaks of other resources.
    Resource,
    /// A variable has no value, or one that may not be put in its place.
    Variable {
        /// The variable's key.
        key: String,
    },
    /// A condition doesn't hold.
    Condition {
        /// The condition's operator, as written.
        operator: String,
        /// The condition's key.
        key: String,
    },
}

impl Decision {
    /// Whether it may be done.
    pub fn is_allowed(&self) -> bool {
        matches!(self, Self::Allowed(_))
    }
}

impl Miss {
    /// How near the miss is: conditions are looked at last.
    pub(crate) fn rank(&self) -> u8 {
        match self {
            Self::Resource => 0,
            Self::Variable { .. } => 1,
            Self::Condition { .. } => 2,
        }
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Allowed(by) => write!(f, "allowed by {by}"),
            Self::ExplicitDeny(by) => write!(f, "denied by {by}"),
            Self::ImplicitDeny { nearest: None } => f.write_str("no statement allows the action"),
            Self::ImplicitDeny { nearest: Some(nearest) } => {
                write!(f, "no statement allows it; the nearest is {}, but {}", nearest.by, nearest.miss)
            }
        }
    }
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Statement[{}]", self.statement)?;
        if let Some(sid) = &self.sid {
            write!(f, " ({sid:?})")?;
        }
        write!(f, " of policy {:?}", self.policy)
    }
}

impl fmt::Display for Miss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resource => f.write_str("it doesn't name the resource"),
            Self::Variable { key } => write!(f, "${{{key}}} has no value that can stand there"),
            Self::Condition { operator, key } => write!(f, "its condition {operator} on {key} doesn't hold"),
        }
    }
}
