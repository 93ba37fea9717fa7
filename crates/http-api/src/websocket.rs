//! The opening handshake of MQTT over WebSocket (RFC 6455, 4.2; MQTT 3.1.1, chapter 6; AWS IoT Core developer guide,
//! protocols): `GET /mqtt` with a signature in its query or header, and what the connection then becomes.
//!
//! A request without a signature stands for the certificate that the client showed in the TLS handshake, or, where the
//! listener lets them in, for an anonymous client. Neither is in the hands of a web page's author, but a browser would
//! use both for any page: so such a request of a page is taken from known hosts only.

use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use broker::{Identity, Peer};
use bytes::Bytes;
use doorway::Stream;
use http::header::{
    CONNECTION, HeaderMap, HeaderName, HeaderValue, ORIGIN, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::request::Parts;
use http::{Method, Request, Response, StatusCode, Version};
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use names::{CertificateId, Dialect, Timestamp, limits};
use parking_lot::Mutex;
use sha1::{Digest as _, Sha1};

use crate::api::{HttpApi, Protocol};
use crate::auth;
use crate::error::ApiError;

/// Where MQTT is.
pub(crate) const PATH: &str = "/mqtt";

/// Who may open a WebSocket on a listener, and what becomes of it.
#[derive(Clone)]
pub struct WebSocketAccess {
    /// What MQTT on it is.
    pub dialect: Dialect,
    /// Whether clients without signature and certificate come in as anonymous ones.
    pub lets_in_anonymous: bool,
    /// Hosts whose pages may open one without a signature, lower case; those of this machine always may.
    pub origin_hosts: Arc<[String]>,
    /// Runs one that is open, to its end.
    pub run: RunWebSocket,
}

/// Runs an open WebSocket to its end: the MQTT listener's part, which this crate does not know.
pub type RunWebSocket = Arc<dyn Fn(WebSocketClient) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// An open WebSocket: the handshake is done, the next byte is a frame's first.
pub struct WebSocketClient {
    /// The connection.
    pub stream: Stream,
    /// What was read of it after the request.
    pub read_ahead: Bytes,
    /// Who opened it.
    pub peer: Peer,
    /// How old it may become, when it was signed for.
    pub age_max: Option<Duration>,
}

/// Who is on the other end of an HTTP connection, as far as the connection tells.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Visitor {
    pub(crate) source: SocketAddr,
    pub(crate) target: Option<SocketAddr>,
    pub(crate) certificate: Option<CertificateId>,
}

/// A WebSocket that was granted and is not there yet.
pub(crate) struct Opening {
    pub(crate) upgrade: OnUpgrade,
    pub(crate) peer: Peer,
    pub(crate) age_max: Option<Duration>,
}

/// The one WebSocket that a connection can become.
#[derive(Clone, Default)]
pub(crate) struct Opened(Arc<Mutex<Option<Opening>>>);

impl Opened {
    pub(crate) fn take(&self) -> Option<Opening> {
        self.0.lock().take()
    }
}

/// Answers a request for [`PATH`]; a granted one is left in `opened`.
pub(crate) async fn answer(
    access: &WebSocketAccess,
    api: &Arc<HttpApi>,
    request: &mut Request<Incoming>,
    visitor: &Visitor,
    now: Timestamp,
    opened: &Opened,
) -> Response<Bytes> {
    let upgrade = hyper::upgrade::on(&mut *request);
    let parts = parts_of(request);
    let grant = match read_handshake(&parts) {
        Ok(grant) => grant,
        Err(refusal) => return refusal.response(api),
    };
    let granted = admit(access, api, parts, visitor, now).await;
    match granted {
        Ok((identity, age_max)) => {
            let (source_ip, source_port) = (visitor.source.ip(), Some(visitor.source.port()));
            let peer = Peer { identity, source_ip, source_port, target: visitor.target, dialect: access.dialect };
            *opened.0.lock() = Some(Opening { upgrade, peer, age_max });
            grant.response()
        }
        Err(error) => {
            let why = &error.message;
            tracing::info!(source_ip = %visitor.source.ip(), why, "a WebSocket was refused");
            api.failure(Protocol::RestJson, &error)
        }
    }
}

