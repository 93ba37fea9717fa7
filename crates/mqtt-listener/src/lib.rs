//! Sockets to broker: accepts TCP and TLS connections, and moves bytes and the time between a transport and a
//! [`broker::Connection`]. It knows no MQTT and decides nothing about clients.
//!
//! One task a connection owns the socket: it reads what is there, lets the broker handle all whole packets, waits until
//! what is acknowledged is durable, and writes once. An idle connection holds no buffers.

mod accept;
mod clock;
mod connection_task;
mod tls;

pub use accept::{Door, Transport, serve};
pub use connection_task::run_connection;
pub use tls::{ClientCertificate, TlsError, peer_certificate_id, server_config};
