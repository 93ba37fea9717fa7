//! The broker under load, and how clients come to it.

use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use names::limits::LOAD_STALL_SECONDS;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;

use crate::{ConnectOptions, LoadError, Version, tls};

/// Where the broker is, and what each client needs to be let in.
#[derive(Debug, Clone)]
pub struct Endpoint {
    pub(crate) address: SocketAddr,
    /// As the user typed it.
    pub(crate) host: String,
    pub(crate) tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
    /// The path of the upgrade, for MQTT over WebSocket.
    pub(crate) websocket: Option<String>,
    pub(crate) version: Version,
    pub(crate) user_name: Option<String>,
    pub(crate) password: Option<String>,
    pub(crate) keep_alive_seconds: u16,
    /// How long nothing may happen before a run is given up.
    pub(crate) patience: Duration,
}

/// One client's identity at one connection.
#[derive(Debug, Clone, Copy)]
pub struct Login<'a> {
    /// Its client identifier.
    pub client_id: &'a str,
    /// Whether its session ends with the connection; else it is kept for an hour, or as the broker has it.
    pub is_clean: bool,
}

impl Endpoint {
    /// A broker over TCP that lets everybody in, in MQTT 3.1.1.
    pub fn plain(address: SocketAddr) -> Self {
        Self {
            address,
            host: address.to_string(),
            tls: None,
            websocket: None,
            version: Version::V311,
            user_name: None,
            password: None,
            keep_alive_seconds: KEEP_ALIVE_SECONDS,
            patience: Duration::from_secs(LOAD_STALL_SECONDS),
        }
    }

    /// The broker that the options name: finds its address and reads the files for TLS.
    ///
    /// # Errors
    /// [`LoadError::Setting`]: no such host, no such file, or no certificate in it.
    pub fn new(options: &ConnectOptions) -> Result<Self, LoadError> {
        let host = options.host_and_port();
        let unknown = |why: &dyn std::fmt::Display| LoadError::Setting(format!("cannot find {host}: {why}"));
        let mut found = host.to_socket_addrs().map_err(|error| unknown(&error))?;
        let address = found.next().ok_or_else(|| unknown(&"it has no address"))?;
        let tls = match tls::client_config(options)? {
            None => None,
            Some(config) => {
                let name = options.server_name.clone().unwrap_or_else(|| host_of(&host).to_owned());
                let known = ServerName::try_from(name.clone());
                Some((config, known.map_err(|error| LoadError::Setting(format!("--server-name {name}: {error}")))?))
            }
        };
        Ok(Self {
            address,
            host,
            tls,
            websocket: options.websocket.clone(),
            version: options.mqtt,
            user_name: options.user.clone(),
            // Without a name there is none to prove (MQTT 3.1.1, 3.1.2.9).
            password: options.password.clone().filter(|_| options.user.is_some()),
            keep_alive_seconds: options.keep_alive.unwrap_or(KEEP_ALIVE_SECONDS),
            patience: options.patience(),
        })
    }
}

impl Endpoint {
    /// How long nothing may happen before a wait is given up.
    pub fn patience(&self) -> Duration {
        self.patience
    }
}

/// Without port, and without the brackets of IPv6.
fn host_of(host_and_port: &str) -> &str {
    let host = host_and_port.rsplit_once(':').map_or(host_and_port, |(host, _)| host);
    host.trim_start_matches('[').trim_end_matches(']')
}

const KEEP_ALIVE_SECONDS: u16 = 1200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tls_name_is_the_host() {
        let check = |text, expected| assert_eq!(host_of(text), expected);
        check("localhost:8883", "localhost");
        check("127.0.0.1:1", "127.0.0.1");
        check("[::1]:8883", "::1");
    }
}
