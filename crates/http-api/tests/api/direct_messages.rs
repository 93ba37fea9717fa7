//! SendDirectMessage (AWS IoT API reference, data plane; developer guide, direct messaging).

use std::time::{Duration, Instant};

use broker::Identity;
use message::{PayloadFormat, Properties, QoS, TopicFilter, TopicName};
use mqtt_codec::{Ack, Connect, Packet, Publish, ReasonCode};
use names::{CertificateId, Dialect};
use router::SubscribeOptions;
use serde_json::json;

use crate::device::{Device, connect, connect_v5};
use crate::world::{ARN, Ask, World};

async fn publish_for(device: &mut Device) -> Publish {
    match device.next().await {
        Packet::Publish(publish) => publish,
        other => panic!("{other:?}"),
    }
}

async fn acknowledge(device: &mut Device, publish: &Publish) {
    let packet_id = publish.packet_id.unwrap();
    device.send(Packet::PubAck(Ack { packet_id, reason: ReasonCode::Success })).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_reaches_one_client_without_a_subscription() {
    let world = World::start().await;
    let others = world.router.connection("observer".into());
    others.subscribe(TopicFilter::new("#").unwrap(), SubscribeOptions::plain(QoS::AtLeastOnce, Dialect::Aws));
    let mut lamp = Device::admitted(&world, connect_v5("lamp")).await;
    let target = "/connections/lamp/messages?topic=orders%2Fdim&contentType=text%2Fplain&responseTopic=answers";
    let mut ask = Ask { service: "iotdata", ..Ask::new("POST", target, "50%") };
    ask.headers = vec![
        ("x-amz-mqtt5-user-properties", "W3siYSI6ImIifV0=".to_owned()), // [{"a":"b"}]
        ("x-amz-mqtt5-payload-format-indicator", "UTF8_DATA".to_owned()),
        ("x-amz-mqtt5-correlation-data", "MQ==".to_owned()),
    ];
    let reply = world.send(&ask).await.ok();
    assert_eq!(reply.json(), json!({"message":"OK","traceId":reply.header("x-amzn-requestid")}));
    let publish = publish_for(&mut lamp).await;
    let topic = publish.topic.as_ref().map(TopicName::as_str);
    assert_eq!((topic, &*publish.payload, publish.qos), (Some("orders/dim"), &b"50%"[..], QoS::AtMostOnce));
    let expected = Properties {
        payload_format: Some(PayloadFormat::Utf8),
        expiry_seconds: None,
        content_type: Some("text/plain".into()),
        response_topic: Some(TopicName::new("answers").unwrap()),
        correlation_data: Some(b"1"[..].into()),
        user_properties: vec![("a".into(), "b".into())],
    };
    assert_eq!(publish.properties.as_deref(), Some(&expected));
    assert_eq!(others.mailbox().drain(&mut Vec::new(), 10), 0, "nobody else sees it");
    lamp.lost().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_confirmed_message_is_answered_when_the_client_has_acknowledged() {
    let world = World::start().await;
    let mut lamp = Device::admitted(&world, connect("lamp")).await;
    let target = "/connections/lamp/messages?topic=orders&confirmation=true";
    let acknowledged = async {
        let publish = publish_for(&mut lamp).await;
        assert_eq!((publish.qos, publish.properties.as_ref()), (QoS::AtLeastOnce, None));
        tokio::time::sleep(Duration::from_millis(300)).await;
        acknowledge(&mut lamp, &publish).await;
        Instant::now()
    };
    let answered = async {
        let reply = world.ask_data("POST", target, "").await.ok();
        (reply.json()["message"].clone(), Instant::now())
    };
    let (acknowledged_at, (message, answered_at)) = tokio::join!(acknowledged, answered);
    assert_eq!(message, "OK");
    assert!(answered_at > acknowledged_at, "not before");
    lamp.lost().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_nobody_acknowledges_times_out() {
    let world = World::start().await;
    let mut lamp = Device::admitted(&world, connect("lamp")).await;
    let began = Instant::now();
    let (reply, publish) = tokio::join!(
        world.ask_data("POST", "/connections/lamp/messages?topic=t&confirmation=true&timeout=1", "x"),
        publish_for(&mut lamp)
    );
    reply.refused(504, "GatewayTimeoutException", "within 1 seconds");
    assert!((1.0..5.0).contains(&began.elapsed().as_secs_f64()), "{:?}", began.elapsed());
    acknowledge(&mut lamp, &publish).await; // late, and nobody's harm
    let began = Instant::now();
    let (reply, ()) = tokio::join!(
        world.ask_data("POST", "/connections/lamp/messages?topic=t&confirmation=true&timeout=15", "x"),
        async {
            publish_for(&mut lamp).await;
            lamp.lost().await;
        }
    );
    reply.refused(504, "GatewayTimeoutException", "before its connection ended");
    assert!(began.elapsed() < Duration::from_secs(10), "it is known at once");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_connected_gets_no_message_later_either() {
    let world = World::start().await;
    let target = "/connections/lamp/messages?topic=t&confirmation=true";
    world.ask_data("POST", target, "x").await.refused(404, "ResourceNotFoundException", "'lamp' is not connected.");
    Device::admitted(&world, connect_v5("lamp")).await.lost().await;
    let reply = world.ask_data("POST", target, "x").await;
    reply.refused(404, "ResourceNotFoundException", "has an active persistent session");
    // What comes first on the next connection is what was sent then.
    let mut lamp = Device::admitted(&world, connect_v5("lamp")).await;
    world.ask_data("POST", "/connections/lamp/messages?topic=t", "now").await.ok();
    assert_eq!(publish_for(&mut lamp).await.payload, "now");
    lamp.lost().await;
    let ends = Connect { clean_start: true, properties: Default::default(), ..connect_v5("lamp") };
    Device::admitted(&world, ends).await.lost().await;
    world.ask_data("POST", target, "x").await.refused(404, "ResourceNotFoundException", "'lamp' is not connected.");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_receivers_policies_decide_about_the_topic() {
    let world = World::start().await;
    let certificate = world.ask("POST", "/keys-and-certificate?setAsActive=true", "").await.ok().json();
    let statements = json!([
        {"Effect":"Allow","Action":"iot:Connect","Resource":"*"},
        {"Effect":"Allow","Action":"iot:Receive","Resource":format!("{ARN}:topic/orders/*")},
    ]);
    let document = json!({"Version":"2012-10-17","Statement":statements}).to_string();
    world.ask_json("POST", "/policies/p", json!({"policyDocument":document})).await.ok();
    world.ask_json("PUT", "/target-policies/p", json!({"target":certificate["certificateArn"]})).await.ok();
    let identity =
        Identity::Certificate(CertificateId::from_hex(certificate["certificateId"].as_str().unwrap()).unwrap());
    let mut lamp = Device::admitted_as(&world, identity, connect("lamp")).await;
    for confirmation in ["", "&confirmation=true"] {
        let reply =
            world.ask_data("POST", &format!("/connections/lamp/messages?topic=secret{confirmation}"), "x").await;
        reply.refused(403, "ForbiddenException", "'lamp' may not receive the topic 'secret'");
    }
    world.ask_data("POST", "/connections/lamp/messages?topic=orders%2F1", "x").await.ok();
    assert_eq!(publish_for(&mut lamp).await.topic.unwrap().as_str(), "orders/1");
    lamp.lost().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_sent_is_refused() {
    let world = World::start().await;
    let mut lamp = Device::admitted(&world, connect("lamp")).await;
    for (query, message) in [
        ("", "Value null at 'topic'"),
        ("topic=%24aws%2Fx", "'$aws/x' starts with '$'"),
        ("topic=a%2F%2B", "wildcard"),
        ("topic=1%2F2%2F3%2F4%2F5%2F6%2F7%2F8%2F9", "8 slashes, 7 are allowed"),
        ("topic=t&responseTopic=%23", "'responseTopic'"),
        ("topic=t&confirmation=yes", "'confirmation' is not 'true' or 'false'"),
        ("topic=t&confirmation=true&timeout=0", "'timeout' is not from 1 to 15"),
        ("topic=t&confirmation=true&timeout=-1", "'timeout' is not from 1 to 15"),
        ("topic=t&confirmation=true&timeout=16", "'timeout' is not from 1 to 15"),
        ("topic=t&timeout=soon", "'timeout' is not a 32-bit integer"),
    ] {
        let reply = world.ask_data("POST", &format!("/connections/lamp/messages?{query}"), "x").await;
        reply.refused(400, "InvalidRequestException", message);
    }
    let reply = world.ask_data("POST", "/connections/lamp/messages?topic=t", &"x".repeat(131_073)).await;
    reply.refused(413, "RequestEntityTooLargeException", "131073 bytes, 131072 are allowed");
    // Without a confirmation nobody looks at the time.
    world.ask_data("POST", "/connections/lamp/messages?topic=t&timeout=0", "first").await.ok();
    assert_eq!(publish_for(&mut lamp).await.payload, "first");
    lamp.lost().await;
}
