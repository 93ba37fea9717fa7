//! Sockets to broker: who a client is, and bytes and the time moved between a transport and a [`broker::Connection`].
//! What MQTT's packets mean is the broker's to say; only CONNECT's user name and password are read here, where users are
//! configured.
//!
//! One task a connection owns the socket: it reads what is there, lets the broker handle all whole packets, waits until
//! what is acknowledged is durable, and writes once. An idle connection holds no buffers.

mod clock;
mod connection_task;
mod door;
mod log_in;
mod session_id;
mod transport;
mod websocket;

pub use door::{Door, Running};
pub use log_in::{LogIns, Unidentified};
