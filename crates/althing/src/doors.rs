//! The doors: which listeners there are, what stands behind each, and who gets in where.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use broker::Broker;
use doorway::{Arrival, Bounds, ClientCertificate, DoorMetrics, Entrance, TlsSettings};
use http_api::{HttpApi, WebSocketAccess, WebSocketClient};
use mqtt_listener::{LogIns, Unidentified};
use rustls::ServerConfig;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tracing::info;

use crate::alpn::{AlpnDoor, PROTOCOLS};
use crate::config::{Config, Listen, Listener};
use crate::identity::{ServerIdentity, server_names};

/// The ports, taken before anything is served.
pub(crate) struct Ports {
    mqtt: Bound,
    mqtts: Bound,
    pub(crate) https: Bound,
    alpn: Bound,
    pub(crate) http: Bound,
}

/// A listening socket and the address that it got; none for a listener that is off.
pub(crate) type Bound = Option<(SocketAddr, TcpListener)>;

impl Ports {
    /// Takes all ports.
    pub(crate) async fn take(config: &Config) -> anyhow::Result<Self> {
        Ok(Self {
            mqtt: bind("mqtt", &config.mqtt).await?,
            mqtts: bind("mqtts", &config.mqtts).await?,
            https: bind("https", &config.https).await?,
            http: bind("http", &config.http).await?,
            alpn: match bind("alpn", &config.alpn).await {
                Err(error) if config.alpn_is_optional => {
                    info!(why = format!("{error:#}"), "the port for everything (ALPN) is left out");
                    None
                }
                bound => bound?,
            },
        })
    }
}

async fn bind(name: &str, listener: &Listener) -> anyhow::Result<Bound> {
    let Listen::On(address) = listener.address else { return Ok(None) };
    let listener = TcpListener::bind(address).await.with_context(|| format!("--{name} {address}"))?;
    Ok(Some((listener.local_addr()?, listener)))
}

/// What all doors share.
pub(crate) struct Behind<'a> {
    pub(crate) config: &'a Config,
    pub(crate) broker: &'a Arc<Broker>,
    pub(crate) api: &'a Arc<HttpApi>,
    pub(crate) identity: &'a ServerIdentity,
    pub(crate) metrics: &'a Arc<DoorMetrics>,
    pub(crate) stop: &'a watch::Receiver<bool>,
}

/// The doors that are open, and the tasks behind them.
#[derive(Default)]
pub(crate) struct Doors {
    pub(crate) lines: Vec<String>,
    pub(crate) tasks: Vec<JoinHandle<()>>,
    /// Services that answer what came through the doors: they stop when these are closed.
    pub(crate) services: Vec<JoinHandle<()>>,
    pub(crate) stop_services: watch::Sender<bool>,
}

impl Doors {
    /// Opens a door on every port that was taken.
    pub(crate) fn open(&mut self, ports: Ports, behind: &Behind<'_>) -> anyhow::Result<()> {
        let builder = Builder {
            behind,
            tls: behind.tls()?,
            log_ins: Arc::new(LogIns::new(Arc::clone(behind.broker.passwords()))),
        };
        let Ports { mqtt, mqtts, https, alpn, http } = ports;
        if let Some((address, listener)) = mqtt {
            self.open_mqtt(address, listener, &builder);
        }
        if let Some((address, listener)) = mqtts {
            self.open_mqtts(address, listener, &builder)?;
        }
        if let Some((address, listener)) = https {
            self.open_https(address, listener, &builder)?;
        }
        if let Some((address, listener)) = http {
            self.open_http(address, listener, &builder);
        }
        if let Some((address, listener)) = alpn {
            self.open_alpn(address, listener, &builder)?;
        }
        Ok(())
    }

