//! A request's body, bounded while it is read, alone and together with all others.

use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::Body;
use names::limits;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::ApiError;

/// Room for the bodies of all requests that are under way, in bytes.
pub(crate) struct BodyRoom(Arc<Semaphore>);

impl BodyRoom {
    pub(crate) fn new(bytes: usize) -> Self {
        Self(Arc::new(Semaphore::new(bytes)))
    }

    /// Room for `bytes`, until the permit is dropped.
    fn take(&self, bytes: usize) -> Result<OwnedSemaphorePermit, ApiError> {
        let permit = u32::try_from(bytes).ok().and_then(|n| Arc::clone(&self.0).try_acquire_many_owned(n).ok());
        permit.ok_or_else(|| ApiError::named("ServiceUnavailableException", "Too many request bodies are under way."))
    }
}

/// A body, and the room that it takes as long as it is kept.
pub(crate) struct ReceivedBody {
    pub(crate) bytes: Bytes,
    _room: Option<OwnedSemaphorePermit>,
}

/// Reads the whole body. What is over the limit is read and dropped for a while, so that the client, which is still
/// sending, hears the refusal instead of a reset.
pub(crate) async fn read<B>(mut body: B, room: &BodyRoom) -> Result<ReceivedBody, ApiError>
where
    B: Body<Data = Bytes, Error: Display> + Unpin,
{
    let announced = body.size_hint().lower();
    if announced > DRAINED_BYTES_MAX {
        return Err(too_large());
    }
    match tokio::time::timeout(READ_TIME_MAX, collect(&mut body, room)).await {
        Ok(result) => result,
        Err(_) => Err(ApiError::named("RequestTimeoutException", "The request body did not arrive in time.")),
    }
}

async fn collect<B>(body: &mut B, room: &BodyRoom) -> Result<ReceivedBody, ApiError>
where
    B: Body<Data = Bytes, Error: Display> + Unpin,
{
    let mut kept = BytesMut::new();
    let mut taken: Option<OwnedSemaphorePermit> = None;
    let mut seen = 0_u64;
    while let Some(frame) = body.frame().await {
        let broken =
            |e: B::Error| ApiError::named("SerializationException", format!("The request body broke off: {e}."));
        let Ok(data) = frame.map_err(broken)?.into_data() else { continue };
        seen = seen.saturating_add(data.len() as u64);
        if seen > DRAINED_BYTES_MAX {
            break;
        }
        if seen <= limits::HTTP_BODY_BYTES_MAX as u64 {
            let more = room.take(data.len())?;
            match &mut taken {
                Some(taken) => taken.merge(more),
                None => taken = Some(more),
            }
            kept.extend_from_slice(&data);
        } else {
            (kept, taken) = (BytesMut::new(), None);
        }
    }
    if seen > limits::HTTP_BODY_BYTES_MAX as u64 {
        return Err(too_large());
    }
    Ok(ReceivedBody { bytes: kept.freeze(), _room: taken })
}

fn too_large() -> ApiError {
    let message = format!("The request body is longer than {} bytes.", limits::HTTP_BODY_BYTES_MAX);
    ApiError::named("RequestEntityTooLargeException", message)
}

/// Bytes of a too long body that are read and dropped before the connection is given up.
const DRAINED_BYTES_MAX: u64 = 8 * limits::HTTP_BODY_BYTES_MAX as u64;
/// A body must arrive within this time.
const READ_TIME_MAX: Duration = Duration::from_secs(20);

#[cfg(test)]
mod tests {
    use http_body_util::Full;

    use super::*;

    #[tokio::test]
    async fn all_bodies_together_are_bounded() {
        let room = BodyRoom::new(10);
        let read_six = async || read(Full::new(Bytes::from_static(b"sixsix")), &room).await;
        let kept = read_six().await.unwrap_or_else(|e| panic!("{e:?}"));
        let refusal = read_six().await.err().and_then(|e| e.name());
        assert_eq!(refusal, Some("ServiceUnavailableException"));
        assert!(read(Full::new(Bytes::new()), &room).await.is_ok(), "nothing needs no room");
        assert_eq!(kept.bytes, "sixsix");
        drop(kept);
        assert!(read_six().await.is_ok(), "the room is free again");
    }
}
