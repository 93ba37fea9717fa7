//! What others may ask of connections: who is connected and how, what they are subscribed to, a message to one of them,
//! and that one be ended (AWS IoT API reference: GetConnection, ListSubscriptions, SendDirectMessage, DeleteConnection).

use std::sync::Arc;

use message::{Message, QoS, SubscribeOptions, TopicFilter, TopicName};
use names::{ClientId, Timestamp};
use router::{Confirmation, Delivery, Extra, MailboxClosed};
use store::StoreError;
use tokio::sync::oneshot;

use crate::authorize::Authorizer;
use crate::clients::Broker;

/// Why a client cannot be reached.
#[derive(Debug, thiserror::Error)]
pub enum NotReached {
    /// Nobody with this id is connected.
    #[error("the client '{client_id}' is not connected")]
    NotConnected {
        /// The id that was asked for.
        client_id: ClientId,
        /// Whether its session lives on, so that it may come back to it.
        has_session: bool,
    },
    /// Its policies do not let it receive the topic.
    #[error("the client '{client_id}' may not receive the topic '{topic}'")]
    NotAllowed {
        /// Who would have received.
        client_id: ClientId,
        /// What it may not receive.
        topic: TopicName,
    },
    /// Its queue is full.
    #[error("the client '{0}' takes its messages too slowly")]
    Congested(ClientId),
    /// What is stored of it cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Broker {
    /// Ends the client's connection, and its session too if that is asked for; a session without a connection ends at
    /// once, and its will is due then (MQTT 5, 3.1.3.2.2). False when there is nothing to end.
    ///
    /// A connection has been told to end when this returns; the client's own task ends it.
    ///
    /// # Errors
    /// [`StoreError`]: the session could not be ended.
    pub async fn end_connection(
        self: &Arc<Self>,
        id: &ClientId,
        prevent_will: bool,
        clean_session: bool,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let removed = {
            // Nobody takes the session up between the look at it and its end.
            let _lifecycle = self.lifecycle.lock();
            if let Some(mailbox) = self.mailbox_of(id) {
                mailbox.close(MailboxClosed::Api { prevent_will, clean_session });
                return Ok(true);
            }
            let Some(stored) = self.router().sessions().find(id)?.filter(|_| clean_session) else { return Ok(false) };
            if let Some(will) = stored.will.as_ref().filter(|_| !prevent_will) {
                self.publish_stored_will(will, now);
            }
            self.remove_session(id, stored.id)?
        };
        removed.await?;
        Ok(true)
    }

    /// What the client is subscribed to, in the order of the filters, also while its session waits for it.
    ///
    /// # Errors
    /// [`NotReached`] when it has neither a connection nor a session.
    pub fn subscriptions_of(&self, id: &ClientId) -> Result<Vec<(TopicFilter, SubscribeOptions)>, NotReached> {
        if let Some(subscriptions) = self.live_subscriptions(id) {
            return Ok(subscriptions);
        }
        match self.router().sessions().find(id)? {
            Some(stored) => Ok(self.router().sessions().subscriptions(stored.id)?),
            None => Err(NotReached::NotConnected { client_id: id.clone(), has_session: false }),
        }
    }

    /// Sends a message to one connected client, whatever it is subscribed to. The answer arrives when it is written at QoS
    /// 0, or acknowledged at QoS 1, and is dropped when it never will.
    ///
    /// # Errors
    /// [`NotReached`], also when the client's policies do not let it receive the topic.
    pub fn send_to(
        self: &Arc<Self>,
        id: &ClientId,
        message: Message,
        now: Timestamp,
    ) -> Result<oneshot::Receiver<()>, NotReached> {
        let info = self.connection(id, now).filter(|info| info.end().is_none());
        let (Some(mailbox), Some(info)) = (self.mailbox_of(id), info) else {
            let has_session = self.router().sessions().find(id)?.is_some_and(|session| !session.is_expired(now));
            return Err(NotReached::NotConnected { client_id: id.clone(), has_session });
        };
        // The way to the client asks again, and can tell nobody.
        if !Authorizer::new(Arc::clone(self), info.peer.clone(), id.clone()).may_receive(&message.topic) {
            return Err(NotReached::NotAllowed { client_id: id.clone(), topic: message.topic });
        }
        let (confirmation, confirmed) = Confirmation::new();
        let extra = Extra { confirmation: Some(confirmation), ..Extra::default() };
        let qos = message.qos.min(QoS::AtLeastOnce);
        let (message, extra) = (Arc::new(message), Some(Arc::new(extra)));
        let delivery = Delivery { message, qos, retain: false, seq: None, extra };
        if mailbox.put(delivery) { Ok(confirmed) } else { Err(NotReached::Congested(id.clone())) }
    }
}
