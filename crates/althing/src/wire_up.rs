//! The house put together: store, services, doors, and the order in which they start and stop.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use actions::{Outside, OutsideConfig};
use anyhow::{Context, bail};
use broker::{Anonymous, Broker, BrokerSettings, Passwords};
use doorway::DoorMetrics;
use http_api::{HttpApi, Services};
use iam::Iam;
use names::{ArnSpace, limits};
use registry::Registry;
use router::Router;
use rules::Rules;
use shadows::ShadowService;
use store::{FjallStore, Options, Store};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tracing::{info, warn};

use crate::clock::timestamp;
use crate::config::{AnonymousConfig, Config, Durability, SysTopicsConfig, User};
use crate::data_dir::{ADMINISTRATOR, CA_CERTIFICATE, DataDir, ENDPOINTS, PUBLIC};
use crate::doors::{Behind, Doors, Ports, lets_in_anonymous};
use crate::endpoints::Endpoints;
use crate::identity::{Administrator, ServerIdentity};
use crate::metrics::Metrics;
use crate::shell::quoted;

/// All services of one server.
pub(crate) struct House {
    data_dir: DataDir,
    store: Arc<FjallStore>,
    broker: Arc<Broker>,
    shadows: Arc<ShadowService>,
    rules: Arc<Rules>,
    api: Arc<HttpApi>,
    identity: ServerIdentity,
    door_metrics: Arc<DoorMetrics>,
    sys_topics: SysTopicsConfig,
    administrator: Administrator,
    is_first_start: bool,
    is_ready: Arc<AtomicBool>,
}

impl House {
    /// Opens the data directory and builds the services over it. Nothing listens yet.
    pub(crate) fn build(config: &Config) -> anyhow::Result<Self> {
        let data_dir = DataDir::open(&config.data_dir)?;
        let arns = ArnSpace { region: config.region.clone(), account: config.account_id.clone() };
        let now = timestamp();
        let durability = match config.durability {
            Durability::Sync => store::Durability::Sync,
            Durability::Os => store::Durability::Os,
        };
        let fjall = FjallStore::open(&data_dir.store(), Options { durability, ..Options::default() })?;
        let store: Arc<dyn Store> = Arc::clone(&fjall) as Arc<dyn Store>;
        let identity = ServerIdentity::load_or_create(&data_dir, config, now)?;
        let iam = Arc::new(Iam::new(Arc::clone(&store), arns.clone()));
        let (administrator, is_first_start) = Administrator::load_or_create(&data_dir, &iam, &arns, now)?;
        let registry = Arc::new(Registry::new(Arc::clone(&store), arns.clone()));
        let router = Router::open(Arc::clone(&store), config.queues)?;
        let users = config.users.iter().map(User::as_configured);
        let passwords = Arc::new(Passwords::from_config(users).context("[[users]]")?);
        let (routing, known) = (Arc::clone(&router), Arc::clone(&registry));
        let settings = BrokerSettings { anonymous: anonymous(config)?, passwords, quotas: config.quotas.clone() };
        let broker = Broker::with_settings(routing, known, settings);
        let door_metrics = Arc::<DoorMetrics>::default();
        let shadows = Arc::new(ShadowService::new(Arc::clone(&store), Arc::clone(&router), config.shadows));
        let outside = Arc::new(Outside::new(Arc::clone(&iam), Arc::clone(&router), arns.clone(), outside(config)));
        let rules = Rules::new(store, Arc::clone(&router), outside, arns.clone());
        let metrics = Metrics::new(&broker, &router, &rules, &shadows, &door_metrics, &fjall);
        let is_ready = Arc::new(AtomicBool::new(false));
        let (ready, kept) = (Arc::clone(&is_ready), Arc::clone(&fjall));
        let services = Services {
            registry,
            iam,
            broker: Arc::clone(&broker),
            router,
            shadows: Arc::clone(&shadows),
            rules: Arc::clone(&rules),
            authority: Arc::clone(&identity.authority),
            arns,
            endpoint_host: config.endpoint_host.clone(),
            metrics_text: Arc::new(move || metrics.text()),
            ready: Arc::new(move || ready.load(Ordering::Acquire) && !kept.is_broken()),
        };
        let api = HttpApi::new(services).context("the API models cannot be read")?;
        let store = fjall;
        Ok(Self {
            data_dir,
            store,
            broker,
            shadows,
            rules,
            api,
            identity,
            door_metrics,
            sys_topics: config.sys_topics,
            administrator,
            is_first_start,
            is_ready,
        })
    }

    /// Starts the services and opens the doors. All ports are taken before anything is served.
    pub(crate) async fn open(&self, config: &Config, stop: &watch::Receiver<bool>) -> anyhow::Result<Doors> {
        let ports = Ports::take(config).await?;
        let endpoints = Endpoints {
            region: config.region.to_string(),
            http: ports.http.as_ref().map(|(address, _)| format!("http://{}", reachable(*address))),
            https: ports.https.as_ref().map(|(address, _)| format!("https://localhost:{}", address.port())),
        };
        let endpoints = format!("{}\n", serde_json::to_string_pretty(&endpoints)?);
        // Unchanged, it needs no room on a disk that may be full.
        if self.data_dir.read(ENDPOINTS).ok().flatten().as_ref() != Some(&endpoints) {
            self.data_dir.write(ENDPOINTS, &endpoints, PUBLIC)?;
        }
        let mut doors = Doors::default();
        self.start_services(&mut doors, stop).await?;
        let behind = Behind {
            config,
            broker: &self.broker,
            api: &self.api,
            identity: &self.identity,
            metrics: &self.door_metrics,
            stop,
        };
        doors.open(ports, &behind)?;
        Ok(doors)
    }

