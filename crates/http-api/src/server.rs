//! HTTP/1.1 or HTTP/2 around [`HttpApi`] on connections that have come through a doorway: bound, hand over, stop; and
//! the WebSockets that some of them become.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use doorway::{Arrival, Stream};
use http::header::ORIGIN;
use http::request::Parts;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use names::{Timestamp, limits};
use tokio::sync::watch;

use crate::api::{HttpApi, Protocol};
use crate::body;
use crate::error::ApiError;
use crate::idle::IdleLimited;
use crate::services::{ClientCertificate, SourceIp};
use crate::websocket::{self, Opened, Opening, Visitor, WebSocketAccess, WebSocketClient};

/// What stands behind a listening socket that speaks HTTP.
#[derive(Clone)]
pub struct Door {
    /// Shared by all doors.
    pub api: Arc<HttpApi>,
    /// Adds `/healthz`, `/readyz` and `/metrics`, which ask for no signature and belong on a loopback listener only.
    pub operational_routes: bool,
    /// Who may open a WebSocket here, and what becomes of it.
    pub websocket: WebSocketAccess,
}

impl Door {
    /// Whether a certificate that the client showed may stand for this request: a web page of another host must not use
    /// the one that its reader's browser has.
    fn trusts_origin_of(&self, parts: &Parts) -> bool {
        let origin = parts.headers.get(ORIGIN).map(|origin| String::from_utf8_lossy(origin.as_bytes()));
        origin.is_none_or(|origin| websocket::is_known_origin(&origin, &self.websocket.origin_hosts))
    }

    /// Speaks HTTP on one connection, and then MQTT if it becomes a WebSocket, until it ends or `stop` says so; then
    /// what is under way is answered.
    pub async fn welcome(self, arrival: Arrival, stop: watch::Receiver<bool>) {
        let Arrival { stream, source, target, certificate } = arrival;
        let visitor = Visitor { source, target, certificate };
        let run = Arc::clone(&self.websocket.run);
        let conversation = Conversation { door: self, visitor, opened: Opened::default() };
        let Some(opening) = Box::pin(conversation.speak_http(stream, stop)).await else { return };
        let Some(client) = Box::pin(upgraded(opening)).await else { return };
        run(client).await;
    }
}

/// What all requests of a connection share.
#[derive(Clone)]
struct Conversation {
    door: Door,
    visitor: Visitor,
    opened: Opened,
}

impl Conversation {
    /// Answers the WebSocket that the connection is to become.
    async fn speak_http(self, stream: Stream, mut stop: watch::Receiver<bool>) -> Option<Opening> {
        let opened = self.opened.clone();
        let service = service_fn(move |request| {
            let conversation = self.clone();
            async move { Ok::<_, Infallible>(conversation.respond(request).await) }
        });
        let builder = builder();
        let stream = TokioIo::new(IdleLimited::new(stream, HEAD_TIME_MAX, IDLE_TIME_MAX));
        let mut connection = std::pin::pin!(builder.serve_connection_with_upgrades(stream, service));
        let result = tokio::select! {
            result = &mut connection => result,
            () = stopped(&mut stop) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(problem) = result {
            tracing::debug!(problem, "an HTTP connection ended with an error");
            return None;
        }
        opened.take()
    }

    async fn respond(self, mut request: Request<Incoming>) -> Response<Full<Bytes>> {
        let Self { door, visitor, opened } = self;
        if request.uri().path() == websocket::PATH {
            let answered = websocket::answer(&door.websocket, &door.api, &mut request, &visitor, now(), &opened).await;
            return answered.map(Full::new);
        }
        let (mut parts, incoming) = request.into_parts();
        parts.extensions.insert(SourceIp(visitor.source.ip()));
        let under_way = match visitor.certificate.filter(|_| door.trusts_origin_of(&parts)) {
            None => None,
            Some(certificate) => {
                parts.extensions.insert(ClientCertificate(certificate));
                match door.api.device_calls().begin(certificate) {
                    Ok(under_way) => Some(under_way),
                    Err(error) => return door.api.failure(Protocol::of(&parts), &error).map(Full::new),
                }
            }
        };
        if door.operational_routes
            && let Some(response) = door.api.operational_answer(&parts)
        {
            return response.map(Full::new);
        }
        let protocol = Protocol::of(&parts);
        let body = match body::read(incoming, door.api.body_room()).await {
            Ok(body) => body,
            Err(error) => return door.api.failure(protocol, &error).map(Full::new),
        };
        let api = Arc::clone(&door.api);
        let answered = tokio::task::spawn_blocking(move || {
            let _under_way = under_way;
            api.answer(&parts, &body.bytes, now())
        });
        let answered = answered.await;
        let response = answered.unwrap_or_else(|problem| {
            door.api.failure(protocol, &ApiError::internal(format!("a handler broke off: {problem}")))
        });
        response.map(Full::new)
    }
}

/// The connection itself, taken back from HTTP without its idle limit: MQTT has keep alive.
async fn upgraded(opening: Opening) -> Option<WebSocketClient> {
    let Opening { upgrade, peer, age_max } = opening;
    let upgraded = match upgrade.await {
        Ok(upgraded) => upgraded,
        Err(problem) => {
            tracing::debug!(%problem, "a WebSocket was gone at once");
            return None;
        }
    };
    match auto::upgrade::downcast::<TokioIo<IdleLimited<Stream>>>(upgraded) {
        Ok(parts) => {
            let stream = parts.io.into_inner().into_inner();
            Some(WebSocketClient { stream, read_ahead: parts.read_buf, peer, age_max })
        }
        Err(_) => {
            tracing::error!("a WebSocket's connection is not the one that was accepted");
            None
        }
    }
}

/// Waits until the server is told to stop, or its owner is gone.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stopped| *stopped).await;
}

fn builder() -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    let mut http1 = builder.http1();
    // In HTTP/1.1 the time between two requests counts as the next head's.
    http1.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME_MAX).max_buf_size(limits::HTTP_HEAD_BYTES_MAX);
    let head_bytes_max = u32::try_from(limits::HTTP_HEAD_BYTES_MAX).unwrap_or(u32::MAX);
    let mut http2 = builder.http2();
    http2.timer(TokioTimer::new()).max_concurrent_streams(STREAMS_MAX).max_header_list_size(head_bytes_max);
    builder
}

/// The clock is read here, at the door.
fn now() -> Timestamp {
    SystemTime::now().into()
}

/// Requests of one HTTP/2 connection at once.
const STREAMS_MAX: u32 = 16;
const HEAD_TIME_MAX: Duration = Duration::from_secs(10);
/// A connection on which no byte moves for this long is closed.
const IDLE_TIME_MAX: Duration = Duration::from_secs(60);
