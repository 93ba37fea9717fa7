//! Policies: any document parses or is refused; both ways to decide agree; matching takes no exponential time.

use std::sync::Arc;

use fuzz::{Choices, json};
use policy::{Document, MapContext, PolicySet, Question, characters_without_white_space};

fn check(json: &str, resource: &str) {
    drop(Document::parse_trust(json).map(|trust| trust.trusts_service("iot.amazonaws.com", "sts:AssumeRole", &())));
    assert!(characters_without_white_space(json) <= json.chars().count());
    let Ok(document) = Document::parse(json) else { return };
    let policies = PolicySet::new([(Arc::from("fuzz"), Arc::new(document))]);
    let context = MapContext::new()
        .with("iot:ClientId", resource)
        .with("aws:SourceIp", "10.1.2.3")
        .with("x:Date", "2020-06-01T00:00:00Z")
        .with_many("x:Many", ["a", "b", "5"]);
    for action in ["iot:Publish", "iot:Connect", ""] {
        let question = Question { action, resource, context: &context };
        let decision = policies.decide(&question);
        assert_eq!(decision.is_allowed(), policies.allows(&question), "{json}");
        assert!(!decision.to_string().is_empty());
    }
}

fn statement(choices: &mut Choices<'_>) -> String {
    const ACTIONS: [&str; 6] = ["\"*\"", "\"iot:*\"", "\"iot:Publish\"", "[\"iot:?ublish\",\"IOT:c*t\"]", "[]", "1"];
    const RESOURCES: [&str; 8] = [
        "\"*\"",
        "\"a*\"",
        "[\"?\",\"b*a\"]",
        "\"${iot:ClientId}\"",
        "\"a${x:Many}*\"",
        "\"${*}\"",
        "\"${\"",
        "\"${nobody}\"",
    ];
    let mut text = format!("{{\"Effect\":\"{}\"", choices.word(&["Allow", "Deny", "Allow", "allow"]));
    text += &format!(",\"{}\":{}", choices.word(&["Action", "Action", "NotAction"]), choices.word(&ACTIONS));
    text += &format!(",\"{}\":{}", choices.word(&["Resource", "Resource", "NotResource"]), choices.word(&RESOURCES));
    if choices.below(2) == 1 {
        text += &format!(",\"Condition\":{{{}}}", choices.list(2, condition));
    }
    match choices.below(8) {
        1 => text += ",\"Sid\":\"one\"",
        2 => text += &format!(",\"Extra\":{}", json(choices, 2)),
        _ => {}
    }
    text + "}"
}

fn condition(choices: &mut Choices<'_>) -> String {
    const OPERATORS: [&str; 24] = [
        "StringEquals",
        "StringNotEquals",
        "StringEqualsIgnoreCase",
        "StringNotEqualsIgnoreCase",
        "StringLike",
        "StringNotLike",
        "NumericEquals",
        "NumericNotEquals",
        "NumericLessThan",
        "NumericLessThanEquals",
        "NumericGreaterThan",
        "NumericGreaterThanEquals",
        "DateEquals",
        "DateLessThan",
        "DateGreaterThanEquals",
        "Bool",
        "IpAddress",
        "NotIpAddress",
        "ArnEquals",
        "ArnLike",
        "ArnNotLike",
        "Null",
        "BinaryEquals",
        "Nonsense",
    ];
    const KEYS: [&str; 6] = ["iot:ClientId", "aws:SourceIp", "x:Date", "x:Many", "IOT:CLIENTID", "nobody"];
    const VALUES: [&str; 14] = [
        "\"a\"",
        "\"*\"",
        "\"${iot:ClientId}\"",
        "[\"a\",\"b\"]",
        "[]",
        "\"10.0.0.0/8\"",
        "\"::/0\"",
        "\"10.1.2.3\"",
        "\"5\"",
        "5",
        "true",
        "\"true\"",
        "\"2020-01-01T00:00:00Z\"",
        "\"arn:aws:iot:*:*:thing/*\"",
    ];
    let set = choices.word(&["", "", "ForAllValues:", "ForAnyValue:"]);
    let (operator, if_exists) = (choices.word(&OPERATORS), choices.word(&["", "", "IfExists"]));
    format!("\"{set}{operator}{if_exists}\":{{\"{}\":{}}}", choices.word(&KEYS), choices.word(&VALUES))
}

fn document(choices: &mut Choices<'_>) -> String {
    let version = choices.word(&["2012-10-17", "2012-10-17", "2008-10-17", "2012"]);
    format!("{{\"Version\":\"{version}\",\"Statement\":[{}]}}", choices.list(3, statement))
}

#[test]
fn any_text_parses_or_is_refused() {
    bolero::check!().for_each(|bytes: &[u8]| check(&String::from_utf8_lossy(bytes), "a"));
}

#[test]
fn any_json_parses_or_is_refused() {
    bolero::check!().for_each(|bytes: &[u8]| check(&json(&mut Choices::new(bytes), 6), "a"));
}

#[test]
fn any_document_decides_one_way() {
    bolero::check!().with_type::<(Vec<u8>, String)>().for_each(|(bytes, resource)| {
        let json = document(&mut Choices::new(bytes));
        check(&json, resource);
        check(&json, "a");
        check(&json, "bba");
    });
}

/// Resources of stars and few letters against long names of the same letters: what a backtracking matcher dies of.
#[test]
fn any_glob_decides_soon() {
    bolero::check!().with_type::<(Vec<u8>, Vec<u8>)>().for_each(|(pattern, name)| {
        let letters = |bytes: &[u8], words: &[&str]| Choices::new(bytes).sentence(words);
        let pattern = letters(pattern, &["*", "a", "?", "b", "*"]).repeat(4);
        let json = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"iot:*","Resource":"{pattern}"}}]}}"#
        );
        check(&json, &letters(name, &["a", "a", "b"]).repeat(8));
    });
}
