//! Accept loops: one a listener, a permit a connection, a back-off when the system has no more sockets.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use broker::{Broker, Connection, Identity, Peer};
use names::{CertificateId, Dialect, limits};
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tracing::{debug, info, warn};
use uuid::Uuid;

use crate::connection_task::run_connection;
use crate::tls::peer_certificate_id;

/// What stands behind a listening socket.
#[derive(Clone)]
pub struct Door {
    /// Shared by all connections.
    pub broker: Arc<Broker>,
    /// What this listener speaks.
    pub dialect: Dialect,
    /// Plain or TLS.
    pub transport: Transport,
    /// Connections at the same time; more wait to be accepted.
    pub connections_max: usize,
}

/// How bytes travel.
#[derive(Clone)]
pub enum Transport {
    /// TCP; clients are anonymous.
    Plain,
    /// TLS with this configuration; a client is the certificate that it showed.
    Tls(Arc<ServerConfig>),
}

/// Accepts connections until `stop` says so, then waits for those that live to end, for a few seconds at most.
pub async fn serve(listener: TcpListener, door: Door, mut stop: watch::Receiver<bool>) {
    let permits = Arc::new(Semaphore::new(door.connections_max));
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &permits) => accepted,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        let Some((permit, stream, address)) = accepted else { break };
        // Before the handshake: without it Nagle and delayed acknowledgements cost 40 ms a TLS connection.
        if let Err(error) = stream.set_nodelay(true) {
            debug!(%address, %error, "the connection was gone at once");
            continue;
        }
        let broker = Arc::clone(&door.broker);
        let peer = move |identity| Peer { identity, source_ip: address.ip(), dialect: door.dialect };
        // Two kinds of task, so that a plain connection is not as large as one with TLS.
        match &door.transport {
            Transport::Plain => {
                let connection = Connection::new(broker, peer(Identity::Anonymous), Uuid::new_v4());
                let running = run_connection(stream, connection);
                tokio::spawn(holding(permit, running));
            }
            Transport::Tls(config) => {
                // Boxed, so that the handshake's large future is gone once the connection is up.
                let handshake = Box::pin(handshake(stream, address, Arc::clone(config)));
                tokio::spawn(holding(permit, welcome(handshake, broker, peer)));
            }
        }
    }
    drop(listener);
    let all = u32::try_from(door.connections_max).unwrap_or(u32::MAX);
    if timeout(DRAIN, permits.acquire_many(all)).await.is_err() {
        info!("connections were still open at the end");
    }
}

/// Clients that are connected are gone in milliseconds; those that never said CONNECT are not waited for long.
const DRAIN: Duration = Duration::from_secs(2);

async fn accept(
    listener: &TcpListener,
    permits: &Arc<Semaphore>,
) -> Option<(OwnedSemaphorePermit, TcpStream, SocketAddr)> {
    let permit = Arc::clone(permits).acquire_owned().await.ok()?;
    let mut pause = Duration::from_millis(10);
    loop {
        match listener.accept().await {
            Ok((stream, address)) => return Some((permit, stream, address)),
            Err(error) if is_of_one_connection(&error) => {
                debug!(%error, "a connection was gone before it was accepted")
            }
            Err(error) => {
                warn!(%error, "cannot accept connections; trying again soon");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(1));
            }
        }
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset)
}

async fn holding(permit: OwnedSemaphorePermit, running: impl Future<Output = ()>) {
    running.await;
    drop(permit);
}

async fn welcome(
    handshake: Pin<Box<impl Future<Output = Handshaken> + Send>>,
    broker: Arc<Broker>,
    peer: impl FnOnce(Identity) -> Peer,
) {
    let Some((stream, id)) = handshake.await else { return };
    run_connection(stream, Connection::new(broker, peer(Identity::Certificate(id)), Uuid::new_v4())).await;
}

/// A TLS connection and the certificate that the client showed; none when it was refused.
type Handshaken = Option<(Box<TlsStream<TcpStream>>, CertificateId)>;

async fn handshake(stream: TcpStream, address: SocketAddr, config: Arc<ServerConfig>) -> Handshaken {
    let limit = Duration::from_secs(limits::CONNECT_SECONDS_MAX);
    match timeout(limit, TlsAcceptor::from(config).accept(stream)).await {
        Ok(Ok(stream)) => match peer_certificate_id(stream.get_ref().1) {
            Some(id) => return Some((Box::new(stream), id)),
            None => info!(%address, "refused: no client certificate"),
        },
        Ok(Err(error)) => info!(%address, why = %error, "TLS handshake refused"),
        Err(_) => info!(%address, "TLS handshake took too long"),
    }
    None
}
