//! A request's body, bounded while it is read.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use names::limits;

use crate::error::ApiError;

/// Reads the whole body. What is over the limit is read and dropped for a while, so that the client, which is still
/// sending, hears the refusal instead of a reset.
pub(crate) async fn read(mut body: Incoming) -> Result<Bytes, ApiError> {
    let announced = body.size_hint().lower();
    if announced > DRAINED_BYTES_MAX {
        return Err(too_large());
    }
    match tokio::time::timeout(READ_TIME_MAX, collect(&mut body)).await {
        Ok(result) => result,
        Err(_) => Err(ApiError::named("RequestTimeoutException", "The request body did not arrive in time.")),
    }
}

async fn collect(body: &mut Incoming) -> Result<Bytes, ApiError> {
    let mut kept = BytesMut::new();
    let mut seen = 0_u64;
    while let Some(frame) = body.frame().await {
        let broken =
            |e: hyper::Error| ApiError::named("SerializationException", format!("The request body broke off: {e}."));
        let Ok(data) = frame.map_err(broken)?.into_data() else { continue };
        seen = seen.saturating_add(data.len() as u64);
        if seen > DRAINED_BYTES_MAX {
            break;
        }
        if seen <= limits::HTTP_BODY_BYTES_MAX as u64 {
            kept.extend_from_slice(&data);
        } else {
            kept.clear();
        }
    }
    if seen > limits::HTTP_BODY_BYTES_MAX as u64 { Err(too_large()) } else { Ok(kept.freeze()) }
}

fn too_large() -> ApiError {
    let message = format!("The request body is longer than {} bytes.", limits::HTTP_BODY_BYTES_MAX);
    ApiError::named("RequestEntityTooLargeException", message)
}

/// Bytes of a too long body that are read and dropped before the connection is given up.
const DRAINED_BYTES_MAX: u64 = 8 * limits::HTTP_BODY_BYTES_MAX as u64;
/// A body must arrive within this time.
const READ_TIME_MAX: Duration = Duration::from_secs(20);
