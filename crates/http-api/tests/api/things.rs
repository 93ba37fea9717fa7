//! Things by HTTP (API reference; texts as AWS has them).

use serde_json::json;

use crate::world::{ARN, World};

#[tokio::test(flavor = "multi_thread")]
async fn things_are_made_described_changed_and_deleted() {
    let world = World::start().await;
    let attributes = json!({"attributePayload":{"attributes":{"room":"a1"}}});
    let made = world.ask_json("POST", "/things/lamp", attributes.clone()).await.ok();
    assert_eq!(made.json()["thingArn"], format!("{ARN}:thing/lamp"));
    assert_eq!(made.header("content-type"), "application/json");
    assert_eq!(made.header("x-amzn-requestid").len(), 36);
    let again = world.ask_json("POST", "/things/lamp", attributes).await.ok();
    assert_eq!(again.json(), made.json());
    let other = world.ask("POST", "/things/lamp", "{}").await;
    other.refused(
        409,
        "ResourceAlreadyExistsException",
        "Thing lamp already exists in account with different attributes",
    );
    assert_eq!(other.json()["resourceArn"], format!("{ARN}:thing/lamp"));

    let thing_id = made.json()["thingId"].clone();
    let described = world.ask("GET", "/things/lamp", "").await.ok().json();
    let expected = json!({"defaultClientId":"lamp","thingName":"lamp","thingId":thing_id,"thingArn":format!("{ARN}:thing/lamp"),
        "attributes":{"room":"a1"},"version":1});
    assert_eq!(described, expected);
    let update = json!({"attributePayload":{"attributes":{"floor":"2"},"merge":true},"expectedVersion":1});
    assert_eq!(world.ask_json("PATCH", "/things/lamp", update.clone()).await.ok().body, "");
    let stale = world.ask_json("PATCH", "/things/lamp", update).await;
    stale.refused(409, "VersionConflictException", "The version for thing lamp does not match the expected version.");
    let described = world.ask("GET", "/things/lamp", "").await.ok().json();
    assert_eq!((&described["attributes"], &described["version"]), (&json!({"floor":"2","room":"a1"}), &json!(2)));

    world.ask("DELETE", "/things/lamp?expectedVersion=7", "").await.refused(409, "VersionConflictException", "lamp");
    world.ask("DELETE", "/things/lamp", "").await.ok();
    world.ask("DELETE", "/things/lamp", "").await.ok();
    world.ask("GET", "/things/lamp", "").await.refused(404, "ResourceNotFoundException", "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_name_is_refused_in_aws_words() {
    let world = World::start().await;
    let expected = "1 validation error detected: Value 'a b' at 'thingName' failed to satisfy constraint: \
                    Member must satisfy regular expression pattern: [a-zA-Z0-9:_-]+";
    world.ask("POST", "/things/a%20b", "").await.refused(400, "InvalidRequestException", expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_come_in_pages() {
    let world = World::start().await;
    for name in ["a", "b", "c"] {
        world.ask("POST", &format!("/things/{name}"), "").await.ok();
    }
    let (mut names, mut target) = (Vec::new(), "/things?maxResults=2".to_owned());
    loop {
        let page = world.ask("GET", &target, "").await.ok().json();
        names.extend(page["things"].as_array().unwrap().iter().map(|t| t["thingName"].as_str().unwrap().to_owned()));
        let Some(token) = page["nextToken"].as_str() else { break };
        let token = token.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
        target = format!("/things?maxResults=2&nextToken={token}");
    }
    assert_eq!(names, ["a", "b", "c"]);
    let full = world.ask("GET", "/things?maxResults=3", "").await.ok().json();
    assert_eq!(full.get("nextToken"), None);
    world.ask("GET", "/things?nextToken=nonsense", "").await.refused(400, "InvalidRequestException", "token");
}
