//! The accept loop: bounds, PROXY header, handshake, then the door behind.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::ServerConfig;
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tracing::{debug, info, warn};

use crate::arrival::{Arrival, Stream};
use crate::connect_rates::ConnectRates;
use crate::entrance::Entrance;
use crate::metrics::DoorMetrics;
use crate::read_proxy_header::{ProxyError, read_proxy_header};

/// Accepts connections until `stop` says so and hands each that comes through to `welcome`, in a task of its own; then
/// waits for those that live to end, for [`crate::Bounds::drain_time_max`] at most.
pub async fn serve<W, F>(listener: TcpListener, entrance: Entrance, mut stop: watch::Receiver<bool>, welcome: W)
where
    W: Fn(Arrival) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let connections_max = entrance.bounds.connections_max.min(Semaphore::MAX_PERMITS);
    let drain_time_max = entrance.bounds.drain_time_max;
    let permits = Arc::new(Semaphore::new(connections_max));
    let own = listener.local_addr().ok().filter(|own| !own.ip().is_unspecified());
    let gate = Arc::new(Gate { rates: ConnectRates::new(entrance.bounds.rate), entrance, own });
    let is_nodelay_inherited = is_nodelay_inherited(&listener);
    loop {
        let (stream, address) = tokio::select! {
            accepted = accept(&listener) => accepted,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        let Some(permit) = gate.admit(&permits, address) else { continue };
        // Before the handshake: without it Nagle and delayed acknowledgements cost 40 ms a TLS connection.
        if !is_nodelay_inherited && let Err(error) = stream.set_nodelay(true) {
            debug!(%address, %error, "the connection was gone at once");
            continue;
        }
        if gate.is_immediate() {
            let arrival = gate.let_in(Arrival::new(Stream::Plain(stream), address, gate.own));
            tokio::spawn(holding(permit, welcome(arrival)));
        } else {
            // Boxed, so that the handshake's large future is gone once the connection is up.
            let coming = Box::pin(Arc::clone(&gate).bring_in(stream, address));
            let welcome = welcome.clone();
            tokio::spawn(holding(permit, async move {
                if let Some(arrival) = coming.await {
                    welcome(arrival).await;
                }
            }));
        }
    }
    drop(listener);
    let all = u32::try_from(connections_max).unwrap_or(u32::MAX);
    if timeout(drain_time_max, permits.acquire_many(all)).await.is_err() {
        info!("connections were still open at the end");
    }
}

/// Linux gives an accepted connection the listener's own setting, which spares a system call each.
fn is_nodelay_inherited(listener: &TcpListener) -> bool {
    cfg!(target_os = "linux") && SockRef::from(listener).set_tcp_nodelay(true).is_ok()
}

async fn holding(permit: OwnedSemaphorePermit, running: impl Future<Output = ()>) {
    running.await;
    drop(permit);
}

async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    let mut pause = Duration::from_millis(10);
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            Err(error) if is_of_one_connection(&error) => {
                debug!(%error, "a connection was gone before it was accepted")
            }
            // No more sockets or memory: those that are open go on.
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

/// One listener's entrance and what it remembers.
struct Gate {
    entrance: Entrance,
    rates: ConnectRates,
    /// This end of all connections, where there is only one.
    own: Option<SocketAddr>,
}

impl Gate {
    /// Whether there is room, and the address has not connected too often; behind a proxy the latter is asked later.
    fn admit(&self, permits: &Arc<Semaphore>, address: SocketAddr) -> Option<OwnedSemaphorePermit> {
        let metrics = &self.entrance.metrics;
        let Ok(permit) = Arc::clone(permits).try_acquire_owned() else {
            DoorMetrics::count(&metrics.refused_full);
            debug!(%address, "refused: the listener has its greatest number of connections");
            return None;
        };
        (self.entrance.bounds.proxy_protocol || self.is_within_rate(address)).then_some(permit)
    }

    #[expect(clippy::disallowed_methods, reason = "a door reads the clock")]
    fn is_within_rate(&self, address: SocketAddr) -> bool {
        let is_within = self.rates.admit(address.ip(), Instant::now());
        if !is_within {
            DoorMetrics::count(&self.entrance.metrics.refused_rate);
            debug!(%address, "refused: the address connects too often");
        }
        is_within
    }

    /// Whether nothing is to be read before the application reads.
    fn is_immediate(&self) -> bool {
        self.entrance.tls.is_none() && !self.entrance.bounds.proxy_protocol
    }

    fn let_in(&self, arrival: Arrival) -> Arrival {
        DoorMetrics::count(&self.entrance.metrics.let_in);
        arrival
    }

    async fn bring_in(self: Arc<Self>, stream: TcpStream, address: SocketAddr) -> Option<Arrival> {
        let Entrance { bounds, tls, metrics } = &self.entrance;
        let mut refused =
            if bounds.proxy_protocol { &metrics.refused_proxy_header } else { &metrics.refused_handshake };
        let coming = async {
            let (stream, address) = if bounds.proxy_protocol {
                let (stream, address) = self.behind_proxy(stream, address).await?;
                refused = &metrics.refused_handshake;
                (stream, address)
            } else {
                (stream, address)
            };
            let stream = match tls {
                Some(config) => handshake(stream, address, Arc::clone(config)).await?,
                None => Stream::Plain(stream),
            };
            Ok(Arrival::new(stream, address, self.own))
        };
        let outcome = timeout(bounds.handshake_time_max, coming).await.unwrap_or(Err(Refused::TooLate));
        match outcome {
            Ok(arrival) => return Some(self.let_in(arrival)),
            // Counted and told where the rate was asked.
            Err(Refused::Rate) => {}
            Err(Refused::TooLate) => {
                DoorMetrics::count(refused);
                info!(%address, "refused: PROXY header or TLS handshake took too long");
            }
            Err(Refused::Told) => DoorMetrics::count(refused),
        }
        None
    }

    async fn behind_proxy(&self, mut stream: TcpStream, proxy: SocketAddr) -> Result<(TcpStream, SocketAddr), Refused> {
        let source = match read_proxy_header(&mut stream).await {
            Ok(source) => source,
            Err(ProxyError::Io(error)) => {
                debug!(%proxy, %error, "refused: the connection ended within the PROXY header");
                return Err(Refused::Told);
            }
            Err(ProxyError::Invalid(why)) => {
                info!(%proxy, %why, "refused: no valid PROXY header");
                return Err(Refused::Told);
            }
        };
        let address = source.unwrap_or(proxy);
        if self.is_within_rate(address) { Ok((stream, address)) } else { Err(Refused::Rate) }
    }
}

enum Refused {
    /// The reason is in the log already.
    Told,
    Rate,
    TooLate,
}

/// What TLS may hold back of either direction (ours; rustls's own default is 64 KB): the application's own bounds count
/// what waits, and an idle connection is to hold little.
const TLS_BUFFER_BYTES_MAX: usize = 16 * 1024;

async fn handshake(stream: TcpStream, address: SocketAddr, config: Arc<ServerConfig>) -> Result<Stream, Refused> {
    let bound = |connection: &mut rustls::ServerConnection| connection.set_buffer_limit(Some(TLS_BUFFER_BYTES_MAX));
    match TlsAcceptor::from(config).accept_with(stream, bound).await {
        Ok(stream) => Ok(Stream::Tls(Box::new(stream))),
        Err(error) => {
            info!(%address, why = %error, "TLS handshake refused");
            Err(Refused::Told)
        }
    }
}
