//! What a session that outlives its connection holds (MQTT 5, 4.1; AWS IoT Core's persistent sessions): its
//! subscriptions, the messages that are queued or in flight, QoS 2 packet ids, when it ends and its will.
//!
//! All of it is in the store, and nothing is read at the start: a million sessions that are away cost disk and no more.
//! What is acknowledged is durable first. There is no clock here, no task, and no opinion on who may do what.

mod delivery;
mod draft;
mod enqueue;
mod fields;
mod lifecycle;
mod memo;
mod message_value;
mod overlay;
mod persistent_sessions;
mod queue_value;
mod queues;
mod removal;
mod session_id;
mod session_value;
mod shape;
mod shared_filter;
mod subscriptions;
mod table;
mod tail;
mod tails;

pub use delivery::{Queued, Stage, derived_packet_id};
pub use enqueue::{EnqueueDone, Enqueued, Writes};
pub use lifecycle::Due;
pub use memo::Reached;
pub use message_value::{decode_properties, encode_properties};
pub use persistent_sessions::PersistentSessions;
pub use queue_value::QueuedMessage;
pub use queues::{QueueLimits, QueueOverflow, Totals};
pub use session_id::SessionId;
pub use session_value::{Presence, StoredSession, StoredWill};
