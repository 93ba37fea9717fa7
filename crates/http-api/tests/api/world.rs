//! A server over stores in memory, and a client that signs by itself, apart from the crate that verifies.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use actions::{Outside, OutsideConfig};
use broker::{Anonymous, Broker};
use doorway::{Bounds, DoorMetrics, Entrance};
use hmac::{Hmac, KeyInit, Mac};
use http_api::{Door, HttpApi, Services, WebSocketAccess, WebSocketClient};
use iam::{AccessKey, Iam};
use names::{AccountId, ArnSpace, Dialect, Region, Timestamp};
use registry::Registry;
use router::Router;
use rules::Rules;
use serde_json::Value;
use sha2::{Digest, Sha256};
use shadows::ShadowService;
use store::{MemoryStore, Store};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

pub(crate) const ARN: &str = "arn:aws:iot:us-east-1:123456789012";
const KEY_ID: &str = "AKIDALTHINGTEST00000";
const SECRET: &str = "a/secret+for+tests";

/// A running server.
pub(crate) struct World {
    pub(crate) address: String,
    pub(crate) ready: Arc<AtomicBool>,
    pub(crate) router: Arc<Router>,
    pub(crate) broker: Arc<Broker>,
    stop: watch::Sender<bool>,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

/// A request before it is signed; the fields are what tests change.
pub(crate) struct Ask {
    pub(crate) method: &'static str,
    pub(crate) target: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
    pub(crate) service: &'static str,
    pub(crate) region: &'static str,
    pub(crate) key_id: &'static str,
    pub(crate) secret: &'static str,
    pub(crate) clock_skew_seconds: i64,
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::start_with(None).await
    }

    pub(crate) async fn start_with(tls: Option<Arc<rustls::ServerConfig>>) -> Self {
        let arns =
            ArnSpace { region: Region::new("us-east-1").unwrap(), account: AccountId::new("123456789012").unwrap() };
        let ready = Arc::new(AtomicBool::new(true));
        let for_services = Arc::clone(&ready);
        let services = tokio::task::spawn_blocking(move || services(&arns, for_services)).await.unwrap();
        let (router, broker) = (Arc::clone(&services.router), Arc::clone(&services.broker));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (stop, stopped) = watch::channel(false);
        let websocket = WebSocketAccess {
            dialect: Dialect::Aws,
            lets_in_anonymous: false,
            origin_hosts: Arc::new([]),
            run: Arc::new(|client| Box::pin(echo(client))),
        };
        let door = Door { api: HttpApi::new(services).unwrap(), operational_routes: true, websocket };
        let entrance = Entrance { bounds: Bounds::default(), tls, metrics: Arc::<DoorMetrics>::default() };
        let stop_doors = stopped.clone();
        let welcome = move |arrival| door.clone().welcome(arrival, stop_doors.clone());
        tokio::spawn(doorway::serve(listener, entrance, stopped, welcome));
        Self { address, ready, router, broker, stop }
    }

    /// Asks for a data-plane operation.
    pub(crate) async fn ask_data(&self, method: &'static str, target: &str, body: &str) -> Reply {
        self.send(&Ask { service: "iotdata", ..Ask::new(method, target, body) }).await
    }

    /// Asks for a control-plane operation.
    pub(crate) async fn ask(&self, method: &'static str, target: &str, body: &str) -> Reply {
        self.send(&Ask::new(method, target, body)).await
    }

    pub(crate) async fn ask_json(&self, method: &'static str, target: &str, body: Value) -> Reply {
        self.ask(method, target, &body.to_string()).await
    }

    /// Asks about a principal, which travels in a header.
    pub(crate) async fn ask_principal(&self, method: &'static str, target: &str, principal: &str) -> Reply {
        let mut ask = Ask::new(method, target, "");
        ask.headers.push(("x-amzn-principal", principal.to_owned()));
        self.send(&ask).await
    }

    pub(crate) async fn send(&self, ask: &Ask) -> Reply {
        self.send_bytes(&ask.signed(&self.address)).await
    }

    /// Sends bytes as they are and reads to the end of the connection.
    pub(crate) async fn send_bytes(&self, bytes: &[u8]) -> Reply {
        let answer = self.exchange(bytes).await;
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {answer:?}"));
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Reply { status, head: head.to_owned(), body: body.to_owned() }
    }

    /// What comes back for these bytes until the connection ends.
    pub(crate) async fn exchange(&self, bytes: &[u8]) -> Vec<u8> {
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        answer
    }

    pub(crate) fn stop(&self) {
        self.stop.send(true).unwrap();
    }
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(n, _)| n.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value)
    }

    /// The answer must be this error.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, name: &str, message: &str) {
        assert_eq!((self.status, self.header("x-amzn-errortype")), (status, name), "{self:?}");
        let text = self.json();
        let text = text["message"].as_str().unwrap();
        assert!(text.contains(message), "{text:?} does not say {message:?}");
    }

    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.status, 200, "{self:?}");
        self
    }
}

impl Ask {
    pub(crate) fn new(method: &'static str, target: &str, body: &str) -> Self {
        Self {
            method,
            target: target.to_owned(),
            headers: Vec::new(),
            body: body.to_owned(),
            service: "iot",
            region: "us-east-1",
            key_id: KEY_ID,
            secret: SECRET,
            clock_skew_seconds: 0,
        }
    }

