//! The topics that have a retained message, in pages: what each message is, without its payload.
//!
//! A page steps from topic to topic in the store and reads the first chunk of each; what is on its way to the disk
//! counts as if it were there.

use std::collections::BTreeMap;

use message::{Message, QoS, TopicName};
use names::Timestamp;
use store::StoreError;

use crate::retained::{PREFIX, Retained, read_header, topic_of};

/// A retained message without its payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetainedTopic {
    /// Where it was published.
    pub topic: TopicName,
    /// Length of its payload in bytes, never 0.
    pub payload_bytes: usize,
    /// The QoS that it was published at.
    pub qos: QoS,
    /// When the broker took it.
    pub received_at: Timestamp,
}

/// A page of topics with retained messages, in byte order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetainedPage {
    /// As many as were asked for, or fewer at the end.
    pub topics: Vec<RetainedTopic>,
    /// After which topic the next page begins; none when this is the last.
    pub next_after: Option<TopicName>,
}

/// The page of `limit` topics behind `after`.
pub(crate) fn page(
    retained: &Retained,
    after: Option<&TopicName>,
    limit: usize,
    now: Timestamp,
) -> Result<RetainedPage, StoreError> {
    // Taken before the store is read: what is committed in between is then seen there.
    let on_their_way = retained.on_their_way_after(after);
    let mut known: BTreeMap<String, RetainedTopic> =
        on_their_way.into_iter().map(|(topic, message)| (topic, summary(&message, now))).collect();
    let mut from = after.map_or_else(|| PREFIX.to_vec(), |after| behind(after.as_str()));
    let mut kept = 0;
    // One more than the page has: there are then so many up to the last one read, whatever is behind it.
    while kept <= limit {
        let Some(chunk) = retained.first_chunk(&from)? else { break };
        let Some(topic) = topic_of(&chunk.key) else {
            return Err(StoreError::Failed("the key of a retained message cannot be read".to_owned()));
        };
        from = behind(topic.as_str());
        let Some((header, _)) = read_header(&chunk.value) else {
            return Err(StoreError::Failed(format!("the retained message of '{topic}' cannot be read")));
        };
        if header.is_expired(now) {
            continue;
        }
        let entry = known.entry(topic.to_string()).or_insert(RetainedTopic {
            topic,
            payload_bytes: header.payload_bytes,
            qos: header.qos,
            received_at: header.received_at,
        });
        kept += usize::from(entry.payload_bytes > 0);
    }
    let mut topics: Vec<RetainedTopic> = known.into_values().filter(|topic| topic.payload_bytes > 0).collect();
    let has_more = topics.len() > limit;
    topics.truncate(limit);
    let next_after = topics.last().filter(|_| has_more).map(|last| last.topic.clone());
    Ok(RetainedPage { topics, next_after })
}

/// An empty payload on its way means that the topic's message is being removed, and counts as none; so does one whose
/// time is over.
fn summary(message: &Message, now: Timestamp) -> RetainedTopic {
    let Message { topic, payload, qos, received_at, .. } = message;
    let payload_bytes = if message.is_expired(now) { 0 } else { payload.len() };
    RetainedTopic { topic: topic.clone(), payload_bytes, qos: *qos, received_at: *received_at }
}

/// The first key behind all chunks of a topic.
fn behind(topic: &str) -> Vec<u8> {
    [PREFIX, topic.as_bytes(), &[1]].concat()
}
