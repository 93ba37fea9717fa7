//! Whole conversations, byte for byte. The key order is what was recorded from AWS: accepted and get are state,
//! metadata, version, timestamp, clientToken; a delta begins with its version; documents are previous, current.

use shadow_document::{get, read_client_token};

use crate::script::{Script, delta_state, text};

const T: u64 = 1_700_000_000;

/// Made, desired, partly reported, wholly reported.
#[test]
fn a_lamp_converges() {
    let mut lamp = Script::new();
    let created =
        lamp.update(r#"{"state":{"reported":{"temp":20,"tags":["a","b"],"pos":{"x":1}}},"clientToken":"c1"}"#, T);
    assert_eq!(
        text(&created.accepted()),
        r#"{"state":{"reported":{"temp":20,"tags":["a","b"],"pos":{"x":1}}},"metadata":{"reported":{"temp":{"timestamp":1700000000},"tags":[{"timestamp":1700000000},{"timestamp":1700000000}],"pos":{"x":{"timestamp":1700000000}}}},"version":1,"timestamp":1700000000,"clientToken":"c1"}"#
    );
    assert_eq!(
        text(&created.documents()),
        r#"{"previous":null,"current":{"state":{"reported":{"temp":20,"tags":["a","b"],"pos":{"x":1}}},"metadata":{"reported":{"temp":{"timestamp":1700000000},"tags":[{"timestamp":1700000000},{"timestamp":1700000000}],"pos":{"x":{"timestamp":1700000000}}}},"version":1},"timestamp":1700000000,"clientToken":"c1"}"#
    );
    assert_eq!(created.delta(), None);

    let desired = lamp.update(r#"{"state":{"desired":{"temp":22,"pos":{"x":1,"y":5},"mode":"eco"}}}"#, T + 100);
    assert_eq!(
        text(&desired.accepted()),
        r#"{"state":{"desired":{"temp":22,"pos":{"x":1,"y":5},"mode":"eco"}},"metadata":{"desired":{"temp":{"timestamp":1700000100},"pos":{"x":{"timestamp":1700000100},"y":{"timestamp":1700000100}},"mode":{"timestamp":1700000100}}},"version":2,"timestamp":1700000100}"#
    );
    assert_eq!(
        text(&desired.delta().unwrap()),
        r#"{"version":2,"timestamp":1700000100,"state":{"temp":22,"pos":{"y":5},"mode":"eco"},"metadata":{"temp":{"timestamp":1700000100},"pos":{"y":{"timestamp":1700000100}},"mode":{"timestamp":1700000100}}}"#
    );

    let partial = lamp.update(r#"{"state":{"reported":{"temp":22}},"clientToken":"c3"}"#, T + 200);
    assert_eq!(
        text(&partial.accepted()),
        r#"{"state":{"reported":{"temp":22}},"metadata":{"reported":{"temp":{"timestamp":1700000200}}},"version":3,"timestamp":1700000200,"clientToken":"c3"}"#
    );
    assert_eq!(
        text(&partial.delta().unwrap()),
        r#"{"version":3,"timestamp":1700000200,"state":{"pos":{"y":5},"mode":"eco"},"metadata":{"pos":{"y":{"timestamp":1700000100}},"mode":{"timestamp":1700000100}},"clientToken":"c3"}"#
    );
    assert_eq!(
        lamp.get(T + 250),
        r#"{"state":{"desired":{"temp":22,"pos":{"x":1,"y":5},"mode":"eco"},"reported":{"temp":22,"tags":["a","b"],"pos":{"x":1}},"delta":{"pos":{"y":5},"mode":"eco"}},"metadata":{"desired":{"temp":{"timestamp":1700000100},"pos":{"x":{"timestamp":1700000100},"y":{"timestamp":1700000100}},"mode":{"timestamp":1700000100}},"reported":{"temp":{"timestamp":1700000200},"tags":[{"timestamp":1700000000},{"timestamp":1700000000}],"pos":{"x":{"timestamp":1700000000}}}},"version":3,"timestamp":1700000250}"#
    );

    let finished = lamp.update(r#"{"state":{"reported":{"pos":{"y":5},"mode":"eco"}}}"#, T + 300);
    assert_eq!((finished.shadow.version(), finished.delta()), (4, None));
}

#[test]
fn documents_hold_both_halves_without_delta() {
    let mut shadow = Script::new();
    shadow.update(r#"{"state":{"desired":{"a":1}}}"#, 10);
    let second = shadow.update(r#"{"state":{"desired":null,"reported":{"a":2}},"clientToken":"t"}"#, 20);
    assert_eq!(
        text(&second.documents()),
        r#"{"previous":{"state":{"desired":{"a":1}},"metadata":{"desired":{"a":{"timestamp":10}}},"version":1},"current":{"state":{"reported":{"a":2}},"metadata":{"reported":{"a":{"timestamp":20}}},"version":2},"timestamp":20,"clientToken":"t"}"#
    );
}

#[test]
fn arrays_are_desired_and_reported_whole() {
    let mut shadow = Script::after(&[r#"{"state":{"reported":{"tags":["a","b"]}}}"#]);
    let desired = shadow.update(r#"{"state":{"desired":{"tags":["a"]}}}"#, 5);
    assert_eq!(delta_state(&desired).as_deref(), Some(r#"{"tags":["a"]}"#));
    let reported = shadow.update(r#"{"state":{"reported":{"tags":["a"]}}}"#, 6);
    assert_eq!(reported.delta(), None);
}

#[test]
fn nulls_are_answered_with_a_timestamp() {
    let check = |body: &str, expected: &str, state: &str| {
        let mut shadow = Script::after(&[r#"{"state":{"desired":{"mode":"eco"},"reported":{"mode":"eco"}}}"#]);
        let updated = shadow.update(body, 9);
        assert_eq!(text(&updated.accepted()), expected);
        assert_eq!(updated.delta(), None);
        assert_eq!(shadow.state(), state);
    };
    check(
        r#"{"state":{"desired":{"mode":null}}}"#,
        r#"{"state":{"desired":{"mode":null}},"metadata":{"desired":{"mode":{"timestamp":9}}},"version":2,"timestamp":9}"#,
        r#"{"reported":{"mode":"eco"}}"#,
    );
    check(
        r#"{"state":{"desired":null}}"#,
        r#"{"state":{"desired":null},"metadata":{"desired":{"timestamp":9}},"version":2,"timestamp":9}"#,
        r#"{"reported":{"mode":"eco"}}"#,
    );
    check(r#"{"state":null}"#, r#"{"state":null,"metadata":{"timestamp":9},"version":2,"timestamp":9}"#, "{}");
}

#[test]
fn an_empty_shadow_is_a_shadow() {
    let mut shadow = Script::new();
    let created = shadow.update(r#"{"state":{}}"#, 9);
    assert_eq!(text(&created.accepted()), r#"{"state":{},"metadata":{},"version":1,"timestamp":9}"#);
    assert_eq!(shadow.get(11), r#"{"state":{},"metadata":{},"version":1,"timestamp":11}"#);
}

#[test]
fn versions_are_checked_only_when_sent() {
    let mut shadow = Script::after(&[r#"{"state":{"desired":{"a":0}}}"#; 7]);
    let refusal = shadow.refusal(r#"{"state":{"desired":{"a":1}},"version":6,"clientToken":"z"}"#);
    assert_eq!(refusal, r#"{"code":409,"message":"Version conflict","clientToken":"z"}"#);
    assert_eq!(shadow.update(r#"{"state":{"desired":{"a":1}},"version":7}"#, 2).shadow.version(), 8);
    assert_eq!(shadow.update(r#"{"state":{"desired":{"a":1}}}"#, 3).shadow.version(), 9);
    assert!(Script::new().try_update(r#"{"state":{},"version":1}"#, 1).is_err());
    assert!(Script::new().try_update(r#"{"state":{},"version":0}"#, 1).is_ok());
}

#[test]
fn versions_outlive_a_deletion_for_48_hours() {
    let check = |hours: u64, sent: &str, expected: Option<u64>| {
        let mut shadow = Script::after(&[r#"{"state":{"desired":{"old":0}}}"#; 8]);
        assert_eq!(shadow.delete(T), r#"{"version":8,"timestamp":1700000000}"#);
        assert_eq!(shadow.stored().unwrap().live(), None);
        let updated = shadow.try_update(&format!(r#"{{"state":{{"desired":{{"new":1}}}}{sent}}}"#), T + hours * 3600);
        assert_eq!(updated.as_ref().ok().map(|u| u.shadow.version()), expected);
        if let Ok(updated) = updated {
            assert_eq!(shadow.state(), r#"{"desired":{"new":1}}"#);
            assert!(text(&updated.documents()).starts_with(r#"{"previous":null,"current":{"#));
        }
    };
    check(1, "", Some(10));
    check(1, r#","version":9"#, Some(10));
    check(1, r#","version":8"#, None);
    check(47, "", Some(10));
    check(72, "", Some(1));
    check(72, r#","version":9"#, None);
}

#[test]
fn tokens_of_gets_and_deletes_are_echoed() {
    let check = |payload: &str, expected: Option<&str>| {
        assert_eq!(read_client_token(payload.as_bytes()).as_deref(), expected, "{payload}");
    };
    check("", None);
    check(r#"{"clientToken":"q"}"#, Some("q"));
    check(r#"{"state":{"a":[[[]]]},"clientToken":"q"}"#, Some("q"));
    check(r#"{"clientToken":5}"#, None);
    check(r#"{"clientToken":"#, None);
    check(&format!(r#"{{"clientToken":"{}"}}"#, "x".repeat(64)), Some(&"x".repeat(64)));
    check(&format!(r#"{{"clientToken":"{}"}}"#, "x".repeat(65)), None);
    assert_eq!(read_client_token(b"\xff"), None);

    let stored = Script::after(&[r#"{"state":{}}"#]).stored().unwrap();
    let body = get(stored.live().unwrap(), 3, Some("q"));
    assert_eq!(text(&body), r#"{"state":{},"metadata":{},"version":1,"timestamp":3,"clientToken":"q"}"#);
    let (_, body) = shadow_document::delete(stored.live().unwrap(), 3, Some("q"));
    assert_eq!(text(&body), r#"{"version":1,"timestamp":3,"clientToken":"q"}"#);
}
