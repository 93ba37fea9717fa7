//! The door to the broker: says who a client is, and runs its connection.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use broker::{Broker, Connection, Identity, Peer};
use bytes::{Bytes, BytesMut};
use doorway::Arrival;
use names::{Dialect, limits};
use tokio::time::{Instant, timeout};
use tracing::info;

use crate::connection_task::{Terms, run_connection};
use crate::log_in::{LogIns, Unidentified};
use crate::session_id;
use crate::transport::Transport;
use crate::websocket::WebSocket;

/// What stands behind a listening socket that speaks MQTT.
#[derive(Clone)]
pub struct Door {
    /// Shared by all connections.
    pub broker: Arc<Broker>,
    /// Shared by all doors.
    pub log_ins: Arc<LogIns>,
    /// What this listener speaks.
    pub dialect: Dialect,
    /// Who comes in without a certificate.
    pub unidentified: Unidentified,
    /// A client that has not sent CONNECT by then, its password checked, is let go.
    pub connect_time_max: Duration,
}

impl Door {
    /// A door with the default time for CONNECT.
    pub fn new(broker: Arc<Broker>, log_ins: Arc<LogIns>, dialect: Dialect, unidentified: Unidentified) -> Self {
        let connect_time_max = Duration::from_secs(limits::CONNECT_SECONDS_MAX);
        Self { broker, log_ins, dialect, unidentified, connect_time_max }
    }

    /// Runs a connection of TCP or TLS to its end.
    pub fn welcome(self, arrival: Arrival) -> Running {
        let Arrival { stream, source, target, certificate } = arrival;
        let identity = certificate.map_or(Identity::Anonymous, Identity::Certificate);
        let (source_ip, source_port) = (source.ip(), Some(source.port()));
        let peer = Peer { identity, source_ip, source_port, target, dialect: self.dialect };
        self.run(stream, peer)
    }

    /// Runs a WebSocket to its end. Its opening handshake is done, `read_ahead` was read with it, and `peer` is who
    /// asked for it; one whose request was signed has a greatest age.
    pub async fn welcome_websocket(
        self,
        stream: doorway::Stream,
        read_ahead: Bytes,
        peer: Peer,
        age_max: Option<Duration>,
    ) {
        let stream = WebSocket::new(stream, read_ahead, age_max).await;
        self.run(stream, peer).await;
    }

    /// The future of a connection is what it costs while it is idle: it is made here once, of its own size, and not
    /// moved from one into another.
    fn run(self, stream: impl Transport + Send + 'static, peer: Peer) -> Running {
        let is_open = peer.identity == Identity::Anonymous;
        if is_open && (self.log_ins.is_configured() || self.unidentified == Unidentified::Refused) {
            return Box::pin(self.log_in_and_run(stream, peer));
        }
        let terms = Terms { input: BytesMut::new(), connect_time_max: self.connect_time_max };
        let connection = Connection::new(self.broker, peer, session_id::next());
        Box::pin(run_connection(stream, connection, terms))
    }

    async fn log_in_and_run(self, mut stream: impl Transport + Send + 'static, mut peer: Peer) {
        let mut input = BytesMut::new();
        let started = Instant::now();
        let identifying = self.log_ins.identify(&mut stream, &mut input, self.unidentified);
        match Box::pin(timeout(self.connect_time_max, identifying)).await {
            Ok(Some(identity)) => peer.identity = identity,
            Ok(None) => return,
            Err(_) => return info!(source_ip = %peer.source_ip, "no CONNECT in time"),
        }
        let connect_time_max = self.connect_time_max.saturating_sub(started.elapsed());
        let connection = Connection::new(self.broker, peer, session_id::next());
        Box::pin(run_connection(stream, connection, Terms { input, connect_time_max })).await;
    }
}

/// A connection on its way to its end.
pub type Running = Pin<Box<dyn Future<Output = ()> + Send>>;
