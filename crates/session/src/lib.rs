//! MQTT's rules for one client, without sockets and without a clock.
//!
//! A connection begins as [`ExpectConnect`]. Its first packet gives an [`Opening`], on which the broker decides, or a
//! [`Refusal`]. An accepted opening becomes [`Connected`]: packets go in, an [`Intent`] comes out when the broker has
//! something to do, and bytes for the client are appended to a buffer that the caller owns. A [`Violation`] ends the
//! connection. Each state is a type of its own, and a transition consumes the state before it.
//!
//! What this crate does not do: it asks no policy, keeps no messages and knows no other client.
//!
//! Served are MQTT 3.1.1 at QoS 0 and 1 in both dialects. In dialect `mqtt` a subscription at QoS 2 is granted QoS 1,
//! and a PUBLISH at QoS 2 is a violation.

mod aws_limits;
mod connect;
mod connected;
mod inflight;
mod intent;
mod keep_alive;
mod subscriptions;
mod violation;
mod will;

pub use aws_limits::check_publish;
pub use connect::{ExpectConnect, Opening, Refusal};
pub use connected::{Connected, Delivered};
pub use intent::{Intent, PublishIntent, RequestedFilter};
pub use mqtt_codec::Will;
pub use violation::Violation;
