//! The configuration: built-in defaults, then a TOML file, then the environment, then flags.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context, bail};
use names::{AccountId, Region};
use serde::{Deserialize, Deserializer};

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
    pub(crate) mqtt: Listen,
    pub(crate) mqtts: Listen,
    pub(crate) https: Listen,
    pub(crate) alpn: Listen,
    /// The port 443 is only taken when it may be, unless somebody asked for it.
    pub(crate) alpn_is_optional: bool,
    pub(crate) http: Listen,
    pub(crate) anonymous: Option<AnonymousConfig>,
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
    mqtt: Option<Listen>,
    mqtts: Option<Listen>,
    https: Option<Listen>,
    alpn: Option<Listen>,
    http: Option<Listen>,
    anonymous: Option<AnonymousConfig>,
    aws: AwsConfig,
}

/// `[anonymous]`: what clients without an identity may do on the plain MQTT listener.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AnonymousConfig {
    /// An IoT policy document. Without one they are refused.
    pub(crate) policy_document: Option<String>,
}

/// `[aws]`: where rule actions find AWS, or what stands for it.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct AwsConfig {
    /// The region of AWS's services; the server's own when there is none.
    #[serde(deserialize_with = "region")]
    pub(crate) region: Option<Region>,
    /// Instead of AWS's own endpoints, for all services.
    pub(crate) endpoint_url: Option<String>,
    /// Instead of the SDK's chain of credentials, together with the secret.
    pub(crate) access_key_id: Option<String>,
    pub(crate) secret_access_key: Option<String>,
}

/// An address to listen on, or `off`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Listen {
    Off,
    On(SocketAddr),
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
        let alpn = flags.alpn.or(file.alpn);
        file.aws.check()?;
        Ok(Self {
            data_dir: flags.data_dir.or(file.data_dir).unwrap_or_else(|| PathBuf::from("./data")),
            region: Region::new(&region)?,
            account_id: AccountId::new(&account_id)?,
            endpoint_host,
            server_names: file.server_names,
            log_format: flags.log_format.or(file.log_format).unwrap_or(LogFormat::Text),
            durability: file.durability.unwrap_or(Durability::Sync),
            mqtt: flags.mqtt.or(file.mqtt).unwrap_or(Listen::default_on([127, 0, 0, 1], 1883)),
            mqtts: flags.mqtts.or(file.mqtts).unwrap_or(Listen::default_on([0, 0, 0, 0], 8883)),
            https: flags.https.or(file.https).unwrap_or(Listen::default_on([0, 0, 0, 0], 8443)),
            alpn: alpn.unwrap_or(Listen::default_on([0, 0, 0, 0], 443)),
            alpn_is_optional: alpn.is_none(),
            http: flags.http.or(file.http).unwrap_or(Listen::default_on([127, 0, 0, 1], 8080)),
            anonymous: file.anonymous,
            aws: file.aws,
        })
    }
}

impl AwsConfig {
    fn check(&self) -> anyhow::Result<()> {
        if self.access_key_id.is_some() != self.secret_access_key.is_some() {
            bail!("[aws] has one of access_key_id and secret_access_key without the other");
        }
        let is_url = |url: &String| url.starts_with("http://") || url.starts_with("https://");
        if let Some(url) = self.endpoint_url.as_ref().filter(|url| !is_url(url)) {
            bail!("[aws] endpoint_url {url:?} does not start with http:// or https://");
        }
        Ok(())
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

impl Listen {
    const fn default_on(ip: [u8; 4], port: u16) -> Self {
        let [a, b, c, d] = ip;
        Self::On(SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::new(a, b, c, d)), port))
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

fn region<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Region>, D::Error> {
    Region::new(&String::deserialize(deserializer)?).map(Some).map_err(serde::de::Error::custom)
}

impl<'de> Deserialize<'de> for Listen {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl fmt::Debug for AwsConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwsConfig").field("endpoint_url", &self.endpoint_url).finish_non_exhaustive()
    }
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
    fn flags_lie_over_the_file_and_the_file_over_the_defaults() {
        let config = load("region = \"eu-west-1\"\nmqtt = \"off\"\n", &["--mqtt", "127.0.0.1:2883"]).unwrap();
        assert_eq!(config.region.as_str(), "eu-west-1");
        assert_eq!(config.mqtt, Listen::On("127.0.0.1:2883".parse().unwrap()));
        assert_eq!(config.account_id.as_str(), "123456789012");
        assert_eq!(config.http, Listen::On("127.0.0.1:8080".parse().unwrap()));
        assert!(config.alpn_is_optional);
        assert!(!load("", &["--alpn", "off"]).unwrap().alpn_is_optional);
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
        check("durability = \"maybe\"\n", &[], ":1: unknown variant `maybe`");
        check("[aws]\nkey = 1\n", &[], ":2: unknown field `key`");
        check("[aws]\naccess_key_id = \"A\"\n", &[], "access_key_id and secret_access_key without the other");
        check("[aws]\nendpoint_url = \"moto\"\n", &[], "endpoint_url \"moto\" does not start with http://");
        check("", &["--account-id", "12"], "account id \"12\" is not twelve digits");
        check("", &["--endpoint-host", "https://x"], "is not a bare host name");
    }
}
