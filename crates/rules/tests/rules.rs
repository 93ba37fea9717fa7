//! Rules over a store in memory and a real router; their actions republish, so that what they did can be received.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use actions::{Outside, OutsideConfig};
use bytes::Bytes;
use iam::{Iam, NewRole};
use message::{Message, Origin, PayloadFormat, Properties, QoS, TopicFilter, TopicName};
use names::{AccountId, ArnSpace, Dialect, Region, RoleName, RuleName, Timestamp};
use router::{Router, SubscribeOptions, Subscriber};
use rules::{RuleError, RuleFilter, RulePayload, Rules};
use serde_json::{Value, json};
use store::{Batch, MemoryStore, Store};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// A house with its rules running. Calls that write block, as in the HTTP door, so tests are no async functions.
struct House {
    runtime: Runtime,
    store: Arc<dyn Store>,
    router: Arc<Router>,
    iam: Arc<Iam>,
    rules: Arc<Rules>,
    stop: Option<oneshot::Sender<()>>,
}

fn arns() -> ArnSpace {
    ArnSpace { region: Region::new("us-east-1").unwrap(), account: AccountId::new("123456789012").unwrap() }
}

impl House {
    fn new() -> Self {
        Self::over(MemoryStore::new())
    }

    /// A server started on a store; `good` may publish everywhere, `bad` to nowhere.
    fn over(store: Arc<dyn Store>) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let router = Router::open(Arc::clone(&store), Default::default()).unwrap();
        let iam = Arc::new(Iam::new(Arc::clone(&store), arns()));
        for (role, effect) in [("good", "Allow"), ("bad", "Deny")] {
            let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
                "Principal": {"Service": "iot.amazonaws.com"}, "Action": "sts:AssumeRole"}]});
            let allow = json!({"Version": "2012-10-17", "Statement": [{"Effect": effect,
                "Action": "iot:Publish", "Resource": "*"}]});
            let name = RoleName::new(role).unwrap();
            let new = NewRole {
                name: name.clone(),
                path: "/".to_owned(),
                trust_policy: trust.to_string(),
                description: None,
                max_session_seconds: 3600,
                role_id: format!("AROA{role}"),
            };
            if iam.create_role(new, NOW).is_ok() {
                iam.put_role_policy(&name, "p", &allow.to_string(), NOW).unwrap();
            }
        }
        let outside = Outside::new(Arc::clone(&iam), Arc::clone(&router), arns(), OutsideConfig::default());
        let rules = Rules::new(Arc::clone(&store), Arc::clone(&router), Arc::new(outside), arns());
        let (stop, stopped) = oneshot::channel();
        let stopped = async move { stopped.await.unwrap_or_default() };
        let running = Arc::clone(&rules).run(|| NOW, || "80000000-0000-4000-8000-000000000000".to_owned(), stopped);
        runtime.spawn(running);
        Self { runtime, store, router, iam, rules, stop: Some(stop) }
    }

    fn create(&self, name: &str, payload: Value) {
        self.rules.create(rule_name(name), rule_payload(payload), NOW).unwrap();
    }

    fn listen(&self, filter: &str) -> Subscriber {
        let subscriber = self.router.connection("listener".into());
        let options = SubscribeOptions::plain(QoS::AtLeastOnce, Dialect::Mqtt);
        subscriber.subscribe(TopicFilter::new(filter).unwrap(), options);
        subscriber
    }

    fn publish(&self, topic: &str, payload: &str) {
        self.publish_saying(topic, payload, None);
    }

    fn publish_saying(&self, topic: &str, payload: &str, properties: Option<Properties>) {
        let origin = Origin { client_id: Some("lamp".into()), source_ip: "10.1.2.3".parse().ok(), ..Origin::default() };
        let _ = self.router.publish(Message {
            topic: TopicName::new(topic.to_owned()).unwrap(),
            payload: Bytes::copy_from_slice(payload.as_bytes()),
            qos: QoS::AtLeastOnce,
            retain: false,
            properties: properties.map(Arc::new),
            received_at: NOW,
            origin: Arc::new(origin),
        });
    }

    /// The next message, topic and payload.
    fn next(&self, subscriber: &Subscriber) -> (String, String) {
        let (message, _) = self.next_message(subscriber);
        (message.topic.to_string(), String::from_utf8(message.payload.to_vec()).unwrap())
    }

    fn next_message(&self, subscriber: &Subscriber) -> (Arc<Message>, QoS) {
        let mut deliveries = Vec::new();
        let receive =
            async { tokio::time::timeout(Duration::from_secs(10), subscriber.receive(&mut deliveries, 1)).await };
        assert_eq!(self.runtime.block_on(receive).expect("a message within ten seconds"), 1);
        let delivery = deliveries.pop().unwrap();
        (delivery.message, delivery.qos)
    }
}