    /// From here on /readyz says so.
    pub(crate) fn ready(&self) {
        self.is_ready.store(true, Ordering::Release);
    }

    /// Says what is there and, the first time, what to do with it. The secret goes to standard output once, and never
    /// into the log.
    pub(crate) fn announce(&self, config: &Config, doors: &Doors, began: Instant) {
        info!(version = env!("CARGO_PKG_VERSION"), ready_ms = began.elapsed().as_millis(), "ready");
        doors.lines.iter().for_each(|line| info!("listening: {line}"));
        if !self.is_first_start {
            return;
        }
        let program = std::env::args().next().unwrap_or_else(|| "althing".to_owned());
        let (data_dir, key) = (config.data_dir.display(), &self.administrator);
        let text = format!(
            "First start: a certificate authority and an administrator's access key were made in {data_dir}.\n  \
             AWS_ACCESS_KEY_ID={}\n  AWS_SECRET_ACCESS_KEY={}\n\
             The secret is shown this once; {} keeps it.\nDevices trust {}.\nNext, in another terminal:\n  \
             eval \"$({} env --data-dir {})\" && aws iot list-things\n",
            key.access_key_id,
            key.secret_access_key,
            self.data_dir.file(ADMINISTRATOR).display(),
            self.data_dir.file(CA_CERTIFICATE).display(),
            quoted(&program),
            quoted(&data_dir.to_string()),
        );
        let mut out = std::io::stdout();
        if let Err(error) = out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            warn!(%error, "the administrator's key was not shown: `althing env` prints it");
        }
    }

    /// After `stop` was raised: no new connections, clients are let go, what is queued is written, the store is closed.
    pub(crate) async fn close(self, doors: Doors) {
        self.is_ready.store(false, Ordering::Release);
        self.broker.shut_down();
        let deadline = tokio::time::Instant::now() + Duration::from_secs(limits::HTTP_DRAIN_SECONDS_MAX + 1);
        end_all(doors.tasks, deadline).await;
        // What came through the doors has been answered, or its time is over.
        doors.stop_services.send_replace(true);
        end_all(doors.services, deadline + Duration::from_secs(SERVICES_SECONDS_MAX)).await;
        let store = self.store;
        match tokio::task::spawn_blocking(move || store.close()).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => warn!(%error, "the store did not close in order"),
            Err(_panicked) => warn!("the store did not close in order"),
        }
        info!("stopped");
    }

    async fn start_services(&self, doors: &mut Doors, stop: &watch::Receiver<bool>) -> anyhow::Result<()> {
        doors.tasks.push(tokio::spawn(until(stop.clone(), Arc::clone(&self.broker).follow_registry())));
        doors.tasks.push(tokio::spawn(until(stop.clone(), Arc::clone(&self.broker).keep_sessions(timestamp))));
        if let Some(period) = self.sys_topics.period() {
            let telling = Arc::clone(&self.broker).publish_sys_topics(period, env!("CARGO_PKG_VERSION"), timestamp);
            doors.tasks.push(tokio::spawn(until(stop.clone(), telling)));
        }
        let stop = doors.stop_services.subscribe();
        doors.services.push(tokio::spawn(Arc::clone(&self.shadows).run(timestamp, stopped(stop.clone()))));
        // Reads every rule from the store, so it is done where that may block.
        let rules = Arc::clone(&self.rules);
        let running = tokio::task::spawn_blocking(move || rules.run(timestamp, uuid, stopped(stop))).await?;
        doors.services.push(tokio::spawn(running));
        Ok(())
    }
}

/// What has not ended at the deadline is broken off.
async fn end_all(tasks: Vec<JoinHandle<()>>, deadline: tokio::time::Instant) {
    for task in tasks {
        let abort = task.abort_handle();
        if tokio::time::timeout_at(deadline, task).await.is_err() {
            abort.abort();
        }
    }
}

/// Time for services to end what they have begun.
const SERVICES_SECONDS_MAX: u64 = 2;

/// The address under which this machine reaches a listener.
fn reachable(address: SocketAddr) -> SocketAddr {
    if !address.ip().is_unspecified() {
        return address;
    }
    match address {
        SocketAddr::V4(_) => SocketAddr::from(([127, 0, 0, 1], address.port())),
        SocketAddr::V6(_) => SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, 1], address.port())),
    }
}

fn anonymous(config: &Config) -> anyhow::Result<Anonymous> {
    match &config.anonymous {
        Some(AnonymousConfig { policy_document: Some(document) }) => match Anonymous::from_policy(document) {
            Ok(anonymous) => Ok(anonymous),
            Err(error) => bail!("[anonymous] policy_document: {error}"),
        },
        Some(AnonymousConfig { policy_document: None }) => Ok(Anonymous::Refused),
        None if lets_in_anonymous(config) => Ok(Anonymous::from_policy(Anonymous::EVERYTHING)?),
        None => Ok(Anonymous::Refused),
    }
}

fn outside(config: &Config) -> OutsideConfig {
    OutsideConfig {
        endpoint_url: config.aws.endpoint_url.clone(),
        dynamodb_endpoint_url: std::env::var("AWS_ENDPOINT_URL_DYNAMODB").ok(),
        region: config.aws.region.clone(),
        access_key_id: config.aws.access_key_id.clone(),
        secret_access_key: config.aws.secret_access_key.clone(),
    }
}

fn uuid() -> String {
    uuid::Uuid::new_v4().to_string()
}

async fn stopped(mut stop: watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await; // an error means that nobody is left to say it
}

async fn until(stop: watch::Receiver<bool>, work: impl Future<Output = ()>) {
    tokio::select! {
        () = work => {}
        () = stopped(stop) => {}
    }
}
