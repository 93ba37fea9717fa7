//! A queued message as bytes. The first row starts with a header: format 1, stage 0, how many chunks there are, all bytes
//! of the body; then the delivery, then the message. What is left after a release is one row: format 1, stage 1, packet
//! id.

use std::sync::Arc;

use bytes::{BufMut, Bytes};
use message::{Message, QoS, TopicFilter};
use names::limits;

use crate::fields::{Fields, put_bytes, put_length};
use crate::message_value;
use crate::table::FORMAT;

/// A message as one session is to get it.
#[derive(Debug, Clone)]
pub struct QueuedMessage {
    /// What was published.
    pub message: Arc<Message>,
    /// The delivery's QoS.
    pub qos: QoS,
    /// The RETAIN flag that it will be sent with.
    pub retain: bool,
    /// The identifiers of the subscriptions that it matched [MQTT-3.3.4-3].
    pub subscription_ids: Vec<u32>,
    /// The share name and the inner filter, when it comes by a shared subscription.
    pub share: Option<(Arc<str>, TopicFilter)>,
}

/// What the first row of a queued message says without its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Row {
    /// Bytes of the values of all its rows.
    pub(crate) bytes: u32,
    /// Its rows.
    pub(crate) chunks: u16,
    /// The packet id of one that was released.
    pub(crate) released: Option<u16>,
}

const PUBLISH: u8 = 0;
const RELEASED: u8 = 1;
const HEADER_BYTES: usize = 8;
const FIRST_CHUNK_BYTES: usize = limits::STORE_VALUE_BYTES_MAX - HEADER_BYTES;

const QOS: u8 = 0b0011;
const RETAIN: u8 = 0b0100;
const SHARE: u8 = 0b1000;

impl QueuedMessage {
    /// Whether `other` is the same message in the same words, so that its body can be written again.
    pub(crate) fn has_same_body(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.message, &other.message)
            && (self.qos, self.retain) == (other.qos, other.retain)
            && self.subscription_ids == other.subscription_ids
            && self.share == other.share
    }

    /// The delivery and the message.
    pub(crate) fn body(&self) -> Vec<u8> {
        let message = &self.message;
        let mut out = Vec::with_capacity(message.topic.as_str().len() + message.payload.len() + 160);
        let flag = |is_set: bool, flag: u8| if is_set { flag } else { 0 };
        out.push(self.qos.bits() | flag(self.retain, RETAIN) | flag(self.share.is_some(), SHARE));
        put_length(&mut out, self.subscription_ids.len());
        self.subscription_ids.iter().for_each(|id| out.put_u32(*id));
        if let Some((name, filter)) = &self.share {
            put_bytes(&mut out, name.as_bytes());
            put_bytes(&mut out, filter.as_str().as_bytes());
        }
        message_value::encode(message, &mut out);
        out
    }

    /// From all bytes of a body.
    pub(crate) fn read(body: Bytes) -> Option<Self> {
        let mut fields = Fields::inner(body);
        let flags = fields.byte()?;
        let mut subscription_ids = Vec::new();
        for _ in 0..fields.length()? {
            subscription_ids.push(fields.u32()?);
        }
        let share = if flags & SHARE != 0 {
            let name = Arc::from(&*fields.text()?);
            Some((name, TopicFilter::new(&fields.text()?).ok()?))
        } else {
            None
        };
        Some(Self {
            message: Arc::new(message_value::decode(fields)?),
            qos: QoS::from_bits(flags & QOS)?,
            retain: flags & RETAIN != 0,
            subscription_ids,
            share,
        })
    }
}

impl Row {
    /// Of a body that is still to be written; none when it is too large for a queue.
    pub(crate) fn of_body(body: &[u8]) -> Option<Self> {
        if body.len() > limits::QUEUED_MESSAGE_BYTES_MAX {
            return None;
        }
        let further = body.len().saturating_sub(FIRST_CHUNK_BYTES).div_ceil(limits::STORE_VALUE_BYTES_MAX);
        let bytes = u32::try_from(HEADER_BYTES + body.len()).ok()?;
        Some(Self { bytes, chunks: u16::try_from(1 + further).ok()?, released: None })
    }

    /// Of a message that was released.
    pub(crate) fn of_released(packet_id: u16) -> Self {
        Self { bytes: 4, chunks: 1, released: Some(packet_id) }
    }

    /// From a first row; also what is in it of the body.
    pub(crate) fn read(value: impl Into<Bytes>) -> Option<(Self, Bytes)> {
        let mut fields = Fields::of(value, FORMAT)?;
        match fields.byte()? {
            PUBLISH => {
                let chunks = fields.u16()?;
                let bytes = fields.u32()?.checked_add(u32::try_from(HEADER_BYTES).ok()?)?;
                (chunks > 0).then(|| (Self { bytes, chunks, released: None }, fields.rest()))
            }
            RELEASED => Some((Self::of_released(fields.u16()?), Bytes::new())),
            _ => None,
        }
    }

    /// How long the body is.
    pub(crate) fn body_bytes(self) -> usize {
        usize::try_from(self.bytes).unwrap_or(usize::MAX).saturating_sub(HEADER_BYTES)
    }
}

/// The values of a body's rows, the first one with the header.
pub(crate) fn values(row: Row, body: &[u8]) -> impl Iterator<Item = Vec<u8>> + '_ {
    let (start, rest) = body.split_at(body.len().min(FIRST_CHUNK_BYTES));
    let mut first = Vec::with_capacity(HEADER_BYTES + start.len());
    first.extend_from_slice(&[FORMAT, PUBLISH]);
    first.put_u16(row.chunks);
    first.put_u32(u32::try_from(row.body_bytes()).unwrap_or(u32::MAX));
    first.extend_from_slice(start);
    std::iter::once(first).chain(rest.chunks(limits::STORE_VALUE_BYTES_MAX).map(<[u8]>::to_vec))
}

/// The value of what is left after a release.
pub(crate) fn released(packet_id: u16) -> Vec<u8> {
    let mut value = vec![FORMAT, RELEASED];
    value.put_u16(packet_id);
    value
}
