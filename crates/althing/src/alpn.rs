//! The port where everything is served: a client's ALPN name says what it wants (developer guide, protocols).

use std::sync::Arc;
use std::sync::atomic::Ordering;

use doorway::{Arrival, DoorMetrics};
use tokio::sync::watch;
use tracing::info;

/// MQTT with a client certificate.
const MQTT_CERTIFICATE: &str = "x-amzn-mqtt-ca";
/// HTTPS with a client certificate.
const HTTP_CERTIFICATE: &str = "x-amzn-http-ca";
/// HTTPS with a signature; also what a client without ALPN gets, and how WebSockets are opened.
const HTTP: &str = "http/1.1";
/// MQTT with a custom authorizer at AWS; with a user's name and password here.
const MQTT: &str = "mqtt";

/// The names that the port answers to, the most wanted first.
pub(crate) const PROTOCOLS: [&str; 4] = [MQTT_CERTIFICATE, HTTP_CERTIFICATE, HTTP, MQTT];

/// What stands behind the port.
#[derive(Clone)]
pub(crate) struct AlpnDoor {
    /// Refuses whom neither certificate nor password identifies.
    pub(crate) mqtt: mqtt_listener::Door,
    pub(crate) http: http_api::Door,
    pub(crate) metrics: Arc<DoorMetrics>,
}

impl AlpnDoor {
    /// Hands a connection to the door that its name asks for.
    pub(crate) async fn welcome(self, arrival: Arrival, stop: watch::Receiver<bool>) {
        let source = arrival.source;
        let refuse = |why: &str| {
            self.metrics.refused_protocol.fetch_add(1, Ordering::Relaxed);
            info!(address = %source, why, "refused");
        };
        let is_named = |name: &str| arrival.stream.alpn_protocol() == Some(name.as_bytes());
        if is_named(MQTT_CERTIFICATE) {
            match arrival.certificate {
                Some(_) => self.mqtt.welcome(arrival).await,
                None => refuse("the ALPN name x-amzn-mqtt-ca wants a client certificate"),
            }
        } else if is_named(MQTT) {
            if self.mqtt.log_ins.is_configured() {
                // A certificate shown along proves nothing here: the password does.
                self.mqtt.welcome(Arrival { certificate: None, ..arrival }).await;
            } else {
                refuse(
                    "the ALPN name mqtt is for custom authorizers, which are not served, \
                     or for user names and passwords: no [[users]] are configured",
                );
            }
        } else {
            self.http.welcome(arrival, stop).await;
        }
    }
}
