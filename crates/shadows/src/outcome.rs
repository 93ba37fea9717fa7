//! What one request comes to, given what is stored of its shadow.

use std::sync::Arc;

use bytes::Bytes;
use names::Timestamp;
use shadow_document::{Limits, Problem, ShadowError, Stored, UpdateRequest, Updated, read_client_token};

use crate::operation::Operation;
use crate::shadow_id::ShadowId;

/// A request that was done.
pub(crate) enum Outcome {
    /// The document as it is.
    Got(Bytes),
    /// The shadow has changed, and there is news.
    Updated(Box<Updated>),
    /// The shadow is gone.
    Deleted {
        /// What is remembered of it.
        stored: Stored,
        /// The body of the answer.
        accepted: Bytes,
    },
}

impl Outcome {
    /// Does one request on `stored`; writes and publishes nothing.
    pub(crate) fn of(
        id: &ShadowId,
        stored: Option<&Stored>,
        operation: Operation,
        payload: &[u8],
        now: Timestamp,
        limits: &Limits,
    ) -> Result<Self, ShadowError> {
        let now = now.as_seconds();
        if operation == Operation::Update {
            let request = UpdateRequest::parse(payload, limits)?;
            return Ok(Self::Updated(Box::new(shadow_document::update(stored, request, now, limits)?)));
        }
        let token = read_client_token(payload);
        let Some(shadow) = stored.and_then(Stored::live) else {
            return Err(ShadowError::new(Problem::NotFound(id.title().to_owned()), token.as_deref()));
        };
        if operation == Operation::Get {
            return Ok(Self::Got(shadow_document::get(shadow, now, token.as_deref())));
        }
        let (stored, accepted) = shadow_document::delete(shadow, now, token.as_deref());
        Ok(Self::Deleted { stored, accepted })
    }

    /// What is to be stored; none for a get.
    pub(crate) fn stored(&self) -> Option<Stored> {
        match self {
            Self::Got(_) => None,
            Self::Updated(updated) => Some(Stored::Live(Arc::clone(&updated.shadow))),
            Self::Deleted { stored, .. } => Some(stored.clone()),
        }
    }

    /// The body of the answer.
    pub(crate) fn accepted(&self) -> Bytes {
        match self {
            Self::Got(accepted) | Self::Deleted { accepted, .. } => accepted.clone(),
            Self::Updated(updated) => updated.accepted(),
        }
    }
}