    fn open_mqtt(&mut self, address: SocketAddr, listener: TcpListener, builder: &Builder<'_>) {
        let behind = builder.behind;
        let settings = &behind.config.mqtt;
        let door = builder.mqtt(settings, Unidentified::Anonymous);
        let line = format!("mqtt   {address}  {}", who_comes_plainly(behind.config, builder.has_users()));
        let entrance = behind.entrance(&settings.bounds, None);
        self.serve(line, listener, entrance, behind.stop, move |arrival| door.clone().welcome(arrival));
    }

    fn open_mqtts(&mut self, address: SocketAddr, listener: TcpListener, builder: &Builder<'_>) -> anyhow::Result<()> {
        let behind = builder.behind;
        let settings = &behind.config.mqtts;
        let (certificate, users) = if builder.has_users() {
            (ClientCertificate::Optional, ", and users with their passwords")
        } else {
            (ClientCertificate::Required, "")
        };
        let entrance = behind.entrance(&settings.bounds, Some(builder.tls.config(certificate, &[])?));
        let door = builder.mqtt(settings, Unidentified::Refused);
        let line = format!("mqtts  {address}  registered ACTIVE certificates{users}");
        self.serve(line, listener, entrance, behind.stop, move |arrival| door.clone().welcome(arrival));
        Ok(())
    }

    fn open_https(&mut self, address: SocketAddr, listener: TcpListener, builder: &Builder<'_>) -> anyhow::Result<()> {
        let behind = builder.behind;
        let settings = &behind.config.https;
        let tls = builder.tls.config(ClientCertificate::Optional, &["h2", "http/1.1"])?;
        let (door, stop) = (builder.http(settings, false, Unidentified::Refused), behind.stop.clone());
        let line =
            format!("https  {address}  signed API requests, devices' shadows and publishes by certificate, WebSockets");
        let welcome = move |arrival| door.clone().welcome(arrival, stop.clone());
        self.serve(line, listener, behind.entrance(&settings.bounds, Some(tls)), behind.stop, welcome);
        Ok(())
    }

    fn open_http(&mut self, address: SocketAddr, listener: TcpListener, builder: &Builder<'_>) {
        let behind = builder.behind;
        let settings = &behind.config.http;
        let is_open = anonymous_websockets(behind.config);
        let unidentified = if is_open { Unidentified::Anonymous } else { Unidentified::Refused };
        let (door, stop) = (builder.http(settings, true, unidentified), behind.stop.clone());
        let line = format!(
            "http   {address}  signed API requests and WebSockets; /healthz, /readyz and /metrics for everyone"
        );
        let welcome = move |arrival| door.clone().welcome(arrival, stop.clone());
        self.serve(line, listener, behind.entrance(&settings.bounds, None), behind.stop, welcome);
    }

    fn open_alpn(&mut self, address: SocketAddr, listener: TcpListener, builder: &Builder<'_>) -> anyhow::Result<()> {
        let behind = builder.behind;
        let settings = &behind.config.alpn;
        let tls = builder.tls.config(ClientCertificate::Optional, &PROTOCOLS)?;
        let door = AlpnDoor {
            mqtt: builder.mqtt(settings, Unidentified::Refused),
            http: builder.http(settings, false, Unidentified::Refused),
            metrics: Arc::clone(behind.metrics),
        };
        let stop = behind.stop.clone();
        let line = format!("all    {address}  by ALPN name");
        let welcome = move |arrival| door.clone().welcome(arrival, stop.clone());
        self.serve(line, listener, behind.entrance(&settings.bounds, Some(tls)), behind.stop, welcome);
        Ok(())
    }

    fn serve<W, F>(
        &mut self,
        line: String,
        listener: TcpListener,
        entrance: Entrance,
        stop: &watch::Receiver<bool>,
        welcome: W,
    ) where
        W: Fn(Arrival) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = ()> + Send + 'static,
    {
        let proxied = if entrance.bounds.proxy_protocol { ", behind a proxy (PROXY protocol)" } else { "" };
        self.lines.push(format!("{line}{proxied}"));
        self.tasks.push(tokio::spawn(doorway::serve(listener, entrance, stop.clone(), welcome)));
    }
}

