//! Actions over a real router and IAM; DynamoDB is a small HTTP server that keeps what it was sent.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::sync::Arc;

use actions::{Action, ActionError, ActionSpec, Outside, OutsideConfig};
use bytes::Bytes;
use iam::{Iam, NewRole};
use message::{PayloadFormat, Properties, QoS, TopicFilter, TopicName};
use names::{AccountId, ArnSpace, Dialect, Region, RoleName, Timestamp};
use router::{Router, SubscribeOptions};
use serde_json::{Value, json};
use sql::{Input, SqlVersion, Statement};
use store::MemoryStore;

const RULE_ARN: &str = "arn:aws:iot:us-east-1:123456789012:rule/r";
const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

/// What the outside is for a test: `writer` may put into `Readings`, `publisher` publish below `out/`.
async fn outside(config: OutsideConfig) -> (Arc<Router>, Outside) {
    // Making roles waits for the store, which no asynchronous task may.
    tokio::task::spawn_blocking(|| furnished(config)).await.unwrap()
}

fn furnished(config: OutsideConfig) -> (Arc<Router>, Outside) {
    let store = MemoryStore::new();
    let arns = ArnSpace { region: Region::new("us-east-1").unwrap(), account: AccountId::new("123456789012").unwrap() };
    let router = Router::open(store.clone(), Default::default()).unwrap();
    let iam = Arc::new(Iam::new(store, arns.clone()));
    let table = "arn:aws:dynamodb:us-east-1:123456789012:table/Readings";
    role(&iam, "writer", "iot.amazonaws.com", "dynamodb:PutItem", table);
    role(&iam, "publisher", "iot.amazonaws.com", "iot:Publish", "arn:aws:iot:us-east-1:123456789012:topic/out/*");
    role(&iam, "lambda", "lambda.amazonaws.com", "*", "*");
    (Arc::clone(&router), Outside::new(iam, router, arns, config))
}

fn role(iam: &Iam, name: &str, service: &str, action: &str, resource: &str) {
    let trust = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {"Service": service}}});
    let policy =
        json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": action, "Resource": resource}});
    let role = NewRole {
        name: RoleName::new(name).unwrap(),
        path: "/".to_owned(),
        trust_policy: trust.to_string(),
        description: None,
        max_session_seconds: 3600,
        role_id: format!("AROA{name}"),
    };
    let name = iam.create_role(role, NOW).unwrap().name;
    iam.put_role_policy(&name, "p", &policy.to_string(), NOW).unwrap();
}

fn role_arn(name: &str) -> String {
    format!("arn:aws:iam::123456789012:role/{name}")
}

fn compile(spec: Value) -> Result<Action, ActionError> {
    let spec: ActionSpec = serde_json::from_value(spec).unwrap();
    Action::compile(&spec, SqlVersion::V2016_03_23)
}

/// Performs an action on the result of a statement for a payload on `room/kitchen`.
async fn perform(outside: &Outside, action: &Action, sql: &str, payload: &str) -> Result<(), ActionError> {
    let performed = {
        let (payload, uuid, random) = (Bytes::copy_from_slice(payload.as_bytes()), || "id".to_owned(), || 0.5);
        let input = Input::new(&payload, "room/kitchen", "123456789012", NOW.as_millis(), "trace", &uuid, &random);
        let statement = Statement::parse(sql, SqlVersion::V2016_03_23).unwrap();
        let output = statement.select(&input).unwrap().unwrap();
        action.perform(outside, RULE_ARN, &input, &output)
    };
    performed.await
}

