//! MQTT's rules for one client, without sockets and without a clock.
//!
//! A connection begins as [`ExpectConnect`]. Its first packet gives an [`Opening`], on which the broker decides, or a
//! [`Refusal`]. An accepted opening becomes [`Connected`]: packets go in, an [`Intent`] comes out when the broker has
//! something to do, and bytes for the client are appended to a buffer that the caller owns. A [`Violation`] ends the
//! connection. Each state is a type of its own, and a transition consumes the state before it.
//!
//! What this crate does not do: it asks no policy, keeps no messages and knows no other client.
//!
//! Served are MQTT 3.1, 3.1.1 and 5, in full in dialect `mqtt` and as AWS IoT Core does in dialect `aws`. What outlives a
//! connection is kept by others: a session that goes on is told what it had ([`Resumed`]).

mod checks;
mod connect;
mod connected;
mod inbound;
mod intent;
mod keep_alive;
mod outbound;
mod quotas;
mod requests;
mod subscriptions;
mod topic_alias;
mod violation;
mod will;

pub use checks::check_publish;
pub use connect::{ExpectConnect, Opening, Refusal};
pub use connected::{Connected, Delivered, Delivery, Resumed};
pub use intent::{Intent, PublishIntent, RequestedFilter};
pub use mqtt_codec::Will;
pub use quotas::Quotas;
pub use violation::Violation;
