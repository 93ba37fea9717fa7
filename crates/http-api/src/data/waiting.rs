//! Waiting for what the broker does in its own time, on the thread that answers the request, which may block.

use tokio::runtime::Handle;

use crate::error::ApiError;

/// What the future becomes. Whoever calls bounds it.
pub(super) fn wait<F: Future>(future: F) -> Result<F::Output, ApiError> {
    let runtime =
        Handle::try_current().map_err(|problem| ApiError::internal(format!("nothing can wait: {problem}")))?;
    Ok(runtime.block_on(future))
}
