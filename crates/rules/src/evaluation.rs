//! One message on its way through one rule, and what its statement may ask about it.

use std::sync::Arc;

use message::{Message, PayloadFormat, Properties, TopicName};
use names::Timestamp;
use sql::{Input, ParsedPayload, PublishProperties};

/// A message that a rule's FROM matched.
pub(crate) struct Evaluation {
    pub(crate) message: Arc<Message>,
    /// Without the prefix of Basic Ingest.
    pub(crate) topic: String,
    /// When the rules engine took it.
    pub(crate) now: Timestamp,
    /// One for each rule and message.
    pub(crate) trace_id: String,
    ids: fn() -> String,
    parsed: ParsedPayload,
}

impl Evaluation {
    pub(crate) fn new(message: Arc<Message>, topic: String, now: Timestamp, ids: fn() -> String) -> Self {
        Self { message, topic, now, trace_id: ids(), ids, parsed: ParsedPayload::default() }
    }

    /// Shows the message to a statement or to templates. The payload that one of them has parsed is kept for the next.
    pub(crate) fn with_input<T>(&mut self, account_id: &str, look: impl FnOnce(&Input<'_>) -> T) -> T {
        let ids = self.ids;
        let (uuid, random) = (move || ids(), move || fraction(&ids()));
        let origin = &self.message.origin;
        let properties = self.message.properties.as_deref();
        let user_properties = properties.map(user_properties).unwrap_or_default();
        let properties = properties.map(|properties| publish_properties(properties, &user_properties));
        let input = Input {
            payload: &self.message.payload,
            topic: &self.topic,
            client_id: origin.client_id.as_deref(),
            principal: origin.principal.as_deref(),
            source_ip: origin.source_ip,
            timestamp_ms: self.now.as_millis(),
            account_id,
            trace_id: &self.trace_id,
            uuid: &uuid,
            random: &random,
            properties: properties.as_ref(),
            parsed: std::mem::take(&mut self.parsed),
        };
        let answer = look(&input);
        self.parsed = input.parsed;
        answer
    }
}

fn user_properties(properties: &Properties) -> Vec<(&str, &str)> {
    properties.user_properties.iter().map(|(name, value)| (&**name, &**value)).collect()
}

/// What statements may ask of a message's properties.
fn publish_properties<'a>(
    properties: &'a Properties,
    user_properties: &'a [(&'a str, &'a str)],
) -> PublishProperties<'a> {
    PublishProperties {
        content_type: properties.content_type.as_deref(),
        response_topic: properties.response_topic.as_ref().map(TopicName::as_str),
        correlation_data: properties.correlation_data.as_deref(),
        is_utf8: properties.payload_format == Some(PayloadFormat::Utf8),
        user_properties,
    }
}

/// A number from 0 to 1 out of a random id: the 48 bits of its first twelve hex digits, which are random in a UUID of
/// version 4 (RFC 9562, 5.4).
fn fraction(id: &str) -> f64 {
    let digits = id.chars().filter_map(|c| c.to_digit(16)).take(12);
    digits.fold((0.0, 1.0), |(sum, unit), digit| (sum + f64::from(digit) * unit / 16.0, unit / 16.0)).0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_give_numbers_below_one() {
        for (id, expected) in [
            ("00000000-0000-4000-8000-000000000000", 0.0),
            ("80000000-0000-4000-8000-000000000000", 0.5),
            ("40000000-0000-4fff-bfff-ffffffffffff", 0.25),
            ("", 0.0),
        ] {
            assert!((fraction(id) - expected).abs() < 1e-12, "{id}");
        }
        assert!(fraction("ffffffff-ffff-4fff-bfff-ffffffffffff") < 1.0);
    }
}
