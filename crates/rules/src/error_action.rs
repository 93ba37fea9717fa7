//! What an error action is told (AWS IoT Core developer guide, rule-error-handling).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use names::RuleName;
use serde::Serialize;
use sql::{Output, SqlVersion, Statement};

use crate::evaluation::Evaluation;

/// One action that failed for a message.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Failure {
    pub(crate) failed_action: &'static str,
    pub(crate) failed_resource: String,
    pub(crate) error_message: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    rule_name: &'a str,
    topic: &'a str,
    cloudwatch_trace_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source_ip: Option<String>,
    base64_original_payload: String,
    failures: &'a [Failure],
}

/// The message of the error action: one for a rule and a message, with all failures in it.
pub(crate) fn report(name: &RuleName, evaluation: &Evaluation, failures: &[Failure]) -> Bytes {
    let origin = &evaluation.message.origin;
    let report = Report {
        rule_name: name.as_str(),
        topic: &evaluation.topic,
        cloudwatch_trace_id: &evaluation.trace_id,
        client_id: origin.client_id.as_deref(),
        source_ip: origin.source_ip.map(|address| address.to_string()),
        base64_original_payload: STANDARD.encode(&evaluation.message.payload),
        failures,
    };
    Bytes::from(serde_json::to_vec(&report).unwrap_or_default())
}

/// The report as what an action takes: the result of a statement that hands its payload on.
pub(crate) fn output(report: Bytes, evaluation: &Evaluation, account_id: &str) -> Option<Output> {
    let statement = Statement::parse("SELECT * FROM '#'", SqlVersion::V2016_03_23).ok()?;
    let message = message::Message { payload: report, ..message::Message::clone(&evaluation.message) };
    let (message, topic) = (std::sync::Arc::new(message), evaluation.topic.clone());
    let mut evaluation = Evaluation::new(message, topic, evaluation.now, String::new);
    evaluation.with_input(account_id, |input| statement.select(input)).ok()?
}
