//! The session's own record, its will and the options of its subscriptions, as bytes.

use std::sync::Arc;

use bytes::{BufMut, Bytes};
use message::{Message, QoS, RetainHandling, SubscribeOptions};
use names::{ClientId, Dialect, Timestamp};

use crate::fields::Fields;
use crate::message_value;
use crate::session_id::SessionId;
use crate::table::FORMAT;

/// A session as it was found in the store.
#[derive(Debug, Clone)]
pub struct StoredSession {
    /// Which one of its client id.
    pub id: SessionId,
    /// The protocol level that it was made with: 4 is MQTT 3.1.1, 5 is MQTT 5.
    pub protocol_level: u8,
    /// How long it outlives its connection; `u32::MAX` is for ever [MQTT-3.1.2-11.2].
    pub expiry_seconds: u32,
    /// Whether it has a connection.
    pub presence: Presence,
    /// What is to be published when it has none any more.
    pub will: Option<StoredWill>,
}

/// Whether a session has a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// It has one, or had when the server ended.
    Connected,
    /// It has none.
    Disconnected {
        /// Since when; the expiry's clock runs from here.
        since: Timestamp,
    },
}

/// A will that waits.
#[derive(Debug, Clone)]
pub struct StoredWill {
    /// What is to be published; its origin says for whom.
    pub message: Arc<Message>,
    /// How long after the end of the connection (MQTT 5, 3.1.3.2.2); a session that ends earlier publishes it earlier.
    pub delay_seconds: u32,
}

impl StoredSession {
    /// When it ends; none while it is connected, and for one without an end.
    pub fn expires_at(&self) -> Option<Timestamp> {
        expires_at(self.presence, self.expiry_seconds)
    }

    /// Whether its time is over.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at().is_some_and(|at| at <= now)
    }
}

fn expires_at(presence: Presence, expiry_seconds: u32) -> Option<Timestamp> {
    match presence {
        Presence::Disconnected { since } if expiry_seconds != u32::MAX => Some(later(since, expiry_seconds)),
        _ => None,
    }
}

fn later(time: Timestamp, seconds: u32) -> Timestamp {
    Timestamp::from_millis(time.as_millis().saturating_add(u64::from(seconds) * 1000))
}

/// A session's record, without its will's message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SessionRow {
    pub(crate) id: SessionId,
    pub(crate) protocol_level: u8,
    pub(crate) expiry_seconds: u32,
    pub(crate) presence: Presence,
    /// The run of the server that it is connected to.
    pub(crate) run: u64,
    pub(crate) will: Option<WillRow>,
}

/// What a record says of the will.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WillRow {
    pub(crate) delay_seconds: u32,
    pub(crate) chunks: u16,
}

impl SessionRow {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = vec![FORMAT];
        out.put_u64(self.id.get());
        out.push(self.protocol_level);
        out.put_u32(self.expiry_seconds);
        match self.presence {
            Presence::Connected => {
                out.push(0);
                out.put_u64(self.run);
            }
            Presence::Disconnected { since } => {
                out.push(1);
                out.put_u64(since.as_millis());
            }
        }
        if let Some(will) = &self.will {
            out.put_u32(will.delay_seconds);
            out.put_u16(will.chunks);
        }
        out
    }

    pub(crate) fn read(value: Vec<u8>) -> Option<Self> {
        let mut fields = Fields::of(value, FORMAT)?;
        let id = SessionId::new(fields.u64()?);
        let (protocol_level, expiry_seconds) = (fields.byte()?, fields.u32()?);
        let (presence, run) = match (fields.byte()?, fields.u64()?) {
            (0, run) => (Presence::Connected, run),
            (1, since) => (Presence::Disconnected { since: Timestamp::from_millis(since) }, 0),
            _ => return None,
        };
        let rest = fields.rest();
        let mut fields = Fields::inner(rest.clone());
        let will = match rest.len() {
            0 => None,
            _ => Some(WillRow { delay_seconds: fields.u32()?, chunks: fields.u16()? }),
        };
        Some(Self { id, protocol_level, expiry_seconds, presence, run, will })
    }

    /// When something is to be done about it: its will, or its end.
    pub(crate) fn due_at(&self) -> Option<Timestamp> {
        let end = expires_at(self.presence, self.expiry_seconds);
        let will = match (self.presence, self.will) {
            (Presence::Disconnected { since }, Some(will)) => Some(later(since, will.delay_seconds)),
            _ => None,
        };
        end.into_iter().chain(will).min()
    }

    pub(crate) fn with_will(self, message: Option<Message>) -> StoredSession {
        let will = self.will.zip(message);
        StoredSession {
            id: self.id,
            protocol_level: self.protocol_level,
            expiry_seconds: self.expiry_seconds,
            presence: self.presence,
            will: will
                .map(|(row, message)| StoredWill { message: Arc::new(message), delay_seconds: row.delay_seconds }),
        }
    }
}

/// A will's message.
pub(crate) fn encode_will(message: &Message) -> Vec<u8> {
    let mut out = vec![FORMAT];
    message_value::encode(message, &mut out);
    out
}

/// From all chunks of a will.
pub(crate) fn read_will(value: Vec<u8>) -> Option<Message> {
    message_value::decode(Fields::of(value, FORMAT)?)
}

const NO_LOCAL: u8 = 0b0000_0100;
const RETAIN_AS_PUBLISHED: u8 = 0b0000_1000;
const DIALECT_MQTT: u8 = 0b0100_0000;

/// The options of a subscription, and the client id behind them in an index row.
pub(crate) fn encode_options(options: &SubscribeOptions, client_id: &str) -> Vec<u8> {
    let flag = |is_set: bool, flag: u8| if is_set { flag } else { 0 };
    let mut out = Vec::with_capacity(6 + client_id.len());
    out.push(FORMAT);
    out.push(
        options.qos.bits()
            | flag(options.no_local, NO_LOCAL)
            | flag(options.retain_as_published, RETAIN_AS_PUBLISHED)
            | (options.retain_handling.bits() << 4)
            | flag(options.dialect == Dialect::Mqtt, DIALECT_MQTT),
    );
    out.put_u32(options.subscription_id.unwrap_or_default());
    out.extend_from_slice(client_id.as_bytes());
    out
}

/// The options, and what stands behind them.
pub(crate) fn read_options(value: Vec<u8>) -> Option<(SubscribeOptions, Bytes)> {
    let mut fields = Fields::of(value, FORMAT)?;
    let flags = fields.byte()?;
    let subscription_id = fields.u32()?;
    let options = SubscribeOptions {
        qos: QoS::from_bits(flags & 3)?,
        no_local: flags & NO_LOCAL != 0,
        retain_as_published: flags & RETAIN_AS_PUBLISHED != 0,
        retain_handling: RetainHandling::from_bits((flags >> 4) & 3)?,
        subscription_id: (subscription_id > 0).then_some(subscription_id),
        dialect: if flags & DIALECT_MQTT != 0 { Dialect::Mqtt } else { Dialect::Aws },
    };
    Some((options, fields.rest()))
}

/// The client id that a value ends with.
pub(crate) fn read_client_id(bytes: &[u8]) -> Option<ClientId> {
    ClientId::new(std::str::from_utf8(bytes).ok()?).ok()
}

/// A client id as a value of its own.
pub(crate) fn encode_client_id(client_id: &ClientId) -> Vec<u8> {
    [&[FORMAT], client_id.as_str().as_bytes()].concat()
}

/// A client id that is a value of its own.
pub(crate) fn read_client_id_value(value: &[u8]) -> Option<ClientId> {
    read_client_id(value.strip_prefix(&[FORMAT])?)
}
