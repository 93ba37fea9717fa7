//! Shadows by HTTP (developer guide, device-shadow-rest-api): the bodies are the documents themselves.

use serde_json::json;

use crate::world::{Ask, World};

async fn ask(world: &World, method: &'static str, target: &str, body: &str) -> crate::world::Reply {
    world.send(&Ask { service: "iotdata", ..Ask::new(method, target, body) }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn shadows_are_updated_read_and_deleted() {
    let world = World::start().await;
    for path in ["/things/lamp/shadow", "/things/lamp/shadow?name=n"] {
        let absent = ask(&world, "GET", path, "").await;
        let title = if path.contains('?') { "n" } else { "lamp" };
        absent.refused(404, "ResourceNotFoundException", &format!("No shadow exists with name: '{title}'"));
        assert_eq!(absent.json()["traceId"], absent.header("x-amzn-requestid"));
        let updated =
            ask(&world, "POST", path, r#"{"state":{"desired":{"on":true},"reported":{"on":false}}}"#).await.ok();
        assert_eq!(updated.json()["version"], 1);
        assert_eq!(updated.header("content-type"), "application/json");
        let read = ask(&world, "GET", path, "").await.ok().json();
        assert_eq!(read["state"], json!({"desired":{"on":true},"reported":{"on":false},"delta":{"on":true}}));
        let stale = ask(&world, "POST", path, r#"{"state":{"desired":{"on":null}},"version":7}"#).await;
        stale.refused(409, "ConflictException", "Version conflict");
        let bad = ask(&world, "POST", path, "{").await;
        bad.refused(400, "InvalidRequestException", "Payload contains invalid json");
        let none = ask(&world, "POST", path, "").await;
        none.refused(400, "InvalidRequestException", "Value null at 'payload'");
        let large = format!(r#"{{"state":{{"desired":{{"a":"{}"}}}}}}"#, "x".repeat(9000));
        ask(&world, "POST", path, &large).await.refused(413, "RequestEntityTooLargeException", "maximum size");
        assert_eq!(ask(&world, "DELETE", path, "").await.ok().json()["version"], 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_of_shadows_keep_to_the_model() {
    let world = World::start().await;
    let reply = ask(&world, "GET", "/things/lamp/shadow?name=a%20b", "").await;
    reply.refused(400, "InvalidRequestException", "Value 'a b' at 'shadowName' failed to satisfy constraint");
}

#[tokio::test(flavor = "multi_thread")]
async fn named_shadows_are_listed_in_pages() {
    let world = World::start().await;
    for name in ["", "?name=a", "?name=b", "?name=c"] {
        ask(&world, "POST", &format!("/things/lamp/shadow{name}"), r#"{"state":{}}"#).await.ok();
    }
    let path = "/api/things/shadow/ListNamedShadowsForThing/lamp";
    let page = ask(&world, "GET", &format!("{path}?pageSize=2"), "").await.ok().json();
    assert_eq!(page["results"], json!(["a", "b"]));
    assert!(page["timestamp"].is_u64());
    let token = page["nextToken"].as_str().unwrap().replace('=', "%3D");
    let page = ask(&world, "GET", &format!("{path}?nextToken={token}&pageSize=2"), "").await.ok().json();
    assert_eq!((&page["results"], page.get("nextToken")), (&json!(["c"]), None));
    let too_many = ask(&world, "GET", &format!("{path}?pageSize=101"), "").await;
    too_many.refused(400, "InvalidRequestException", "less than or equal to 100");
}
