//! Sockets, TLS and HTTP/1.1 or HTTP/2 around [`HttpApi`]: accept, bound, hand over, stop.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use names::{Timestamp, limits};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use crate::api::{HttpApi, Protocol};
use crate::body;
use crate::error::ApiError;
use crate::idle::IdleLimited;
use crate::services::SourceIp;

/// Serves the APIs on `listener`, through TLS when `tls` is given, until `stop` becomes true; then answers what is
/// under way for at most ten seconds. `operational_routes` adds `/healthz`, `/readyz` and `/metrics`, which ask for
/// no signature and belong on a loopback listener only.
pub async fn serve(
    listener: TcpListener,
    api: Arc<HttpApi>,
    tls: Option<Arc<rustls::ServerConfig>>,
    operational_routes: bool,
    mut stop: watch::Receiver<bool>,
) {
    let acceptor = tls.map(TlsAcceptor::from);
    let permits = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    loop {
        let (stream, source_ip, permit) = tokio::select! {
            accepted = accept(&listener, &permits) => accepted,
            () = stopped(&mut stop) => break,
            Some(_) = connections.join_next() => continue,
        };
        let door = Door { api: Arc::clone(&api), operational_routes, source_ip, stop: stop.clone() };
        let acceptor = acceptor.clone();
        connections.spawn(async move {
            door.connection(stream, acceptor).await;
            drop(permit);
        });
    }
    drop(listener);
    let drained = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(DRAIN_TIME_MAX, drained).await.is_err() {
        tracing::warn!("HTTP connections were still open at the end of the shutdown and are closed");
    }
}

/// Speaks HTTP on one connection that is accepted already, until it ends or `stop` says so. For a door that is shared
/// with other protocols and knows where the connection comes from.
pub async fn serve_connection<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
    stream: S,
    api: Arc<HttpApi>,
    operational_routes: bool,
    source_ip: IpAddr,
    stop: watch::Receiver<bool>,
) {
    Door { api, operational_routes, source_ip, stop }.speak_http(stream).await;
}

/// The next connection, once there is room for it.
async fn accept(listener: &TcpListener, permits: &Arc<Semaphore>) -> (TcpStream, IpAddr, OwnedSemaphorePermit) {
    let permit = Arc::clone(permits).acquire_owned().await.expect("the semaphore is never closed");
    loop {
        match listener.accept().await {
            Ok((stream, address)) => return (stream, address.ip(), permit),
            Err(problem) => {
                tracing::warn!(%problem, "an HTTP connection cannot be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// What all requests of a connection share.
#[derive(Clone)]
struct Door {
    api: Arc<HttpApi>,
    operational_routes: bool,
    source_ip: IpAddr,
    stop: watch::Receiver<bool>,
}

impl Door {
    async fn connection(self, stream: TcpStream, acceptor: Option<TlsAcceptor>) {
        let _ = stream.set_nodelay(true);
        let Some(acceptor) = acceptor else { return self.speak_http(stream).await };
        match tokio::time::timeout(HANDSHAKE_TIME_MAX, Box::pin(acceptor.accept(stream))).await {
            Ok(Ok(stream)) => self.speak_http(stream).await,
            Ok(Err(problem)) => tracing::debug!(%problem, "an HTTPS handshake failed"),
            Err(_) => tracing::debug!("an HTTPS handshake took too long"),
        }
    }

    async fn speak_http<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(self, stream: S) {
        let mut stop = self.stop.clone();
        let service = service_fn(move |request| {
            let door = self.clone();
            async move { Ok::<_, Infallible>(door.respond(request).await) }
        });
        let builder = builder();
        let stream = TokioIo::new(IdleLimited::new(stream, HEAD_TIME_MAX, IDLE_TIME_MAX));
        let mut connection = std::pin::pin!(builder.serve_connection(stream, service));
        let result = tokio::select! {
            result = &mut connection => result,
            () = stopped(&mut stop) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(problem) = result {
            tracing::debug!(problem, "an HTTP connection ended with an error");
        }
    }

    async fn respond(self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let (mut parts, incoming) = request.into_parts();
        parts.extensions.insert(SourceIp(self.source_ip));
        if self.operational_routes
            && let Some(response) = self.api.operational_answer(&parts)
        {
            return response.map(Full::new);
        }
        let protocol = Protocol::of(&parts);
        let body = match body::read(incoming, self.api.body_room()).await {
            Ok(body) => body,
            Err(error) => return self.api.failure(protocol, &error).map(Full::new),
        };
        let api = Arc::clone(&self.api);
        let answered = tokio::task::spawn_blocking(move || api.answer(&parts, &body.bytes, now())).await;
        let response = answered.unwrap_or_else(|problem| {
            self.api.failure(protocol, &ApiError::internal(format!("a handler broke off: {problem}")))
        });
        response.map(Full::new)
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

/// Connections of one listener at once.
const CONNECTIONS_MAX: usize = 1024;
/// Requests of one HTTP/2 connection at once.
const STREAMS_MAX: u32 = 16;
const HANDSHAKE_TIME_MAX: Duration = Duration::from_secs(10);
const HEAD_TIME_MAX: Duration = Duration::from_secs(10);
/// A connection on which no byte moves for this long is closed.
const IDLE_TIME_MAX: Duration = Duration::from_secs(60);
const DRAIN_TIME_MAX: Duration = Duration::from_secs(10);
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
