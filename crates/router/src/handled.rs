//! Services that publishers wait for: a message counts as taken when they are done with it.

use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::sync::oneshot;

/// The services that a message of QoS 1 or 2 went to and that confirm. Await it before its publisher is acknowledged.
#[derive(Debug, Default)]
pub struct Handled(Vec<oneshot::Receiver<()>>);

/// A service dropped a message, because it was too far behind or is ending. Its publisher is not to be acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a service dropped the message")]
pub struct NotHandled;

impl Handled {
    pub(crate) fn push(&mut self, waiting: oneshot::Receiver<()>) {
        self.0.push(waiting);
    }

    /// Whether there is nothing to wait for.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Blocks this thread until all are done. Not for async tasks: those await it.
    ///
    /// # Errors
    /// [`NotHandled`]: the message may be sent again.
    pub fn wait(self) -> Result<(), NotHandled> {
        self.0.into_iter().try_for_each(|waiting| waiting.blocking_recv().map_err(|_| NotHandled))
    }
}

impl Future for Handled {
    type Output = Result<(), NotHandled>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        while let Some(waiting) = self.0.last_mut() {
            match Pin::new(waiting).poll(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(_)) => return Poll::Ready(Err(NotHandled)),
                Poll::Ready(Ok(())) => _ = self.0.pop(),
            }
        }
        Poll::Ready(Ok(()))
    }
}
