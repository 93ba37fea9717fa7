//! Publishing: from a message to the mailboxes of all its subscribers.

use std::sync::Arc;
use std::task::Waker;

use message::{Message, QoS, TopicMemo, TopicName};
use persistent_sessions::{QueuedMessage, SessionId, Writes};
use store::StoreError;
use tracing::warn;

use crate::delivery::{Confirmation, Delivery, Extra};
use crate::handled::Handled;
use crate::mailbox::{Mailbox, Pushed};
use crate::metrics::count;
use crate::retained::RetainedWrite;
use crate::router::Router;
use crate::routes::{Routes, SharedRoute};
use crate::shared::Member;
use crate::stored::StoredWrite;

/// A publisher's own memory of who receives its topics, and of whom it has yet to wake.
pub struct Publisher {
    router: Arc<Router>,
    /// None for services and for those who publish without a connection.
    client_id: Option<Arc<str>>,
    /// The subscribers of topics used before, valid while the generations stay.
    known: TopicMemo<Arc<Routes>>,
    /// The router's and the stored sessions'.
    generations: (u64, u64),
    to_wake: Vec<Waker>,
    congested: Vec<Arc<Mailbox>>,
    /// What goes to the disk with the next [`flush`](Self::flush).
    writes: Writes,
    writes_bytes: usize,
    /// The stored sessions could not be looked up: nothing of this batch may be acknowledged.
    failed: Option<StoreError>,
    counted: Counted,
}

/// Counted here for a batch, then added to what all publishers share: cores that count at the same place wait for each
/// other.
#[derive(Default)]
struct Counted {
    published: u64,
    delivered: u64,
}

/// What became of a message.
#[must_use]
pub struct Published {
    /// Copies that wait in mailboxes or go to the disk.
    pub delivered: usize,
    /// A retained message's way to the disk; the publisher is acknowledged when it has arrived there.
    pub retained: Option<RetainedWrite>,
    /// Services that are to be done with the message before its publisher is acknowledged.
    pub handled: Handled,
}

/// Topics that a publisher remembers; more, and it starts afresh.
const TOPICS_KNOWN_MAX: usize = 16;

impl Publisher {
    pub(crate) fn new(router: Arc<Router>, client_id: Option<Arc<str>>) -> Self {
        Self {
            router,
            client_id,
            known: TopicMemo::new(TOPICS_KNOWN_MAX),
            generations: (0, 0),
            to_wake: Vec::new(),
            congested: Vec::new(),
            writes: Writes::default(),
            writes_bytes: 0,
            failed: None,
            counted: Counted::default(),
        }
    }

    /// Puts a copy into every matching subscriber's mailbox, and lays those for stored sessions ready for the disk. Call
    /// [`flush`](Self::flush) and [`wake`](Self::wake) after a batch of these.
    pub fn publish(&mut self, message: Message) -> Published {
        let retained = self.retain(&message);
        let routes = self.routes(&message.topic);
        self.send(message, &routes, retained)
    }

    /// As [`publish`](Self::publish), for a topic that is not used again soon: who receives it is not remembered.
    pub fn publish_once(&mut self, message: Message) -> Published {
        let retained = self.retain(&message);
        let routes = self.look_up(&message.topic).unwrap_or_default();
        self.send(message, &routes, retained)
    }

    /// As [`publish_once`](Self::publish_once), for a message that is made only if somebody receives its topic. It must not
    /// be a retained one.
    pub fn publish_if_heard(&mut self, topic: &TopicName, make: impl FnOnce() -> Option<Message>) {
        let routes = self.look_up(topic).unwrap_or_default();
        if let Some(message) = (!routes.is_empty()).then(make).flatten() {
            let _ = self.send(message, &routes, None);
        }
    }

    /// The publisher's own session has received a QoS 2 message: kept on the disk together with the message's copies
    /// [MQTT-4.3.3-10].
    pub fn receive(&mut self, session: SessionId, packet_id: u16) {
        self.writes.received.push((session, packet_id));
    }

    /// Keeps a delivery for a stored session, which it comes back to from the disk.
    pub fn keep(&mut self, session: SessionId, delivery: Delivery) {
        let subscription_ids = delivery.subscription_ids().to_vec();
        let Delivery { message, qos, retain, .. } = delivery;
        self.store(session, QueuedMessage { message, qos, retain, subscription_ids, share: None });
    }

    /// Whether so much waits for [`flush`](Self::flush) that it must not wait for the end of the batch.
    pub fn must_flush(&self) -> bool {
        self.writes_bytes > FLUSH_BYTES
    }

    /// Hands what is for stored sessions to the disk, all of it as one. None when there is nothing.
    pub fn flush(&mut self) -> Option<StoredWrite> {
        self.writes_bytes = 0;
        let writes = std::mem::take(&mut self.writes);
        if let Some(error) = self.failed.take() {
            return Some(StoredWrite::failed(error));
        }
        (!writes.is_empty()).then(|| self.router.stored.write(writes, self.router.metrics()))
    }

