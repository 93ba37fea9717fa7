//! DeleteConnection: a client is disconnected, and loses its session when that is asked for.

use names::ClientId;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::data::waiting;
use crate::error::ApiError;
use crate::services::Call;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Input {
    client_id: ClientId,
    #[serde(default)]
    clean_session: bool,
    #[serde(default)]
    prevent_will_message: bool,
}

pub(super) fn run(call: &Call<'_>, input: Input) -> Result<Value, ApiError> {
    let Input { client_id, clean_session, prevent_will_message } = input;
    let ending = call.services.broker.end_connection(&client_id, prevent_will_message, clean_session, call.now);
    if waiting::wait(ending)?? {
        return Ok(json!({}));
    }
    Err(ApiError::named("ResourceNotFoundException", format!("The client '{client_id}' is not connected.")))
}
