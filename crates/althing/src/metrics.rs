//! `/metrics`: the services' counters in the text format of Prometheus.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use broker::{Broker, BrokerMetrics};
use doorway::DoorMetrics;
use persistent_sessions::Totals;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use router::{Router, RouterMetrics};
use rules::Rules;
use shadows::ShadowService;
use store::FjallStore;

/// Everything that is counted anywhere in the house.
pub(crate) struct Metrics {
    registry: Registry,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Counter,
    Gauge,
}

type Read = Box<dyn Fn() -> u64 + Send + Sync>;

/// Reads atomics that belong to the services when somebody asks.
struct Rows(Vec<Row>);

/// One metric: its name, what it tells, and where its figure is.
type Row = (&'static str, &'static str, Kind, Source);

/// Where a figure is, or several that a label tells apart.
enum Source {
    One(Read),
    ByReason(Vec<(&'static str, Read)>),
}

impl std::fmt::Debug for Rows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, ..)| name)).finish()
    }
}

impl Metrics {
    pub(crate) fn new(
        broker: &Arc<Broker>,
        router: &Arc<Router>,
        rules: &Arc<Rules>,
        shadows: &Arc<ShadowService>,
        doors: &Arc<DoorMetrics>,
        store: &Arc<FjallStore>,
    ) -> Self {
        let mut rows = broker_rows(broker);
        rows.extend(router_rows(router));
        rows.push(dropped_row(broker, router));
        rows.extend(rules_rows(rules));
        rows.extend(shadows_rows(shadows));
        rows.extend(door_rows(doors));
        rows.push(store_row(store));
        let mut registry = Registry::with_prefix("althing");
        registry.register_collector(Box::new(Rows(rows)));
        Self { registry }
    }

    /// The text of `/metrics`.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        // Writing into a String does not fail.
        let _ = prometheus_client::encoding::text::encode(&mut text, &self.registry);
        text
    }
}

/// One line of the table below: name, help, kind, and the atomic to read.
macro_rules! row {
    ($owner:ident, $kind:ident, $name:literal, $help:literal, $($field:tt)+) => {{
        let owner = Arc::clone($owner);
        let read: Read = Box::new(move || load(&owner.metrics().$($field)+));
        ($name, $help, Kind::$kind, Source::One(read))
    }};
}

fn broker_rows(broker: &Arc<Broker>) -> Vec<Row> {
    vec![
        row!(broker, Gauge, "connections", "Clients connected now", connections),
        row!(broker, Counter, "connects_accepted", "Clients accepted", connects_accepted),
        row!(broker, Counter, "connects_refused", "Clients refused", connects_refused),
        row!(broker, Counter, "messages_received", "PUBLISH packets from clients", messages_received),
        row!(broker, Counter, "messages_sent", "PUBLISH packets to clients", messages_sent),
        row!(broker, Counter, "bytes_received", "Bytes of packets from clients", bytes_received),
        row!(broker, Counter, "bytes_sent", "Bytes of packets to clients", bytes_sent),
        row!(broker, Counter, "sessions_expired", "Stored sessions that ended with their time", sessions_expired),
        row!(broker, Counter, "authorization_denials", "Intents that policies refused", denials),
        row!(broker, Counter, "protocol_violations", "Connections closed for breaking the protocol", violations),
        row!(broker, Counter, "wills_published", "Wills published", wills),
    ]
}

fn router_rows(router: &Arc<Router>) -> Vec<Row> {
    let totals = |name, help, field: fn(Totals) -> u64| -> Row {
        let router = Arc::clone(router);
        (name, help, Kind::Gauge, Source::One(Box::new(move || field(router.sessions().totals()))))
    };
    let retained = Arc::clone(router);
    vec![
        row!(router, Gauge, "subscriptions", "Topic filters of connected subscribers", subscriptions),
        row!(router, Counter, "messages_routed", "Messages handed to the router", published),
        row!(router, Counter, "deliveries", "Copies put into mailboxes or on the disk", delivered),
        row!(router, Counter, "deliveries_queued", "Copies written to the disk for stored sessions", queued),
        row!(router, Counter, "subscribers_given_up", "Subscribers closed by a full mailbox", closed_mailbox_full),
        row!(
            router,
            Counter,
            "session_lookups_failed",
            "Messages refused as stored sessions were unreadable",
            failed_lookups
        ),
        totals("sessions", "Stored sessions, those of connected clients included", |totals| totals.sessions),
        totals("queued_messages", "Messages that wait in stored sessions, or are in flight", |totals| totals.messages),
        totals("queued_bytes", "Bytes of those messages", |totals| totals.bytes),
        (
            "retained_messages",
            "Topics that have a retained message",
            Kind::Gauge,
            Source::One(Box::new(move || retained.retained_count())),
        ),
    ]
}

