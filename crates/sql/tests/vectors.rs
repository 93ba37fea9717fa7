//! Every vector drawn from the AWS IoT Core developer guide's SQL pages: an example printed there, a row of a table or
//! a sentence. What is not served is listed by name; a listed vector that begins to pass fails the test.

#![allow(clippy::unwrap_used, reason = "a test may stop at what it does not expect")]

use std::net::IpAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::Value as Json;

use sql::{Input, Output, PublishProperties, SqlVersion, Statement, Template, Value};

/// Vectors that do not pass, and why.
const NOT_SERVED: &[(&str, &str)] = &[
    ("st-013", "the filter after FROM is matched by the router, not here"),
    ("st-017", "the filter after FROM is matched by the router, not here"),
    ("st-021", "the filter after FROM is matched by the router, not here"),
    ("tpl-004", "$$ is resolved by the republish action"),
];

#[test]
fn vectors_of_the_developer_guide() {
    let file: Json = serde_json::from_str(include_str!("vectors.json")).unwrap();
    let vectors = file["vectors"].as_array().unwrap();
    assert_eq!(Some(vectors.len() as u64), file["_about"]["count"].as_u64());
    let mut wrong = Vec::new();
    for vector in vectors {
        let id = vector["id"].as_str().unwrap();
        let is_listed = NOT_SERVED.iter().any(|(listed, _)| *listed == id);
        match (run(vector), is_listed) {
            (Ok(()), false) | (Err(_), true) => {}
            (Ok(()), true) => wrong.push(format!("{id}: passes, but is listed as not served")),
            (Err(reason), false) => wrong.push(format!("{id}: {reason}: {vector}")),
        }
    }
    for (listed, _) in NOT_SERVED {
        assert!(vectors.iter().any(|vector| vector["id"] == *listed), "{listed} is no vector");
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), vectors.len(), wrong.join("\n"));
}

fn run(vector: &Json) -> Result<(), String> {
    let text = |name: &str| vector[name].as_str();
    let version: SqlVersion = text("sql_version").unwrap_or("2016-03-23").parse().unwrap();
    let payload = match (text("raw_payload"), &vector["payload"]) {
        (Some(raw), _) => raw.to_owned(),
        (None, Json::Null) => "{}".to_owned(),
        (None, json) => json.to_string(),
    };
    let payload = Bytes::from(payload);
    let topic = topic_of(vector);
    let mqtt5 = &vector["mqtt5"];
    let correlation = mqtt5["correlationDataBase64"].as_str().map(|data| STANDARD.decode(data).unwrap());
    let pairs = mqtt5["userProperties"].as_array().map(Vec::as_slice).unwrap_or_default();
    let pairs: Vec<_> = pairs.iter().map(|pair| (pair[0].as_str().unwrap(), pair[1].as_str().unwrap())).collect();
    let properties = PublishProperties {
        content_type: mqtt5["contentType"].as_str(),
        response_topic: mqtt5["responseTopic"].as_str(),
        correlation_data: correlation.as_deref(),
        is_utf8: mqtt5["payloadFormatIndicator"] == 1,
        user_properties: &pairs,
    };
    let (uuid, random) = (|| "7b2f3a4e-0000-4000-8000-000000000000".to_owned(), || 0.25);
    let now = vector["now_ms"].as_u64().unwrap_or(0);
    let mut input =
        Input::new(&payload, &topic, text("account").unwrap_or("123456789012"), now, "trace", &uuid, &random);
    input.client_id = (vector["via"] != "HTTP").then_some("client");
    input.source_ip = Some(IpAddr::from([192, 0, 2, 1]));
    input.properties = mqtt5.is_object().then_some(&properties);
    if let Some(template) = text("template") {
        let rendered = Template::parse(template, version).map_err(|error| error.to_string())?.render(&input);
        let rendered = rendered.map_err(|error| error.to_string())?;
        return same(rendered.as_deref(), text("expect_string"));
    }
    let sql = match text("sql") {
        Some(sql) => sql.to_owned(),
        None => format!("SELECT VALUE {} FROM 't'", text("expr").unwrap()),
    };
    let statement = Statement::parse(&sql, version).map_err(|error| error.to_string())?;
    let output = statement.select(&input).map_err(|error| error.to_string())?;
    compare(output.as_ref(), vector)
}

/// The topic as the caller of this crate gives it: without the Basic Ingest prefix.
fn topic_of(vector: &Json) -> String {
    let topic = vector["topic"].as_str().unwrap_or("t");
    let prefix = format!("$aws/rules/{}/", vector["rule_name"].as_str().unwrap_or_default());
    topic.strip_prefix(&prefix).unwrap_or(topic).to_owned()
}

fn compare(output: Option<&Output>, vector: &Json) -> Result<(), String> {
    match (vector["expect"].as_str(), output) {
        (Some("NoAction"), found) => same(found.map(Output::bytes), None),
        (Some("Undefined"), Some(found)) => {
            same(found.value(), &Value::Undefined)?;
            same(found.bytes(), &Bytes::new())
        }
        (None, Some(found)) => {
            let json: Json = serde_json::from_slice(found.bytes()).map_err(|error| error.to_string())?;
            if is_same(&json, &vector["expect_json"]) { Ok(()) } else { Err(format!("found {json}")) }
        }
        (expected, found) => Err(format!("expected {expected:?}, found {found:?}")),
    }
}

fn same<T: PartialEq + std::fmt::Debug>(found: T, expected: T) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("found {found:?}, expected {expected:?}")) }
}

/// Numbers by value with a tolerance of 1e-12, everything else exactly.
fn is_same(found: &Json, expected: &Json) -> bool {
    match (found, expected) {
        (Json::Number(found), Json::Number(expected)) => {
            let (found, expected) = (found.as_f64().unwrap(), expected.as_f64().unwrap());
            (found - expected).abs() <= 1e-12 * expected.abs().max(1.0)
        }
        (Json::Array(found), Json::Array(expected)) => {
            found.len() == expected.len()
                && found.iter().zip(expected).all(|(found, expected)| is_same(found, expected))
        }
        (Json::Object(found), Json::Object(expected)) => {
            let has = |(name, value): (&String, &Json)| found.get(name).is_some_and(|other| is_same(other, value));
            found.len() == expected.len() && expected.iter().all(has)
        }
        (found, expected) => found == expected,
    }
}