    /// An action of IAM or STS.
    pub(crate) fn action(service: &'static str, form: &str) -> Self {
        let mut ask = Self::new("POST", "/", form);
        ask.headers.push(("content-type", "application/x-www-form-urlencoded".to_owned()));
        Self { service, ..ask }
    }

    /// The request's bytes, signed (AWS General Reference, Signature Version 4).
    pub(crate) fn signed(&self, host: &str) -> Vec<u8> {
        let date = now_iso(self.clock_skew_seconds);
        let day = &date[..8];
        let (path, query) = self.target.split_once('?').unwrap_or((&self.target, ""));
        let path = path.replace('%', "%25");
        let mut pairs: Vec<_> = query.split('&').filter(|p| !p.is_empty()).collect();
        pairs.sort_unstable();
        let scope = format!("{day}/{}/{}/aws4_request", self.region, self.service);
        let canonical = format!(
            "{}\n{path}\n{}\nhost:{host}\nx-amz-date:{date}\n\nhost;x-amz-date\n{}",
            self.method,
            pairs.join("&"),
            hex::encode(Sha256::digest(&self.body)),
        );
        let to_sign = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{}", hex::encode(Sha256::digest(canonical)));
        let mut key = format!("AWS4{}", self.secret).into_bytes();
        for part in [day, self.region, self.service, "aws4_request", &to_sign] {
            let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
            mac.update(part.as_bytes());
            key = mac.finalize().into_bytes().to_vec();
        }
        let signature = hex::encode(key);
        let headers: String = self.headers.iter().map(|(n, v)| format!("{n}: {v}\r\n")).collect();
        format!(
            "{} {} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\nx-amz-date: {date}\r\ncontent-length: {}\r\n{headers}\
             authorization: AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders=host;x-amz-date, Signature={signature}\r\n\r\n{}",
            self.method,
            self.target,
            self.body.len(),
            self.key_id,
            self.body,
        )
        .into_bytes()
    }
}

fn services(arns: &ArnSpace, ready: Arc<AtomicBool>) -> Services {
    let store: Arc<dyn Store> = MemoryStore::new();
    let now = Timestamp::from_millis(1_700_000_000_000);
    let iam = Arc::new(Iam::new(Arc::clone(&store), arns.clone()));
    iam.put_access_key(AccessKey {
        id: KEY_ID.to_owned(),
        secret: SECRET.to_owned(),
        principal_arn: "arn:aws:iam::123456789012:root".to_owned(),
        user_id: "123456789012".to_owned(),
        created_at: now,
    })
    .unwrap();
    let router = Router::open(Arc::clone(&store), Default::default()).unwrap();
    let outside = Outside::new(Arc::clone(&iam), Arc::clone(&router), arns.clone(), OutsideConfig::default());
    let registry = Arc::new(Registry::new(Arc::clone(&store), arns.clone()));
    Services {
        broker: Broker::new(Arc::clone(&router), Arc::clone(&registry), Anonymous::Refused),
        router: Arc::clone(&router),
        registry,
        shadows: running_shadows(&store, &router),
        rules: Rules::new(store, router, Arc::new(outside), arns.clone()),
        iam,
        authority: Arc::new(x509::Authority::generate("Test CA", now).unwrap()),
        arns: arns.clone(),
        endpoint_host: "iot.example.com".to_owned(),
        metrics_text: Arc::new(|| "# EOF\n".to_owned()),
        ready: Arc::new(move || ready.load(Ordering::Relaxed)),
    }
}

/// Shadows are changed by tasks, which run on a thread of their own until the process ends.
fn running_shadows(store: &Arc<dyn Store>, router: &Arc<Router>) -> Arc<ShadowService> {
    let shadows = Arc::new(ShadowService::new(Arc::clone(store), Arc::clone(router), Default::default()));
    let running = Arc::clone(&shadows).run(|| SystemTime::now().into(), std::future::pending());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    std::thread::spawn(move || runtime.block_on(running));
    shadows
}

/// Stands for the MQTT listener: says who came, and sends back the first bytes.
async fn echo(client: WebSocketClient) {
    let WebSocketClient { mut stream, read_ahead, peer, age_max } = client;
    let mut bytes = read_ahead.to_vec();
    while bytes.len() < 4 {
        assert!(stream.read_buf(&mut bytes).await.unwrap() > 0);
    }
    let text = format!("{} {age_max:?} {}", peer.identity, String::from_utf8_lossy(&bytes));
    stream.write_all(text.as_bytes()).await.unwrap();
}

/// `yyyymmddThhmmssZ`.
fn now_iso(skew_seconds: i64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let seconds = now.checked_add_signed(skew_seconds).unwrap();
    let mut days = seconds / 86_400;
    let (mut year, mut month) = (1970, 1);
    let leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let year_days = |year| if leap(year) { 366 } else { 365 };
    while days >= year_days(year) {
        days -= year_days(year);
        year += 1;
    }
    for length in [31, if leap(year) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}{month:02}{:02}T{hour:02}{minute:02}{second:02}Z", days + 1)
}
