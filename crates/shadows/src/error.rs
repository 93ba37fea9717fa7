//! Why a shadow was not read or changed.

use shadow_document::ShadowError;
use store::StoreError;

/// What a caller of the service is told.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ServiceError {
    /// The request is wrong; the code, message and client token are AWS's.
    #[error(transparent)]
    Shadow(#[from] ShadowError),
    /// The store failed, or other writers of the same shadow were always faster: 500, and 503 to callers when the same
    /// may well succeed a little later.
    #[error(transparent)]
    Store(#[from] StoreError),
}