/// Makes what stands behind a listener.
struct Builder<'a> {
    behind: &'a Behind<'a>,
    tls: TlsSettings,
    log_ins: Arc<LogIns>,
}

impl Builder<'_> {
    fn has_users(&self) -> bool {
        self.log_ins.is_configured()
    }

    fn mqtt(&self, listener: &Listener, unidentified: Unidentified) -> mqtt_listener::Door {
        mqtt_listener::Door {
            broker: Arc::clone(self.behind.broker),
            log_ins: Arc::clone(&self.log_ins),
            dialect: listener.dialect,
            unidentified,
            connect_time_max: listener.connect_time_max,
        }
    }

    fn http(&self, listener: &Listener, operational_routes: bool, unidentified: Unidentified) -> http_api::Door {
        let door = self.mqtt(listener, unidentified);
        http_api::Door {
            api: Arc::clone(self.behind.api),
            operational_routes,
            websocket: WebSocketAccess {
                dialect: listener.dialect,
                // One who names a user proves it in CONNECT.
                lets_in_anonymous: self.has_users() || unidentified == Unidentified::Anonymous,
                origin_hosts: self.behind.origin_hosts(),
                run: Arc::new(move |client| Box::pin(run_websocket(door.clone(), client))),
            },
        }
    }
}

impl Behind<'_> {
    fn entrance(&self, bounds: &Bounds, tls: Option<Arc<ServerConfig>>) -> Entrance {
        Entrance { bounds: bounds.clone(), tls, metrics: Arc::clone(self.metrics) }
    }

    fn tls(&self) -> anyhow::Result<TlsSettings> {
        let mut client_authorities = self.config.tls.client_authorities()?;
        if !client_authorities.is_empty() {
            // Certificates that this server issued must not be locked out by the configuration of others.
            client_authorities.push(self.identity.authority.certificate_pem().to_owned());
        }
        let default =
            doorway::Identity { chain_pem: self.identity.chain_pem.clone(), key_pem: self.identity.key_pem.clone() };
        Ok(TlsSettings { default, named: self.config.tls.certificates()?, client_authorities })
    }

    fn origin_hosts(&self) -> Arc<[String]> {
        let configured = self.config.websocket.origin_hosts.iter().cloned();
        server_names(self.config).into_iter().chain(configured).map(|host| host.to_ascii_lowercase()).collect()
    }
}

async fn run_websocket(door: mqtt_listener::Door, client: WebSocketClient) {
    let WebSocketClient { stream, read_ahead, peer, age_max } = client;
    door.welcome_websocket(stream, read_ahead, peer, age_max).await;
}

/// Without a configuration anonymous clients are let in from this machine only.
pub(crate) fn lets_in_anonymous(config: &Config) -> bool {
    match &config.anonymous {
        Some(anonymous) => anonymous.policy_document.is_some(),
        None => config.mqtt.is_local(),
    }
}

/// Whether the plain HTTP listener's WebSockets are as open as the plain MQTT listener: if that was configured, or only
/// this machine reaches them.
fn anonymous_websockets(config: &Config) -> bool {
    lets_in_anonymous(config) && (config.anonymous.is_some() || config.http.is_local())
}

fn who_comes_plainly(config: &Config, has_users: bool) -> &'static str {
    match (&config.anonymous, lets_in_anonymous(config), has_users) {
        (Some(_), true, true) => "anonymous as configured, users with their passwords",
        (Some(_), true, false) => "anonymous as configured",
        (None, true, true) => "anonymous clients from this machine may do everything; users with their passwords",
        (None, true, false) => "anonymous clients from this machine may do everything",
        (_, false, true) => "users with their passwords",
        (_, false, false) => "anonymous clients are refused: set [anonymous] to let them in",
    }
}
