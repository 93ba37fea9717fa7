//! What can go wrong, in IAM's words: the texts are those that IAM's callers see.

use std::fmt;

use names::RoleName;
use policy::MalformedPolicy;
use store::StoreError;

/// Why a record was not read or written. Each variant is IAM's error code of that name.
#[derive(Debug, Clone, thiserror::Error)]
pub enum IamError {
    /// The thing asked for isn't there.
    #[error("{0}")]
    NoSuchEntity(Missing),
    /// A role of this name is there already.
    #[error("Role with name {0} already exists.")]
    EntityAlreadyExists(RoleName),
    /// The text isn't a policy document of the kind wanted.
    #[error("{0}")]
    MalformedPolicyDocument(#[from] MalformedPolicy),
    /// The role still has policies.
    #[error("Cannot delete entity, must delete policies first.")]
    DeleteConflict,
    /// A quota is used up; the text says which.
    #[error("{0}")]
    LimitExceeded(String),
    /// A parameter has the wrong form; the text says which.
    #[error("{0}")]
    InvalidInput(String),
    /// The store failed, or holds a record that can't be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What isn't there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Missing {
    /// A role.
    Role(RoleName),
    /// An inline policy of a role.
    RolePolicy(String),
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Role(name) => write!(f, "The role with name {name} cannot be found."),
            Self::RolePolicy(name) => write!(f, "The role policy with name {name} cannot be found."),
        }
    }
}
