//! GetConnection: how a client is connected, or was until half an hour ago.

use std::net::IpAddr;

use broker::Identity;
use names::{ClientId, ThingName};
use serde::{Deserialize, Serialize};

use crate::error::ApiError;
use crate::services::Call;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Input {
    client_id: ClientId,
    #[serde(default)]
    include_socket_information: bool,
}

/// Times are in whole milliseconds and no timestamps of the model's.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Output {
    client_id: ClientId,
    connected: bool,
    thing_name: Option<ThingName>,
    clean_session: bool,
    #[serde(flatten)]
    socket: Option<Socket>,
    keep_alive_duration: u64,
    connected_since: Option<u64>,
    disconnected_since: Option<u64>,
    disconnect_reason: Option<&'static str>,
    session_expiry: u32,
}

/// Both ends of the connection, as far as the door knows them.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Socket {
    source_ip: IpAddr,
    source_port: Option<u16>,
    target_ip: Option<IpAddr>,
    target_port: Option<u16>,
}

pub(super) fn run(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let Input { client_id, include_socket_information } = input;
    let Some(info) = call.services.broker.connection(&client_id, call.now) else {
        let text = format!("No connection of the client '{client_id}' is known.");
        return Err(ApiError::named("ResourceNotFoundException", text));
    };
    let end = info.end();
    let peer = &info.peer;
    let thing_name = match &peer.identity {
        Identity::Certificate(id) => call.services.registry.exclusive_thing(id)?,
        _ => None,
    };
    let socket = include_socket_information.then(|| Socket {
        source_ip: peer.source_ip,
        source_port: peer.source_port,
        target_ip: peer.target.map(|target| target.ip()),
        target_port: peer.target.map(|target| target.port()),
    });
    Ok(Output {
        client_id,
        connected: end.is_none(),
        thing_name,
        // The model's word for a session that ends with its connection, in MQTT 5 too.
        clean_session: info.session_expiry_seconds == 0,
        socket,
        keep_alive_duration: info.keep_alive.map_or(0, |keep_alive| keep_alive.as_secs()),
        connected_since: end.is_none().then(|| info.connected_at.as_millis()),
        disconnected_since: end.map(|end| end.at.as_millis()),
        disconnect_reason: end.map(|end| end.reason.as_str()),
        session_expiry: end.map_or(info.session_expiry_seconds, |end| end.session_expiry_seconds),
    })
}
