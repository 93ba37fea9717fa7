//! CONNECT: may this identity be this client, with this will? And which session does it come to?

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use message::{Origin, SubscribeOptions, TopicFilter};
use mqtt_codec::{PacketId, Protocol, ReasonCode};
use names::{CertificateId, ClientId, Dialect, ThingName, Timestamp, limits};
use persistent_sessions::{Presence, SessionId, StoredWill};
use registry::{CertificateStatus, RegistryError};
use router::Subscriber;
use session::{Opening, Resumed};
use store::{StoreError, Ticket};
use tokio::sync::oneshot;
use tracing::{info, warn};
use uuid::Uuid;

use crate::anonymous::Anonymous;
use crate::authorize::{Authorizer, ConnectWishes, is_reserved};
use crate::client::{Client, Parts, Visit};
use crate::clients::{Broker, Entered};
use crate::connection_info::ConnectionInfo;
use crate::exchange::Now;
use crate::identity::{Identity, Peer};
use crate::leave::will_message;
use crate::presence::{self, Event, Subject};
use crate::stored_session::StoredSession;

/// Why a client was not let in; for the log, never for the client.
pub(crate) struct Refused {
    pub(crate) client_id: String,
    pub(crate) why: Why,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum Why {
    #[error("the certificate is not registered")]
    UnknownCertificate,
    #[error("the certificate's status is {}, not ACTIVE", .0.as_str())]
    NotActive(CertificateStatus),
    #[error("the certificate has expired")]
    Expired,
    #[error("anonymous clients are refused by the configuration")]
    Anonymous,
    #[error("the user name or password is wrong or missing")]
    Unproven,
    #[error("the policies do not allow iot:Connect")]
    ConnectDenied,
    #[error("the policies do not allow the will")]
    WillDenied,
    #[error("{0}")]
    Registry(RegistryError),
    #[error("the session cannot be read or stored: {0}")]
    Store(#[from] StoreError),
    #[error("the connection that has the client id does not end")]
    TakeoverStuck,
    #[error("no client id could be assigned")]
    NoClientId,
    #[error("the client takes no packet as large as CONNACK")]
    ConnAckTooLarge,
}

impl Why {
    /// Whether the policies said no. A certificate that is unknown or not ACTIVE fails earlier at AWS, in the
    /// handshake, and no event tells of that.
    fn is_authorization(&self) -> bool {
        matches!(self, Self::ConnectDenied | Self::WillDenied)
    }

    fn reason(&self) -> ReasonCode {
        match self {
            Self::Registry(_) | Self::Store(_) | Self::NoClientId | Self::TakeoverStuck => {
                ReasonCode::ServerUnavailable
            }
            Self::Unproven => ReasonCode::BadUserNameOrPassword,
            _ => ReasonCode::NotAuthorized,
        }
    }
}

/// A client that is let in, with the session that it comes to.
pub(crate) struct Admission {
    opening: Opening,
    client_id: ClientId,
    authorizer: Authorizer,
    subscriber: Subscriber,
    version: u64,
    going: oneshot::Sender<()>,
    stored: Option<Stored>,
}

/// The stored session that a client comes to.
struct Stored {
    session: StoredSession,
    /// What it had before this connection; none when it is new.
    resumed: Option<Past>,
}

/// What a session had before this connection, beside its queue.
struct Past {
    /// Its client's QoS 2 messages that are received and not released.
    received: Vec<PacketId>,
    subscriptions: Vec<(TopicFilter, SubscribeOptions)>,
}

/// A client that is not let in.
pub(crate) struct Refusal {
    opening: Opening,
    client_id: String,
    why: Why,
}

/// The decision about a CONNECT, which may have to wait for the disk and for the end of another connection.
pub(crate) type Admitting = Pin<Box<dyn Future<Output = Result<Admission, Box<Refusal>>> + Send>>;

/// Decides about a CONNECT.
pub(crate) fn admit(broker: Arc<Broker>, peer: Peer, session_id: Uuid, opening: Opening, now: Now) -> Admitting {
    Box::pin(async move {
        let client_id = opening.client_id.clone().or_else(|| broker.assign_client_id());
        let Some(client_id) = client_id else {
            return Err(Box::new(Refusal { opening, client_id: String::new(), why: Why::NoClientId }));
        };
        match let_in(&broker, &peer, session_id, &opening, &client_id, now).await {
            Ok(LetIn { authorizer, subscriber, version, going, stored }) => {
                Ok(Admission { opening, client_id, authorizer, subscriber, version, going, stored })
            }
            Err(why) => Err(Box::new(Refusal { opening, client_id: client_id.to_string(), why })),
        }
    })
}

struct LetIn {
    authorizer: Authorizer,
    subscriber: Subscriber,
    version: u64,
    going: oneshot::Sender<()>,
    stored: Option<Stored>,
}

async fn let_in(
    broker: &Arc<Broker>,
    peer: &Peer,
    session_id: Uuid,
    opening: &Opening,
    client_id: &ClientId,
    now: Now,
) -> Result<LetIn, Why> {
    // Read before the certificate is, so that every change after that look is noticed below.
    let generation = broker.generation();
    let authorized = authorize(broker, peer, opening, client_id, now);
    if authorized.as_ref().is_err_and(Why::is_authorization) {
        announce_failure(broker, peer, session_id, client_id.as_str(), now);
    }
    let authorizer = authorized?;
    let mut subscriber = broker.router().connection(client_id.shared());
    let Entered { version, going, previous } =
        broker.enter(client_id, peer.identity.clone(), subscriber.mailbox(), now.timestamp);
    let entered = async {
        // Whoever was deactivated between the check and the entry was not disconnected by the change: check again.
        if broker.generation() != generation {
            identify(broker, &peer.identity, now)?;
        }
        wait_for(previous).await?;
        let mut unsettled = Vec::new();
        let stored = find_session(broker, opening, client_id, &mut subscriber, &mut unsettled, now)?;
        // CONNACK says that there is a session: it waits until that is so.
        for ticket in unsettled {
            ticket.await?;
        }
        Ok(stored)
    };
    match entered.await {
        Ok(stored) => Ok(LetIn { authorizer, subscriber, version, going, stored }),
        Err(why) => {
            broker.leave(client_id, subscriber.mailbox(), now.timestamp);
            Err(why)
        }
    }
}

/// The connection that had the client id before: its will, its events and its part of the session come first.
async fn wait_for(previous: Option<oneshot::Receiver<()>>) -> Result<(), Why> {
    let Some(previous) = previous else { return Ok(()) };
    let limit = Duration::from_secs(limits::TAKEOVER_SECONDS_MAX);
    match tokio::time::timeout(limit, previous).await {
        Ok(_ended) => Ok(()), // nothing is sent: the sender is dropped
        Err(_) => Err(Why::TakeoverStuck),
    }
}

/// Takes up the stored session, begins a new one, or ends an old one, as CONNECT asks [MQTT-3.1.2-4] to
/// [MQTT-3.1.2-6]. None for a session that ends with its connection.
fn find_session(
    broker: &Arc<Broker>,
    opening: &Opening,
    client_id: &ClientId,
    subscriber: &mut Subscriber,
    unsettled: &mut Vec<Ticket>,
    now: Now,
) -> Result<Option<Stored>, Why> {
    let sessions = broker.router().sessions();
    let goes_on = opening.session_expiry_seconds > 0;
    // Whoever is about to end the session is done with it then, or sees this client connected.
    let _lifecycle = broker.lifecycle.lock();
    let mut found = sessions.find(client_id)?;
    if let Some(old) = found.as_ref().filter(|old| old.presence == Presence::Connected) {
        unsettled.push(broker.note_possibly_sent(old.id));
    }
    if let Some(old) = found
        .as_ref()
        .filter(|old| opening.clean_start || old.is_expired(now.timestamp) || !may_resume(opening, old.protocol_level))
    {
        // Its end makes a delayed will due (MQTT 5, 3.1.3.2.2).
        if let Some(will) = &old.will {
            broker.publish_stored_will(will, now.timestamp);
        }
        unsettled.push(broker.remove_session(client_id, old.id)?);
        found = None;
    }
    let origin = Origin { client_id: Some(client_id.shared()), ..Origin::default() };
    let will = opening.will.clone().map(|will| will_message(will, &origin, now));
    let expiry = opening.session_expiry_seconds;
    match found {
        Some(old) => {
            // The server was killed, and so was the connection: a will that does not wait was due then.
            let is_due = |will: &&StoredWill| old.presence == Presence::Connected && will.delay_seconds == 0;
            if let Some(will) = old.will.as_ref().filter(is_due) {
                broker.publish_stored_will(will, now.timestamp);
            }
            let received = sessions.received_ids(old.id)?;
            let received = received.into_iter().filter_map(PacketId::new).collect();
            let subscriptions = sessions.subscriptions(old.id)?;
            unsettled.push(sessions.resume(client_id, &old, expiry, will)?);
            subscriber.attach(old.id);
            let resumed = Some(Past { received, subscriptions });
            Ok(Some(Stored { session: StoredSession::new(old.id), resumed }))
        }
        None if goes_on => {
            let (id, ticket) = sessions.create(client_id, opening.protocol.level(), expiry, will)?;
            unsettled.push(ticket);
            subscriber.attach(id);
            Ok(Some(Stored { session: StoredSession::new(id), resumed: None }))
        }
        None => Ok(None),
    }
}

/// AWS IoT Core resumes no session with another version of MQTT than it was made with (developer guide, mqtt).
fn may_resume(opening: &Opening, protocol_level: u8) -> bool {
    let was_v5 = protocol_level == Protocol::V5.level();
    opening.dialect() == Dialect::Mqtt || was_v5 == (opening.protocol == Protocol::V5)
}

impl Admission {
    /// The transport went away before CONNACK was written.
    pub(crate) fn give_up(self, broker: &Arc<Broker>, now: Now) {
        let expiry_seconds = self.opening.session_expiry_seconds;
        let stored = self.stored.map(|stored| (stored.session.id, expiry_seconds));
        turn_away(broker, &self.client_id, &self.subscriber, stored, now);
    }

    /// Writes CONNACK; the client is connected then.
    pub(crate) fn accept(
        self,
        broker: &Arc<Broker>,
        peer: &Peer,
        session_id: Uuid,
        out: &mut BytesMut,
        now: Now,
    ) -> Result<Client, Refused> {
        let Self { opening, client_id, authorizer, subscriber, version, going, stored } = self;
        info!(%client_id, identity = %peer.identity, source_ip = %peer.source_ip, "connected");
        let (keep_alive, clean_start) = (opening.keep_alive, opening.clean_start);
        let connected_at = now.timestamp;
        let info =
            ConnectionInfo::new(peer.clone(), connected_at, keep_alive, clean_start, opening.session_expiry_seconds);
        let (stored, resumed) = match stored {
            Some(Stored { session, resumed }) => (Some(Box::new(session)), resumed),
            None => (None, None),
        };
        let (received, subscriptions) = match resumed {
            Some(Past { received, subscriptions }) => (Some(Resumed { received }), subscriptions),
            None => (None, Vec::new()),
        };
        let expiry_seconds = opening.session_expiry_seconds;
        let Some(mut session) = opening.accept(client_id.clone(), received, now.instant, out) else {
            turn_away(broker, &client_id, &subscriber, stored.map(|stored| (stored.id, expiry_seconds)), now);
            return Err(Refused { client_id: client_id.to_string(), why: Why::ConnAckTooLarge });
        };
        for (filter, options) in subscriptions {
            session.hold_subscription(filter.clone());
            subscriber.subscribe(filter, options);
        }
        broker.introduce(&client_id, subscriber.mailbox(), &info, subscriber.filters().clone());
        let origin = Origin {
            client_id: Some(client_id.shared()),
            principal: peer.identity.principal(),
            source_ip: Some(peer.source_ip),
            is_will: false,
        };
        let visit = Visit { session_id, version, info };
        let broker = Arc::clone(broker);
        let mut client =
            Client::new(Parts { broker, session, subscriber, authorizer, origin, visit, stored, gone: going });
        client.announce(&Event::Connected { version, source_ip: peer.source_ip }, now);
        Ok(client)
    }
}

/// A client that was let in is not connected after all: its session waits for it, without the will that it brought.
fn turn_away(
    broker: &Arc<Broker>,
    client_id: &ClientId,
    subscriber: &Subscriber,
    stored: Option<(SessionId, u32)>,
    now: Now,
) {
    if let Some((id, expiry_seconds)) = stored {
        let sessions = broker.router().sessions();
        // The write goes its way, and nobody waits for it.
        if let Err(error) = sessions.disconnect(client_id, id, expiry_seconds, None, now.timestamp) {
            warn!(%client_id, %error, "that the client is not connected cannot be stored");
        }
    }
    broker.leave(client_id, subscriber.mailbox(), now.timestamp);
}

impl Refusal {
    /// Writes the refusal that the dialect wants: AWS IoT Core closes a client of MQTT 3.1.1 without CONNACK.
    pub(crate) fn write(self, out: &mut BytesMut) -> Refused {
        let Self { opening, client_id, why } = self;
        if opening.dialect() == Dialect::Mqtt || opening.protocol == Protocol::V5 {
            opening.refuse(why.reason(), None, out);
        }
        Refused { client_id, why }
    }
}

fn announce_failure(broker: &Arc<Broker>, peer: &Peer, session_id: Uuid, client_id: &str, now: Now) {
    let principal = peer.identity.principal();
    let thing_name = broker.exclusive_thing(&peer.identity);
    let thing_name = thing_name.as_ref().map(ThingName::as_str);
    let subject = Subject { client_id, principal: principal.as_deref(), thing_name, session_id };
    let event = Event::ConnectFailed { source_ip: peer.source_ip };
    if let Some(message) = presence::message(&subject, &event, now.timestamp) {
        let _ = broker.router().publish(message); // not retained: there is nothing to wait for
    }
}

fn authorize(
    broker: &Arc<Broker>,
    peer: &Peer,
    opening: &Opening,
    client_id: &ClientId,
    now: Now,
) -> Result<Authorizer, Why> {
    let mut authorizer = Authorizer::new(Arc::clone(broker), peer.clone(), client_id.clone());
    identify(broker, &peer.identity, now)?;
    let wishes = ConnectWishes {
        is_persistent: opening.session_expiry_seconds > 0,
        will_topic: opening.will.as_ref().map(|will| &will.topic),
    };
    if !authorizer.may_connect(&wishes) {
        return Err(Why::ConnectDenied);
    }
    if let Some(will) = &opening.will
        && (is_reserved(&will.topic, peer.dialect) || !authorizer.may_publish(&will.topic, will.retain))
    {
        return Err(Why::WillDenied);
    }
    Ok(authorizer)
}

fn identify(broker: &Broker, identity: &Identity, now: Now) -> Result<(), Why> {
    match identity {
        Identity::Certificate(id) => check_certificate(broker, id, now.timestamp),
        Identity::Anonymous if matches!(broker.anonymous(), Anonymous::Refused) => Err(Why::Anonymous),
        Identity::Unproven => Err(Why::Unproven),
        Identity::Anonymous | Identity::Iam(_) | Identity::User(_) => Ok(()),
    }
}

impl Broker {
    /// Whether the certificate is registered, ACTIVE and not expired, so that its holder is somebody.
    ///
    /// # Errors
    /// [`RegistryError`]: nobody knows.
    pub fn knows_certificate(&self, id: &CertificateId, now: Timestamp) -> Result<bool, RegistryError> {
        match check_certificate(self, id, now) {
            Ok(()) => Ok(true),
            Err(Why::Registry(error)) => Err(error),
            Err(why) => {
                info!(certificate = %id, %why, "refused by HTTP");
                Ok(false)
            }
        }
    }
}

fn check_certificate(broker: &Broker, id: &CertificateId, now: Timestamp) -> Result<(), Why> {
    let certificate = match broker.registry().certificate(id) {
        Ok(certificate) => certificate,
        Err(RegistryError::NotFound { .. }) => return Err(Why::UnknownCertificate),
        Err(error) => return Err(Why::Registry(error)),
    };
    if certificate.status != CertificateStatus::Active {
        return Err(Why::NotActive(certificate.status));
    }
    if now > certificate.not_after {
        return Err(Why::Expired);
    }
    Ok(())
}
