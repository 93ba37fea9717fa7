//! An update: the new document, and the bodies of the three messages that tell of it.

use std::sync::Arc;

use bytes::Bytes;

use crate::document::Shadow;
use crate::error::{Problem, ShadowError};
use crate::limits::Limits;
use crate::request::UpdateRequest;
use crate::stored::Stored;
use crate::{merge, reply, version};

/// An accepted update. The messages are written when they are asked for, so that what nobody hears costs nothing.
#[derive(Debug, Clone)]
pub struct Updated {
    /// The new document.
    pub shadow: Arc<Shadow>,
    /// None for a shadow that was not there.
    previous: Option<Arc<Shadow>>,
    request: UpdateRequest,
}

impl Updated {
    /// The body of `update/accepted` and of UpdateThingShadow's answer: the state as it was sent.
    pub fn accepted(&self) -> Bytes {
        reply::accepted(&self.request.state, &self.shadow, self.request.client_token())
    }

    /// The body of `update/documents`.
    pub fn documents(&self) -> Bytes {
        reply::documents(self.previous.as_deref(), &self.shadow, self.request.client_token())
    }

    /// The body of `update/delta`; none when all that is desired is reported.
    pub fn delta(&self) -> Option<Bytes> {
        reply::delta(&self.shadow, self.request.client_token())
    }
}

/// Applies a request, at `now_seconds` since the epoch, to what is stored of the shadow; none when that is nothing.
///
/// # Errors
/// [`ShadowError`]: 409 when the request names another version than the current one, 413 when the state would be
/// larger than `limits` allow.
pub fn update(
    current: Option<&Stored>,
    request: UpdateRequest,
    now_seconds: u64,
    limits: &Limits,
) -> Result<Updated, ShadowError> {
    let refuse = |problem| Err(ShadowError::new(problem, request.client_token()));
    let current_version = version::current(current, now_seconds);
    if request.version.is_some_and(|expected| expected != current_version) {
        return refuse(Problem::VersionConflict);
    }

    let previous = current.and_then(Stored::live);
    let mut shadow = Shadow {
        desired: previous.and_then(|shadow| shadow.desired.clone()),
        reported: previous.and_then(|shadow| shadow.reported.clone()),
        version: current_version.saturating_add(1),
        timestamp_seconds: now_seconds,
    };
    merge::apply(&mut shadow.desired, request.desired(), now_seconds);
    merge::apply(&mut shadow.reported, request.reported(), now_seconds);
    if shadow.state_bytes() > limits.state_bytes_max {
        return refuse(Problem::TooLarge);
    }
    Ok(Updated { shadow: Arc::new(shadow), previous: previous.cloned(), request })
}
