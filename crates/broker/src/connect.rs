//! CONNECT: may this identity be this client, with this will?

use std::sync::Arc;

use bytes::BytesMut;
use mqtt_codec::ConnectReturnCode;
use names::{CertificateId, Dialect};
use registry::{CertificateStatus, RegistryError};
use session::Opening;
use tracing::info;
use uuid::Uuid;

use crate::anonymous::Anonymous;
use crate::authorize::{Authorizer, is_reserved};
use crate::clients::Broker;
use crate::deliver::{Client, Visit};
use crate::exchange::Now;
use crate::identity::{Identity, Peer};
use crate::presence::{self, Event, Subject};

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
    #[error("no client id could be assigned")]
    NoClientId,
}

impl Why {
    /// Whether the policies said no. A certificate that is unknown or not ACTIVE fails earlier at AWS, in the
    /// handshake, and no event tells of that.
    fn is_authorization(&self) -> bool {
        matches!(self, Self::ConnectDenied | Self::WillDenied)
    }
}

/// Lets a client in, or writes the refusal that its dialect wants: AWS IoT Core closes without CONNACK, MQTT says
/// "not authorized".
pub(crate) fn connect(
    broker: &Arc<Broker>,
    peer: &Peer,
    session_id: Uuid,
    opening: Opening,
    out: &mut BytesMut,
    now: Now,
) -> Result<Client, Refused> {
    let Some(client_id) = opening.client_id.clone().or_else(|| broker.assign_client_id()) else {
        return Err(Refused { client_id: String::new(), why: Why::NoClientId });
    };
    let refused = |opening: Opening, why: Why, out: &mut BytesMut| {
        if peer.dialect == Dialect::Mqtt {
            let code = match why {
                Why::Unproven => ConnectReturnCode::BadUserNameOrPassword,
                _ => ConnectReturnCode::NotAuthorized,
            };
            opening.refuse(code, out);
        }
        Err(Refused { client_id: client_id.to_string(), why })
    };
    // Read before the certificate is, so that every change after that look is noticed below.
    let generation = broker.generation();
    let mut authorizer = match authorize(broker, peer, &opening, &client_id, now) {
        Ok(authorizer) => authorizer,
        Err(why) => {
            if why.is_authorization() {
                announce_failure(broker, peer, session_id, client_id.as_str(), now);
            }
            return refused(opening, why, out);
        }
    };
    let subscriber = broker.router().connection();
    let version = broker.enter(&client_id, peer.identity.clone(), subscriber.mailbox(), now.timestamp);
    // Whoever was deactivated between the check and the entry was not disconnected by the change: check again.
    if broker.generation() != generation || !authorizer.is_current() {
        if let Err(why) = identify(broker, &peer.identity, now) {
            broker.leave(&client_id, subscriber.mailbox(), now.timestamp);
            return refused(opening, why, out);
        }
        authorizer.refresh();
    }
    info!(%client_id, identity = %peer.identity, source_ip = %peer.source_ip, "connected");
    let session = opening.accept(client_id, false, now.instant, out);
    let mut client =
        Client::new(Arc::clone(broker), peer, session, subscriber, authorizer, Visit { session_id, version });
    client.announce(&Event::Connected { version, source_ip: peer.source_ip }, now);
    Ok(client)
}

fn announce_failure(broker: &Broker, peer: &Peer, session_id: Uuid, client_id: &str, now: Now) {
    let principal = peer.identity.principal();
    let subject = Subject { client_id, principal: principal.as_deref(), session_id };
    let event = Event::ConnectFailed { source_ip: peer.source_ip };
    if let Some(message) = presence::message(&subject, &event, now.timestamp) {
        let _ = broker.router().publish(message); // not retained: there is nothing to wait for
    }
}

fn authorize(
    broker: &Arc<Broker>,
    peer: &Peer,
    opening: &Opening,
    client_id: &names::ClientId,
    now: Now,
) -> Result<Authorizer, Why> {
    let mut authorizer = Authorizer::new(Arc::clone(broker), peer.clone(), client_id.clone());
    identify(broker, &peer.identity, now)?;
    if !authorizer.may_connect() {
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
        Identity::Certificate(id) => check_certificate(broker, id, now),
        Identity::Anonymous if matches!(broker.anonymous(), Anonymous::Refused) => Err(Why::Anonymous),
        Identity::Unproven => Err(Why::Unproven),
        Identity::Anonymous | Identity::Iam(_) | Identity::User(_) => Ok(()),
    }
}

fn check_certificate(broker: &Broker, id: &CertificateId, now: Now) -> Result<(), Why> {
    let certificate = match broker.registry().certificate(id) {
        Ok(certificate) => certificate,
        Err(RegistryError::NotFound { .. }) => return Err(Why::UnknownCertificate),
        Err(error) => return Err(Why::Registry(error)),
    };
    if certificate.status != CertificateStatus::Active {
        return Err(Why::NotActive(certificate.status));
    }
    if now.timestamp > certificate.not_after {
        return Err(Why::Expired);
    }
    Ok(())
}