    /// Gives a message that a member of a group cannot finish to another one, if there is one. `except` is the stored
    /// session that it comes from.
    ///
    /// # Errors
    /// [`StoreError`]: the group's stored members could not be looked up, and nobody gets the message.
    pub fn redistribute(&mut self, delivery: &Delivery, except: Option<SessionId>) -> Result<(), StoreError> {
        let Some(shared) = delivery.shared() else { return Ok(()) };
        let Some(mut routes) = self.look_up(&delivery.message.topic) else {
            return self.failed.take().map_or(Ok(()), Err);
        };
        if let Some(route) = routes.shared.iter_mut().find(|route| route.shared == *shared) {
            route.stored.retain(|(session, _)| Some(*session) != except);
            self.counted.delivered += u64::from(self.send_shared(route, &delivery.message));
        }
        Ok(())
    }

    /// Before the routes are looked up: whoever subscribes in between gets the message twice rather than never.
    fn retain(&self, message: &Message) -> Option<RetainedWrite> {
        message.retain.then(|| self.router.retained.write(message))
    }

    fn send(&mut self, message: Message, routes: &Routes, retained: Option<RetainedWrite>) -> Published {
        let message = Arc::new(message);
        let (mut delivered, mut handled) = (0, Handled::default());
        for route in &routes.live {
            let qos = route.qos.min(message.qos);
            if route.is_stored && qos > QoS::AtMostOnce {
                continue; // it is among the stored ones
            }
            let retain = route.retain_as_published && message.retain;
            let extra = match &route.extra {
                None if qos > QoS::AtMostOnce && route.mailbox.confirms() => Some(awaited(&mut handled)),
                extra => extra.clone(),
            };
            let delivery = Delivery { message: Arc::clone(&message), qos, retain, seq: None, extra };
            delivered += usize::from(self.push(&route.mailbox, delivery));
        }
        if message.qos > QoS::AtMostOnce {
            for route in &routes.stored {
                let retain = route.retain_as_published && message.retain;
                let subscription_ids = route.subscription_ids.clone();
                let qos = route.qos.min(message.qos);
                let message = Arc::clone(&message);
                self.store(route.session, QueuedMessage { message, qos, retain, subscription_ids, share: None });
            }
            delivered += routes.stored.len();
        }
        for route in &routes.shared {
            delivered += usize::from(self.send_shared(route, &message));
        }
        self.counted.published += 1;
        self.counted.delivered += delivered as u64;
        Published { delivered, retained, handled }
    }

    /// One member gets the message: a connected one that has room, else one whose session is stored [MQTT-4.8.2-3], else
    /// one that is given up for it. Only one: a flood must not end all members at once.
    fn send_shared(&mut self, route: &SharedRoute, message: &Arc<Message>) -> bool {
        let group = route.group.as_ref();
        // Whoever is closed between the choice and the push has no room when it is asked again.
        while let Some(member) = group.and_then(|group| group.next_with_room(message)) {
            if self.send_to_member(route, &member, message) {
                return true;
            }
        }
        if self.send_to_absent(route, message) {
            return true;
        }
        let Some(member) = group.and_then(|group| group.next()) else {
            count(&self.router.metrics().dropped_no_member, 1);
            return false;
        };
        self.send_to_member(route, &member, message)
    }

    fn send_to_absent(&mut self, route: &SharedRoute, message: &Arc<Message>) -> bool {
        let away = route.stored.iter().filter(|(_, options)| options.qos.min(message.qos) > QoS::AtMostOnce);
        // Whoever has to be chosen without knowing anything of them: by the message's time, so that they take turns.
        let count = away.clone().count();
        let turn = usize::try_from(message.received_at.as_millis()).unwrap_or_default();
        let Some((session, options)) = away.clone().nth(turn % count.max(1)) else { return false };
        self.store_shared(route, *session, options.qos, options.retain_as_published, options.subscription_id, message);
        true
    }

    fn send_to_member(&mut self, route: &SharedRoute, member: &Member, message: &Arc<Message>) -> bool {
        let options = &member.options;
        let qos = options.qos.min(message.qos);
        let rap = options.retain_as_published;
        match member.session {
            Some(session) if qos > QoS::AtMostOnce => {
                self.store_shared(route, session, options.qos, rap, options.subscription_id, message);
                true
            }
            _ => {
                let (message, retain) = (Arc::clone(message), rap && message.retain);
                let delivery = Delivery { message, qos, retain, seq: None, extra: member.extra.clone() };
                self.push(&member.mailbox, delivery)
            }
        }
    }

