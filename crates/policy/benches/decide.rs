//! How long an answer takes: a device's usual policy, and one with many statements.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};

use policy::{Document, MapContext, PolicySet, Question};

const SPACE: &str = "arn:aws:iot:us-east-1:123456789012:";

fn device_policy() -> String {
    format!(
        r#"{{"Version": "2012-10-17", "Statement": [
            {{"Effect": "Allow", "Action": "iot:Connect", "Resource": "{SPACE}client/${{iot:ClientId}}"}},
            {{"Effect": "Allow", "Action": ["iot:Publish", "iot:Receive"], "Resource": [
                "{SPACE}topic/lamps/${{iot:ClientId}}/*", "{SPACE}topic/$aws/things/${{iot:ClientId}}/shadow/*"]}},
            {{"Effect": "Allow", "Action": "iot:Subscribe", "Resource": "{SPACE}topicfilter/lamps/${{iot:ClientId}}/*"}},
            {{"Effect": "Deny", "Action": "iot:*", "Resource": "{SPACE}topic/admin/*"}}]}}"#
    )
}

fn large_policy() -> String {
    let statement = |n: usize| {
        format!(r#"{{"Effect": "Allow", "Action": "iot:Publish", "Resource": "{SPACE}topic/hall/*/lamp{n}/*/state"}}"#)
    };
    let statements: Vec<String> = (0..100).map(statement).collect();
    format!(r#"{{"Version": "2012-10-17", "Statement": [{}]}}"#, statements.join(","))
}

fn set(document: &str) -> PolicySet {
    let document = Document::parse(document).expect("the benchmark's document is well formed");
    PolicySet::new([(Arc::from("bench"), Arc::new(document))])
}

fn decide(criterion: &mut Criterion) {
    let context = MapContext::new().with("iot:ClientId", "lamp-0042");
    let (device, large) = (set(&device_policy()), set(&large_policy()));
    let own = format!("{SPACE}topic/lamps/lamp-0042/state");
    let other = format!("{SPACE}topic/hall/3/lamp99/x/state");
    let question = |resource| Question { action: "iot:Publish", resource, context: &context };
    criterion.bench_function("allows, device policy", |b| b.iter(|| device.allows(black_box(&question(&own)))));
    criterion.bench_function("allows, 100 statements", |b| b.iter(|| large.allows(black_box(&question(&other)))));
    criterion.bench_function("decide, device policy", |b| b.iter(|| device.decide(black_box(&question(&other)))));
    criterion.bench_function("parse, device policy", |b| {
        let text = device_policy();
        b.iter(|| Document::parse(black_box(&text)));
    });
}

criterion_group!(benches, decide);
criterion_main!(benches);
