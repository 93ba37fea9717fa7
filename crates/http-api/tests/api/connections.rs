//! GetConnection, ListSubscriptions and DeleteConnection (AWS IoT API reference, data plane).

use std::time::{SystemTime, UNIX_EPOCH};

use broker::{DisconnectReason, Identity};
use message::{QoS, TopicFilter};
use mqtt_codec::{Connect, Packet, ReasonCode};
use names::{CertificateId, Dialect};
use router::{SubscribeOptions, Subscriber};
use serde_json::{Value, json};

use crate::device::{Device, connect, connect_v5, will};
use crate::world::{ARN, World};

fn now_millis() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis().try_into().unwrap()
}

/// What GetConnection answers, its time checked and taken out.
async fn got(world: &World, target: &str) -> Value {
    let mut got = world.ask_data("GET", target, "").await.ok().json();
    let times = ["connectedSince", "disconnectedSince"].map(|name| got.as_object_mut().unwrap().remove(name));
    let (since, is_connected) = match times {
        [Some(since), None] => (since, true),
        [None, Some(since)] => (since, false),
        other => panic!("{other:?}"),
    };
    assert!((now_millis() - 60_000..=now_millis()).contains(&since.as_u64().unwrap()), "{since}");
    assert_eq!(got["connected"], is_connected);
    got
}

/// Where wills arrive.
fn observer(world: &World, filter: &str) -> Subscriber {
    let subscriber = world.router.connection("observer".into());
    let options = SubscribeOptions::plain(QoS::AtLeastOnce, Dialect::Aws);
    subscriber.subscribe(TopicFilter::new(filter).unwrap(), options);
    subscriber
}

