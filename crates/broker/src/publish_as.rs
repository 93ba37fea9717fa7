//! The door for messages that do not come over a connection: the HTTP API's Publish and SendDirectMessage.

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use message::{Message, Origin, Properties, QoS, TopicName};
use names::{ClientId, Dialect, Timestamp};
use router::{Handled, RetainedWrite, StoredWrite};
use session::Violation;
use tokio::sync::oneshot;
use tracing::warn;

use crate::authorize::may_publish_by_http;
use crate::clients::Broker;
use crate::connections::NotReached;
use crate::unsettled::NotKept;

/// Who publishes without a connection, as proven by a signature or by the certificate of an HTTP connection.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The id of the IAM principal or of the certificate: what rules see as `principal()`.
    pub principal: Arc<str>,
    /// Where the request came from, when it is known.
    pub source_ip: Option<IpAddr>,
}

/// A message that a caller asks to publish, or to send to one client.
#[derive(Debug, Clone)]
pub struct PublishRequest {
    /// Where to.
    pub topic: TopicName,
    /// What it says.
    pub payload: Bytes,
    /// 0 or 1 (AWS IoT API reference, Publish).
    pub qos: QoS,
    /// Whether it replaces the topic's retained message.
    pub retain: bool,
    /// What else is said of it, in MQTT 5's terms.
    pub properties: Option<Arc<Properties>>,
}

/// A published message's way to the disk: as a retained message, to sessions that outlive their connections, and through
/// services that keep what they are told.
#[derive(Default)]
pub struct PublishWrite {
    retained: Option<RetainedWrite>,
    stored: Option<StoredWrite>,
    handled: Handled,
}

impl PublishWrite {
    /// Blocks this thread until everything is durable. Not for async tasks.
    ///
    /// # Errors
    /// [`NotKept`]: the message may not have been kept.
    pub fn wait(self) -> Result<(), NotKept> {
        self.retained.map_or(Ok(()), RetainedWrite::wait)?;
        self.stored.map_or(Ok(()), StoredWrite::wait)?;
        Ok(self.handled.wait()?)
    }
}

/// Why a message was not published. Nobody received it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PublishRefused {
    /// Only the server publishes there.
    #[error("the topic '{0}' is reserved")]
    Reserved(TopicName),
    /// AWS IoT Core developer guide, mqtt: QoS 0 and 1.
    #[error("QoS {} is not served", .0.bits())]
    QosNotSupported(QoS),
    /// It breaks a limit on topics or payloads (AWS quotas, message broker).
    #[error(transparent)]
    Limit(Violation),
    /// A service that the message would reach has too much to do; it may be tried again.
    #[error("a service that receives this topic is behind")]
    Congested,
}

/// Why a message was not sent to a client.
#[derive(Debug, thiserror::Error)]
pub enum SendRefused {
    /// A direct message's topic may not start with `$` (AWS IoT API reference, SendDirectMessage).
    #[error("the topic '{0}' starts with '$'")]
    Reserved(TopicName),
    /// It breaks a limit on topics or payloads (AWS quotas, message broker).
    #[error(transparent)]
    Limit(Violation),
    /// Nobody takes it.
    #[error(transparent)]
    NotReached(#[from] NotReached),
}

impl Broker {
    /// Publishes a message for a caller under the rules of dialect `aws`. Its way to the disk comes back, which must be
    /// waited for before the caller is answered.
    ///
    /// # Errors
    /// [`PublishRefused`] says why nothing was published.
    pub fn publish_as(
        &self,
        caller: &Caller,
        request: PublishRequest,
        now: Timestamp,
    ) -> Result<PublishWrite, PublishRefused> {
        if request.qos > QoS::AtLeastOnce {
            return Err(PublishRefused::QosNotSupported(request.qos));
        }
        self.check(&request).map_err(PublishRefused::Limit)?;
        let topic = &request.topic;
        if !may_publish_by_http(topic) {
            warn!(principal = %caller.principal, %topic, "publish to a reserved topic by HTTP: refused");
            return Err(PublishRefused::Reserved(request.topic));
        }
        if self.router().is_congested(topic) {
            return Err(PublishRefused::Congested);
        }
        let (published, stored) = self.router().publish(request.message_of(caller, now));
        Ok(PublishWrite { retained: published.retained, stored, handled: published.handled })
    }

    /// Sends a message for a caller to one connected client, whatever it is subscribed to; nobody else sees it, rules
    /// neither. What comes back is [`send_to`](Self::send_to)'s.
    ///
    /// # Errors
    /// [`SendRefused`] says why nothing was sent.
    pub fn send_as(
        self: &Arc<Self>,
        caller: &Caller,
        receiver: &ClientId,
        request: PublishRequest,
        now: Timestamp,
    ) -> Result<oneshot::Receiver<()>, SendRefused> {
        if request.topic.is_reserved() {
            return Err(SendRefused::Reserved(request.topic));
        }
        self.check(&request).map_err(SendRefused::Limit)?;
        Ok(self.send_to(receiver, request.message_of(caller, now), now)?)
    }

    fn check(&self, request: &PublishRequest) -> Result<(), Violation> {
        let PublishRequest { topic, payload, retain, properties, .. } = request;
        session::check_publish(topic, payload, *retain, properties.as_deref(), self.quotas(Dialect::Aws))
    }
}

impl PublishRequest {
    fn message_of(self, caller: &Caller, now: Timestamp) -> Message {
        let Self { topic, payload, qos, retain, properties } = self;
        let principal = Some(Arc::clone(&caller.principal));
        let origin = Origin { client_id: None, principal, source_ip: caller.source_ip, is_will: false };
        Message { topic, payload, qos, retain, properties, received_at: now, origin: Arc::new(origin) }
    }
}
