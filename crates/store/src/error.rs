//! What can go wrong in the store.

/// Why a read or a commit did not happen.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// A precondition did not hold: somebody else wrote first. Read again and retry, or tell the caller.
    #[error("the record was changed by somebody else")]
    Conflict,
    /// A value or a batch is over the port's limits: a mistake of the calling service.
    #[error("{0}")]
    TooLarge(String),
    /// The disk or the engine failed; nothing of the batch is acknowledged.
    #[error("the store failed: {0}")]
    Failed(String),
    /// The store is shutting down.
    #[error("the store is closed")]
    Closed,
}