    fn store_shared(
        &mut self,
        route: &SharedRoute,
        session: SessionId,
        granted: QoS,
        retain_as_published: bool,
        subscription_id: Option<u32>,
        message: &Arc<Message>,
    ) {
        let queued = QueuedMessage {
            message: Arc::clone(message),
            qos: granted.min(message.qos),
            retain: retain_as_published && message.retain,
            subscription_ids: subscription_id.into_iter().collect(),
            share: Some((Arc::clone(&route.shared.share_name), route.shared.filter.clone())),
        };
        self.store(session, queued);
    }

    fn store(&mut self, session: SessionId, queued: QueuedMessage) {
        self.writes_bytes += queued.message.bytes();
        self.writes.messages.push((session, queued));
    }

    /// Wakes everyone who got something since the last call: once for a batch, not once for a message.
    pub fn wake(&mut self) {
        let Counted { published, delivered } = std::mem::take(&mut self.counted);
        if published > 0 {
            count(&self.router.metrics().published, published);
            count(&self.router.metrics().delivered, delivered);
        }
        self.to_wake.drain(..).for_each(Waker::wake);
    }

    /// Wakes, and waits until no service that was published to is over its soft limit. This is how a flood is read no
    /// faster than it can be taken.
    pub async fn wait_for_room(&mut self) {
        self.wake();
        while let Some(mailbox) = self.congested.pop() {
            mailbox.wait_for_room().await;
        }
    }

    /// Whether [`wait_for_room`](Self::wait_for_room) would have to look at anyone.
    pub fn is_congested(&self) -> bool {
        !self.congested.is_empty()
    }

    fn push(&mut self, mailbox: &Arc<Mailbox>, delivery: Delivery) -> bool {
        match mailbox.push(delivery) {
            Pushed::Queued { wake, is_congested } => {
                self.to_wake.extend(wake);
                if is_congested && !self.congested.iter().any(|known| Arc::ptr_eq(known, mailbox)) {
                    self.congested.push(Arc::clone(mailbox));
                }
                true
            }
            Pushed::Dropped => {
                count(&self.router.metrics().dropped_mailbox_full, 1);
                false
            }
            Pushed::GivenUp { wake } => {
                count(&self.router.metrics().closed_mailbox_full, 1);
                self.to_wake.extend(wake);
                false
            }
        }
    }

    fn routes(&mut self, topic: &TopicName) -> Arc<Routes> {
        let generations = (self.router.generation(), self.router.sessions().generation());
        if generations != self.generations {
            self.known.clear();
            self.generations = generations;
        }
        if let Some(routes) = self.known.get(topic) {
            return Arc::clone(routes);
        }
        let Some(routes) = self.look_up(topic) else { return Arc::default() };
        let routes = Arc::new(routes);
        self.known.insert(topic, Arc::clone(&routes));
        routes
    }

    /// None when the stored sessions cannot be read: then nobody gets the message, and it is not acknowledged.
    fn look_up(&mut self, topic: &TopicName) -> Option<Routes> {
        match self.router.routes(topic, self.client_id.as_deref()) {
            Ok(routes) => Some(routes),
            Err(error) => {
                count(&self.router.metrics().failed_lookups, 1);
                warn!(%topic, %error, "the stored sessions that the topic reaches cannot be read");
                self.failed = Some(error);
                None
            }
        }
    }
}

/// What goes along with a delivery that a service is to confirm.
fn awaited(handled: &mut Handled) -> Arc<Extra> {
    let (confirmation, waiting) = Confirmation::new();
    handled.push(waiting);
    Arc::new(Extra { confirmation: Some(confirmation), ..Extra::default() })
}

/// Writes for stored sessions that one batch collects before it is handed to the disk.
const FLUSH_BYTES: usize = 1_048_576;

impl Drop for Publisher {
    fn drop(&mut self) {
        drop(self.flush()); // nobody waits for it, and it goes to the disk all the same
        self.wake();
    }
}

impl Router {
    /// A handle to publish with, for a service or for somebody without a connection.
    pub fn publisher(self: &Arc<Self>) -> Publisher {
        Publisher::new(Arc::clone(self), None)
    }

    /// A handle for a client's connection: its own messages are told from others' [MQTT-3.8.3-3].
    pub fn client_publisher(self: &Arc<Self>, client_id: Arc<str>) -> Publisher {
        Publisher::new(Arc::clone(self), Some(client_id))
    }

    /// Publishes one message outside a connection and wakes its subscribers. Does not wait for congested services. What
    /// is on its way to the disk comes back; whoever acknowledges the message waits for it first.
    pub fn publish(self: &Arc<Self>, message: Message) -> (Published, Option<StoredWrite>) {
        let mut publisher = self.publisher();
        let published = publisher.publish(message);
        let stored = publisher.flush();
        publisher.wake();
        (published, stored)
    }
}