/// Copies that nobody got, by reason.
fn dropped_row(broker: &Arc<Broker>, router: &Arc<Router>) -> Row {
    let of_router = |field: fn(&RouterMetrics) -> &AtomicU64| -> Read {
        let router = Arc::clone(router);
        Box::new(move || load(field(router.metrics())))
    };
    let of_broker = |field: fn(&BrokerMetrics) -> &AtomicU64| -> Read {
        let broker = Arc::clone(broker);
        Box::new(move || load(field(broker.metrics())))
    };
    let by_reason = vec![
        ("mailbox_full", of_router(|metrics| &metrics.dropped_mailbox_full)),
        ("queue_full", of_router(|metrics| &metrics.dropped_queue_full)),
        ("no_group_member", of_router(|metrics| &metrics.dropped_no_member)),
        ("expired", of_broker(|metrics| &metrics.dropped_expired)),
        ("too_large", of_broker(|metrics| &metrics.dropped_too_large)),
    ];
    ("deliveries_dropped", "Copies that nobody got", Kind::Counter, Source::ByReason(by_reason))
}

fn rules_rows(rules: &Arc<Rules>) -> Vec<Row> {
    vec![
        row!(rules, Counter, "rules_matched", "Messages that reached a rule", matched),
        row!(rules, Counter, "rule_actions_succeeded", "Actions performed", actions_succeeded),
        row!(rules, Counter, "rule_actions_failed", "Actions that failed", actions_failed),
        row!(rules, Counter, "rule_actions_denied", "Actions that the role does not allow", actions_denied),
        row!(rules, Counter, "rule_sql_failed", "Evaluations that failed", sql_failed),
        row!(rules, Counter, "rule_messages_let_go", "Messages not acted on while the outside did not answer", let_go),
    ]
}

fn shadows_rows(shadows: &Arc<ShadowService>) -> Vec<Row> {
    vec![
        row!(shadows, Counter, "shadow_requests_accepted", "Shadow requests that were done", accepted),
        row!(shadows, Counter, "shadow_requests_rejected", "Shadow requests that were refused", rejected),
        row!(shadows, Counter, "shadow_requests_throttled", "Shadow requests over a quota", throttled),
        row!(shadows, Counter, "shadow_requests_failed", "Shadow requests that the store failed", failed),
    ]
}

fn store_row(store: &Arc<FjallStore>) -> Row {
    let store = Arc::clone(store);
    let help = "1 after a write has failed: nothing more is written until the server is started again";
    ("store_broken", help, Kind::Gauge, Source::One(Box::new(move || u64::from(store.is_broken()))))
}

fn door_rows(doors: &Arc<DoorMetrics>) -> Vec<Row> {
    let row = |name, help, field: fn(&DoorMetrics) -> &AtomicU64| -> Row {
        let doors = Arc::clone(doors);
        (name, help, Kind::Counter, Source::One(Box::new(move || load(field(&doors)))))
    };
    vec![
        row("door_connections_let_in", "Connections handed to MQTT or HTTP", |doors| &doors.let_in),
        row("door_refused_full", "Connections over connections_max", |doors| &doors.refused_full),
        row("door_refused_rate", "Connections of addresses that connect too often", |doors| &doors.refused_rate),
        row("door_refused_proxy_header", "Connections without a valid PROXY header", |doors| {
            &doors.refused_proxy_header
        }),
        row("door_refused_handshake", "TLS handshakes that failed or took too long", |doors| &doors.refused_handshake),
        row("door_refused_protocol", "Connections whose ALPN name cannot be served", |doors| &doors.refused_protocol),
    ]
}

fn load(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

impl Collector for Rows {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        for (name, help, kind, source) in &self.0 {
            let metric_type = match kind {
                Kind::Counter => MetricType::Counter,
                Kind::Gauge => MetricType::Gauge,
            };
            let mut encoder = encoder.encode_descriptor(name, help, None, metric_type)?;
            match source {
                Source::One(read) => encode(*kind, read(), encoder)?,
                Source::ByReason(by_reason) => {
                    for (reason, read) in by_reason {
                        let labels = [("reason", *reason)];
                        encode(*kind, read(), encoder.encode_family(&labels)?)?;
                    }
                }
            }
        }
        Ok(())
    }
}

fn encode(kind: Kind, figure: u64, encoder: MetricEncoder<'_>) -> Result<(), std::fmt::Error> {
    match kind {
        Kind::Counter => ConstCounter::new(figure).encode(encoder),
        Kind::Gauge => ConstGauge::new(i64::try_from(figure).unwrap_or(i64::MAX)).encode(encoder),
    }
}
