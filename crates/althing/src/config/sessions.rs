//! `[sessions]`, `[quotas.aws]`, `[quotas.mqtt]` and `[sys_topics]`: what sessions may ask for, hold and hear.

use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;
use broker::DialectQuotas;
use names::{Dialect, limits};
use persistent_sessions::{QueueLimits, QueueOverflow};
use serde::Deserialize;
use session::Quotas;

/// `[sessions]`: what may wait for sessions that outlive their connections.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct SessionsConfig {
    queued_messages_max: Option<u64>,
    queued_bytes_max: Option<u64>,
    all_queued_messages_max: Option<u64>,
    all_queued_bytes_max: Option<u64>,
    overflow: Option<Overflow>,
}

/// Which message goes when a queue is full.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Overflow {
    DropNewest,
    DropOldest,
}

/// `[quotas]`: a table a dialect.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct QuotasConfig {
    aws: DialectFile,
    mqtt: DialectFile,
}

/// What differs from the dialect's own quotas.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct DialectFile {
    client_id_bytes_max: Option<usize>,
    packet_bytes_max: Option<usize>,
    payload_bytes_max: Option<usize>,
    topic_bytes_max: Option<usize>,
    topic_slashes_max: Option<usize>,
    filters_per_subscribe_max: Option<usize>,
    subscriptions_max: Option<usize>,
    receive_max: Option<u16>,
    send_max: Option<u16>,
    topic_alias_max: Option<u16>,
    session_expiry_seconds_max: Option<u32>,
    message_expiry_seconds_max: Option<u32>,
}

/// `[sys_topics]`: how often the `$SYS` topics are told.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct SysTopicsConfig {
    seconds: u64,
}

impl Default for SysTopicsConfig {
    fn default() -> Self {
        Self { seconds: limits::SYS_TOPICS_SECONDS }
    }
}

impl SysTopicsConfig {
    /// None when they are off.
    pub(crate) fn period(self) -> Option<Duration> {
        (self.seconds > 0).then(|| Duration::from_secs(self.seconds))
    }
}

impl SessionsConfig {
    pub(crate) fn limits(&self) -> QueueLimits {
        let own = QueueLimits::default();
        QueueLimits {
            messages_max: self.queued_messages_max.unwrap_or(own.messages_max),
            bytes_max: self.queued_bytes_max.unwrap_or(own.bytes_max),
            all_messages_max: self.all_queued_messages_max.unwrap_or(own.all_messages_max),
            all_bytes_max: self.all_queued_bytes_max.unwrap_or(own.all_bytes_max),
            overflow: match self.overflow {
                Some(Overflow::DropNewest) => QueueOverflow::DropNewest,
                Some(Overflow::DropOldest) => QueueOverflow::DropOldest,
                None => own.overflow,
            },
        }
    }
}

impl QuotasConfig {
    pub(crate) fn resolve(&self) -> anyhow::Result<DialectQuotas> {
        Ok(DialectQuotas {
            aws: Arc::new(self.aws.over(Quotas::of(Dialect::Aws), "aws")?),
            mqtt: Arc::new(self.mqtt.over(Quotas::of(Dialect::Mqtt), "mqtt")?),
        })
    }
}

impl DialectFile {
    fn over(&self, own: Quotas, dialect: &str) -> anyhow::Result<Quotas> {
        let quotas = Quotas {
            client_id_bytes_max: self.client_id_bytes_max.unwrap_or(own.client_id_bytes_max),
            packet_bytes_max: self.packet_bytes_max.unwrap_or(own.packet_bytes_max),
            payload_bytes_max: self.payload_bytes_max.unwrap_or(own.payload_bytes_max),
            topic_bytes_max: self.topic_bytes_max.unwrap_or(own.topic_bytes_max),
            topic_slashes_max: self.topic_slashes_max.unwrap_or(own.topic_slashes_max),
            filters_per_subscribe_max: self.filters_per_subscribe_max.unwrap_or(own.filters_per_subscribe_max),
            subscriptions_max: self.subscriptions_max.unwrap_or(own.subscriptions_max),
            receive_max: self.receive_max.unwrap_or(own.receive_max),
            send_max: self.send_max.unwrap_or(own.send_max),
            topic_alias_max: self.topic_alias_max.unwrap_or(own.topic_alias_max),
            session_expiry_seconds_max: self.session_expiry_seconds_max.unwrap_or(own.session_expiry_seconds_max),
            message_expiry_seconds_max: self.message_expiry_seconds_max.unwrap_or(own.message_expiry_seconds_max),
            ..own
        };
        let check = |key: &str, value: usize, min: usize, max: usize| {
            if (min..=max).contains(&value) {
                return Ok(());
            }
            bail!("[quotas.{dialect}] {key} is {value}: give {min} to {max}")
        };
        check("packet_bytes_max", quotas.packet_bytes_max, PACKET_BYTES_MIN, limits::MQTT_REMAINING_LENGTH_MAX)?;
        check("receive_max", quotas.receive_max.into(), 1, usize::from(u16::MAX))?;
        check("send_max", quotas.send_max.into(), 1, usize::from(limits::SEND_MAX_MAX))?;
        Ok(quotas)
    }
}

/// Below this a CONNECT that was accepted would be larger than what may follow it.
const PACKET_BYTES_MIN: usize = 512;
