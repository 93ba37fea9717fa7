//! The configuration: built-in defaults, then a TOML file, then the environment, then flags.

mod aws;
mod clients;
mod listener;
mod sessions;
mod shadows;
mod tls;

use std::path::{Path, PathBuf};

use ::shadows::ShadowSettings;
use anyhow::{Context, bail};
use broker::DialectQuotas;
use names::{AccountId, Dialect, Region, limits};
use persistent_sessions::QueueLimits;
use serde::Deserialize;

pub(crate) use self::aws::AwsConfig;
pub(crate) use self::clients::{AnonymousConfig, User, WebSocketConfig};
use self::listener::{Defaults, ListenerFile};
pub(crate) use self::listener::{Listen, Listener};
pub(crate) use self::sessions::SysTopicsConfig;
use self::sessions::{QuotasConfig, SessionsConfig};
use self::shadows::ShadowsConfig;
pub(crate) use self::tls::TlsConfig;

/// Everything `althing serve` needs to know.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) data_dir: PathBuf,
    pub(crate) region: Region,
    pub(crate) account_id: AccountId,
    pub(crate) endpoint_host: String,
    pub(crate) server_names: Vec<String>,
    pub(crate) log_format: LogFormat,
    pub(crate) durability: Durability,
    pub(crate) mqtt: Listener,
    pub(crate) mqtts: Listener,
    pub(crate) https: Listener,
    pub(crate) alpn: Listener,
    /// The port 443 is only taken when it may be, unless somebody asked for it.
    pub(crate) alpn_is_optional: bool,
    pub(crate) http: Listener,
    pub(crate) anonymous: Option<AnonymousConfig>,
    pub(crate) users: Vec<User>,
    pub(crate) websocket: WebSocketConfig,
    pub(crate) tls: TlsConfig,
    pub(crate) queues: QueueLimits,
    pub(crate) quotas: DialectQuotas,
    pub(crate) shadows: ShadowSettings,
    pub(crate) sys_topics: SysTopicsConfig,
    pub(crate) aws: AwsConfig,
}

/// The flags of `althing serve`; each has an environment variable of the same name.
#[derive(clap::Args)]
pub(crate) struct Flags {
    /// TOML file with the same settings as these flags, and more
    #[arg(long, env = "ALTHING_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where everything is kept [default: ./data]
    #[arg(long, env = "ALTHING_DATA_DIR", value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// The AWS region that this server stands for [default: us-east-1]
    #[arg(long, env = "ALTHING_REGION")]
    region: Option<String>,
    /// The AWS account that this server stands for [default: 123456789012]
    #[arg(long, env = "ALTHING_ACCOUNT_ID", value_name = "ID")]
    account_id: Option<String>,
    /// What DescribeEndpoint answers: a bare host name that devices reach this server by [default: localhost]
    #[arg(long, env = "ALTHING_ENDPOINT_HOST", value_name = "HOST")]
    endpoint_host: Option<String>,
    /// How the log is written to standard error [default: text]
    #[arg(long, env = "ALTHING_LOG_FORMAT")]
    log_format: Option<LogFormat>,
    /// MQTT over TCP: an address or `off` [default: 127.0.0.1:1883]
    #[arg(long, env = "ALTHING_MQTT", value_name = "ADDRESS|off")]
    mqtt: Option<Listen>,
    /// MQTT over TLS with client certificates: an address or `off` [default: 0.0.0.0:8883]
    #[arg(long, env = "ALTHING_MQTTS", value_name = "ADDRESS|off")]
    mqtts: Option<Listen>,
    /// The HTTP APIs over TLS: an address or `off` [default: 0.0.0.0:8443]
    #[arg(long, env = "ALTHING_HTTPS", value_name = "ADDRESS|off")]
    https: Option<Listen>,
    /// MQTT and HTTP over TLS, told apart by ALPN: an address or `off` [default: 0.0.0.0:443 if it may be bound]
    #[arg(long, env = "ALTHING_ALPN", value_name = "ADDRESS|off")]
    alpn: Option<Listen>,
    /// The HTTP APIs, health and metrics over plain HTTP: an address or `off` [default: 127.0.0.1:8080]
    #[arg(long, env = "ALTHING_HTTP", value_name = "ADDRESS|off")]
    http: Option<Listen>,
}