fn payloads(subscriber: &Subscriber) -> Vec<String> {
    let mut deliveries = Vec::new();
    subscriber.mailbox().drain(&mut deliveries, 100);
    deliveries.iter().map(|delivery| String::from_utf8_lossy(&delivery.message.payload).into_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_described_while_it_lasts_and_afterwards() {
    let world = World::start().await;
    world.ask_data("GET", "/connections/lamp", "").await.refused(404, "ResourceNotFoundException", "'lamp'");
    let lamp = Device::admitted(&world, connect("lamp")).await;
    let mut expected = json!({
        "clientId":"lamp","connected":true,"cleanSession":true,"keepAliveDuration":60,"sessionExpiry":0
    });
    assert_eq!(got(&world, "/connections/lamp").await, expected);
    assert_eq!(got(&world, "/connections/lamp?includeSocketInformation=false").await, expected);
    let mut with_socket = expected.clone();
    for (name, value) in [
        ("sourceIp", json!("192.0.2.7")),
        ("sourcePort", json!(50_123)),
        ("targetIp", json!("127.0.0.1")),
        ("targetPort", json!(8883)),
    ] {
        with_socket[name] = value;
    }
    assert_eq!(got(&world, "/connections/lamp?includeSocketInformation=true").await, with_socket);
    lamp.lost().await;
    expected["connected"] = json!(false);
    expected["disconnectReason"] = json!("CONNECTION_LOST");
    assert_eq!(got(&world, "/connections/lamp").await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_that_live_on_are_not_clean_in_any_version() {
    let world = World::start().await;
    let check = async |connect: Connect, clean_session: bool, session_expiry: u32| {
        let target = format!("/connections/{}", connect.client_id);
        let device = Device::admitted(&world, connect).await;
        let told = got(&world, &target).await;
        assert_eq!((&told["cleanSession"], &told["sessionExpiry"]), (&json!(clean_session), &json!(session_expiry)));
        device.lost().await;
    };
    // AWS quotas: a session is kept for an hour.
    check(Connect { clean_start: false, ..connect("old") }, false, 3600).await;
    check(connect_v5("five"), false, 3600).await;
    check(Connect { clean_start: true, ..connect_v5("began-clean") }, false, 3600).await;
    check(Connect { properties: Default::default(), ..connect_v5("ends") }, true, 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn client_ids_are_percent_encoded_and_have_no_dollar() {
    let world = World::start().await;
    let device = Device::admitted(&world, connect("floor 1/lamp%+")).await;
    assert_eq!(got(&world, "/connections/floor%201%2Flamp%25%2B").await["clientId"], "floor 1/lamp%+");
    let long = format!("/connections/{}", "x".repeat(129));
    for (target, message) in [("/connections/%24x", "regular expression pattern: ^[^$].*"), (&long, "128")] {
        for (method, rest) in [("GET", ""), ("DELETE", ""), ("GET", "/subscriptions"), ("POST", "/messages?topic=t")] {
            let reply = world.ask_data(method, &format!("{target}{rest}"), "").await;
            reply.refused(400, "InvalidRequestException", message);
            assert_eq!(reply.json()["traceId"], reply.header("x-amzn-requestid"));
        }
    }
    device.lost().await;
}

/// Developer guide, exclusive-thing: a certificate that is attached to one thing alone speaks for it.
#[tokio::test(flavor = "multi_thread")]
async fn an_exclusive_thing_is_named() {
    let world = World::start().await;
    let certificate = world.ask("POST", "/keys-and-certificate?setAsActive=true", "").await.ok().json();
    let arn = certificate["certificateArn"].as_str().unwrap();
    let allowed = json!({"Effect":"Allow","Action":"iot:Connect","Resource":format!("{ARN}:client/lamp")});
    let document = json!({"Version":"2012-10-17","Statement":[allowed]}).to_string();
    world.ask_json("POST", "/policies/p", json!({"policyDocument":document})).await.ok();
    world.ask_json("PUT", "/target-policies/p", json!({"target":arn})).await.ok();
    world.ask("POST", "/things/kitchen", "").await.ok();
    let identity =
        Identity::Certificate(CertificateId::from_hex(certificate["certificateId"].as_str().unwrap()).unwrap());
    let device = Device::admitted_as(&world, identity, connect("lamp")).await;
    assert_eq!(got(&world, "/connections/lamp").await.get("thingName"), None);
    let exclusive = "/things/kitchen/principals?thingPrincipalType=EXCLUSIVE_THING";
    world.ask_principal("PUT", exclusive, arn).await.ok();
    assert_eq!(got(&world, "/connections/lamp").await["thingName"], "kitchen");
    device.lost().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_ended_with_or_without_its_will() {
    let world = World::start().await;
    world.ask_data("DELETE", "/connections/lamp", "").await.refused(404, "ResourceNotFoundException", "'lamp'");
    let observer = observer(&world, "wills/#");
    for (query, published) in [("", true), ("?preventWillMessage=false", true), ("?preventWillMessage=true", false)] {
        let lamp = Device::admitted(&world, Connect { will: will("wills/lamp"), ..connect_v5("lamp") }).await;
        let target = format!("/connections/lamp{query}");
        let (reply, closed) = tokio::join!(world.ask_data("DELETE", &target, ""), lamp.closed());
        assert_eq!((reply.status, reply.body.as_str()), (200, ""));
        let (reason, last) = closed;
        assert_eq!(reason, DisconnectReason::ApiInitiatedDisconnect);
        let Some(Packet::Disconnect(disconnect)) = last else { panic!("{last:?}") };
        assert_eq!(disconnect.reason, ReasonCode::AdministrativeAction);
        let expected: &[&str] = if published { &["gone"] } else { &[] };
        assert_eq!(payloads(&observer), expected, "{query}");
        assert_eq!(got(&world, "/connections/lamp").await["disconnectReason"], "API_INITIATED_DISCONNECT");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_only_when_that_is_asked_for() {
    let world = World::start().await;
    let listed = async || world.ask_data("GET", "/connections/lamp/subscriptions", "").await;
    let mut lamp = Device::admitted(&world, connect_v5("lamp")).await;
    lamp.subscribe(&["a/#"]).await;
    let (reply, _) = tokio::join!(world.ask_data("DELETE", "/connections/lamp", ""), lamp.closed());
    assert_eq!(reply.status, 200);
    assert_eq!(listed().await.ok().json(), json!({"subscriptions":[{"topicFilter":"a/#","qos":1}]}));
    // The session waits, but nobody is connected.
    world.ask_data("DELETE", "/connections/lamp", "").await.refused(404, "ResourceNotFoundException", "'lamp'");
    world.ask_data("DELETE", "/connections/lamp?cleanSession=true", "").await.ok();
    listed().await.refused(404, "ResourceNotFoundException", "'lamp' is not connected.");
    let mut lamp = Device::admitted(&world, connect_v5("lamp")).await;
    lamp.subscribe(&["a/#"]).await;
    let (reply, _) = tokio::join!(world.ask_data("DELETE", "/connections/lamp?cleanSession=true", ""), lamp.closed());
    assert_eq!(reply.status, 200);
    assert_eq!(listed().await.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delayed_will_is_due_when_its_session_is_ended() {
    let world = World::start().await;
    let observer = observer(&world, "wills/#");
    for (query, expected) in [("", ["gone"].as_slice()), ("&preventWillMessage=true", &[])] {
        let will = will("wills/lamp").map(|will| mqtt_codec::Will { delay_seconds: 600, ..will });
        Device::admitted(&world, Connect { will, ..connect_v5("lamp") }).await.lost().await;
        assert_eq!(payloads(&observer), [""; 0]);
        world.ask_data("DELETE", &format!("/connections/lamp?cleanSession=true{query}"), "").await.ok();
        assert_eq!(payloads(&observer), expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn subscriptions_are_listed_in_pages() {
    let world = World::start().await;
    let mut lamp = Device::admitted(&world, connect("lamp")).await;
    let empty = world.ask_data("GET", "/connections/lamp/subscriptions", "").await.ok().json();
    assert_eq!(empty, json!({"subscriptions":[]}));
    let filters: Vec<String> = (0..23).map(|number| format!("t/{number:02}/+")).collect();
    for some in filters.chunks(8) {
        lamp.subscribe(&some.iter().map(String::as_str).collect::<Vec<_>>()).await;
    }
    let page = async |query: &str| {
        let page = world.ask_data("GET", &format!("/connections/lamp/subscriptions{query}"), "").await.ok().json();
        let entries = page["subscriptions"].as_array().unwrap();
        let filters: Vec<_> = entries.iter().map(|entry| entry["topicFilter"].as_str().unwrap().to_owned()).collect();
        let token = page.get("nextToken").map(|token| token.as_str().unwrap().replace('=', "%3D").replace('+', "%2B"));
        (filters, token)
    };
    let (first, token) = page("").await;
    assert_eq!(first, filters[..20], "20 by default");
    let (second, token) = page(&format!("?maxResults=2&nextToken={}", token.unwrap())).await;
    assert_eq!(second, filters[20..22]);
    assert_eq!(page(&format!("?maxResults=1&nextToken={}", token.unwrap())).await, (filters[22..].to_vec(), None));
    assert_eq!(page("?maxResults=200").await, (filters, None));
    for (query, message) in [
        ("maxResults=0", "greater than or equal to 1"),
        ("maxResults=201", "less than or equal to 200"),
        ("nextToken=x", "The pagination token is not valid"),
        ("nextToken=YS8jL2I%3D", "The pagination token is not valid"), // a/#/b
    ] {
        let reply = world.ask_data("GET", &format!("/connections/lamp/subscriptions?{query}"), "").await;
        reply.refused(400, "InvalidRequestException", message);
    }
    let absent = world.ask_data("GET", "/connections/nobody/subscriptions", "").await;
    absent.refused(404, "ResourceNotFoundException", "'nobody'");
    lamp.lost().await;
}
