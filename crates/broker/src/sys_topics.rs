//! `$SYS` topics: what the server counts, told to whoever subscribes, as MQTT brokers have done by custom. Topics are
//! named as Mosquitto names them, so that dashboards which know those work.
//!
//! They are published at QoS 0 and not retained: a new subscriber waits for one period at most, and nothing is written
//! to the disk.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use message::{Message, Origin, QoS, TopicName};
use names::Timestamp;

use crate::clients::Broker;

impl Broker {
    /// Publishes the `$SYS` topics every `period` until the future is dropped. `clock` is read once a round.
    pub async fn publish_sys_topics(
        self: Arc<Self>,
        period: Duration,
        version: &'static str,
        clock: impl Fn() -> Timestamp + Send,
    ) {
        let started = clock();
        let origin = Arc::new(Origin::default());
        loop {
            tokio::time::sleep(period).await;
            let now = clock();
            let mut publisher = self.router().publisher();
            for (name, value) in self.sys_topics(version, started, now) {
                let Ok(topic) = TopicName::new(format!("$SYS/broker/{name}")) else { continue };
                let (payload, origin) = (Bytes::from(value), Arc::clone(&origin));
                let qos = QoS::AtMostOnce;
                let message =
                    Message { topic, payload, qos, retain: false, properties: None, received_at: now, origin };
                let _ = publisher.publish_once(message); // not retained: there is nothing to wait for
            }
        }
    }

    fn sys_topics(&self, version: &str, started: Timestamp, now: Timestamp) -> Vec<(&'static str, String)> {
        let (broker, router, totals) = (self.metrics(), self.router().metrics(), self.router().sessions().totals());
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let connected = load(&broker.connections);
        let dropped = [
            &router.dropped_mailbox_full,
            &router.dropped_queue_full,
            &router.dropped_no_member,
            &broker.dropped_expired,
            &broker.dropped_too_large,
        ];
        let uptime_seconds = now.as_millis().saturating_sub(started.as_millis()) / 1000;
        let figures = [
            ("clients/connected", connected),
            ("clients/disconnected", totals.sessions.saturating_sub(load(&broker.stored_connections))),
            ("clients/expired", load(&broker.sessions_expired)),
            ("messages/received", load(&broker.messages_received)),
            ("messages/sent", load(&broker.messages_sent)),
            ("messages/stored", totals.messages),
            ("store/messages/bytes", totals.bytes),
            ("publish/messages/dropped", dropped.into_iter().map(load).sum()),
            ("bytes/received", load(&broker.bytes_received)),
            ("bytes/sent", load(&broker.bytes_sent)),
            ("subscriptions/count", load(&router.subscriptions)),
            ("retained messages/count", self.router().retained_count()),
        ];
        let texts = [("version", format!("althing {version}")), ("uptime", format!("{uptime_seconds} seconds"))];
        texts.into_iter().chain(figures.map(|(name, figure)| (name, figure.to_string()))).collect()
    }
}
