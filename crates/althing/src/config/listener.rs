//! One listener's settings: an address alone, or a table.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;
use std::time::Duration;

use anyhow::bail;
use doorway::{Bounds, ConnectRate};
use names::{Dialect, limits};
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// A listener as it will be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listener {
    pub(crate) address: Listen,
    /// What MQTT on it is.
    pub(crate) dialect: Dialect,
    pub(crate) bounds: Bounds,
    /// Time for CONNECT.
    pub(crate) connect_time_max: Duration,
}

/// An address to listen on, or `off`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Listen {
    Off,
    On(SocketAddr),
}

/// A listener in the file: `mqtt = "ADDRESS"`, or `[mqtt]` with what it differs in from the defaults.
#[derive(Debug, Default)]
pub(super) struct ListenerFile(Table);

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Table {
    address: Option<Listen>,
    dialect: Option<DialectName>,
    proxy_protocol: bool,
    connections_max: Option<usize>,
    connects_per_second_per_ip: Option<u32>,
    connects_burst_per_ip: Option<u32>,
    handshake_seconds_max: Option<u64>,
    connect_seconds_max: Option<u64>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum DialectName {
    Aws,
    Mqtt,
}

/// A listener without settings: where it listens and what it speaks.
pub(super) struct Defaults {
    pub(super) name: &'static str,
    pub(super) ip: [u8; 4],
    pub(super) port: u16,
    pub(super) dialect: Dialect,
    pub(super) connections_max: usize,
    pub(super) drain_seconds_max: u64,
}

impl ListenerFile {
    /// Whether the file says where to listen.
    pub(super) fn has_address(&self) -> bool {
        self.0.address.is_some()
    }

    /// Lays the flag over the file and both over the defaults.
    pub(super) fn resolve(self, flag: Option<Listen>, defaults: &Defaults) -> anyhow::Result<Listener> {
        let table = self.0;
        let seconds = [("handshake", table.handshake_seconds_max), ("connect", table.connect_seconds_max)];
        if let Some((what, _)) = seconds.iter().find(|(_, value)| *value == Some(0)) {
            bail!("[{}] {what}_seconds_max is 0: nobody would get in", defaults.name);
        }
        let numbers = [
            ("connections_max", table.connections_max.map(|max| max == 0)),
            ("connects_per_second_per_ip", table.connects_per_second_per_ip.map(|max| max == 0)),
            ("connects_burst_per_ip", table.connects_burst_per_ip.map(|max| max == 0)),
        ];
        if let Some((what, _)) = numbers.iter().find(|(_, is_zero)| *is_zero == Some(true)) {
            bail!("[{}] {what} is 0: nobody would get in", defaults.name);
        }
        let bounds = Bounds {
            connections_max: table.connections_max.unwrap_or(defaults.connections_max),
            rate: rate(table.connects_per_second_per_ip, table.connects_burst_per_ip),
            handshake_time_max: Duration::from_secs(
                table.handshake_seconds_max.unwrap_or(limits::HANDSHAKE_SECONDS_MAX),
            ),
            proxy_protocol: table.proxy_protocol,
            drain_time_max: Duration::from_secs(defaults.drain_seconds_max),
        };
        let default_address = Listen::On(SocketAddr::from((defaults.ip, defaults.port)));
        Ok(Listener {
            address: flag.or(table.address).unwrap_or(default_address),
            dialect: match table.dialect {
                None => defaults.dialect,
                Some(DialectName::Aws) => Dialect::Aws,
                Some(DialectName::Mqtt) => Dialect::Mqtt,
            },
            bounds,
            connect_time_max: Duration::from_secs(table.connect_seconds_max.unwrap_or(limits::CONNECT_SECONDS_MAX)),
        })
    }
}

/// A rate alone allows as many at once; a burst alone goes with the default rate.
fn rate(per_second: Option<u32>, burst: Option<u32>) -> Option<ConnectRate> {
    let default = ConnectRate::default();
    match (per_second, burst) {
        (None, None) => None,
        (Some(per_second), burst) => Some(ConnectRate { per_second, burst: burst.unwrap_or(per_second) }),
        (None, Some(burst)) => Some(ConnectRate { burst, ..default }),
    }
}

impl Listener {
    /// Whether only this machine reaches it: it listens on a loopback address, and no proxy carries others there.
    pub(crate) fn is_local(&self) -> bool {
        matches!(self.address, Listen::On(address) if address.ip().is_loopback()) && !self.bounds.proxy_protocol
    }
}

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.eq_ignore_ascii_case("off") {
            return Ok(Self::Off);
        }
        text.parse().map(Self::On).map_err(|_| format!("{text:?} is neither IP:PORT nor `off`"))
    }
}

impl<'de> Deserialize<'de> for Listen {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl<'de> Deserialize<'de> for ListenerFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AddressOrTable)
    }
}

struct AddressOrTable;

impl<'de> Visitor<'de> for AddressOrTable {
    type Value = ListenerFile;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an address, `off`, or a table with `address` in it")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<ListenerFile, E> {
        let address = Some(text.parse().map_err(E::custom)?);
        Ok(ListenerFile(Table { address, ..Table::default() }))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ListenerFile, A::Error> {
        Table::deserialize(MapAccessDeserializer::new(map)).map(ListenerFile)
    }
}
