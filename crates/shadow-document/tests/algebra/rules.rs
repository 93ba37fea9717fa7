//! The rules of merge, metadata and delta, a line each (developer guide, device-shadow-data-flow and
//! device-shadow-mqtt; what AWS answered where the guide is silent).

use crate::script::{Script, delta_state, text};

/// `desired` before, the `desired` sent, `desired` after; none when the section is gone.
#[test]
fn merge() {
    let check = |before: &str, sent: &str, after: Option<&str>| {
        let mut shadow = Script::after(&[&format!(r#"{{"state":{{"desired":{before}}}}}"#)]);
        shadow.update(&format!(r#"{{"state":{{"desired":{sent}}}}}"#), 2);
        let expected = after.map_or_else(|| "{}".to_owned(), |after| format!(r#"{{"desired":{after}}}"#));
        assert_eq!(shadow.state(), expected, "{before} + {sent}");
    };
    // Only named fields change.
    check(r#"{"a":1,"b":2}"#, r#"{"b":3}"#, Some(r#"{"a":1,"b":3}"#));
    check(r#"{"o":{"a":1,"b":2}}"#, r#"{"o":{"b":3,"c":4}}"#, Some(r#"{"o":{"a":1,"b":3,"c":4}}"#));
    // Types replace each other.
    check(r#"{"b":{"c":3}}"#, r#"{"b":{"c":{"d":3}}}"#, Some(r#"{"b":{"c":{"d":3}}}"#));
    check(r#"{"b":{"c":3}}"#, r#"{"b":{"c":{}}}"#, Some(r#"{"b":{"c":{}}}"#));
    check(r#"{"a":{"b":1}}"#, r#"{"a":3}"#, Some(r#"{"a":3}"#));
    check(r#"{"a":3}"#, r#"{"a":{"b":1}}"#, Some(r#"{"a":{"b":1}}"#));
    check(r#"{"a":[1]}"#, r#"{"a":{"0":1}}"#, Some(r#"{"a":{"0":1}}"#));
    // Arrays are replaced whole.
    check(r#"{"a":[1,2,3]}"#, r#"{"a":[4]}"#, Some(r#"{"a":[4]}"#));
    check(r#"{"a":[1,2,3]}"#, r#"{"a":[]}"#, Some(r#"{"a":[]}"#));
    // Null deletes, and does nothing where nothing is.
    check(r#"{"a":1,"b":2}"#, r#"{"a":null}"#, Some(r#"{"b":2}"#));
    check(r#"{"a":1}"#, r#"{"z":null}"#, Some(r#"{"a":1}"#));
    check(r#"{"o":{"a":1,"b":2}}"#, r#"{"o":{"a":null}}"#, Some(r#"{"o":{"b":2}}"#));
    check(r#"{"a":1}"#, r#"{"a":null}"#, None);
    check(r#"{"a":1}"#, r#"{"a":{"b":null}}"#, None);
    // An object emptied by nulls stays; a new one of nothing but nulls is not made.
    check(r#"{"o":{"a":1}}"#, r#"{"o":{"a":null}}"#, Some(r#"{"o":{}}"#));
    check(r#"{"a":1}"#, r#"{"o":{"x":null,"p":{"y":null}}}"#, Some(r#"{"a":1}"#));
    check(r#"{"a":1}"#, r#"{"o":{"x":null,"y":2}}"#, Some(r#"{"a":1,"o":{"y":2}}"#));
    // Empty objects below a section are values; an empty section is none and clears nothing.
    check(r#"{"a":1,"b":{"c":3},"d":{}}"#, "{}", Some(r#"{"a":1,"b":{"c":3},"d":{}}"#));
    check("{}", r#"{"a":1}"#, Some(r#"{"a":1}"#));
    check("{}", "{}", None);
}

#[test]
fn sections_that_are_not_named_are_kept() {
    let check = |sent: &str, after: &str| {
        let mut shadow = Script::after(&[r#"{"state":{"desired":{"a":1},"reported":{"b":2}}}"#]);
        let updated = shadow.update(sent, 2);
        assert_eq!(shadow.state(), after, "{sent}");
        assert_eq!(updated.shadow.version(), 2, "each accepted update counts");
    };
    check(r#"{"state":{}}"#, r#"{"desired":{"a":1},"reported":{"b":2}}"#);
    check(r#"{"state":{"desired":{"a":3}}}"#, r#"{"desired":{"a":3},"reported":{"b":2}}"#);
    check(r#"{"state":{"reported":null}}"#, r#"{"desired":{"a":1}}"#);
    check(r#"{"state":{"desired":null,"reported":{"c":1}}}"#, r#"{"reported":{"b":2,"c":1}}"#);
    check(r#"{"state":null}"#, "{}");
}

#[test]
fn keys_keep_the_order_in_which_they_were_first_sent() {
    let mut shadow = Script::new();
    shadow.update(r#"{"state":{"reported":{"z":1,"a":2}}}"#, 1);
    shadow.update(r#"{"state":{"reported":{"m":3,"a":4,"z":5}}}"#, 2);
    let expected = r#"{"state":{"reported":{"z":5,"a":4,"m":3}},"metadata":{"reported":{"z":{"timestamp":2},"a":{"timestamp":2},"m":{"timestamp":2}}},"version":2,"timestamp":3}"#;
    assert_eq!(shadow.get(3), expected);
}

/// Only what is named gets a new timestamp, also when its value stays.
#[test]
fn metadata() {
    let mut shadow = Script::new();
    shadow.update(r#"{"state":{"reported":{"a":1,"o":{"x":1,"y":[1,[2]]}}}}"#, 10);
    shadow.update(r#"{"state":{"reported":{"a":1,"o":{"x":2}}}}"#, 20);
    let expected = r#"{"state":{"reported":{"a":1,"o":{"x":2,"y":[1,[2]]}}},"metadata":{"reported":{"a":{"timestamp":20},"o":{"x":{"timestamp":20},"y":[{"timestamp":10},[{"timestamp":10}]]}}},"version":2,"timestamp":30}"#;
    assert_eq!(shadow.get(30), expected);
}

/// `desired`, `reported`, the delta's state.
#[test]
fn delta() {
    let check = |desired: &str, reported: &str, expected: Option<&str>| {
        let body = format!(r#"{{"state":{{"desired":{desired},"reported":{reported}}}}}"#);
        let updated = Script::new().update(&body, 1);
        assert_eq!(delta_state(&updated).as_deref(), expected, "{body}");
    };
    check(r#"{"a":1}"#, "null", Some(r#"{"a":1}"#));
    check("null", r#"{"a":1}"#, None);
    check(r#"{"a":1}"#, r#"{"a":1}"#, None);
    check(r#"{"a":1}"#, r#"{"a":1,"b":2}"#, None);
    check(r#"{"a":1,"b":2}"#, r#"{"a":1}"#, Some(r#"{"b":2}"#));
    check(r#"{"a":1}"#, r#"{"a":"1"}"#, Some(r#"{"a":1}"#));
    check(r#"{"a":1}"#, r#"{"a":1.0}"#, None);
    check(r#"{"a":{"b":{"c":1,"d":2}}}"#, r#"{"a":{"b":{"c":1}}}"#, Some(r#"{"a":{"b":{"d":2}}}"#));
    check(r#"{"a":{"b":1}}"#, r#"{"a":5}"#, Some(r#"{"a":{"b":1}}"#));
    check(r#"{"a":5}"#, r#"{"a":{"b":1}}"#, Some(r#"{"a":5}"#));
    check(r#"{"a":{}}"#, "null", Some(r#"{"a":{}}"#));
    check(r#"{"a":{}}"#, r#"{"a":{"b":1}}"#, None);
    check(r#"{"b":{"c":{}}}"#, r#"{"b":{}}"#, Some(r#"{"b":{"c":{}}}"#));
    check(r#"{"a":[1,2]}"#, r#"{"a":[1,2]}"#, None);
    check(r#"{"a":[1,2]}"#, r#"{"a":[2,1]}"#, Some(r#"{"a":[1,2]}"#));
    check(r#"{"a":[{"x":1,"y":2}]}"#, r#"{"a":[{"y":2,"x":1}]}"#, None);
    check(r#"{"a":[{"x":1,"y":2}]}"#, r#"{"a":[{"x":1}]}"#, Some(r#"{"a":[{"x":1,"y":2}]}"#));
}

/// A delta lists all that differs, whatever this update changed, and is sent while anything differs.
#[test]
fn delta_is_sent_again_while_something_differs() {
    let mut shadow = Script::new();
    shadow.update(r#"{"state":{"desired":{"a":1,"b":2}}}"#, 1);
    let unrelated = shadow.update(r#"{"state":{"reported":{"c":3}},"clientToken":"r"}"#, 5);
    let expected = r#"{"version":2,"timestamp":5,"state":{"a":1,"b":2},"metadata":{"a":{"timestamp":1},"b":{"timestamp":1}},"clientToken":"r"}"#;
    assert_eq!(text(&unrelated.delta().unwrap()), expected);
    let same = shadow.update(r#"{"state":{"desired":{"a":1}}}"#, 6);
    assert_eq!(delta_state(&same).as_deref(), Some(r#"{"a":1,"b":2}"#));
    assert_eq!(shadow.update(r#"{"state":{"desired":{"a":null,"b":null}}}"#, 7).delta(), None);
}

/// A fraction that is stored and read many times stays what it was sent as.
#[test]
fn fractions_do_not_drift() {
    let body = r#"{"state":{"desired":{"x":0.30000000000000004,"y":123456789.12345679,"z":5e-324}}}"#;
    let mut shadow = Script::new();
    for _ in 0..5 {
        shadow.update(body, 1);
    }
    let reported = shadow.update(&body.replace("desired", "reported"), 2);
    assert_eq!(reported.delta(), None);
}
