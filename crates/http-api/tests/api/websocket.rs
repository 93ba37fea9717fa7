//! The opening handshake of a WebSocket: who gets it, and what the connection is then.

use crate::world::{Ask, Reply, World};

const HANDSHAKE: &str = "upgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-protocol: mqtt\r\n\
                         sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/// A handshake, signed in its header by `change`d particulars.
fn signed(world: &World, change: impl FnOnce(&mut Ask)) -> String {
    let mut ask = Ask::new("GET", "/mqtt", "");
    ask.service = "iotdevicegateway";
    change(&mut ask);
    let request = String::from_utf8(ask.signed(&world.address)).unwrap();
    request.replace("connection: close\r\n", &format!("connection: Upgrade\r\n{HANDSHAKE}"))
}

fn unsigned(more: &str) -> String {
    format!("GET /mqtt HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\n{HANDSHAKE}{more}\r\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signed_connection_is_handed_over_with_what_was_read_ahead() {
    let world = World::start().await;
    let request = signed(&world, |_| {});
    let Reply { status, body, .. } = world.send_bytes(&[request.as_bytes(), b"ping"].concat()).await;
    assert_eq!(status, 101);
    assert_eq!(body, "IAM principal 123456789012 Some(86400s) ping");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_answer_is_the_one_of_the_standard() {
    let world = World::start().await;
    let reply = world.send_bytes(&[signed(&world, |_| {}).as_bytes(), b"ping"].concat()).await;
    for (name, value) in [
        ("upgrade", "websocket"),
        ("connection", "Upgrade"),
        ("sec-websocket-protocol", "mqtt"),
        ("sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), // RFC 6455, 1.3
    ] {
        assert_eq!(reply.header(name), value, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_in_the_words_of_aws() {
    let world = World::start().await;
    let close = |request: String| request.replace("connection: Upgrade", "connection: close, Upgrade");
    let check = async |request: String, status: u16, name: &str, message: &str| {
        world.send_bytes(close(request).as_bytes()).await.refused(status, name, message);
    };
    check(unsigned(""), 403, "MissingAuthenticationTokenException", "Missing Authentication Token").await;
    let another_service = signed(&world, |ask| ask.service = "iotdata");
    check(another_service, 403, "InvalidSignatureException", "scoped to correct service: 'iotdevicegateway'").await;
    let another_region = signed(&world, |ask| ask.region = "eu-north-1");
    check(another_region, 403, "InvalidSignatureException", "scoped to a valid region: 'us-east-1'").await;
    let another_secret = signed(&world, |ask| ask.secret = "guessed");
    check(another_secret, 403, "InvalidSignatureException", "does not match the signature you provided").await;
    let another_key = signed(&world, |ask| ask.key_id = "AKIDNOBODY");
    check(another_key, 403, "UnrecognizedClientException", "The security token included in the request is invalid")
        .await;
    let late = signed(&world, |ask| ask.clock_skew_seconds = -1000);
    check(late, 403, "InvalidSignatureException", "Signature expired").await;
    let without_protocol = signed(&world, |_| {}).replace("sec-websocket-protocol: mqtt\r\n", "");
    check(without_protocol, 400, "InvalidRequestException", "[MQTT-6.0.0-3]").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_request_is_told_to_upgrade() {
    let world = World::start().await;
    let reply = world.send_bytes(b"GET /mqtt HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    assert_eq!(
        (reply.status, reply.header("upgrade"), reply.header("sec-websocket-version")),
        (426, "websocket", "13")
    );
}
