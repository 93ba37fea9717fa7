//! Who gets through a listening socket, up to the first byte of an application.
//!
//! [`serve`] accepts connections, bounds them in number and in rate for each address, reads the PROXY header where a
//! proxy stands in front, makes the TLS handshake, and hands each [`Arrival`] to the door behind: MQTT, HTTP, or
//! whichever the ALPN name says. What is refused is counted by its reason in [`DoorMetrics`].
//!
//! Nothing here knows MQTT or HTTP, or decides what a client may do: a certificate proves the possession of its key,
//! and its status is asked by the broker at every CONNECT.

mod accept;
mod arrival;
mod client_certificate;
mod connect_rates;
mod entrance;
mod metrics;
mod proxy_header;
mod read_proxy_header;
mod server_certificate;
mod tls;

pub use accept::serve;
pub use arrival::{Arrival, Stream};
pub use entrance::{Bounds, ConnectRate, Entrance};
pub use metrics::DoorMetrics;
pub use tls::{ClientCertificate, Identity, NamedIdentity, TlsError, TlsSettings};
