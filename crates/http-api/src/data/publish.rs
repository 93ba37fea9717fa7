//! Publish: a message from a caller of the API to all subscribers. A retained one is durable before the answer.

use broker::PublishRequest;
use bytes::Bytes;
use message::QoS;
use serde::Deserialize;
use serde_json::json;

use crate::data::properties::PropertyMembers;
use crate::data::topic;
use crate::error::ApiError;
use crate::services::{Call, Permissions};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Input {
    topic: String,
    qos: Option<u8>,
    #[serde(default)]
    retain: bool,
    #[serde(flatten)]
    properties: PropertyMembers,
}

pub(super) fn permission(call: &Call<'_>, input: &Input) -> Permissions {
    let topic = call.services.arns.topic(&input.topic);
    let retain = input.retain.then(|| ("iot:RetainPublish", topic.clone()));
    std::iter::once(("iot:Publish", topic)).chain(retain).collect()
}

pub(super) fn run(call: &Call<'_>, input: Input, payload: &Bytes) -> Result<Bytes, ApiError> {
    let qos = QoS::from_bits(input.qos.unwrap_or_default());
    let qos = qos.ok_or_else(|| ApiError::invalid("The QoS is neither 0 nor 1."))?;
    let (topic, properties) = (topic::read(input.topic)?, input.properties.read()?);
    let request = PublishRequest { topic, payload: payload.clone(), qos, retain: input.retain, properties };
    call.services.broker.publish_as(&call.as_publisher(), request, call.now)?.wait()?;
    Ok(Bytes::from(json!({ "message": "OK", "traceId": call.request_id }).to_string()))
}
