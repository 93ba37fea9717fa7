//! The end of a connection: the will, what happens to the session, and what others get of what was not finished.

use std::sync::Arc;

use message::{Message, Origin, QoS};
use mqtt_codec::Will;
use persistent_sessions::StoredWill;
use router::{Delivery, MailboxClosed};
use store::StoreError;
use tracing::{info, warn};

use crate::client::Client;
use crate::exchange::{DisconnectReason, Now};
use crate::metrics::count;
use crate::presence::Event;
use crate::unsettled::Unsettled;

impl Client {
    pub(crate) async fn end(mut self, reason: DisconnectReason, now: Now) {
        info!(client_id = %self.session.client_id(), reason = reason.as_str(), "disconnected");
        let (prevent_will, clean_session) = match self.subscriber.mailbox().closed() {
            Some(MailboxClosed::Api { prevent_will, clean_session }) => (prevent_will, clean_session),
            _ => (false, false),
        };
        // What still comes for a group goes to another member: a closed mailbox takes nothing.
        self.subscriber.mailbox().close(MailboxClosed::ShuttingDown);
        self.subscriber.leave_groups();
        self.flush();
        let will = self.session.take_will().filter(|_| !prevent_will);
        let expiry_seconds = if clean_session { 0 } else { self.session.session_expiry_seconds() };
        self.visit.info.disconnected(reason, expiry_seconds, now.timestamp);
        if let Err(error) = self.leave_session(will, expiry_seconds, now) {
            warn!(client_id = %self.session.client_id(), %error, "the session's end cannot be stored");
        }
        self.announce(&Event::Disconnected { version: self.visit.version, reason }, now);
        self.redistribute();
        self.flush();
        self.publisher.wake();
        self.broker.leave(self.session.client_id(), self.subscriber.mailbox(), now.timestamp);
        let _ = self.settle().await; // a failure is logged there, and nobody is left to be told
    }

    /// A session that ends with its connection has its will published now, whatever its delay; one that goes on keeps a
    /// delayed will until it is due [MQTT-3.1.2-8].
    fn leave_session(&mut self, will: Option<Will>, expiry_seconds: u32, now: Now) -> Result<(), StoreError> {
        let Some(stored) = &mut self.stored else {
            self.publish_will(will, now);
            return Ok(());
        };
        let (id, sessions) = (stored.id, Arc::clone(self.broker.router().sessions()));
        let client_id = self.session.client_id().clone();
        stored.note_sent(&sessions, &mut self.unsettled);
        if expiry_seconds == 0 {
            self.publish_will(will, now);
            let ticket = self.broker.remove_session(&client_id, id)?;
            self.unsettled.push(Unsettled::Session(ticket));
            return Ok(());
        }
        let delayed = match will {
            Some(will) if will.delay_seconds > 0 => self.stored_will(will, now),
            will => {
                self.publish_will(will, now);
                None
            }
        };
        let ticket = sessions.disconnect(&client_id, id, expiry_seconds, delayed, now.timestamp)?;
        self.unsettled.push(Unsettled::Session(ticket));
        Ok(())
    }

    /// The will goes out as the client's own message, as far as its policies still allow it.
    fn publish_will(&mut self, will: Option<Will>, now: Now) {
        let Some(StoredWill { message, .. }) = will.and_then(|will| self.stored_will(will, now)) else { return };
        count(&self.broker.metrics().wills);
        let published = self.publisher.publish(Message::clone(&message));
        self.unsettled.extend(Unsettled::of(published, None));
    }

    fn stored_will(&mut self, will: Will, now: Now) -> Option<StoredWill> {
        if !self.authorizer.may_publish(&will.topic, will.retain) {
            return None;
        }
        Some(will_message(will, &self.origin, now))
    }

    /// What a group's messages this client did not finish go to another member. A message of QoS 2 that was sent is the
    /// client's for ever [MQTT-4.8.2-5], and those of a stored session wait for it.
    fn redistribute(&mut self) {
        let is_unfinished = |delivery: &Delivery| delivery.seq.is_none() && delivery.shared().is_some();
        let outstanding = std::mem::take(&mut self.outstanding).into_values();
        let sent = outstanding.filter(|outstanding| !outstanding.is_received).filter_map(|sent| sent.delivery);
        let mut unfinished: Vec<Delivery> =
            sent.filter(|delivery| is_unfinished(delivery) && delivery.qos == QoS::AtLeastOnce).collect();
        let is_kept = |delivery: &Delivery| is_unfinished(delivery) && delivery.qos > QoS::AtMostOnce;
        unfinished.extend(std::mem::take(&mut self.pending).into_iter().filter(is_kept));
        let mut waiting = std::collections::VecDeque::new();
        self.subscriber.mailbox().take(&mut waiting);
        unfinished.extend(waiting.into_iter().filter(is_kept));
        for delivery in unfinished {
            let _ = self.publisher.redistribute(&delivery, None); // a failure is logged there
        }
    }
}

/// A will as the message that it becomes.
pub(crate) fn will_message(will: Will, origin: &Origin, now: Now) -> StoredWill {
    let Will { topic, payload, qos, retain, delay_seconds, properties } = will;
    let origin = Arc::new(Origin { is_will: true, ..origin.clone() });
    let message = Message { topic, payload, qos, retain, properties, received_at: now.timestamp, origin };
    StoredWill { message: Arc::new(message), delay_seconds }
}
