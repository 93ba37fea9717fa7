//! Publishing: from a message to the mailboxes of all its subscribers.

use std::sync::Arc;
use std::task::Waker;

use message::{Message, TopicMemo, TopicName};

use crate::mailbox::{Delivery, Mailbox, Pushed};
use crate::metrics::count;
use crate::retained::RetainedWrite;
use crate::router::{Route, Router};

/// A publisher's own memory of who receives its topics, and of whom it has yet to wake.
pub struct Publisher {
    router: Arc<Router>,
    /// The subscribers of topics used before, valid while the router's generation stays.
    known: TopicMemo<Arc<[Route]>>,
    generation: u64,
    to_wake: Vec<Waker>,
    congested: Vec<Arc<Mailbox>>,
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
    /// Copies that wait in mailboxes.
    pub delivered: usize,
    /// A retained message's way to the disk; the publisher is acknowledged when it has arrived there.
    pub retained: Option<RetainedWrite>,
}

/// Topics that a publisher remembers; more, and it starts afresh.
const TOPICS_KNOWN_MAX: usize = 16;

impl Publisher {
    pub(crate) fn new(router: Arc<Router>) -> Self {
        let known = TopicMemo::new(TOPICS_KNOWN_MAX);
        let counted = Counted::default();
        Self { router, known, generation: 0, to_wake: Vec::new(), congested: Vec::new(), counted }
    }

    /// Puts a copy into every matching subscriber's mailbox. Call [`wake`](Self::wake) after a batch of these.
    pub fn publish(&mut self, message: Message) -> Published {
        let retained = self.retain(&message);
        let routes = self.routes(&message.topic);
        self.send(message, &routes, retained)
    }

    /// As [`publish`](Self::publish), for a topic that is not used again soon: who receives it is not remembered.
    pub fn publish_once(&mut self, message: Message) -> Published {
        let retained = self.retain(&message);
        let routes = self.router.routes(&message.topic);
        self.send(message, &routes, retained)
    }

    /// Before the routes are looked up: whoever subscribes in between gets the message twice rather than never.
    fn retain(&self, message: &Message) -> Option<RetainedWrite> {
        message.retain.then(|| self.router.retained.write(message))
    }

    fn send(&mut self, message: Message, routes: &[Route], retained: Option<RetainedWrite>) -> Published {
        let message = Arc::new(message);
        let mut delivered = 0;
        for route in routes {
            let qos = route.qos.min(message.qos);
            let delivery = Delivery { message: Arc::clone(&message), qos, retain: false };
            delivered += usize::from(self.push(&route.mailbox, delivery));
        }
        self.counted.published += 1;
        self.counted.delivered += delivered as u64;
        Published { delivered, retained }
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

    fn routes(&mut self, topic: &TopicName) -> Arc<[Route]> {
        let generation = self.router.generation();
        if generation != self.generation {
            self.known.clear();
            self.generation = generation;
        }
        if let Some(routes) = self.known.get(topic) {
            return Arc::clone(routes);
        }
        let routes: Arc<[Route]> = self.router.routes(topic).into();
        self.known.insert(topic, Arc::clone(&routes));
        routes
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.wake();
    }
}

impl Router {
    /// A handle to publish with; one for each connection or service.
    pub fn publisher(self: &Arc<Self>) -> Publisher {
        Publisher::new(Arc::clone(self))
    }

    /// Publishes one message outside a connection and wakes its subscribers. Does not wait for congested services.
    pub fn publish(self: &Arc<Self>, message: Message) -> Published {
        let mut publisher = self.publisher();
        let published = publisher.publish(message);
        publisher.wake();
        published
    }
}
