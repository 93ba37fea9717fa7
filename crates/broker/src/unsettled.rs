//! What must have happened before a connection's output may be sent.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use mqtt_codec::PacketId;
use router::{Handled, NotHandled, Published, RetainedWrite, StoredWrite};
use store::{StoreError, Ticket};

/// Something that the output acknowledges.
pub(crate) enum Unsettled {
    Retained(RetainedWrite),
    Stored(StoredWrite),
    Session(Ticket),
    /// Services, and the QoS 2 identifier that is kept when they are done: kept before, a message that they dropped would
    /// be taken for one that was received [MQTT-4.3.3-10].
    Handled(Handled, Option<PacketId>),
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
    pub(crate) fn of(published: Published, received: Option<PacketId>) -> impl Iterator<Item = Self> {
        let Published { retained, handled, .. } = published;
        let handled = (!handled.is_empty()).then_some(handled);
        let handled = handled.map(|handled| Self::Handled(handled, received));
        retained.map(Self::Retained).into_iter().chain(handled)
    }

    /// The identifier that is to be kept when this is done.
    pub(crate) fn received_then(&self) -> Option<PacketId> {
        match self {
            Self::Handled(_, received) => *received,
            _ => None,
        }
    }
}

impl Future for Unsettled {
    type Output = Result<(), NotKept>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.get_mut() {
            Self::Retained(write) => Pin::new(write).poll(context).map_err(NotKept::from),
            Self::Stored(write) => Pin::new(write).poll(context).map_err(NotKept::from),
            Self::Session(ticket) => Pin::new(ticket).poll(context).map_ok(|_| ()).map_err(NotKept::from),
            Self::Handled(handled, _) => Pin::new(handled).poll(context).map_err(NotKept::from),
        }
    }
}
