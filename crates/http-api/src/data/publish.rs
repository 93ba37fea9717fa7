//! Publish: a message from a caller of the API to all subscribers. A retained one is durable before the answer.

use std::sync::Arc;

use broker::{Caller, PublishRequest};
use bytes::Bytes;
use message::QoS;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::data::topic;
use crate::error::ApiError;
use crate::services::Call;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Input {
    topic: String,
    qos: Option<u8>,
    #[serde(default)]
    retain: bool,
    content_type: Option<Value>,
    correlation_data: Option<Value>,
    message_expiry: Option<Value>,
    payload_format_indicator: Option<Value>,
    response_topic: Option<Value>,
    user_properties: Option<Value>,
}

pub(super) fn run(call: &Call<'_>, input: Input, payload: &Bytes) -> Result<Bytes, ApiError> {
    if let Some(member) = input.property() {
        return Err(ApiError::not_implemented(format_args!("The member {member} of Publish")));
    }
    let qos = QoS::from_bits(input.qos.unwrap_or_default());
    let qos = qos.ok_or_else(|| ApiError::invalid("The QoS is neither 0 nor 1."))?;
    let (topic, payload, retain) = (topic::read(input.topic)?, payload.clone(), input.retain);
    let request = PublishRequest { topic, payload, qos, retain, properties: None };
    let caller = Caller { principal: Arc::from(call.caller.user_id.as_str()), source_ip: call.source_ip };
    call.services.broker.publish_as(&caller, request, call.now)?.wait()?;
    Ok(Bytes::from(json!({ "message": "OK", "traceId": call.request_id }).to_string()))
}

impl Input {
    /// A property of MQTT 5 that was given. Messages have none yet, and none is to be lost in silence.
    fn property(&self) -> Option<&'static str> {
        let properties = [
            ("contentType", &self.content_type),
            ("correlationData", &self.correlation_data),
            ("messageExpiry", &self.message_expiry),
            ("payloadFormatIndicator", &self.payload_format_indicator),
            ("responseTopic", &self.response_topic),
            ("userProperties", &self.user_properties),
        ];
        properties.into_iter().find_map(|(name, value)| value.as_ref().map(|_| name))
    }
}
