//! The service's own messages.

use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use message::{Message, Origin, QoS, TopicName};
use names::Timestamp;

/// A reply: QoS 1, not retained, as AWS sends it.
pub(crate) fn message(topic: TopicName, payload: Bytes, now: Timestamp) -> Message {
    Message {
        topic,
        payload,
        qos: QoS::AtLeastOnce,
        retain: false,
        properties: None,
        received_at: now,
        origin: Arc::clone(&ORIGIN),
    }
}

/// Replies come from nobody's connection.
static ORIGIN: LazyLock<Arc<Origin>> = LazyLock::new(Arc::default);
