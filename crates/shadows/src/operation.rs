//! The three things that can be asked of a shadow.

/// An operation on a shadow, named as in its topics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Read it.
    Get,
    /// Merge into it, or make it.
    Update,
    /// Delete it.
    Delete,
}

impl Operation {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Get, Self::Update, Self::Delete];

    /// The word in topics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}
