//! The part of a command line that says where a broker is and as whom to come.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use names::limits::LOAD_STALL_SECONDS;

use crate::Version;

/// How to reach a broker.
#[derive(Debug, Clone, Args)]
pub struct ConnectOptions {
    /// The broker: HOST or HOST:PORT [default: 127.0.0.1:1883, with --tls localhost:8883]
    #[arg(long, value_name = "HOST:PORT")]
    pub address: Option<String>,
    /// The version of MQTT
    #[arg(long, default_value = "3.1.1", value_name = "VERSION")]
    pub mqtt: Version,
    /// User name
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
    /// Password; better given in the environment, where other users do not see it
    #[arg(long, env = "ALTHING_MQTT_PASSWORD", hide_env_values = true)]
    pub password: Option<String>,
    /// Connect with TLS
    #[arg(long, requires = "ca")]
    pub tls: bool,
    /// Authorities that the broker's certificate must come from (PEM)
    #[arg(long, value_name = "FILE", requires = "tls")]
    pub ca: Option<PathBuf>,
    /// The client's certificate, with its chain (PEM)
    #[arg(long, value_name = "FILE", requires = "key", requires = "tls")]
    pub cert: Option<PathBuf>,
    /// The client's private key (PEM)
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub key: Option<PathBuf>,
    /// The name that the broker's certificate must carry [default: the host of --address]
    #[arg(long, value_name = "NAME", requires = "tls")]
    pub server_name: Option<String>,
    /// The protocol to ask for in TLS, where a port serves more than MQTT
    #[arg(long, default_value = "", value_name = "NAME", hide_default_value = true)]
    pub alpn: String,
    /// Speak MQTT over WebSocket, at this path
    #[arg(long, value_name = "PATH", num_args = 0..=1, default_missing_value = "/mqtt", require_equals = true)]
    pub websocket: Option<String>,
    /// Keep alive, 0 for none [default: 1200 under load, else 30]
    #[arg(long, value_name = "SECONDS")]
    pub keep_alive: Option<u16>,
    /// Give up when nothing arrives for so long
    #[arg(long, default_value_t = LOAD_STALL_SECONDS, value_name = "SECONDS")]
    pub stall: u64,
}

impl ConnectOptions {
    /// How long nothing may happen.
    pub(crate) fn patience(&self) -> Duration {
        Duration::from_secs(self.stall.max(1))
    }

    /// The broker's address, with the port that MQTT has.
    pub(crate) fn host_and_port(&self) -> String {
        let (host, port) = if self.tls { ("localhost", 8883) } else { ("127.0.0.1", 1883) };
        let typed = self.address.as_deref().unwrap_or(host);
        let has_port = typed.rsplit_once(':').is_some_and(|(host, _)| !host.contains(':') || host.ends_with(']'));
        match has_port {
            true => typed.to_owned(),
            // An IPv6 address as it is.
            false if typed.contains(':') && !typed.ends_with(']') => format!("[{typed}]:{port}"),
            false => format!("{typed}:{port}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        options: ConnectOptions,
    }

    fn parsed(arguments: &[&str]) -> ConnectOptions {
        Line::parse_from(["bench"].iter().chain(arguments)).options
    }

    #[test]
    fn the_port_is_mqtts_unless_it_is_said() {
        let check = |arguments: &[&str], expected: &str| assert_eq!(parsed(arguments).host_and_port(), expected);
        check(&[], "127.0.0.1:1883");
        check(&["--tls", "--ca", "x"], "localhost:8883");
        check(&["--address", "broker"], "broker:1883");
        check(&["--address", "broker:99"], "broker:99");
        check(&["--address", "::1"], "[::1]:1883");
        check(&["--address", "[::1]"], "[::1]:1883");
        check(&["--address", "[::1]:99"], "[::1]:99");
    }
}
