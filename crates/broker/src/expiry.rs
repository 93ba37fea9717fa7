//! What happens to stored sessions while nobody is connected to them: delayed wills become due, and sessions whose time
//! is over end. Also after the server was down, and for those that it left connected when it was killed.

use std::sync::Arc;
use std::time::Duration;

use message::{Message, QoS};
use names::{ClientId, Timestamp, limits};
use persistent_sessions::{Due, SessionId, Stage, StoredSession, StoredWill};
use router::{Publisher, stored_delivery};
use store::{StoreError, Ticket};
use tracing::{info, warn};

use crate::clients::Broker;
use crate::metrics::count;

/// Due sessions that are looked at together.
const PAGE: usize = 256;
/// How late a will or the end of a session may be.
const PERIOD: Duration = Duration::from_millis(200);
/// After the store did not answer.
const PAUSE: Duration = Duration::from_secs(5);

impl Broker {
    /// Watches over stored sessions until the future is dropped. `clock` is read once a round.
    pub async fn keep_sessions(self: Arc<Self>, clock: impl Fn() -> Timestamp + Send) {
        while let Err(error) = self.end_left_connected(clock()).await {
            warn!(%error, "sessions that were connected when the server ended cannot be read; trying again");
            tokio::time::sleep(PAUSE).await;
        }
        loop {
            if let Err(error) = self.router().sessions().sweep(limits::PURGED_ROWS_MAX) {
                warn!(%error, "what removed sessions have left cannot be deleted; trying again");
            }
            match self.end_due(clock()).await {
                Ok(PAGE) => continue, // there may be more
                Ok(_) => tokio::time::sleep(PERIOD).await,
                Err(error) => {
                    warn!(%error, "sessions that are due cannot be ended; trying again");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    /// One round over what is due by `now`; answers how much there was.
    ///
    /// # Errors
    /// [`StoreError`]: what was not done stays due.
    pub async fn end_due(self: &Arc<Self>, now: Timestamp) -> Result<usize, StoreError> {
        let due = self.router().sessions().due(now, PAGE)?;
        let count = due.len();
        let mut tickets = Vec::new();
        for due in due {
            let _lifecycle = self.lifecycle.lock();
            let (Due::Expired { client_id, session } | Due::Will { client_id, session }) = &due;
            // Its client may have come since it was found due, and perhaps gone again.
            let Some(left) = self.left_alone(client_id, session)? else { continue };
            if let Some(will) = &left.will {
                self.publish_stored_will(will, now);
            }
            tickets.push(match &due {
                Due::Expired { client_id, session } => self.end_session(client_id, session.id)?,
                Due::Will { client_id, session } => self.router().sessions().will_published(client_id, session.id)?,
            });
        }
        for ticket in tickets {
            ticket.await?;
        }
        Ok(count)
    }

    /// Sessions that were connected when the server was killed are disconnected now: their clocks begin, their wills are
    /// due.
    async fn end_left_connected(self: &Arc<Self>, now: Timestamp) -> Result<(), StoreError> {
        loop {
            let left = self.router().sessions().left_connected(PAGE)?;
            if left.is_empty() {
                return Ok(());
            }
            info!(sessions = left.len(), "sessions were connected when the server ended");
            let mut tickets = Vec::new();
            for (client_id, session) in left {
                let _lifecycle = self.lifecycle.lock();
                let Some(session) = self.left_alone(&client_id, &session)? else { continue };
                tickets.push(self.note_possibly_sent(session.id));
                let will = session.will.filter(|will| {
                    let is_delayed = will.delay_seconds > 0;
                    if !is_delayed {
                        self.publish_stored_will(will, now);
                    }
                    is_delayed
                });
                let sessions = self.router().sessions();
                tickets.push(sessions.disconnect(&client_id, session.id, session.expiry_seconds, will, now)?);
            }
            if tickets.is_empty() {
                tokio::time::sleep(PERIOD).await; // their clients are on their way in
            }
            for ticket in tickets {
                ticket.await?;
            }
        }
    }

    /// The session as it is now, if nobody has taken it up since it was found so.
    fn left_alone(&self, client_id: &ClientId, found: &StoredSession) -> Result<Option<StoredSession>, StoreError> {
        if self.is_connected(client_id) {
            return Ok(None); // it takes its session up, or ends it, itself
        }
        let is_the_same = |now: &StoredSession| {
            (now.id, now.presence, now.expiry_seconds) == (found.id, found.presence, found.expiry_seconds)
        };
        Ok(self.router().sessions().find(client_id)?.filter(is_the_same))
    }

    /// Nobody knows what went out before the server was killed: acknowledgements that made room for more may not have
    /// reached the disk. So all that waits may have been sent, and is sent as such [MQTT-3.3.1-1].
    pub(crate) fn note_possibly_sent(&self, id: SessionId) -> Ticket {
        self.router().sessions().sent(id, &[], u64::MAX)
    }

    pub(crate) fn publish_stored_will(self: &Arc<Self>, will: &StoredWill, now: Timestamp) {
        count(&self.metrics().wills);
        // Expiry counts from here (MQTT 5, 3.1.3.2.4). The wait for the disk is nobody's: no client is left to be told.
        let message = Message { received_at: now, ..Message::clone(&will.message) };
        let _ = self.router().publish(message);
    }

    fn end_session(self: &Arc<Self>, client_id: &ClientId, id: SessionId) -> Result<Ticket, StoreError> {
        info!(%client_id, "the session's time is over");
        count(&self.metrics().sessions_expired);
        self.remove_session(client_id, id)
    }

    /// A group's messages that wait in the session go to another member [MQTT-4.8.2-5].
    pub(crate) fn remove_session(self: &Arc<Self>, client_id: &ClientId, id: SessionId) -> Result<Ticket, StoreError> {
        let sessions = self.router().sessions();
        let is_shared = sessions.subscriptions(id)?.iter().any(|(filter, _)| filter.is_shared());
        if is_shared {
            self.redistribute(id)?;
        }
        sessions.remove(client_id, id)
    }

    fn redistribute(self: &Arc<Self>, id: SessionId) -> Result<(), StoreError> {
        let mut publisher: Publisher = self.router().publisher();
        let mut from_seq = 0;
        loop {
            let rows = self.router().sessions().read(id, from_seq, PAGE, 1 << 20)?;
            let Some(last) = rows.last() else { return Ok(()) };
            from_seq = last.seq + 1;
            for row in rows {
                if let Stage::Publish(queued) = row.stage
                    && queued.share.is_some()
                    && (queued.qos == QoS::AtLeastOnce || !row.was_sent)
                {
                    publisher.redistribute(&stored_delivery(queued, row.seq), Some(id))?;
                }
                if publisher.must_flush() {
                    drop(publisher.flush()); // it is written before the removal of the session, which is waited for
                }
            }
        }
    }
}
