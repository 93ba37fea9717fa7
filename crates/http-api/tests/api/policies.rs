//! Policies by HTTP, and the endpoint.

use serde_json::json;

use crate::world::{ARN, World};

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_is_made_attached_and_deleted() {
    let world = World::start().await;
    let document = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:*","Resource":"*"}]}"#;
    let body = json!({"policyDocument":document});
    let made = world.ask_json("POST", "/policies/p", body.clone()).await.ok().json();
    let arn = format!("{ARN}:policy/p");
    assert_eq!(made, json!({"policyName":"p","policyArn":arn,"policyDocument":document,"policyVersionId":"1"}));
    let again = world.ask_json("POST", "/policies/p", body).await;
    again.refused(409, "ResourceAlreadyExistsException", "Policy cannot be created - name already exists (name=p)");
    let bad = world.ask_json("POST", "/policies/q", json!({"policyDocument":"{}"})).await;
    bad.refused(400, "MalformedPolicyException", "");
    let described = world.ask("GET", "/policies/p", "").await.ok().json();
    assert_eq!((&described["defaultVersionId"], &described["policyDocument"]), (&json!("1"), &json!(document)));
    assert!(described["creationDate"].as_f64().unwrap() > 1_700_000_000.0);
    assert!(described["creationDate"].as_f64().unwrap() < 10_000_000_000.0);

    let target = world.ask("POST", "/keys-and-certificate", "").await.ok().json()["certificateArn"].clone();
    let attach = json!({"target":target});
    world.ask_json("PUT", "/target-policies/p", attach.clone()).await.ok();
    let encoded = target.as_str().unwrap().replace(':', "%3A").replace('/', "%2F");
    let attached = world.ask("POST", &format!("/attached-policies/{encoded}"), "").await.ok().json();
    assert_eq!(attached, json!({"policies":[{"policyName":"p","policyArn":arn}]}));
    let targets = world.ask("POST", "/policy-targets/p", "").await.ok().json();
    assert_eq!(targets, json!({"targets":[target]}));
    let conflict = world.ask("DELETE", "/policies/p", "").await;
    conflict.refused(409, "DeleteConflictException", "attached to one or more principals (name=p)");
    world.ask_json("POST", "/target-policies/p", attach).await.ok();
    assert_eq!(
        world.ask("GET", "/policies", "").await.ok().json(),
        json!({"policies":[{"policyName":"p","policyArn":arn}]})
    );
    world.ask("DELETE", "/policies/p", "").await.ok();
    assert_eq!(world.ask("GET", "/policies", "").await.ok().json(), json!({"policies":[]}));
    world.ask("GET", "/policies/p", "").await.refused(404, "ResourceNotFoundException", "");
    let group = json!({"target":format!("{ARN}:thinggroup/g")});
    world.ask_json("PUT", "/target-policies/p", group).await.refused(501, "NotImplementedException", "thing groups");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_endpoint_is_the_configured_host() {
    let world = World::start().await;
    for query in ["", "?endpointType=iot%3AData-ATS", "?endpointType=iot%3ACredentialProvider"] {
        let reply = world.ask("GET", &format!("/endpoint{query}"), "").await.ok();
        assert_eq!(reply.json(), json!({"endpointAddress":"iot.example.com"}));
    }
    for retired in ["iot:Data", "iot:Jobs", "x"] {
        let target = format!("/endpoint?endpointType={}", retired.replace(':', "%3A"));
        let expected = format!("Endpoint type {retired} not recognized.");
        world.ask("GET", &target, "").await.refused(400, "InvalidRequestException", &expected);
    }
}