/// The configuration file. An unknown key is an error.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    data_dir: Option<PathBuf>,
    region: Option<String>,
    account_id: Option<String>,
    endpoint_host: Option<String>,
    server_names: Vec<String>,
    log_format: Option<LogFormat>,
    durability: Option<Durability>,
    mqtt: ListenerFile,
    mqtts: ListenerFile,
    https: ListenerFile,
    alpn: ListenerFile,
    http: ListenerFile,
    anonymous: Option<AnonymousConfig>,
    users: Vec<User>,
    websocket: WebSocketConfig,
    tls: TlsConfig,
    sessions: SessionsConfig,
    quotas: QuotasConfig,
    shadows: ShadowsConfig,
    sys_topics: SysTopicsConfig,
    aws: AwsConfig,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    Text,
    Json,
}

/// When a write counts as kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Durability {
    /// When it is on disk.
    Sync,
    /// When the operating system has it: survives a crash of the process, not of the machine.
    Os,
}

const DEVICES: Defaults = Defaults {
    name: "",
    ip: [0, 0, 0, 0],
    port: 0,
    dialect: Dialect::Aws,
    connections_max: limits::CONNECTIONS_PER_LISTENER_MAX,
    drain_seconds_max: limits::DRAIN_SECONDS_MAX,
};
const APIS: Defaults = Defaults {
    connections_max: limits::HTTP_CONNECTIONS_PER_LISTENER_MAX,
    drain_seconds_max: limits::HTTP_DRAIN_SECONDS_MAX,
    ..DEVICES
};
const MQTT: Defaults = Defaults { name: "mqtt", ip: [127, 0, 0, 1], port: 1883, dialect: Dialect::Mqtt, ..DEVICES };
const MQTTS: Defaults = Defaults { name: "mqtts", port: 8883, ..DEVICES };
const HTTPS: Defaults = Defaults { name: "https", port: 8443, ..APIS };
/// Requests of the APIs come here too.
const ALPN: Defaults =
    Defaults { name: "alpn", port: 443, drain_seconds_max: limits::HTTP_DRAIN_SECONDS_MAX, ..DEVICES };
const HTTP: Defaults = Defaults { name: "http", ip: [127, 0, 0, 1], port: 8080, dialect: Dialect::Mqtt, ..APIS };

impl Config {
    /// Reads the file if one is named, and lays environment and flags over it.
    pub(crate) fn load(flags: Flags) -> anyhow::Result<Self> {
        let file = match &flags.config {
            Some(path) => File::read(path)?,
            None => File::default(),
        };
        let endpoint_host = flags.endpoint_host.or(file.endpoint_host).unwrap_or_else(|| "localhost".to_owned());
        if endpoint_host.is_empty() || endpoint_host.contains(['/', ':', ' ']) {
            bail!("endpoint host {endpoint_host:?} is not a bare host name: leave out scheme, port and path");
        }
        let region = flags.region.or(file.region).unwrap_or_else(|| "us-east-1".to_owned());
        let account_id = flags.account_id.or(file.account_id).unwrap_or_else(|| "123456789012".to_owned());
        file.aws.check()?;
        Ok(Self {
            data_dir: flags.data_dir.or(file.data_dir).unwrap_or_else(|| PathBuf::from("./data")),
            region: Region::new(&region)?,
            account_id: AccountId::new(&account_id)?,
            endpoint_host,
            server_names: file.server_names,
            log_format: flags.log_format.or(file.log_format).unwrap_or(LogFormat::Text),
            durability: file.durability.unwrap_or(Durability::Sync),
            alpn_is_optional: flags.alpn.is_none() && !file.alpn.has_address(),
            mqtt: file.mqtt.resolve(flags.mqtt, &MQTT)?,
            mqtts: file.mqtts.resolve(flags.mqtts, &MQTTS)?,
            https: file.https.resolve(flags.https, &HTTPS)?,
            alpn: file.alpn.resolve(flags.alpn, &ALPN)?,
            http: file.http.resolve(flags.http, &HTTP)?,
            anonymous: file.anonymous,
            users: file.users,
            websocket: file.websocket,
            tls: file.tls,
            queues: file.sessions.limits(),
            quotas: file.quotas.resolve()?,
            shadows: file.shadows.settings()?,
            sys_topics: file.sys_topics,
            aws: file.aws,
        })
    }
}

