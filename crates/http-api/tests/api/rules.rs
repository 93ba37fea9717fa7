//! Topic rules by HTTP.

use serde_json::json;

use crate::world::{ARN, World};

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_is_made_read_listed_and_deleted() {
    let world = World::start().await;
    let role = "arn:aws:iam::123456789012:role/r";
    let payload = json!({"sql":"SELECT * FROM 'a/b'","actions":[{"republish":{"roleArn":role,"topic":"c","qos":1}}],
        "awsIotSqlVersion":"2016-03-23","description":"d"});
    world.ask_json("POST", "/rules/r1", payload.clone()).await.ok();
    let taken = world.ask_json("POST", "/rules/r1", payload).await;
    taken.refused(409, "ResourceAlreadyExistsException", "Rule with given name already exists");
    assert_eq!(taken.json()["resourceArn"], format!("{ARN}:rule/r1"));
    let read = world.ask("GET", "/rules/r1", "").await.ok().json();
    assert_eq!(read["ruleArn"], format!("{ARN}:rule/r1"));
    assert_eq!(read["rule"]["sql"], "SELECT * FROM 'a/b'");
    assert_eq!(read["rule"]["actions"][0]["republish"]["topic"], "c");
    assert_eq!(read["rule"]["ruleDisabled"], false);
    assert!(read["rule"]["createdAt"].as_f64().is_some_and(|seconds| seconds < 10_000_000_000.0));
    let listed = world.ask("GET", "/rules", "").await.ok().json();
    assert_eq!(listed["rules"][0]["ruleName"], "r1");
    assert_eq!(listed["rules"][0]["topicPattern"], "a/b");
    world.ask("POST", "/rules/r1/disable", "").await.ok();
    assert_eq!(world.ask("GET", "/rules/r1", "").await.ok().json()["rule"]["ruleDisabled"], true);
    assert_eq!(world.ask("GET", "/rules?ruleDisabled=false", "").await.ok().json(), json!({"rules":[]}));
    world.ask("POST", "/rules/r1/enable", "").await.ok();
    let replaced = json!({"sql":"SELECT a FROM 'c'","actions":[]});
    world.ask_json("PATCH", "/rules/r1", replaced.clone()).await.ok();
    assert_eq!(world.ask("GET", "/rules/r1", "").await.ok().json()["rule"]["sql"], "SELECT a FROM 'c'");
    world.ask_json("PATCH", "/rules/r2", replaced).await.refused(401, "UnauthorizedException", "'r2' was denied");
    world.ask("DELETE", "/rules/r1", "").await.ok();
    world.ask("DELETE", "/rules/r1", "").await.ok();
    let absent = world.ask("GET", "/rules/r1", "").await;
    absent.refused(401, "UnauthorizedException", "Access to topic rule 'r1' was denied");
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_rules_are_refused() {
    let world = World::start().await;
    let check = async |body: serde_json::Value, status, name: &str, message: &str| {
        world.ask_json("POST", "/rules/r", body).await.refused(status, name, message);
    };
    check(json!({"sql":"SELEC","actions":[]}), 400, "SqlParseException", "").await;
    check(json!({"actions":[]}), 400, "InvalidRequestException", "Value null at 'topicRulePayload.sql'").await;
    let lambda = json!({"sql":"SELECT * FROM 'a'","actions":[{"lambda":{"functionArn":"arn:x"}}]});
    check(lambda, 501, "NotImplementedException", "lambda").await;
    let empty = world.ask("POST", "/rules/r", "").await;
    empty.refused(400, "InvalidRequestException", "Value null at 'topicRulePayload'");
}