/// A copy of the head, for the thread that checks signatures.
fn parts_of(request: &Request<Incoming>) -> Parts {
    let mut head = Request::new(());
    *head.method_mut() = request.method().clone();
    *head.uri_mut() = request.uri().clone();
    *head.version_mut() = request.version();
    *head.headers_mut() = request.headers().clone();
    head.into_parts().0
}

/// Who opens it, and how old it may become.
async fn admit(
    access: &WebSocketAccess,
    api: &Arc<HttpApi>,
    parts: Parts,
    visitor: &Visitor,
    now: Timestamp,
) -> Result<(Identity, Option<Duration>), ApiError> {
    let origin = parts.headers.get(ORIGIN).map(|origin| String::from_utf8_lossy(origin.as_bytes()).into_owned());
    let asked = Arc::clone(api);
    // Reads access keys from the store, which blocks.
    let signed = tokio::task::spawn_blocking(move || auth::authenticate_websocket(asked.services(), &parts, now)).await;
    let signed = signed.map_err(|problem| ApiError::internal(format!("a signature's check broke off: {problem}")))?;
    if let Some(caller) = signed? {
        let age_max = Duration::from_secs(limits::WEBSOCKET_SECONDS_MAX);
        return Ok((Identity::Iam(Arc::from(caller.as_str())), Some(age_max)));
    }
    let identity = match visitor.certificate {
        Some(id) => Identity::Certificate(id),
        None if access.lets_in_anonymous => Identity::Anonymous,
        None => return Err(ApiError::named("MissingAuthenticationTokenException", "Missing Authentication Token")),
    };
    match origin {
        Some(origin) if !is_known_origin(&origin, &access.origin_hosts) => Err(ApiError::named(
            "ForbiddenException",
            format!(
                "A page of '{origin}' may not open a WebSocket without a signature: its host is not one of the server's \
                 names, nor of origin_hosts in the configuration's [websocket]."
            ),
        )),
        _ => Ok((identity, None)),
    }
}

pub(crate) fn is_known_origin(origin: &str, known: &[String]) -> bool {
    let Some((_scheme, authority)) = origin.split_once("://") else { return false };
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    let host = host.to_ascii_lowercase();
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback()) || known.contains(&host)
}

/// What the handshake answers when it is granted.
#[derive(Debug, PartialEq, Eq)]
struct Grant {
    accept: String,
    protocol: &'static str,
}

/// The WebSocket protocol names of MQTT, the wanted one first [MQTT-6.0.0-4]; the second is MQTT 3.1's.
const PROTOCOLS: [&str; 2] = ["mqtt", "mqttv3.1"];
/// RFC 6455, 1.3.
const ACCEPT_GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// What is wrong with a handshake.
#[derive(Debug, PartialEq, Eq)]
struct BadHandshake {
    status: StatusCode,
    text: &'static str,
}

impl BadHandshake {
    const fn new(status: StatusCode, text: &'static str) -> Self {
        Self { status, text }
    }

    fn response(&self, api: &HttpApi) -> Response<Bytes> {
        let mut response = api.failure(Protocol::RestJson, &ApiError::named("InvalidRequestException", self.text));
        *response.status_mut() = self.status;
        if self.status == StatusCode::UPGRADE_REQUIRED {
            response.headers_mut().insert(UPGRADE, HeaderValue::from_static("websocket"));
            response.headers_mut().insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        }
        response
    }
}

/// RFC 6455, 4.2.1 and 4.2.2.
fn read_handshake(parts: &Parts) -> Result<Grant, BadHandshake> {
    use StatusCode as Status;
    let headers = &parts.headers;
    if parts.method != Method::GET {
        return Err(BadHandshake::new(Status::METHOD_NOT_ALLOWED, "A WebSocket is opened with GET."));
    }
    let is_upgrade = has_token(headers, UPGRADE, "websocket") && has_token(headers, CONNECTION, "upgrade");
    if parts.version != Version::HTTP_11 || !is_upgrade {
        let text = "This is the path of MQTT over WebSocket: the request must ask for an upgrade over HTTP/1.1.";
        return Err(BadHandshake::new(Status::UPGRADE_REQUIRED, text));
    }
    if headers.get(SEC_WEBSOCKET_VERSION).is_none_or(|version| version.as_bytes() != b"13") {
        return Err(BadHandshake::new(Status::UPGRADE_REQUIRED, "The WebSocket version must be 13."));
    }
    let key = headers.get(SEC_WEBSOCKET_KEY).map(|key| key.as_bytes().trim_ascii());
    let Some(key) = key.filter(|key| STANDARD.decode(key).is_ok_and(|bytes| bytes.len() == 16)) else {
        return Err(BadHandshake::new(Status::BAD_REQUEST, "Sec-WebSocket-Key must be 16 bytes in base64."));
    };
    let offered = tokens(headers, SEC_WEBSOCKET_PROTOCOL);
    let Some(protocol) = PROTOCOLS.into_iter().find(|name| offered.contains(name)) else {
        let text = "The client must offer the WebSocket subprotocol 'mqtt' in Sec-WebSocket-Protocol [MQTT-6.0.0-3].";
        return Err(BadHandshake::new(Status::BAD_REQUEST, text));
    };
    let digest = Sha1::new_with_prefix(key).chain_update(ACCEPT_GUID).finalize();
    Ok(Grant { accept: STANDARD.encode(digest), protocol })
}