impl File {
    fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        toml::from_str(&text).map_err(|error| one_line(path, &text, &error))
    }
}

/// `FILE:LINE: what is wrong`, on one line.
fn one_line(path: &Path, text: &str, error: &toml::de::Error) -> anyhow::Error {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let message = error.message().lines().collect::<Vec<_>>().join(", ");
    anyhow::anyhow!("{}:{line}: {message}", path.display())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        flags: Flags,
    }

    fn load(file: &str, arguments: &[&str]) -> anyhow::Result<Config> {
        let path = std::env::temp_dir().join(format!("althing-config-{:?}.toml", std::thread::current().id()));
        std::fs::write(&path, file).unwrap();
        let path_text = path.to_str().unwrap();
        let line = ["althing", "--config", path_text].into_iter().chain(arguments.iter().copied());
        let config = Config::load(Line::parse_from(line).flags);
        std::fs::remove_file(&path).unwrap();
        config
    }

    #[test]
    fn shadows_are_bounded_a_key_at_a_time() {
        let shadows = load("[shadows]\ndepth_max = 9\nin_flight_max = 0\n", &[]).unwrap().shadows;
        assert_eq!((shadows.document.depth_max, shadows.document.state_bytes_max), (9, 8192));
        assert_eq!((shadows.in_flight_max, shadows.requests_per_second_max), (0, 0));
        let check = |file: &str, expected: &str| assert_eq!(load(file, &[]).unwrap_err().to_string(), expected);
        check("[shadows]\nstate_bytes_max = 31000\n", "[shadows] state_bytes_max is 31000: give 1 to 30720");
        check("[shadows]\ndepth_max = 0\n", "[shadows] depth_max is 0: give 1 to 100");
    }

    #[test]
    fn quotas_and_queues_are_changed_a_key_at_a_time() {
        let file = "[sessions]\nqueued_messages_max = 7\noverflow = \"drop-oldest\"\n[quotas.aws]\nsend_max = 9\n[sys_topics]\nseconds = 0\n";
        let config = load(file, &[]).unwrap();
        let own = QueueLimits::default();
        assert_eq!((config.queues.messages_max, config.queues.bytes_max), (7, own.bytes_max));
        assert_eq!(config.queues.overflow, persistent_sessions::QueueOverflow::DropOldest);
        let quotas = (config.quotas.aws.send_max, config.quotas.aws.receive_max, config.quotas.mqtt.send_max);
        assert_eq!(quotas, (9, limits::AWS_INFLIGHT_MAX, limits::INFLIGHT_MAX));
        assert_eq!(config.sys_topics.period(), None);
        let refused = load("[quotas.mqtt]\npacket_bytes_max = 100\n", &[]).unwrap_err().to_string();
        assert_eq!(refused, "[quotas.mqtt] packet_bytes_max is 100: give 512 to 268435455");
    }

    #[test]
    fn flags_lie_over_the_file_and_the_file_over_the_defaults() {
        let config = load("region = \"eu-west-1\"\nmqtt = \"off\"\n", &["--mqtt", "127.0.0.1:2883"]).unwrap();
        assert_eq!(config.region.as_str(), "eu-west-1");
        assert_eq!(config.mqtt.address, Listen::On("127.0.0.1:2883".parse().unwrap()));
        assert_eq!(config.account_id.as_str(), "123456789012");
        assert_eq!(config.http.address, Listen::On("127.0.0.1:8080".parse().unwrap()));
        assert!(config.alpn_is_optional);
        assert!(!load("", &["--alpn", "off"]).unwrap().alpn_is_optional);
    }

    #[test]
    fn a_listener_is_an_address_or_a_table() {
        let file = "[mqtt]\naddress = \"127.0.0.1:2883\"\nproxy_protocol = true\nconnects_per_second_per_ip = 7\n\
                    connections_max = 5\n[mqtts]\ndialect = \"mqtt\"\nconnect_seconds_max = 3\n[alpn]\ndialect = \"aws\"\n";
        let config = load(file, &["--mqtt", "127.0.0.1:3883"]).unwrap();
        assert_eq!(config.mqtt.address, Listen::On("127.0.0.1:3883".parse().unwrap()), "the flag's address");
        let bounds = &config.mqtt.bounds;
        assert!(bounds.proxy_protocol && bounds.connections_max == 5, "{bounds:?}");
        assert!(!config.mqtt.is_local(), "who comes through the proxy is not from this machine");
        assert_eq!(bounds.rate, Some(doorway::ConnectRate { per_second: 7, burst: 7 }));
        assert_eq!(config.mqtts.address, Listen::On("0.0.0.0:8883".parse().unwrap()));
        assert_eq!((config.mqtts.dialect, config.mqtts.connect_time_max.as_secs()), (Dialect::Mqtt, 3));
        assert!(config.alpn_is_optional, "nobody asked for its port");
        let config = load("", &[]).unwrap();
        assert_eq!((config.mqtt.dialect, config.mqtts.dialect), (Dialect::Mqtt, Dialect::Aws));
        assert_eq!(
            (config.https.dialect, config.alpn.dialect, config.http.dialect),
            (Dialect::Aws, Dialect::Aws, Dialect::Mqtt)
        );
        assert!(!config.mqtt.bounds.proxy_protocol && config.mqtt.bounds.rate.is_none());
        assert!(config.mqtt.is_local() && config.http.is_local() && !config.mqtts.is_local());
    }

    #[test]
    fn what_is_wrong_is_said_in_one_line_with_its_place() {
        let check = |file: &str, arguments: &[&str], expected: &str| {
            let error = format!("{:#}", load(file, arguments).unwrap_err());
            assert!(error.contains(expected), "{error}");
            assert_eq!(error.lines().count(), 1, "{error}");
        };
        check("region = \"x\"\nregio = 1\n", &[], ":2: unknown field `regio`");
        check("mqtt = \"here\"\n", &[], ":1: \"here\" is neither IP:PORT nor `off`");
        check("[mqtt]\nadress = 1\n", &[], ":2: unknown field `adress`");
        check("[mqtt]\naddress = \"here\"\n", &[], "\"here\" is neither IP:PORT nor `off`");
        check("mqtt = 1883\n", &[], "an address, `off`, or a table");
        check("[mqtts]\ndialect = \"v5\"\n", &[], "unknown variant `v5`");
        check("[mqtts]\nconnections_max = 0\n", &[], "[mqtts] connections_max is 0");
        check("[http]\nconnect_seconds_max = 0\n", &[], "[http] connect_seconds_max is 0");
        check("[[users]]\nname = \"a\"\n", &[], "missing field `password_hash`");
        check("[[tls.certificates]]\nnames = []\n", &[], "missing field `chain_file`");
        check("durability = \"maybe\"\n", &[], ":1: unknown variant `maybe`");
        check("[aws]\nkey = 1\n", &[], ":2: unknown field `key`");
        check("[aws]\naccess_key_id = \"A\"\n", &[], "access_key_id and secret_access_key without the other");
        check("[aws]\nendpoint_url = \"moto\"\n", &[], "endpoint_url \"moto\" does not start with http://");
        check("", &["--account-id", "12"], "account id \"12\" is not twelve digits");
        check("", &["--endpoint-host", "https://x"], "is not a bare host name");
    }
}