#[tokio::test]
async fn republish_publishes_what_its_role_allows() {
    let (router, outside) = outside(OutsideConfig::default()).await;
    let listener = router.connection("listener".into());
    let options = SubscribeOptions::plain(QoS::AtLeastOnce, Dialect::Aws);
    listener.subscribe(TopicFilter::new("#").unwrap(), options);
    let republish = |role: &str, topic: &str| {
        compile(json!({"republish": {"roleArn": role_arn(role), "topic": topic, "qos": 1}})).unwrap()
    };
    let sql = "SELECT a + 1 AS b FROM '#'";
    let answer = perform(&outside, &republish("publisher", "out/${topic(2)}/${a}"), sql, r#"{"a":1}"#).await;
    assert_eq!(answer, Ok(()));
    let mut got = Vec::new();
    assert_eq!(listener.receive(&mut got, 10).await, 1);
    assert_eq!((got[0].message.topic.as_str(), got[0].qos), ("out/kitchen/1", QoS::AtLeastOnce));
    assert_eq!(got[0].message.payload, r#"{"b":2}"#);
    assert_eq!((got[0].message.received_at, got[0].message.retain), (NOW, false));

    for (role, topic) in [("publisher", "elsewhere"), ("lambda", "out/x"), ("writer", "out/x"), ("absent", "out/x")] {
        let answer = perform(&outside, &republish(role, topic), sql, r#"{"a":1}"#).await;
        assert!(
            matches!(&answer, Err(error @ ActionError::NotAuthorized(_)) if error.is_denied()),
            "{role} {answer:?}"
        );
    }
    assert_eq!(
        perform(&outside, &republish("publisher", "out/${none}"), sql, "{}").await,
        Err(ActionError::UndefinedTemplate("republish.topic"))
    );
    let wildcard = perform(&outside, &republish("publisher", "out/${a}"), sql, r##"{"a":"#"}"##).await;
    assert!(matches!(wildcard, Err(ActionError::InvalidField { field: "republish.topic", .. })), "{wildcard:?}");
    assert_eq!(listener.mailbox().drain(&mut got, 10), 0);
}

/// Developer guide, republish-rule-action: every header takes templates; an expiry is 1 to 604,800 seconds.
#[tokio::test]
async fn republish_says_what_its_headers_say() {
    let (router, outside) = outside(OutsideConfig::default()).await;
    let listener = router.connection("listener".into());
    let options = SubscribeOptions::plain(QoS::AtLeastOnce, Dialect::Aws);
    listener.subscribe(TopicFilter::new("#").unwrap(), options);
    let republish = |headers: Value| {
        compile(json!({"republish": {"roleArn": role_arn("publisher"), "topic": "out/x", "headers": headers}})).unwrap()
    };
    let said = async |headers: Value, payload: &str| {
        let answer = perform(&outside, &republish(headers), "SELECT * FROM '#'", payload).await;
        let mut got = Vec::new();
        listener.mailbox().drain(&mut got, 10);
        answer.map(|()| got.remove(0).message.properties.as_deref().cloned())
    };
    let headers = json!({
        "payloadFormatIndicator": "${f}", "contentType": "text/${c}", "responseTopic": "answers/${topic(2)}",
        "correlationData": "${encode('1', 'base64')}", "messageExpiry": "${e}",
        "userProperties": [{"key": "k", "value": "${c}"}, {"key": "k", "value": ""}],
    });
    let payload = r#"{"f":"UTF8_DATA","c":"plain","e":0}"#;
    let expected = Properties {
        payload_format: Some(PayloadFormat::Utf8),
        expiry_seconds: Some(1),
        content_type: Some("text/plain".into()),
        response_topic: Some(TopicName::new("answers/kitchen").unwrap()),
        correlation_data: Some(b"1"[..].into()),
        user_properties: vec![("k".into(), "plain".into()), ("k".into(), "".into())],
    };
    assert_eq!(said(headers.clone(), payload).await, Ok(Some(expected)));
    assert_eq!(said(json!({}), payload).await, Ok(None));
    let longest = Properties { expiry_seconds: Some(604_800), ..Properties::default() };
    assert_eq!(said(json!({"messageExpiry": "604801"}), payload).await, Ok(Some(longest)));
    let undefined = said(headers, r#"{"f":"UTF8_DATA","e":1}"#).await;
    assert_eq!(undefined, Err(ActionError::UndefinedTemplate("republish.headers.contentType")));
    for (header, value) in [
        ("payloadFormatIndicator", "utf8".to_owned()),
        ("contentType", "x".repeat(257)),
        ("responseTopic", "a/#".to_owned()),
        ("correlationData", "*".to_owned()),
        ("messageExpiry", "-1".to_owned()),
    ] {
        let answer = said(json!({header: "${v}"}), &json!({"v": value}).to_string()).await;
        let Err(ActionError::InvalidField { field, .. }) = answer else { panic!("{header}: {answer:?}") };
        assert_eq!(field, format!("republish.headers.{header}"));
    }
    let long = json!({"v": "x".repeat(8193)}).to_string();
    let large = said(json!({"userProperties": [{"key": "", "value": "${v}"}]}), &long);
    assert!(matches!(large.await, Err(ActionError::InvalidField { field: "republish.headers.userProperties", .. })));
}

#[test]
fn what_is_not_served_or_wrong_does_not_compile() {
    let check = |spec: Value, expected: &str| assert_eq!(compile(spec).unwrap_err().to_string(), expected);
    let good = role_arn("r");
    check(json!({"lambda": {"functionArn": "f"}}), "the action lambda is not supported");
    check(json!({"republish": {"roleArn": good, "topic": "a", "qos": 2}}), "republish.qos: is 2, must be 0 or 1");
    check(json!({"republish": {"roleArn": good, "topic": ""}}), "republish.topic: is empty");
    check(json!({"republish": {"roleArn": good, "topic": "a/#"}}), "republish.topic: the topic name has a wildcard");
    check(
        json!({"republish": {"roleArn": "arn:aws:iam::1:user/u", "topic": "a"}}),
        "republish.roleArn: is not the ARN of an IAM role",
    );
    let with = |headers: Value| json!({"republish": {"roleArn": good, "topic": "a", "headers": headers}});
    let headers = "republish.headers";
    check(
        with(json!({"payloadFormatIndicator": "x"})),
        &format!("{headers}.payloadFormatIndicator: is neither UNSPECIFIED_BYTES nor UTF8_DATA"),
    );
    check(with(json!({"responseTopic": "a/+"})), &format!("{headers}.responseTopic: the topic name has a wildcard"));
    check(with(json!({"correlationData": "*"})), &format!("{headers}.correlationData: is not base64"));
    check(with(json!({"messageExpiry": "soon"})), &format!("{headers}.messageExpiry: is no whole number of seconds"));
    let many = vec![json!({"key": "k", "value": "v"}); 101];
    check(
        with(json!({"userProperties": many})),
        &format!("{headers}.userProperties: has 101 properties, 100 are allowed"),
    );
    let template = compile(json!({"republish": {"roleArn": good, "topic": "a/${"}})).unwrap_err();
    assert!(matches!(template, ActionError::InvalidField { field: "republish.topic", .. }), "{template}");
}

#[cfg(feature = "dynamodb")]
mod dynamodb {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::task::JoinHandle;

    use super::*;

    /// Answers one request after the other with these, each on its own connection, and gives back heads and bodies.
    async fn server(answers: Vec<(u16, &'static str)>) -> (OutsideConfig, JoinHandle<Vec<(String, Value)>>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let config = OutsideConfig {
            endpoint_url: Some("http://127.0.0.1:1".to_owned()),
            dynamodb_endpoint_url: Some(format!("http://{}", listener.local_addr().unwrap())),
            access_key_id: Some("AKIDEXAMPLE".to_owned()),
            secret_access_key: Some("secret".to_owned()),
            ..OutsideConfig::default()
        };
        let serve = async move {
            let mut requests = Vec::new();
            for (status, body) in answers {
                let (mut stream, _) = listener.accept().await.unwrap();
                requests.push(read(&mut stream).await);
                let head = format!("HTTP/1.1 {status} X\r\ncontent-type: application/x-amz-json-1.0\r\n");
                let rest = format!("connection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len());
                stream.write_all(format!("{head}{rest}").as_bytes()).await.unwrap();
            }
            requests
        };
        (config, tokio::spawn(serve))
    }

    async fn read(stream: &mut TcpStream) -> (String, Value) {
        let mut bytes = Vec::new();
        loop {
            assert!(stream.read_buf(&mut bytes).await.unwrap() > 0);
            let text = String::from_utf8_lossy(&bytes).into_owned();
            if let Some((head, body)) = text.split_once("\r\n\r\n")
                && let Ok(body) = serde_json::from_str(body)
            {
                return (head.to_ascii_lowercase(), body);
            }
        }
    }

    fn put(role: &str, table: &str) -> Action {
        compile(json!({"dynamoDBv2": {"roleArn": role_arn(role), "putItem": {"tableName": table}}})).unwrap()
    }

    /// DynamoDB API reference, `PutItem`: the request's target and its typed attributes.
    #[tokio::test]
    async fn each_attribute_becomes_a_column() {
        let (config, server) = server(vec![(200, "{}")]).await;
        let (_, outside) = outside(config).await;
        let sql = "SELECT *, topic(2) AS room, timestamp() AS ts FROM '#'";
        let payload = r#"{"t":21.5,"on":true,"n":null,"l":[1,"x"],"o":{"a":2}}"#;
        assert_eq!(perform(&outside, &put("writer", "Readings"), sql, payload).await, Ok(()));
        let requests = server.await.unwrap();
        let (head, body) = &requests[0];
        assert!(head.contains("x-amz-target: dynamodb_20120810.putitem"), "{head}");
        assert!(head.contains("/us-east-1/dynamodb/aws4_request"), "{head}");
        let expected = json!({"TableName": "Readings", "Item": {
            "t": {"N": "21.5"}, "on": {"BOOL": true}, "n": {"NULL": true},
            "l": {"L": [{"N": "1"}, {"S": "x"}]}, "o": {"M": {"a": {"N": "2"}}},
            "room": {"S": "kitchen"}, "ts": {"N": "1700000000000"},
        }});
        assert_eq!(*body, expected);
    }

    #[tokio::test]
    async fn a_passing_failure_is_tried_again_and_a_lasting_one_told() {
        let missing = r#"{"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException","message":"Requested resource not found"}"#;
        let (config, server) = server(vec![(500, "{}"), (200, "{}"), (400, missing)]).await;
        let (_, outside) = outside(config).await;
        let action = put("writer", "${name}");
        let payload = r#"{"name":"Readings"}"#;
        assert_eq!(perform(&outside, &action, "SELECT * FROM '#'", payload).await, Ok(()));
        let refusal = perform(&outside, &action, "SELECT * FROM '#'", payload).await.unwrap_err();
        let ActionError::Failed(text) = &refusal else { panic!("{refusal:?}") };
        assert_eq!(
            text,
            "Failed to insert record to DynamoDB V2. The error received was Requested resource not found (Service: \
             AmazonDynamoDBv2; Status Code: 400; Error Code: ResourceNotFoundException; Request ID: null)"
        );
        assert_eq!(server.await.unwrap().len(), 3);
    }

    #[tokio::test]
    async fn an_endpoint_that_is_not_there_gives_no_answer() {
        let endpoint_url = Some("http://127.0.0.1:1".to_owned());
        let (access_key_id, secret_access_key) = (Some("id".to_owned()), Some("secret".to_owned()));
        let config = OutsideConfig { endpoint_url, access_key_id, secret_access_key, ..OutsideConfig::default() };
        let (_, outside) = outside(config).await;
        let payload = r#"{"name":"Readings"}"#;
        let refusal = perform(&outside, &put("writer", "${name}"), "SELECT * FROM '#'", payload).await.unwrap_err();
        let ActionError::Unanswered(text) = &refusal else { panic!("{refusal:?}") };
        assert!(refusal.is_unanswered() && text.contains("refused") && text.len() < 400, "{text}");
    }

    /// Nothing listens at the endpoint: had a request been made, the answer would be `Unanswered`.
    #[tokio::test]
    async fn what_the_role_does_not_allow_is_not_sent() {
        let endpoint_url = Some("http://127.0.0.1:1".to_owned());
        let (_, outside) = outside(OutsideConfig { endpoint_url, ..OutsideConfig::default() }).await;
        let sql = "SELECT * FROM '#'";
        for (role, table) in
            [("writer", "Others"), ("publisher", "Readings"), ("lambda", "Readings"), ("absent", "abc")]
        {
            let answer = perform(&outside, &put(role, table), sql, "{}").await;
            assert!(matches!(answer, Err(ActionError::NotAuthorized(_))), "{role} {table} {answer:?}");
        }
        for payload in ["[1]", "text", "7", ""] {
            let answer = perform(&outside, &put("writer", "Readings"), sql, payload).await;
            assert!(matches!(answer, Err(ActionError::UnsuitableResult(_))), "{payload} {answer:?}");
        }
        let answer = perform(&outside, &put("writer", "a/${x}"), sql, r#"{"x":"b"}"#).await;
        assert!(matches!(answer, Err(ActionError::InvalidField { .. })), "{answer:?}");
    }
}
