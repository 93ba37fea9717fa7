//! GetRetainedMessage: a topic's retained message, payload and all.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use crate::data::{properties, topic};
use crate::error::ApiError;
use crate::services::Call;

#[derive(Deserialize)]
pub(super) struct Input {
    topic: String,
}

/// The time is in whole milliseconds and no timestamp of the model's.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Output {
    topic: String,
    payload: String,
    qos: u8,
    last_modified_time: u64,
    user_properties: Option<String>,
}

pub(super) fn run(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let topic = topic::read(input.topic)?;
    let Some(message) = call.services.router.retained_message(&topic, call.now)? else {
        let text = format!("No retained message exists for the topic '{topic}'.");
        return Err(ApiError::named("ResourceNotFoundException", text));
    };
    Ok(Output {
        topic: topic.to_string(),
        payload: STANDARD.encode(&message.payload),
        qos: message.qos.bits(),
        last_modified_time: message.received_at.as_millis(),
        user_properties: message.properties.as_deref().and_then(properties::user_properties_blob),
    })
}
