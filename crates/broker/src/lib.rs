//! Session, policy and router together, without sockets.
//!
//! A [`Broker`] is shared by all connections; each [`Connection`] turns bytes into answers and deliveries. Every intent
//! of a client (connect, publish, subscribe, receive, will, retain) becomes a question to the policies of its identity
//! here, and nowhere else: this is the one place that decides who may do what on the data plane. The doors own the
//! sockets and the clocks; they hand bytes and the time in and carry bytes out, so a test can run a thousand clients
//! over a fake clock.
//!
//! What clients do is told in lifecycle events: connected, disconnected, refused, subscribed, unsubscribed.
//!
//! Nothing is acknowledged before it is durable: a connection's output may be sent only after
//! [`Connection::settle`] has returned.

mod anonymous;
mod authorize;
mod client;
mod clients;
mod connect;
mod connection;
mod connection_info;
mod connection_thing;
mod connections;
mod deliver;
mod exchange;
mod expiry;
mod identity;
mod intents;
mod leave;
mod metrics;
mod passwords;
mod presence;
mod publish_as;
mod stored_session;
mod sys_topics;
mod unsettled;
mod versions;

pub use anonymous::Anonymous;
pub use clients::{Broker, BrokerSettings, DialectQuotas};
pub use connection::Connection;
pub use connection_info::{ConnectionEnd, ConnectionInfo};
pub use connections::NotReached;
pub use exchange::{DisconnectReason, Now, Progress};
pub use identity::{Identity, Peer};
pub use metrics::BrokerMetrics;
pub use passwords::{PasswordError, Passwords, UserConfig, UserName, hash_password};
pub use publish_as::{Caller, PublishRefused, PublishRequest, PublishWrite, SendRefused};
pub use unsettled::NotKept;
