//! Before any operation: signatures, routes, bodies, health and the way out.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::world::{Ask, World};

#[tokio::test(flavor = "multi_thread")]
async fn only_signed_requests_pass() {
    let world = World::start().await;
    world.ask("GET", "/things", "").await.ok();
    let unsigned = world.send_bytes(b"GET /things HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    unsigned.refused(403, "MissingAuthenticationTokenException", "Missing Authentication Token");
    assert_eq!(unsigned.header("x-amzn-requestid").len(), 36);
    let ask = || Ask::new("GET", "/things", "");
    let wrong_secret = world.send(&Ask { secret: "other", ..ask() }).await;
    wrong_secret.refused(403, "InvalidSignatureException", "The request signature we calculated does not match");
    let unknown_key = world.send(&Ask { key_id: "AKIDNOBODY0000000000", ..ask() }).await;
    unknown_key.refused(403, "UnrecognizedClientException", "The security token included in the request is invalid.");
    let late = world.send(&Ask { clock_skew_seconds: -1000, ..ask() }).await;
    late.refused(403, "InvalidSignatureException", "Signature expired");
    let early = world.send(&Ask { clock_skew_seconds: 1000, ..ask() }).await;
    early.refused(403, "InvalidSignatureException", "Signature not yet current");
    let elsewhere = world.send(&Ask { region: "eu-west-1", ..ask() }).await;
    elsewhere.refused(403, "InvalidSignatureException", "scoped to a valid region");
    let other_service = world.send(&Ask { service: "s3", ..ask() }).await;
    other_service.refused(403, "InvalidSignatureException", "scoped to correct service");
    for service in ["execute-api", "iotdata", "iotdevicegateway", "iot-jobs-data"] {
        world.send(&Ask { service, ..ask() }).await.ok();
    }
    let signed = String::from_utf8(Ask::new("POST", "/things/lamp", "{}").signed(&world.address)).unwrap();
    let tampered = world.send_bytes(signed.replace("/things/lamp", "/things/lamb").as_bytes()).await;
    tampered.refused(403, "InvalidSignatureException", "does not match");
    let other_body = world.send_bytes(signed.replace("\r\n\r\n{}", "\r\n\r\n[]").as_bytes()).await;
    other_body.refused(403, "InvalidSignatureException", "does not match");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_served_says_so() {
    let world = World::start().await;
    let jobs = world.ask("GET", "/jobs", "").await;
    jobs.refused(501, "NotImplementedException", "The operation ListJobs is not implemented by Althing.");
    world.ask("GET", "/nowhere", "").await.refused(404, "UnknownOperationException", "path");
    world.ask("PUT", "/things", "").await.refused(405, "MethodNotAllowedException", "PUT");
}

/// API reference: DescribeJobExecution and others stand in the control plane and in the jobs data plane.
#[tokio::test(flavor = "multi_thread")]
async fn the_credential_scope_decides_between_shared_routes() {
    let world = World::start().await;
    let check = async |service, expected: &str| {
        let reply = world.send(&Ask { service, ..Ask::new("GET", "/things/t/jobs", "") }).await;
        reply.refused(501, "NotImplementedException", expected);
    };
    check("iot", "ListJobExecutionsForThing").await;
    check("iot-jobs-data", "GetPendingJobExecutions").await;
    check("iotdata", "ListJobExecutionsForThing").await;
    let mut ask = Ask { service: "iotdata", ..Ask::new("GET", "/things/t/jobs", "") };
    ask.headers.push(("accept", "*/*".to_owned()));
    let reply = world.send_bytes(&ask.signed("data.jobs.iot.us-east-1.amazonaws.com")).await;
    reply.refused(501, "NotImplementedException", "GetPendingJobExecutions");
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_are_bounded_and_the_server_lives_on() {
    let world = World::start().await;
    let at_limit = world.ask("POST", "/things/lamp", &" ".repeat(1_048_576)).await;
    at_limit.ok();
    for bytes in [1_048_577, 2_000_000, 7_000_000] {
        let reply = world.ask("POST", "/things/lamp", &" ".repeat(bytes)).await;
        reply.refused(413, "RequestEntityTooLargeException", "longer than 1048576 bytes");
    }
    let deep = "[".repeat(10_000) + &"]".repeat(10_000);
    let reply = world.ask("POST", "/things/lamp", &format!("{{\"attributePayload\":{deep}}}")).await;
    reply.refused(400, "SerializationException", "nested deeper than 100 levels");
    let reply = world.ask("POST", "/things/lamp", "{\"a\"").await;
    reply.refused(400, "SerializationException", "at line 1 column 4");
    let head = format!("GET /things HTTP/1.1\r\nhost: x\r\nconnection: close\r\nx: {}\r\n\r\n", "y".repeat(100_000));
    assert_eq!(world.send_bytes(head.as_bytes()).await.status, 431);
    assert_eq!(world.send_bytes(b"\x16\x03\x01 garbage\r\n\r\n").await.status, 400);
    world.ask("GET", "/things", "").await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_ask_without_a_signature() {
    let world = World::start().await;
    let ask = async |path: &str| {
        world.send_bytes(format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").as_bytes()).await
    };
    assert_eq!(ask("/healthz").await.ok().body, "ok\n");
    assert_eq!(ask("/readyz").await.status, 200);
    assert_eq!(ask("/metrics").await.ok().body, "# EOF\n");
    world.ready.store(false, Ordering::Relaxed);
    assert_eq!(ask("/readyz").await.status, 503);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_kept_and_ends_when_the_server_stops() {
    let world = World::start().await;
    let mut stream = TcpStream::connect(&world.address).await.unwrap();
    for _ in 0..2 {
        let bytes = String::from_utf8(Ask::new("GET", "/things", "").signed(&world.address)).unwrap();
        stream.write_all(bytes.replace("connection: close\r\n", "").as_bytes()).await.unwrap();
        let mut answer = vec![0; 4096];
        let length = stream.read(&mut answer).await.unwrap();
        assert!(answer[..length].starts_with(b"HTTP/1.1 200 OK\r\n"), "{:?}", String::from_utf8_lossy(&answer));
    }
    world.stop();
    let ended = tokio::time::timeout(Duration::from_secs(5), stream.read(&mut [0])).await;
    assert_eq!(ended.expect("the connection ends").unwrap(), 0);
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(TcpStream::connect(&world.address).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_or_slow_client_is_let_go_and_others_are_served() {
    let world = World::start().await;
    let mut silent = TcpStream::connect(&world.address).await.unwrap();
    let mut slow = TcpStream::connect(&world.address).await.unwrap();
    slow.write_all(b"GET /things HTTP/1.1\r\nhost: x\r\n").await.unwrap();
    world.ask("GET", "/things", "").await.ok();
    // The head must be there within ten seconds.
    let mut answer = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(15), slow.read_to_end(&mut answer)).await;
    assert!(ended.is_ok(), "the slow client still holds its connection");
    // So must the first byte: silent connections could otherwise take all places for a minute.
    let ended = tokio::time::timeout(Duration::from_secs(5), silent.read(&mut [0])).await;
    assert!(ended.is_ok(), "the silent client still holds its connection");
    world.ask("GET", "/things", "").await.ok();
}
