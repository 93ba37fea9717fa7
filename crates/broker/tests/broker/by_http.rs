//! Messages that come without a connection.

use broker::{Caller, PublishRefused, PublishRequest};
use names::limits;

use super::house::*;
use super::*;

fn administrator() -> Caller {
    Caller { principal: Arc::from("123456789012"), source_ip: Some("192.0.2.1".parse().unwrap()) }
}

fn request(topic: &str, payload: impl Into<Bytes>, qos: QoS, retain: bool) -> PublishRequest {
    PublishRequest {
        topic: TopicName::new(topic.to_owned()).unwrap(),
        payload: payload.into(),
        qos,
        retain,
        properties: None,
    }
}

#[test]
fn a_caller_without_a_connection_publishes_under_its_principal() {
    let house = House::new();
    let service = house.router.service();
    service.subscribe(TopicFilter::new("#").unwrap(), SubscribeOptions::plain(QoS::AtLeastOnce, Dialect::Aws));
    let mut subscriber = house.anonymous("s");
    subscriber.subscribe(&["a/b"]);
    let write = house.broker.publish_as(&administrator(), request("a/b", "hi", QoS::AtLeastOnce, false), START);
    write.unwrap().wait().unwrap();
    assert_eq!(payloads(&subscriber.receive()), ["hi"]);
    let mut deliveries = Vec::new();
    service.mailbox().drain(&mut deliveries, 10);
    let message = &deliveries[0].message;
    assert_eq!((message.qos, message.received_at), (QoS::AtLeastOnce, START));
    let origin = &*message.origin;
    assert_eq!((origin.client_id.as_deref(), origin.principal.as_deref()), (None, Some("123456789012")));
    assert_eq!((origin.source_ip, origin.is_will), (administrator().source_ip, false));
    let write = house.broker.publish_as(&administrator(), request("r", "kept", QoS::AtMostOnce, true), START);
    write.unwrap().wait().unwrap();
    assert_eq!(payloads(&house.anonymous("late").subscribe(&["r"])[1..]), ["kept"]);
}

/// AWS IoT Core developer guide, reserved-topics; AWS quotas, message broker.
#[test]
fn what_a_caller_without_a_connection_may_not_publish() {
    let house = House::new();
    let mut witness = house.anonymous("w");
    witness.subscribe(&["#", "$aws/#", "$SYS/#", "$mine/#"]);
    let check = |request: PublishRequest, expected: Result<(), &str>| {
        let topic = request.topic.clone();
        let answer = house.broker.publish_as(&administrator(), request, START);
        let answer = answer.map(|_| ()).map_err(|refused| refused.to_string());
        assert_eq!(answer, expected.map_err(str::to_owned), "{topic}");
    };
    let plain = |topic: &str| request(topic, "x", QoS::AtMostOnce, false);
    for topic in ["$aws/events/presence/connected/x", "$SYS/uptime", "$mine/x", "$x"] {
        check(plain(topic), Err(&format!("the topic '{topic}' is reserved")));
    }
    let retained = request("$aws/things/t/x", "x", QoS::AtMostOnce, true);
    check(retained, Err("RETAIN is set on a reserved topic, which starts with '$'"));
    check(plain("1/2/3/4/5/6/7/8/9"), Err("the topic has 8 slashes, 7 are allowed"));
    check(plain(&"x".repeat(257)), Err("the topic has 257 bytes, 256 are allowed"));
    let huge = request("t", vec![0; 131_073], QoS::AtMostOnce, false);
    check(huge, Err("the payload has 131073 bytes, 131072 are allowed"));
    check(request("t", "x", QoS::ExactlyOnce, false), Err("QoS 2 is not served"));
    assert_eq!(witness.receive(), []);
    check(request("t", vec![0; 131_072], QoS::AtMostOnce, false), Ok(()));
    check(plain("$aws/things/t/shadow/name/s/get"), Ok(()));
    check(plain("$aws/rules/NAME/1/2/3/4/5/6/7/8"), Ok(()));
    assert_eq!(witness.receive().len(), 3);
}

#[test]
fn a_caller_is_asked_to_come_again_while_a_service_is_behind() {
    let house = House::new();
    let service = house.router.service();
    service.subscribe(TopicFilter::new("t").unwrap(), SubscribeOptions::plain(QoS::AtMostOnce, Dialect::Aws));
    let publish =
        || house.broker.publish_as(&administrator(), request("t", "x", QoS::AtMostOnce, false), START).map(|_| ());
    for _ in 0..limits::MAILBOX_MESSAGES_SOFT {
        publish().unwrap();
    }
    assert_eq!(publish(), Err(PublishRefused::Congested));
    service.mailbox().drain(&mut Vec::new(), 10);
    assert_eq!(publish(), Ok(()));
}
