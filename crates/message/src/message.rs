//! A message on its way from one publisher to all its subscribers.

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use names::Timestamp;

use crate::{Properties, QoS, TopicName};

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
    /// What an MQTT 5 publisher said beside the payload; none for most messages.
    pub properties: Option<Arc<Properties>>,
    /// When the broker took it.
    pub received_at: Timestamp,
    /// Who published it.
    pub origin: Arc<Origin>,
}

impl Message {
    /// What it counts for in queues that are bounded by bytes: a topic may be as long as 65,535 bytes, properties as long
    /// as a packet, and the payload empty.
    pub fn bytes(&self) -> usize {
        let properties = self.properties.as_ref().map_or(0, |properties| properties.bytes());
        self.topic.as_str().len() + self.payload.len() + properties
    }

    /// From when on nobody is to get it any more [MQTT-3.3.2-5]; none is never.
    pub fn expires_at(&self) -> Option<Timestamp> {
        let seconds = self.properties.as_ref()?.expiry_seconds?;
        Some(Timestamp::from_millis(self.received_at.as_millis().saturating_add(u64::from(seconds) * 1000)))
    }

    /// Whether its time is over.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at().is_some_and(|at| at <= now)
    }

    /// The milliseconds that are left of its time; none when it never expires. A clock that went back adds nothing.
    pub fn expiry_millis_left(&self, now: Timestamp) -> Option<u64> {
        let asked = u64::from(self.properties.as_ref()?.expiry_seconds?) * 1000;
        Some(self.expires_at()?.as_millis().saturating_sub(now.as_millis()).min(asked))
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn expiring(seconds: Option<u32>) -> Message {
        Message {
            topic: TopicName::new("t").expect("a topic"),
            payload: Bytes::new(),
            qos: QoS::AtMostOnce,
            retain: false,
            properties: Some(Arc::new(Properties { expiry_seconds: seconds, ..Properties::default() })),
            received_at: Timestamp::from_millis(10_000),
            origin: Arc::default(),
        }
    }

    /// [MQTT-3.3.2-5], [MQTT-3.3.2-6]. A clock that went back adds nothing to what the publisher asked.
    #[test]
    fn a_message_expires_at_its_time() {
        let check = |seconds: Option<u32>, now: u64, millis_left: Option<u64>, is_expired: bool| {
            let (message, now) = (expiring(seconds), Timestamp::from_millis(now));
            assert_eq!(message.expiry_millis_left(now), millis_left, "{seconds:?} {now:?}");
            assert_eq!(message.is_expired(now), is_expired, "{seconds:?} {now:?}");
        };
        check(None, u64::MAX, None, false);
        check(Some(2), 10_000, Some(2_000), false);
        check(Some(2), 10_001, Some(1_999), false);
        check(Some(2), 11_999, Some(1), false);
        check(Some(2), 12_000, Some(0), true);
        check(Some(2), u64::MAX, Some(0), true);
        check(Some(0), 10_000, Some(0), true);
        check(Some(u32::MAX), 10_000, Some(4_294_967_295_000), false);
        check(Some(5), 0, Some(5_000), false);
    }
}
