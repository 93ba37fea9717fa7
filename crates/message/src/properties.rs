//! What MQTT 5 lets a publisher say beside the payload, and the server passes on unchanged (MQTT 5, 3.3.2.3).

use bytes::Bytes;
use bytestring::ByteString;

use crate::TopicName;

/// The properties that travel with a message from its publisher to its subscribers. Topic aliases and subscription
/// identifiers are not among them: those belong to one connection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Properties {
    /// What the publisher says of the payload; nobody checks it [MQTT-3.3.2-4].
    pub payload_format: Option<PayloadFormat>,
    /// Seconds after which nobody is to get the message any more, counted from its receipt; none is never
    /// [MQTT-3.3.2-5].
    pub expiry_seconds: Option<u32>,
    /// What the payload is, in the publisher's words [MQTT-3.3.2-20].
    pub content_type: Option<ByteString>,
    /// Where an answer is expected; no wildcards [MQTT-3.3.2-14].
    pub response_topic: Option<TopicName>,
    /// What pairs an answer with this request; any bytes [MQTT-3.3.2-16].
    pub correlation_data: Option<Bytes>,
    /// In the publisher's order, names may come again [MQTT-3.3.2-18].
    pub user_properties: Vec<(ByteString, ByteString)>,
}

/// Payload Format Indicator (MQTT 5, 3.3.2.3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum PayloadFormat {
    /// 0: any bytes.
    UnspecifiedBytes = 0,
    /// 1: UTF-8 text.
    Utf8 = 1,
}

impl PayloadFormat {
    /// From the byte on the wire; only two are known.
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::UnspecifiedBytes),
            1 => Some(Self::Utf8),
            _ => None,
        }
    }

    /// The byte on the wire.
    pub const fn byte(self) -> u8 {
        self as u8
    }
}

impl Properties {
    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// A copy that owns its bytes, for what is kept longer than the read buffer it came in.
    #[must_use]
    pub fn detached(&self) -> Self {
        let text = |text: &ByteString| ByteString::from(text.to_string());
        Self {
            payload_format: self.payload_format,
            expiry_seconds: self.expiry_seconds,
            content_type: self.content_type.as_ref().map(text),
            response_topic: self.response_topic.as_ref().map(TopicName::detached),
            correlation_data: self.correlation_data.as_ref().map(|data| Bytes::copy_from_slice(data)),
            user_properties: self.user_properties.iter().map(|(name, value)| (text(name), text(value))).collect(),
        }
    }

    /// About how many bytes of memory the texts and data take, for limits. A pair counts though it may be empty.
    pub fn bytes(&self) -> usize {
        let pair = |pair: &(ByteString, ByteString)| size_of_val(pair) + pair.0.len() + pair.1.len();
        self.content_type.as_ref().map_or(0, |text| text.len())
            + self.response_topic.as_ref().map_or(0, |topic| topic.as_str().len())
            + self.correlation_data.as_ref().map_or(0, Bytes::len)
            + self.user_properties.iter().map(pair).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_detached_copy_says_the_same_in_bytes_of_its_own() {
        let buffer = Bytes::from_static(b"contenttopicdatanamevalue");
        let text = |from, to| ByteString::try_from(buffer.slice(from..to)).expect("UTF-8");
        let properties = Properties {
            payload_format: Some(PayloadFormat::Utf8),
            expiry_seconds: Some(1),
            content_type: Some(text(0, 7)),
            response_topic: Some(TopicName::new(text(7, 12)).expect("a topic")),
            correlation_data: Some(buffer.slice(12..16)),
            user_properties: vec![(text(16, 20), text(20, 25))],
        };
        let detached = properties.detached();
        assert_eq!(detached, properties);
        assert_eq!(detached.bytes(), 25 + size_of::<(ByteString, ByteString)>());
        assert!(!detached.is_empty() && Properties::default().is_empty());
        let is_apart = |bytes: &[u8]| !buffer.as_ptr_range().contains(&bytes.as_ptr());
        let [(name, value)] = &detached.user_properties[..] else { panic!("one pair") };
        let response_topic = detached.response_topic.as_ref().map(TopicName::as_str).unwrap_or_default();
        for bytes in [name.as_bytes(), value.as_bytes(), response_topic.as_bytes()] {
            assert!(is_apart(bytes));
        }
        assert!(detached.content_type.is_some_and(|text| is_apart(text.as_bytes())));
        assert!(detached.correlation_data.is_some_and(|data| is_apart(&data)));
    }
}