impl Grant {
    fn response(self) -> Response<Bytes> {
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(self.protocol));
        // Base64 is always a valid header value.
        if let Ok(accept) = HeaderValue::from_str(&self.accept) {
            headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
        }
        response
    }
}

/// The elements of a header that is a list, of all its lines (RFC 9110, 5.6.1).
fn tokens(headers: &HeaderMap, name: HeaderName) -> Vec<&str> {
    let lines = headers.get_all(name).into_iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim).collect()
}

fn has_token(headers: &HeaderMap, name: HeaderName, wanted: &str) -> bool {
    tokens(headers, name).iter().any(|token| token.eq_ignore_ascii_case(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn handshake(headers: &[(&'static str, &'static str)]) -> Result<Grant, BadHandshake> {
        let mut request = Request::get("/mqtt");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        read_handshake(&request.body(()).unwrap().into_parts().0)
    }

    /// RFC 6455, 1.3: its example key and answer.
    const WHOLE: [(&str, &str); 5] = [
        ("upgrade", "WebSocket"),
        ("connection", "keep-alive, Upgrade"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("sec-websocket-protocol", "chat, mqttv3.1, mqtt"),
    ];

    #[test]
    fn the_example_of_the_standard_is_granted() {
        let accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=".to_owned();
        assert_eq!(handshake(&WHOLE), Ok(Grant { accept, protocol: "mqtt" }));
        let check = |protocols: &[(&'static str, &'static str)], expected: Option<&str>| {
            let headers = [&WHOLE[..4], protocols].concat();
            assert_eq!(handshake(&headers).ok().map(|grant| grant.protocol), expected, "{protocols:?}");
        };
        check(&[("sec-websocket-protocol", "chat"), ("sec-websocket-protocol", "mqtt")], Some("mqtt"));
        check(&[("sec-websocket-protocol", "mqttv3.1")], Some("mqttv3.1"));
        check(&[("sec-websocket-protocol", "MQTT")], None);
        check(&[("sec-websocket-protocol", "mqtt5")], None);
        check(&[], None);
    }

    #[test]
    fn what_is_no_handshake_is_refused_with_its_status() {
        let check = |at: usize, value: Option<&'static str>, status: u16| {
            let mut headers = WHOLE.to_vec();
            match value {
                Some(value) => headers[at].1 = value,
                None => drop(headers.remove(at)),
            }
            assert_eq!(handshake(&headers).unwrap_err().status.as_u16(), status, "{headers:?}");
        };
        check(0, None, 426);
        check(0, Some("h2c"), 426);
        check(1, Some("keep-alive"), 426);
        check(2, None, 426);
        check(2, Some("8"), 426);
        check(3, None, 400);
        check(3, Some("c2hvcnQ="), 400);
        check(3, Some("not base64"), 400);
        check(4, None, 400);
    }

    #[test]
    fn pages_are_known_by_their_host() {
        let known = ["iot.example.org".to_owned()];
        let check = |origin: &str, expected| assert_eq!(is_known_origin(origin, &known), expected, "{origin}");
        check("http://localhost:3000", true);
        check("https://127.0.0.1:8443", true);
        check("http://[::1]:8080", true);
        check("https://IoT.example.org", true);
        check("https://iot.example.org:8443", true);
        check("https://example.org", false);
        check("https://iot.example.org.evil.example", false);
        check("https://localhost.evil.example", false);
        check("null", false);
        check("", false);
    }
}
