//! What must be on the disk before a connection's output may be sent.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use router::{RetainedWrite, StoredWrite};
use store::{StoreError, Ticket};

/// A write that the output acknowledges.
pub(crate) enum Unsettled {
    Retained(RetainedWrite),
    Stored(StoredWrite),
    Session(Ticket),
}

impl Future for Unsettled {
    type Output = Result<(), StoreError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.get_mut() {
            Self::Retained(write) => Pin::new(write).poll(context),
            Self::Stored(write) => Pin::new(write).poll(context),
            Self::Session(ticket) => Pin::new(ticket).poll(context).map(|answer| answer.map(|_| ())),
        }
    }
}
