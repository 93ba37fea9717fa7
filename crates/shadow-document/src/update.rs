//! An update: the new document and the bodies of the three messages that tell of it.

use bytes::Bytes;

use crate::document::Shadow;
use crate::error::{Problem, ShadowError};
use crate::limits::Limits;
use crate::request::UpdateRequest;
use crate::stored::Stored;
use crate::{merge, reply, version};

/// An accepted update.
#[derive(Debug, Clone)]
pub struct Updated {
    /// The new document.
    pub shadow: Shadow,
    /// The body of `update/accepted` and of UpdateThingShadow's answer.
    pub accepted: Bytes,
    /// The body of `update/documents`.
    pub documents: Bytes,
    /// The body of `update/delta`; none when all that is desired is reported.
    pub delta: Option<Bytes>,
}

/// Applies a request, at `now_seconds` since the epoch, to what is stored of the shadow; none when that is nothing.
///
/// # Errors
/// [`ShadowError`]: 409 when the request names another version than the current one, 413 when the state would be
/// larger than `limits` allow.
pub fn update(
    current: Option<&Stored>,
    request: &UpdateRequest,
    now_seconds: u64,
    limits: &Limits,
) -> Result<Updated, ShadowError> {
    let token = request.client_token();
    let current_version = version::current(current, now_seconds);
    if request.version.is_some_and(|expected| expected != current_version) {
        return Err(ShadowError::new(Problem::VersionConflict, token));
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
        return Err(ShadowError::new(Problem::TooLarge, token));
    }

    Ok(Updated {
        accepted: reply::accepted(&request.state, shadow.version, now_seconds, token),
        documents: reply::documents(previous, &shadow, now_seconds, token),
        delta: reply::delta(&shadow, now_seconds, token),
        shadow,
    })
}
