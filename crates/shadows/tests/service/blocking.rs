//! The functions behind GetThingShadow, UpdateThingShadow, DeleteThingShadow and ListNamedShadowsForThing.

use std::sync::Arc;

use bytes::Bytes;
use names::{ShadowName, ThingName};
use shadows::ServiceError;
use store::{Direction, MemoryStore, Store};

use crate::house::{House, NOW, at, classic, named, pair, text};

#[test]
fn an_update_is_answered_stored_and_told() {
    let house = House::running(MemoryStore::new());
    let body = br#"{"state":{"desired":{"a":1}},"clientToken":"t"}"#;
    let accepted = house.service.update(&classic("t"), Bytes::from_static(body), at(NOW)).unwrap();
    let expected = r#"{"state":{"desired":{"a":1}},"metadata":{"desired":{"a":{"timestamp":1700000000}}},"version":1,"timestamp":1700000000,"clientToken":"t"}"#;
    assert_eq!(text(&accepted), expected);
    let documents = r#"{"previous":null,"current":{"state":{"desired":{"a":1}},"metadata":{"desired":{"a":{"timestamp":1700000000}}},"version":1},"timestamp":1700000000,"clientToken":"t"}"#;
    let delta = r#"{"version":1,"timestamp":1700000000,"state":{"a":1},"metadata":{"a":{"timestamp":1700000000}},"clientToken":"t"}"#;
    let told = [
        pair("$aws/things/t/shadow/update/documents", documents),
        pair("$aws/things/t/shadow/update/delta", delta),
        pair("$aws/things/t/shadow/update/accepted", expected),
    ];
    assert_eq!(house.heard(), told);

    let got = house.service.get(&classic("t"), b"", at(NOW + 5)).unwrap();
    let expected = r#"{"state":{"desired":{"a":1},"delta":{"a":1}},"metadata":{"desired":{"a":{"timestamp":1700000000}}},"version":1,"timestamp":1700000005}"#;
    assert_eq!(text(&got), expected);
    assert_eq!(house.heard(), [], "reading over HTTP tells nobody");

    house.service.update(&classic("t"), Bytes::from_static(br#"{"state":{"reported":{"a":1}}}"#), at(NOW)).unwrap();
    let topics: Vec<_> = house.heard().into_iter().map(|(topic, _)| topic).collect();
    assert_eq!(topics, ["$aws/things/t/shadow/update/documents", "$aws/things/t/shadow/update/accepted"]);
}

#[test]
fn refusals_come_back_and_are_not_told() {
    let house = House::running(MemoryStore::new());
    house.service.update(&classic("there"), Bytes::from_static(br#"{"state":{}}"#), at(NOW)).unwrap();
    house.heard();
    let check = |answer: Result<Bytes, ServiceError>, code: u16, message: &str| {
        let Err(ServiceError::Shadow(error)) = answer else { panic!("{answer:?}") };
        assert_eq!((error.code(), error.message().as_str()), (code, message));
        assert_eq!(house.heard(), []);
    };
    let service = &house.service;
    check(service.get(&classic("no"), b"", at(NOW)), 404, "No shadow exists with name: 'no'");
    check(service.get(&named("there", "cfg"), b"", at(NOW)), 404, "No shadow exists with name: 'cfg'");
    check(service.delete(&named("there", "cfg"), Bytes::new(), at(NOW)), 404, "No shadow exists with name: 'cfg'");
    check(service.update(&classic("there"), Bytes::from_static(b"{}"), at(NOW)), 400, "Missing required node: state");
    check(
        service.update(&classic("there"), Bytes::from_static(br#"{"state":{},"version":9}"#), at(NOW)),
        409,
        "Version conflict",
    );
    let large = format!(r#"{{"state":{{"desired":{{"a":"{}"}}}}}}"#, "x".repeat(8192));
    let too_large = "The payload exceeds the maximum size allowed";
    check(service.update(&classic("there"), large.into(), at(NOW)), 413, too_large);
}

/// Deleting counts as a version, and the count is kept for 48 hours.
#[test]
fn a_deleted_shadow_is_gone_but_its_version_goes_on() {
    let check = |hours: u64, expected: &str| {
        let house = House::running(MemoryStore::new());
        for _ in 0..8 {
            house
                .service
                .update(&classic("t"), Bytes::from_static(br#"{"state":{"desired":{"old":1}}}"#), at(NOW))
                .unwrap();
        }
        house.heard();
        let deleted =
            house.service.delete(&classic("t"), Bytes::from_static(br#"{"clientToken":"d"}"#), at(NOW)).unwrap();
        let expected_delete = r#"{"version":8,"timestamp":1700000000,"clientToken":"d"}"#;
        assert_eq!(text(&deleted), expected_delete);
        assert_eq!(house.heard(), [pair("$aws/things/t/shadow/delete/accepted", expected_delete)]);
        assert!(house.service.get(&classic("t"), b"", at(NOW)).is_err());
        assert!(house.service.delete(&classic("t"), Bytes::new(), at(NOW)).is_err());

        let later = NOW + hours * 3600;
        house.service.update(&classic("t"), Bytes::from_static(br#"{"state":{}}"#), at(later)).unwrap();
        let got = house.service.get(&classic("t"), b"", at(later)).unwrap();
        assert_eq!(text(&got), format!(r#"{{"state":{{}},"metadata":{{}},"version":{expected},"timestamp":{later}}}"#));
    };
    check(1, "10");
    check(49, "1");
}

#[test]
fn a_shadow_is_at_one_key_at_most() {
    let store = MemoryStore::new();
    let house = House::running(Arc::<MemoryStore>::clone(&store));
    let keys = || -> Vec<String> {
        let rows = store.range(b"", b"", 10, Direction::Forward).unwrap();
        rows.into_iter().map(|row| String::from_utf8(row.key).unwrap()).collect()
    };
    let id = named("t", "n");
    for _ in 0..2 {
        house.service.update(&id, Bytes::from_static(br#"{"state":{}}"#), at(NOW)).unwrap();
        assert_eq!(keys(), ["shadow/live/t/n"]);
        house.service.delete(&id, Bytes::new(), at(NOW)).unwrap();
        assert_eq!(keys(), ["shadow/deleted/t/n"]);
    }
}

#[test]
fn named_shadows_are_listed_in_pages() {
    let house = House::running(MemoryStore::new());
    let thing = ThingName::new("t").unwrap();
    let ids = [classic("t"), named("t", "b"), named("t", "a"), named("t", "$c"), named("t2", "x"), named("t", "gone")];
    for id in &ids {
        house.service.update(id, Bytes::from_static(br#"{"state":{}}"#), at(NOW)).unwrap();
    }
    house.service.delete(&named("t", "gone"), Bytes::new(), at(NOW)).unwrap();
    let check = |after: Option<&str>, limit: usize, names: &[&str], next_after: Option<&str>| {
        let after = after.map(|name| ShadowName::new(name).unwrap());
        let page = house.service.list_named(&thing, after.as_ref(), limit).unwrap();
        let listed: Vec<_> = page.names.iter().map(ShadowName::as_str).collect();
        assert_eq!((listed.as_slice(), page.next_after.as_ref().map(ShadowName::as_str)), (names, next_after));
    };
    check(None, 25, &["$c", "a", "b"], None);
    check(None, 2, &["$c", "a"], Some("a"));
    check(Some("a"), 2, &["b"], None);
    check(None, 3, &["$c", "a", "b"], None);
    check(Some("b"), 3, &[], None);
    let unknown = house.service.list_named(&ThingName::new("nobody").unwrap(), None, 9).unwrap();
    assert_eq!((unknown.names.len(), unknown.next_after), (0, None));
}

#[test]
fn concurrent_updates_of_one_shadow_all_count() {
    let house = House::running(MemoryStore::new());
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let service = &house.service;
            scope.spawn(move || {
                for n in 0..25 {
                    let body = format!(r#"{{"state":{{"reported":{{"k{thread}":{n}}}}}}}"#);
                    service.update(&classic("t"), body.into(), at(NOW)).unwrap();
                }
            });
        }
    });
    let got: serde_json::Value =
        serde_json::from_slice(&house.service.get(&classic("t"), b"", at(NOW)).unwrap()).unwrap();
    assert_eq!(got["version"], 200);
    for thread in 0..8 {
        assert_eq!(got["state"]["reported"][format!("k{thread}")], 24);
    }
}
