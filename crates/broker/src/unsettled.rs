//! What must have happened before a connection's output may be sent.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use router::{Handled, NotHandled, Published, RetainedWrite, StoredWrite};
use store::{StoreError, Ticket};

/// Something that the output acknowledges.
pub(crate) enum Unsettled {
    Retained(RetainedWrite),
    Stored(StoredWrite),
    Session(Ticket),
    Handled(Handled),
}

/// Why a message may not be acknowledged.
#[derive(Debug, Clone, thiserror::Error)]
pub enum NotKept {
    /// The disk.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A service that keeps what it is told.
    #[error(transparent)]
    Service(#[from] NotHandled),
}

impl Unsettled {
    /// What a published message is waited for.
    pub(crate) fn of(published: Published) -> impl Iterator<Item = Self> {
        let Published { retained, handled, .. } = published;
        let handled = (!handled.is_empty()).then_some(handled);
        retained.map(Self::Retained).into_iter().chain(handled.map(Self::Handled))
    }
}

impl Future for Unsettled {
    type Output = Result<(), NotKept>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.get_mut() {
            Self::Retained(write) => Pin::new(write).poll(context).map_err(NotKept::from),
            Self::Stored(write) => Pin::new(write).poll(context).map_err(NotKept::from),
            Self::Session(ticket) => Pin::new(ticket).poll(context).map_ok(|_| ()).map_err(NotKept::from),
            Self::Handled(handled) => Pin::new(handled).poll(context).map_err(NotKept::from),
        }
    }
}
