//! Publish and retained messages by HTTP (AWS IoT API reference, data plane; developer guide, http).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use message::{PayloadFormat, Properties, QoS, TopicFilter, TopicName};
use names::Dialect;
use router::{Delivery, SubscribeOptions, Subscriber};
use serde_json::json;

use crate::world::{Ask, Reply, World};

async fn ask(world: &World, method: &'static str, target: &str, body: &str) -> Reply {
    world.ask_data(method, target, body).await
}

/// The three properties that travel in headers; the first is `[{"deviceName": "alpha"}, {"deviceCnt": "45"}]`.
const HEADERS: [(&str, &str); 3] = [
    ("x-amz-mqtt5-user-properties", "W3siZGV2aWNlTmFtZSI6ICJhbHBoYSJ9LCB7ImRldmljZUNudCI6ICI0NSJ9XQ=="),
    ("x-amz-mqtt5-payload-format-indicator", "UTF8_DATA"),
    ("x-amz-mqtt5-correlation-data", "MQ=="),
];

fn with_headers(ask: Ask, headers: &[(&'static str, &str)]) -> Ask {
    let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    Ask { service: "iotdata", headers, ..ask }
}

fn subscriber(world: &World, filter: &str) -> Subscriber {
    let subscriber = world.router.connection("observer".into());
    let options = SubscribeOptions::plain(QoS::AtLeastOnce, Dialect::Aws);
    subscriber.subscribe(TopicFilter::new(filter).unwrap(), options);
    subscriber
}

fn received(subscriber: &Subscriber) -> Vec<Delivery> {
    let mut deliveries = Vec::new();
    subscriber.mailbox().drain(&mut deliveries, 100);
    deliveries
}

#[tokio::test(flavor = "multi_thread")]
async fn a_published_message_reaches_its_subscribers() {
    let world = World::start().await;
    let subscriber = subscriber(&world, "#");
    let check = async |target: &str, topic: &str, qos: QoS| {
        let reply = ask(&world, "POST", target, "{not json").await.ok();
        let id = reply.header("x-amzn-requestid");
        assert_eq!((id.len(), reply.header("content-type")), (36, "application/json"));
        assert_eq!(reply.json(), json!({"message":"OK","traceId":id}));
        let deliveries = received(&subscriber);
        let messages: Vec<_> = deliveries.iter().map(|delivery| &delivery.message).collect();
        let shown: Vec<_> = messages.iter().map(|m| (m.topic.as_str(), &*m.payload, m.qos, m.retain)).collect();
        assert_eq!(shown, [(topic, b"{not json".as_slice(), qos, false)], "{target}");
        let origin = &messages[0].origin;
        assert_eq!((origin.client_id.as_deref(), origin.principal.as_deref()), (None, Some("123456789012")));
        assert_eq!(origin.source_ip, Some("127.0.0.1".parse().unwrap()));
    };
    check("/topics/lamps%2F1?qos=1", "lamps/1", QoS::AtLeastOnce).await;
    check("/topics/lamps/1?qos=0&retain=false", "lamps/1", QoS::AtMostOnce).await;
    check("/topics/a%20b%2Fc%253F", "a b/c%3F", QoS::AtMostOnce).await;
    ask(&world, "POST", "/topics/empty", "").await.ok();
    assert!(received(&subscriber)[0].message.payload.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_not_be_published_is_refused_and_reaches_nobody() {
    let world = World::start().await;
    let subscribers = ["#", "$aws/#", "$mine/#"].map(|filter| subscriber(&world, filter));
    let refused = async |target: &str, body: &str, status: u16, name: &str, message: &str| {
        let reply = ask(&world, "POST", target, body).await;
        reply.refused(status, name, message);
        assert_eq!(reply.json()["traceId"], reply.header("x-amzn-requestid"));
    };
    refused("/topics/t?qos=2", "", 400, "InvalidRequestException", "'qos' failed to satisfy constraint").await;
    refused("/topics/t?qos=-1", "", 400, "InvalidRequestException", "'qos' failed to satisfy constraint").await;
    refused("/topics/t?retain=yes", "", 400, "InvalidRequestException", "'retain' is not 'true' or 'false'").await;
    refused("/topics/a%2F%23", "", 400, "InvalidRequestException", "wildcard").await;
    refused("/topics/a%00", "", 400, "InvalidRequestException", "U+0000").await;
    refused("/topics/1/2/3/4/5/6/7/8/9", "", 400, "InvalidRequestException", "8 slashes, 7 are allowed").await;
    let long = format!("/topics/{}", "x".repeat(257));
    refused(&long, "", 400, "InvalidRequestException", "257 bytes, 256 are allowed").await;
    let large = "x".repeat(131_073);
    refused("/topics/t", &large, 413, "RequestEntityTooLargeException", "131073 bytes, 131072 are allowed").await;
    refused("/topics/$aws/events/x", "", 403, "ForbiddenException", "'$aws/events/x' is reserved").await;
    refused("/topics/$mine/x", "", 403, "ForbiddenException", "reserved").await;
    refused("/topics/$aws/things/t/x?retain=true", "", 400, "InvalidRequestException", "RETAIN").await;
    for subscriber in &subscribers {
        assert_eq!(received(subscriber).len(), 0);
    }
}

/// AWS IoT API reference, Publish: query members, and headers in base64.
#[tokio::test(flavor = "multi_thread")]
async fn properties_of_mqtt_5_travel_with_the_message() {
    let world = World::start().await;
    let subscriber = subscriber(&world, "#");
    let target = "/topics/t?retain=true&contentType=text%2Fplain&responseTopic=answers%2F1&messageExpiry=604801";
    let reply = world.send(&with_headers(Ask::new("POST", target, "x"), &HEADERS)).await.ok();
    assert_eq!(reply.json()["message"], "OK");
    let delivery = received(&subscriber).remove(0);
    let expected = Properties {
        payload_format: Some(PayloadFormat::Utf8),
        expiry_seconds: Some(604_800),
        content_type: Some("text/plain".into()),
        response_topic: Some(TopicName::new("answers/1").unwrap()),
        correlation_data: Some(b"1"[..].into()),
        user_properties: vec![("deviceName".into(), "alpha".into()), ("deviceCnt".into(), "45".into())],
    };
    assert_eq!(delivery.message.properties.as_deref(), Some(&expected));
    let got = ask(&world, "GET", "/retainedMessage/t", "").await.ok().json();
    let user_properties = STANDARD.decode(got["userProperties"].as_str().unwrap()).unwrap();
    assert_eq!(user_properties, br#"[{"deviceName":"alpha"},{"deviceCnt":"45"}]"#);
    ask(&world, "POST", "/topics/t", "x").await.ok();
    assert_eq!(received(&subscriber)[0].message.properties, None, "nothing is said of most messages");
}

#[tokio::test(flavor = "multi_thread")]
async fn properties_that_cannot_be_sent_are_refused_by_name() {
    let world = World::start().await;
    let subscriber = subscriber(&world, "#");
    for (query, message) in [
        ("contentType=a%00", "'contentType'"),
        ("responseTopic=a%2F%23", "'responseTopic'"),
        ("messageExpiry=-1", "'messageExpiry'"),
        ("messageExpiry=soon", "'messageExpiry'"),
    ] {
        let reply = ask(&world, "POST", &format!("/topics/t?{query}"), "x").await;
        reply.refused(400, "InvalidRequestException", message);
    }
    for (header, value, message) in [
        (HEADERS[0].0, "[{}]", "'userProperties' is not JSON text in base64"),
        (HEADERS[0].0, "eyJrIjoidiJ9", "'userProperties' must be a JSON array"), // {"k":"v"}
        (
            HEADERS[1].0,
            "UTF8",
            "'payloadFormatIndicator' failed to satisfy constraint: Member must satisfy enum value set",
        ),
        (HEADERS[2].0, "?", "'correlationData' is not base64"),
    ] {
        let reply = world.send(&with_headers(Ask::new("POST", "/topics/t", "x"), &[(header, value)])).await;
        reply.refused(400, "InvalidRequestException", message);
    }
    assert_eq!(received(&subscriber).len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn retained_messages_are_kept_read_and_removed() {
    let world = World::start().await;
    let absent = ask(&world, "GET", "/retainedMessage/lamps/1", "").await;
    absent.refused(404, "ResourceNotFoundException", "lamps/1");
    assert_eq!(absent.json()["traceId"], absent.header("x-amzn-requestid"));
    ask(&world, "POST", "/topics/lamps/1?qos=1&retain=true", "dim").await.ok();
    for target in ["/retainedMessage/lamps/1", "/retainedMessage/lamps%2F1"] {
        let mut got = ask(&world, "GET", target, "").await.ok().json();
        let time = got.as_object_mut().unwrap().remove("lastModifiedTime").unwrap().as_u64().unwrap();
        assert!(time > 1_700_000_000_000, "milliseconds since the epoch: {time}");
        assert_eq!(got, json!({"topic":"lamps/1","payload":"ZGlt","qos":1}));
    }
    ask(&world, "POST", "/topics/lamps/1", "live only").await.ok();
    assert_eq!(ask(&world, "GET", "/retainedMessage/lamps/1", "").await.ok().json()["payload"], "ZGlt");
    ask(&world, "POST", "/topics/lamps/1?retain=true", "").await.ok();
    assert_eq!(ask(&world, "GET", "/retainedMessage/lamps/1", "").await.status, 404);
    ask(&world, "GET", "/retainedMessage/lamps/%2B", "").await.refused(400, "InvalidRequestException", "wildcard");
}

#[tokio::test(flavor = "multi_thread")]
async fn retained_messages_are_listed_in_pages() {
    let world = World::start().await;
    assert_eq!(ask(&world, "GET", "/retainedMessage", "").await.ok().json(), json!({"retainedTopics":[]}));
    for number in 0..27 {
        let target = format!("/topics/t/{number:02}?qos=1&retain=true");
        ask(&world, "POST", &target, &"x".repeat(number + 1)).await.ok();
    }
    let page = ask(&world, "GET", "/retainedMessage", "").await.ok().json();
    let topics = page["retainedTopics"].as_array().unwrap();
    assert_eq!(topics.len(), 25, "by default");
    let mut last = topics[24].clone();
    assert!(last.as_object_mut().unwrap().remove("lastModifiedTime").unwrap().as_u64().unwrap() > 1_700_000_000_000);
    assert_eq!(last, json!({"topic":"t/24","payloadSize":25,"qos":1}));
    let token = page["nextToken"].as_str().unwrap().replace('=', "%3D").replace('/', "%2F").replace('+', "%2B");
    let page = ask(&world, "GET", &format!("/retainedMessage?maxResults=2&nextToken={token}"), "").await.ok().json();
    let names: Vec<_> = page["retainedTopics"].as_array().unwrap().iter().map(|entry| &entry["topic"]).collect();
    assert_eq!((names, page.get("nextToken")), (vec![&json!("t/25"), &json!("t/26")], None));
    let too_many = ask(&world, "GET", "/retainedMessage?maxResults=201", "").await;
    too_many.refused(400, "InvalidRequestException", "less than or equal to 200");
    for bad in ["x", "Iw%3D%3D"] {
        let reply = ask(&world, "GET", &format!("/retainedMessage?nextToken={bad}"), "").await;
        reply.refused(400, "InvalidRequestException", "The pagination token is not valid");
    }
}
