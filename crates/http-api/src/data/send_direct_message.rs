//! SendDirectMessage: a message to one connected client, whatever it is subscribed to, and on demand the wait for its
//! acknowledgement.

use std::time::Duration;

use broker::PublishRequest;
use bytes::Bytes;
use message::QoS;
use names::{ClientId, limits};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::oneshot;

use crate::data::properties::PropertyMembers;
use crate::data::{topic, waiting};
use crate::error::ApiError;
use crate::services::Call;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Input {
    client_id: ClientId,
    topic: String,
    #[serde(default)]
    confirmation: bool,
    /// In seconds; only looked at when there is something to wait for.
    timeout: Option<i64>,
    #[serde(flatten)]
    properties: PropertyMembers,
}

pub(super) fn run(call: &Call<'_>, input: Input, payload: &Bytes) -> Result<Bytes, ApiError> {
    let Input { client_id, topic, confirmation, timeout, properties } = input;
    let (topic, properties) = (topic::read(topic)?, properties.read()?);
    let patience = if confirmation { Some(patience(timeout)?) } else { None };
    let qos = if confirmation { QoS::AtLeastOnce } else { QoS::AtMostOnce };
    let request = PublishRequest { topic, payload: payload.clone(), qos, retain: false, properties };
    let confirmed = call.services.broker.send_as(&call.as_publisher(), &client_id, request, call.now)?;
    if let Some(patience) = patience {
        wait_for(confirmed, patience, &client_id)?;
    }
    Ok(Bytes::from(json!({ "message": "OK", "traceId": call.request_id }).to_string()))
}

/// AWS IoT API reference, SendDirectMessage: 1 to 15 seconds.
fn patience(timeout: Option<i64>) -> Result<Duration, ApiError> {
    let Some(asked) = timeout else { return Ok(Duration::from_secs(limits::DIRECT_MESSAGE_SECONDS_DEFAULT)) };
    let max = limits::DIRECT_MESSAGE_SECONDS_MAX;
    let seconds = u64::try_from(asked).ok().filter(|seconds| (1..=max).contains(seconds));
    let refusal = || ApiError::invalid(format!("Value '{asked}' at 'timeout' is not from 1 to {max}."));
    seconds.map(Duration::from_secs).ok_or_else(refusal)
}

fn wait_for(confirmed: oneshot::Receiver<()>, patience: Duration, client_id: &ClientId) -> Result<(), ApiError> {
    let late = |how: &str| {
        let text = format!("The client '{client_id}' did not acknowledge the message {how}.");
        Err(ApiError::named("GatewayTimeoutException", text))
    };
    match waiting::wait(async { tokio::time::timeout(patience, confirmed).await })? {
        Ok(Ok(())) => Ok(()),
        // It is known already that nothing will come.
        Ok(Err(_)) => late("before its connection ended or the message was dropped"),
        Err(_) => late(&format!("within {} seconds", patience.as_secs())),
    }
}
