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
    /// From when on nobody is to get it any more [MQTT-3.3.2-5]; none is never.
    pub fn expires_at(&self) -> Option<Timestamp> {
        let seconds = self.properties.as_ref()?.expiry_seconds?;
        Some(Timestamp::from_millis(self.received_at.as_millis().saturating_add(u64::from(seconds) * 1000)))
    }

    /// Whether its time is over.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at().is_some_and(|at| at <= now)
    }

    /// The expiry interval to send on: whole seconds that are left [MQTT-3.3.2-6]; none when it never expires. A clock
    /// that went back adds nothing.
    pub fn expiry_seconds_left(&self, now: Timestamp) -> Option<u32> {
        let asked = self.properties.as_ref()?.expiry_seconds?;
        let millis = self.expires_at()?.as_millis().saturating_sub(now.as_millis());
        Some(u32::try_from(millis / 1000).unwrap_or(u32::MAX).min(asked))
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

    /// [MQTT-3.3.2-5], [MQTT-3.3.2-6]; AWS IoT Core sends 0 in the last second.
    #[test]
    fn a_message_expires_at_its_time() {
        let check = |seconds: Option<u32>, waited_millis: u64, expected: Option<u32>, is_expired: bool| {
            let properties = Properties { expiry_seconds: seconds, ..Properties::default() };
            let message = Message {
                topic: TopicName::new("t").expect("a topic"),
                payload: Bytes::new(),
                qos: QoS::AtMostOnce,
                retain: false,
                properties: Some(Arc::new(properties)),
                received_at: Timestamp::from_millis(1_500),
                origin: Arc::default(),
            };
            let now = Timestamp::from_millis(1_500 + waited_millis);
            assert_eq!(message.expiry_seconds_left(now), expected, "{seconds:?} {waited_millis}");
            assert_eq!(message.is_expired(now), is_expired, "{seconds:?} {waited_millis}");
        };
        check(None, u64::MAX - 1_500, None, false);
        check(Some(2), 0, Some(2), false);
        check(Some(2), 1, Some(1), false);
        check(Some(2), 1_000, Some(1), false);
        check(Some(2), 1_999, Some(0), false);
        check(Some(2), 2_000, Some(0), true);
        check(Some(2), 60_000, Some(0), true);
        check(Some(0), 0, Some(0), true);
        check(Some(u32::MAX), 0, Some(u32::MAX), false);
        check(Some(u32::MAX), 1_000, Some(u32::MAX - 1), false);
    }

    /// A clock that went back adds nothing to what the publisher asked.
    #[test]
    fn a_message_from_the_future_is_whole() {
        let properties = Properties { expiry_seconds: Some(5), ..Properties::default() };
        let message = Message {
            topic: TopicName::new("t").expect("a topic"),
            payload: Bytes::new(),
            qos: QoS::AtMostOnce,
            retain: false,
            properties: Some(Arc::new(properties)),
            received_at: Timestamp::from_millis(10_000),
            origin: Arc::default(),
        };
        assert_eq!(message.expiry_seconds_left(Timestamp::from_millis(0)), Some(5));
        assert!(!message.is_expired(Timestamp::from_millis(0)));
    }
}
