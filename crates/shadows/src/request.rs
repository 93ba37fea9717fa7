//! A request on its way to a worker, and where its answer goes.

use bytes::Bytes;
use names::Timestamp;
use router::Delivery;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::error::ServiceError;
use crate::operation::Operation;
use crate::shadow_id::ShadowId;
use crate::throttle::Unanswered;

/// One request for one shadow.
pub(crate) struct Request {
    pub(crate) id: ShadowId,
    pub(crate) operation: Operation,
    pub(crate) payload: Bytes,
    /// When it came.
    pub(crate) now: Timestamp,
    pub(crate) asker: Asker,
}

/// Who waits for the answer.
pub(crate) enum Asker {
    /// Whoever listens to the topics of replies.
    Topics(Published),
    /// A caller of the service's functions: accepted or refused, it is answered alone.
    Caller(oneshot::Sender<Result<Bytes, ServiceError>>),
}

/// A request that came as a message.
pub(crate) struct Published {
    delivery: Delivery,
    _unanswered: Option<Unanswered>,
    _room: Option<OwnedSemaphorePermit>,
}

impl Published {
    pub(crate) fn new(delivery: Delivery, unanswered: Option<Unanswered>, room: Option<OwnedSemaphorePermit>) -> Self {
        Self { delivery, _unanswered: unanswered, _room: room }
    }

    /// It is answered: its publisher may be acknowledged.
    pub(crate) fn done(self) {
        self.delivery.confirm();
    }
}