fn rule_name(name: &str) -> RuleName {
    RuleName::new(name).unwrap()
}

fn rule_payload(payload: Value) -> RulePayload {
    serde_json::from_value(payload).unwrap()
}

fn role(name: &str) -> String {
    format!("arn:aws:iam::123456789012:role/{name}")
}

fn republish(topic: &str) -> Value {
    json!({"republish": {"roleArn": role("good"), "topic": topic}})
}

fn pair(topic: &str, payload: &str) -> (String, String) {
    (topic.to_owned(), payload.to_owned())
}

#[test]
fn a_rule_selects_and_republishes() {
    let house = House::new();
    let sql = "SELECT temp AS t, topic(2) AS room, clientid() AS by FROM 'room/+' WHERE temp > 20";
    house.create(
        "warm",
        json!({"sql": sql, "awsIotSqlVersion": "2016-03-23", "actions": [republish("out/${topic(2)}")]}),
    );
    let out = house.listen("out/#");
    house.publish("room/hall", r#"{"temp": 19}"#);
    house.publish("elsewhere", r#"{"temp": 30}"#);
    house.publish("room/kitchen", r#"{"temp": 21}"#);
    assert_eq!(house.next(&out), pair("out/kitchen", r#"{"t":21,"room":"kitchen","by":"lamp"}"#));
    let metrics = house.rules.metrics();
    assert_eq!(metrics.matched.load(Ordering::Relaxed), 2);
    // The counter grows after the message went out.
    while metrics.actions_succeeded.load(Ordering::Relaxed) == 0 {
        std::thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(metrics.actions_succeeded.load(Ordering::Relaxed), 1);
}

/// Developer guide, iot-sql-functions: get_mqtt_property and get_user_properties.
#[test]
fn a_statement_asks_for_the_properties_of_mqtt_5() {
    let house = House::new();
    let sql = "SELECT get_mqtt_property('content_type') AS c, get_mqtt_property('response_topic') AS r, \
               get_mqtt_property('correlation_data') AS d, get_mqtt_property('format_indicator') AS f, \
               get_user_properties('a') AS a, get_user_properties() AS u FROM 'in'";
    let version = "2016-03-23";
    house.create("says", json!({"sql": sql, "awsIotSqlVersion": version, "actions": [republish("out")]}));
    let out = house.listen("out");
    house.publish("in", "{}");
    assert_eq!(house.next(&out).1, r#"{"f":"UNSPECIFIED_BYTES"}"#);
    let properties = Properties {
        payload_format: Some(PayloadFormat::Utf8),
        content_type: Some("text".into()),
        response_topic: Some(TopicName::new("answers").unwrap()),
        correlation_data: Some(b"1"[..].into()),
        user_properties: vec![("a".into(), "1".into()), ("b".into(), "2".into()), ("a".into(), "3".into())],
        expiry_seconds: None,
    };
    house.publish_saying("in", "{}", Some(properties));
    let expected = json!({"c": "text", "r": "answers", "d": "MQ==", "f": "UTF8_DATA", "a": ["1", "3"],
        "u": [{"a": "1"}, {"b": "2"}, {"a": "3"}]});
    let (message, _) = house.next_message(&out);
    assert_eq!(serde_json::from_slice::<Value>(&message.payload).unwrap(), expected);
    assert_eq!(message.properties, None, "what a rule publishes says nothing unless its headers do");
}

#[test]
fn a_rule_sees_messages_at_once_and_in_order() {
    let house = House::new();
    let out = house.listen("out");
    house.create("all", json!({"sql": "SELECT * FROM 'in'", "actions": [republish("out")]}));
    for number in 0..500 {
        house.publish("in", &number.to_string());
    }
    for number in 0..500 {
        assert_eq!(house.next(&out).1, number.to_string());
    }
}

#[test]
fn republish_takes_its_qos_and_is_a_service_s_message() {
    let house = House::new();
    let out = house.listen("out/#");
    let one = json!({"republish": {"roleArn": role("good"), "topic": "out/1", "qos": 1}});
    house.create("both", json!({"sql": "SELECT * FROM 'in'", "actions": [republish("out/0"), one]}));
    house.publish("in", "raw bytes, no JSON");
    let mut qos = [house.next_message(&out), house.next_message(&out)].map(|(message, qos)| {
        assert_eq!(message.payload, "raw bytes, no JSON");
        assert_eq!((message.retain, &message.origin.client_id, &message.origin.principal), (false, &None, &None));
        (message.topic.to_string(), qos)
    });
    qos.sort();
    assert_eq!(qos, [("out/0".to_owned(), QoS::AtMostOnce), ("out/1".to_owned(), QoS::AtLeastOnce)]);
}

#[test]
fn a_rule_may_publish_to_reserved_topics_and_to_other_rules() {
    let house = House::new();
    let shadow = house.listen("$aws/things/lamp/shadow/update");
    house.create("first", json!({"sql": "SELECT * FROM 'in'", "actions": [republish("middle")]}));
    house.create(
        "second",
        json!({"sql": "SELECT * FROM 'middle'", "actions": [republish("$$aws/things/lamp/shadow/update")]}),
    );
    house.publish("in", "{}");
    assert_eq!(house.next(&shadow), pair("$aws/things/lamp/shadow/update", "{}"));
}

#[test]
fn basic_ingest_reaches_one_rule_with_the_prefix_cut() {
    let house = House::new();
    let out = house.listen("out/#");
    let payload = |own: &str| json!({"sql": "SELECT topic() AS t FROM '$aws/#'", "actions": [republish(own)]});
    house.create("mine", payload("out/mine"));
    house.create("other", payload("out/other"));
    // One after the other: each rule has a task of its own.
    house.publish("$aws/rules/mine/room/kitchen", "{}");
    assert_eq!(house.next(&out), pair("out/mine", r#"{"t":"room/kitchen"}"#));
    house.publish("$aws/rules/other/x", "{}");
    assert_eq!(house.next(&out), pair("out/other", r#"{"t":"x"}"#));
    // A wildcard at the first level does not match reserved topics: the rule sees the second message only.
    house.create("hash", json!({"sql": "SELECT topic() AS t FROM '+'", "actions": [republish("seen/by/hash")]}));
    let hash = house.listen("seen/by/hash");
    house.publish("$aws/rules/mine/y", "{}");
    house.publish("plain", "{}");
    assert_eq!(house.next(&hash), pair("seen/by/hash", r#"{"t":"plain"}"#));
}

/// AWS IoT Core developer guide, rule-error-handling: one message for all failures, with these members.
#[test]
fn a_denied_action_is_not_performed_and_told_to_the_error_action() {
    let house = House::new();
    let (out, errors) = (house.listen("out"), house.listen("errors/#"));
    let denied = json!({"republish": {"roleArn": role("bad"), "topic": "out"}});
    let missing = json!({"republish": {"roleArn": role("absent"), "topic": "out/${device}"}});
    house.create(
        "r",
        json!({"sql": "SELECT * FROM 'in'", "actions": [denied, republish("good"), missing],
        "errorAction": republish("errors/${topic()}")}),
    );
    let good = house.listen("good");
    house.publish("in", r#"{"device":"lamp"}"#);
    let (topic, report) = house.next(&errors);
    assert_eq!(topic, "errors/in");
    let report: Value = serde_json::from_str(&report).unwrap();
    let messages: Vec<_> =
        report["failures"].as_array().unwrap().iter().map(|f| f["errorMessage"].as_str().unwrap()).collect();
    assert!(messages[0].starts_with("not authorized: arn:aws:iam::123456789012:role/bad may not do iot:Publish"));
    assert!(messages[1].starts_with("not authorized: there is no role arn:aws:iam::123456789012:role/absent"));
    let expected = json!({
        "ruleName": "r",
        "topic": "in",
        "cloudwatchTraceId": "80000000-0000-4000-8000-000000000000",
        "clientId": "lamp",
        "sourceIp": "10.1.2.3",
        "base64OriginalPayload": "eyJkZXZpY2UiOiJsYW1wIn0=",
        "failures": [
            {"failedAction": "RepublishAction", "failedResource": "out", "errorMessage": messages[0]},
            {"failedAction": "RepublishAction", "failedResource": "out/lamp", "errorMessage": messages[1]},
        ],
    });
    assert_eq!(report, expected);
    assert_eq!(house.next(&good), pair("good", r#"{"device":"lamp"}"#));
    assert_eq!(out.mailbox().drain(&mut Vec::new(), 10), 0);
    let metrics = house.rules.metrics();
    assert_eq!(metrics.actions_denied.load(Ordering::Relaxed), 2);
    assert_eq!(metrics.actions_failed.load(Ordering::Relaxed), 0);
}

#[test]
fn an_undefined_template_fails_the_action() {
    let house = House::new();
    let errors = house.listen("errors");
    house.create(
        "r",
        json!({"sql": "SELECT * FROM 'in'", "actions": [republish("out/${nothing}")],
        "errorAction": republish("errors")}),
    );
    house.publish("in", "{}");
    let report: Value = serde_json::from_str(&house.next(&errors).1).unwrap();
    assert_eq!(report["failures"][0]["failedResource"], "out/${nothing}");
    assert_eq!(report["failures"][0]["errorMessage"], "the template in republish.topic is undefined for this message");
    assert_eq!(house.rules.metrics().actions_failed.load(Ordering::Relaxed), 1);
}

/// A role's permissions count from the next message on.
#[test]
fn taking_a_permission_away_stops_the_action() {
    let house = House::new();
    let (out, errors) = (house.listen("out"), house.listen("errors"));
    let error_action = json!({"republish": {"roleArn": role("other"), "topic": "errors"}});
    house.create("r", json!({"sql": "SELECT * FROM 'in'", "actions": [republish("out")], "errorAction": error_action}));
    house.publish("in", "1");
    assert_eq!(house.next(&out).1, "1");
    house.iam.delete_role_policy(&RoleName::new("good").unwrap(), "p").unwrap();
    house.publish("in", "2");
    let metrics = house.rules.metrics();
    while metrics.error_actions_failed.load(Ordering::Relaxed) == 0 {
        std::thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(out.mailbox().drain(&mut Vec::new(), 10), 0);
    assert_eq!(errors.mailbox().drain(&mut Vec::new(), 10), 0);
    assert_eq!(metrics.actions_denied.load(Ordering::Relaxed), 1);
}

#[test]
fn a_rule_that_rests_or_is_gone_sees_nothing() {
    let house = House::new();
    let out = house.listen("out/#");
    house.create("end", json!({"sql": "SELECT * FROM 'end'", "actions": [republish("out/end")]}));
    house.create("r", json!({"sql": "SELECT * FROM 'in'", "actions": [republish("out/in")], "ruleDisabled": true}));
    let r = rule_name("r");
    // What follows is seen by the rule `end` after it was passed over by `r`.
    let publish = |payload: &str| {
        house.publish("in", payload);
        std::thread::sleep(Duration::from_millis(50));
        house.publish("end", payload);
    };
    publish("1");
    assert_eq!(house.next(&out), pair("out/end", "1"));
    house.rules.set_disabled(&r, false).unwrap();
    publish("2");
    assert_eq!(house.next(&out), pair("out/in", "2"));
    assert_eq!(house.next(&out), pair("out/end", "2"));
    house
        .rules
        .replace(&r, rule_payload(json!({"sql": "SELECT 7 AS x FROM 'in'", "actions": [republish("out/new")]})))
        .unwrap();
    publish("3");
    assert_eq!(house.next(&out), pair("out/new", r#"{"x":7}"#));
    assert_eq!(house.next(&out), pair("out/end", "3"));
    house.rules.delete(&r).unwrap();
    house.rules.delete(&r).unwrap();
    publish("4");
    assert_eq!(house.next(&out), pair("out/end", "4"));
    let not_found = house.rules.set_disabled(&r, true).unwrap_err();
    assert!(matches!(not_found, RuleError::NotFound(name) if name == r));
}

#[test]
fn rules_survive_a_restart_and_stop_when_told() {
    let store: Arc<dyn Store> = MemoryStore::new();
    {
        let mut house = House::over(Arc::clone(&store));
        house.create("r", json!({"sql": "SELECT * FROM 'in'", "actions": [republish("out")]}));
        house.stop.take().unwrap().send(()).unwrap();
        // No rule listens any more once the message reaches nobody.
        let nobody_listens = async {
            while house.router.publish(probe()).0.delivered > 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        house.runtime.block_on(async { tokio::time::timeout(Duration::from_secs(10), nobody_listens).await }).unwrap();
    }
    let house = House::over(store);
    let out = house.listen("out");
    house.publish("in", "again");
    assert_eq!(house.next(&out), pair("out", "again"));
    assert_eq!(house.rules.rule(&rule_name("r")).unwrap().unwrap().created_at, NOW);
    assert!(house.store.get(b"rule/r").unwrap().is_some());
}

fn probe() -> Message {
    Message {
        topic: TopicName::new("in").unwrap(),
        payload: Bytes::new(),
        qos: QoS::AtMostOnce,
        retain: false,
        properties: None,
        received_at: NOW,
        origin: Arc::default(),
    }
}

/// Another process over the same store makes and deletes rules: this one follows.
#[test]
fn rules_of_another_node_are_followed() {
    let store: Arc<dyn Store> = MemoryStore::new();
    let (here, there) = (House::over(Arc::clone(&store)), House::over(store));
    let out = here.listen("out");
    there.create("r", json!({"sql": "SELECT * FROM 'in'", "actions": [republish("out")]}));
    let reaches_rule = || here.router.publish(probe()).0.delivered > 0;
    let wait_until = |condition: &dyn Fn() -> bool| {
        let start = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
        while !condition() {
            let waited = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap() - start;
            assert!(waited < Duration::from_secs(10));
            std::thread::sleep(Duration::from_millis(1));
        }
    };
    wait_until(&reaches_rule);
    assert_eq!(here.next(&out), pair("out", ""));
    there.rules.delete(&rule_name("r")).unwrap();
    wait_until(&|| !reaches_rule());
}

#[test]
fn rules_are_read_and_listed() {
    let house = House::new();
    let names = ["a", "a0", "a_b", "b", "c"];
    for name in names {
        let sql = format!("SELECT * FROM '{name}/+'");
        house.create(name, json!({"sql": sql, "actions": [], "ruleDisabled": name == "c", "description": "d"}));
    }
    let rule = house.rules.rule(&rule_name("a")).unwrap().unwrap();
    assert_eq!(rule.topic_pattern.as_deref(), Some("a/+"));
    assert_eq!(
        serde_json::to_value(&rule.payload).unwrap(),
        json!({"sql": "SELECT * FROM 'a/+'", "actions": [], "ruleDisabled": false, "description": "d"})
    );
    assert_eq!(house.rules.rule(&rule_name("absent")).unwrap(), None);

    let list = |filter: &RuleFilter, after: Option<&str>, limit: usize| {
        let (rules, next) = house.rules.list(filter, after, limit).unwrap();
        (rules.iter().map(|rule| rule.name.to_string()).collect::<Vec<_>>().join(" "), next)
    };
    let all = RuleFilter::default();
    assert_eq!(list(&all, None, 10), ("a a0 a_b b c".to_owned(), None));
    assert_eq!(list(&all, None, 2), ("a a0".to_owned(), Some("a0".to_owned())));
    assert_eq!(list(&all, Some("a0"), 3), ("a_b b c".to_owned(), None));
    assert_eq!(list(&all, Some("a"), 1), ("a0".to_owned(), Some("a0".to_owned())));
    let disabled = |disabled| RuleFilter { disabled: Some(disabled), ..RuleFilter::default() };
    assert_eq!(list(&disabled(true), None, 10).0, "c");
    assert_eq!(list(&disabled(false), None, 4), ("a a0 a_b b".to_owned(), None));
    let topic = RuleFilter { topic: Some("b/x".to_owned()), ..RuleFilter::default() };
    assert_eq!(list(&topic, None, 10).0, "b");
}

#[test]
fn bad_rules_are_refused() {
    let house = House::new();
    let check = |name: &str, payload: Value, expected: &str| {
        let refusal = house.rules.create(rule_name(name), rule_payload(payload), NOW).unwrap_err();
        assert!(refusal.to_string().starts_with(expected), "{refusal}");
        refusal
    };
    house.create("taken", json!({"sql": "SELECT * FROM 'in'", "actions": []}));
    let taken = check("taken", json!({"sql": "SELECT * FROM 'in'", "actions": []}), "Rule taken already exists");
    assert!(matches!(taken, RuleError::AlreadyExists(_)));
    let sql = check("r", json!({"sql": "SELECT", "actions": []}), "expected");
    assert!(matches!(sql, RuleError::Sql(_)));
    check("r", json!({"sql": "SELECT * FROM 'in'", "actions": [{"s3": {}}]}), "the action s3 is not supported");
    let long = json!({"sql": "SELECT * FROM 'in'", "actions": [], "description": "x".repeat(131_072)});
    check("r", long, "a rule may have at most 131072 bytes");
    assert_eq!(house.rules.rule(&rule_name("r")).unwrap(), None);
}

/// One record that cannot be read is reported, and holds no other rule up.
#[test]
fn a_broken_record_stops_no_other_rule() {
    let store: Arc<dyn Store> = MemoryStore::new();
    House::over(Arc::clone(&store)).create("good", json!({"sql": "SELECT * FROM 'in'", "actions": [republish("out")]}));
    for (name, value) in [("broken", "{"), ("future", r#"{"v":2,"parts":1}"#), ("part", r#"{"v":1,"parts":1}"#)] {
        store.commit(Batch::new().put(format!("rule/{name}"), value)).wait().unwrap();
    }
    let house = House::over(store);
    let out = house.listen("out");
    house.publish("in", "x");
    assert_eq!(house.next(&out).1, "x");
    for name in ["broken", "future", "part"] {
        assert!(matches!(house.rules.rule(&rule_name(name)), Err(RuleError::Store(_))), "{name}");
        house.rules.delete(&rule_name(name)).unwrap();
    }
    assert_eq!(house.rules.list(&RuleFilter::default(), None, 10).unwrap().0.len(), 1);
}

/// docs/disk-format.md: what is written once must stay readable.
#[test]
fn the_record_is_as_documented() {
    let house = House::new();
    house.create("r", json!({"sql": "SELECT * FROM 'in'", "actions": [republish("out")], "awsIotSqlVersion": "beta"}));
    let record: Value = serde_json::from_slice(&house.store.get(b"rule/r").unwrap().unwrap().value).unwrap();
    let payload = json!({"sql": "SELECT * FROM 'in'", "actions": [republish("out")], "awsIotSqlVersion": "beta",
        "ruleDisabled": false});
    assert_eq!(record, json!({"v": 1, "createdAt": 1_700_000_000_000_u64, "payload": payload}));
}

/// A payload near AWS's limit is larger than a value of the store may be.
#[test]
fn a_long_rule_is_kept_in_pieces() {
    let house = House::new();
    let long = json!({"sql": "SELECT * FROM 'in'", "actions": [republish("out")], "description": "x".repeat(130_000)});
    house.create("long", long.clone());
    house.create("next", json!({"sql": "SELECT * FROM 'b'", "actions": []}));
    let rule = house.rules.rule(&rule_name("long")).unwrap().unwrap();
    assert_eq!(rule.payload, rule_payload(long));
    let (rules, _) = house.rules.list(&RuleFilter::default(), None, 10).unwrap();
    assert_eq!(rules.iter().map(|rule| rule.name.as_str()).collect::<Vec<_>>(), ["long", "next"]);
    let out = house.listen("out");
    house.publish("in", "x");
    assert_eq!(house.next(&out).1, "x");
    house.rules.replace(&rule_name("long"), rule_payload(json!({"sql": "SELECT * FROM 'b'", "actions": []}))).unwrap();
    assert!(house.store.get(b"rule/long/0").unwrap().is_none());
    house.rules.delete(&rule_name("long")).unwrap();
    assert!(house.store.get(b"rule/long").unwrap().is_none());
}

#[test]
fn an_account_has_at_most_a_thousand_rules() {
    let house = House::new();
    let payload = rule_payload(json!({"sql": "SELECT * FROM 'in'", "actions": [], "ruleDisabled": true}));
    for number in 0..1000 {
        house.rules.create(rule_name(&format!("r{number}")), payload.clone(), NOW).unwrap();
    }
    let refusal = house.rules.create(rule_name("more"), payload, NOW).unwrap_err();
    assert!(matches!(refusal, RuleError::TooManyRules));
}
