//! ListRetainedMessages: the topics that have a retained message, in pages.

use message::TopicName;
use router::RetainedTopic;
use serde::{Deserialize, Serialize};

use crate::error::ApiError;
use crate::page;
use crate::services::Call;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Input {
    next_token: Option<String>,
    max_results: Option<u32>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Output {
    retained_topics: Vec<Summary>,
    next_token: Option<String>,
}

/// The time is in whole milliseconds and no timestamp of the model's.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    topic: String,
    payload_size: usize,
    qos: u8,
    last_modified_time: u64,
}

pub(super) fn run(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let after = input.next_token.as_deref().map(page::read_token).transpose()?.map(TopicName::new).transpose();
    let after = after.map_err(|_| ApiError::invalid("The pagination token is not valid."))?;
    let page = call.services.router.retained_topics(after.as_ref(), page::limit(input.max_results), call.now)?;
    let next_token = page::token(page.next_after.map(|topic| topic.to_string()));
    Ok(Output { retained_topics: page.topics.into_iter().map(Summary::from).collect(), next_token })
}

impl From<RetainedTopic> for Summary {
    fn from(retained: RetainedTopic) -> Self {
        Self {
            topic: retained.topic.to_string(),
            payload_size: retained.payload_bytes,
            qos: retained.qos.bits(),
            last_modified_time: retained.received_at.as_millis(),
        }
    }
}
