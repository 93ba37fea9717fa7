//! A message on its way from one publisher to all its subscribers.

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use names::Timestamp;

use crate::{QoS, TopicName};

/// A published message. Made once, shared by every delivery.
#[derive(Debug, Clone)]
pub struct Message {
    /// Where it was published.
    pub topic: TopicName,
    /// What it says, as it came.
    pub payload: Bytes,
    /// The publisher's QoS; a delivery has the lower of this and the subscription's.
    pub qos: QoS,
    /// Whether it replaces the topic's retained message [MQTT-3.3.1-5].
    pub retain: bool,
    /// When the broker took it.
    pub received_at: Timestamp,
    /// Who published it.
    pub origin: Arc<Origin>,
}

/// Who published a message. One is made for a connection and shared by all its messages.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// The MQTT client id; none for HTTP and for services inside the house.
    pub client_id: Option<Arc<str>>,
    /// The certificate id or the IAM principal; none for anonymous clients and services.
    pub principal: Option<Arc<str>>,
    /// Where the publisher connected from.
    pub source_ip: Option<IpAddr>,
    /// Whether this is the will of a client that went away; the shadow service ignores those.
    pub is_will: bool,
}
