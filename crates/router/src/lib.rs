//! Who receives a message.
//!
//! The router matches a published message against every subscription and puts it into the mailbox of each subscriber
//! that it reaches. It knows nobody: MQTT connections, the shadow service and rules are all [`Subscriber`]s, and what
//! they publish is all alike. It authorizes nothing (the broker does) and speaks no wire format.
//!
//! Publishing goes through a [`Publisher`], which remembers the subscribers of the topics it used last and wakes each
//! of them once for a whole batch of messages. Nothing here blocks: what must be durable comes back as a ticket.

mod delivery;
mod handled;
mod mailbox;
mod metrics;
mod on_their_way;
mod publish;
mod retained;
mod retained_topics;
mod router;
mod routes;
mod shared;
mod stored;
mod subscribe;
mod subscriber_id;

pub use delivery::{Confirmation, Delivery, Extra};
pub use handled::{Handled, NotHandled};
pub use mailbox::{Mailbox, MailboxClosed, Overflow};
pub use message::SubscribeOptions;
pub use metrics::RouterMetrics;
pub use publish::{Published, Publisher};
pub use retained::{RetainedCursor, RetainedWrite};
pub use retained_topics::{RetainedPage, RetainedTopic};
pub use router::Router;
pub use stored::{StoredWrite, delivery as stored_delivery};
pub use subscribe::{SubscribedFilters, Subscriber};
