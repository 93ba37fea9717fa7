//! The port where everything is served: a client's ALPN name says what it wants (developer guide, protocols).

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use broker::{Broker, Connection, Identity, Peer};
use http_api::HttpApi;
use mqtt_listener::{ClientCertificate, TlsError, peer_certificate_id, run_connection, server_config};
use names::{Dialect, limits};
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tracing::{debug, info, warn};
use uuid::Uuid;

use crate::identity::ServerIdentity;

/// MQTT with a client certificate.
const MQTT_CERTIFICATE: &str = "x-amzn-mqtt-ca";
/// HTTPS with a client certificate.
const HTTP_CERTIFICATE: &str = "x-amzn-http-ca";
/// HTTPS with a signature; also what a client without ALPN gets.
const HTTP: &str = "http/1.1";

/// What stands behind the port.
#[derive(Clone)]
pub(crate) struct AlpnDoor {
    tls: Arc<ServerConfig>,
    broker: Arc<Broker>,
    api: Arc<HttpApi>,
}

impl AlpnDoor {
    pub(crate) fn new(identity: &ServerIdentity, broker: Arc<Broker>, api: Arc<HttpApi>) -> Result<Self, TlsError> {
        let protocols = [MQTT_CERTIFICATE, HTTP_CERTIFICATE, HTTP];
        let tls = server_config(&identity.chain_pem, &identity.key_pem, ClientCertificate::Optional, &protocols)?;
        Ok(Self { tls, broker, api })
    }

    /// Accepts connections until `stop` says so.
    pub(crate) async fn serve(self, listener: TcpListener, mut stop: watch::Receiver<bool>) {
        let permits = Arc::new(Semaphore::new(limits::CONNECTIONS_PER_LISTENER_MAX));
        loop {
            let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { break };
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                _ = stop.wait_for(|stop| *stop) => break,
            };
            match accepted {
                Ok((stream, address)) => {
                    let (door, stop) = (self.clone(), stop.clone());
                    tokio::spawn(async move {
                        let _permit = permit;
                        door.welcome(stream, address, stop).await;
                    });
                }
                Err(error) => {
                    warn!(%error, "cannot accept connections; trying again soon");
                    sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }

    async fn welcome(self, stream: TcpStream, address: SocketAddr, stop: watch::Receiver<bool>) {
        if let Err(error) = stream.set_nodelay(true) {
            return debug!(%address, %error, "the connection was gone at once");
        }
        let Some(stream) = Box::pin(self.handshake(stream, address)).await else { return };
        let protocol = stream.get_ref().1.alpn_protocol().map(<[u8]>::to_vec);
        if protocol.as_deref() != Some(MQTT_CERTIFICATE.as_bytes()) {
            return http_api::serve_connection(stream, self.api, false, address.ip(), stop).await;
        }
        let Some(id) = peer_certificate_id(stream.get_ref().1) else {
            return info!(%address, "refused: no client certificate");
        };
        let peer = Peer { identity: Identity::Certificate(id), source_ip: address.ip(), dialect: Dialect::Aws };
        run_connection(stream, Connection::new(self.broker, peer, Uuid::new_v4())).await;
    }

    async fn handshake(&self, stream: TcpStream, address: SocketAddr) -> Option<TlsStream<TcpStream>> {
        let limit = Duration::from_secs(limits::CONNECT_SECONDS_MAX);
        match timeout(limit, TlsAcceptor::from(Arc::clone(&self.tls)).accept(stream)).await {
            Ok(Ok(stream)) => return Some(stream),
            Ok(Err(error)) => info!(%address, why = %error, "TLS handshake refused"),
            Err(_) => info!(%address, "TLS handshake took too long"),
        }
        None
    }
}
