//! Every refusal, with the text and code of the table in the developer guide's device-shadow-error-messages.

use shadow_document::{Limits, Problem, UpdateRequest};

use crate::script::Script;

#[test]
fn bad_bodies() {
    let check = |body: &str, code: u16, message: &str| {
        let expected = format!(r#"{{"code":{code},"message":"{message}"}}"#);
        assert_eq!(Script::new().refusal(body), expected, "{body}");
    };
    check("not json", 400, "Invalid JSON");
    check("", 400, "Invalid JSON");
    check("[]", 400, "Invalid JSON");
    check("null", 400, "Invalid JSON");
    check(r#"{"state":{}"#, 400, "Invalid JSON");
    check(r#"{"state":{}} x"#, 400, "Invalid JSON");
    check(r#"{"state":{"desired":{"a":1e999}}}"#, 400, "Invalid JSON");
    check(r#"{"state":{"desired":{"a":"\ud800"}}}"#, 400, "Invalid JSON");
    check(r#"{"foo":1}"#, 400, "Missing required node: state");
    check("{}", 400, "Missing required node: state");
    check(r#"{"state":5}"#, 400, "State node must be an object");
    check(r#"{"state":[]}"#, 400, "State node must be an object");
    check(r#"{"state":{"desired":[1]}}"#, 400, "Desired node must be an object");
    check(r#"{"state":{"desired":"x"}}"#, 400, "Desired node must be an object");
    check(r#"{"state":{"reported":1}}"#, 400, "Reported node must be an object");
    check(r#"{"state":{"delta":{}}}"#, 400, "State contains an invalid node: 'delta'");
    check(r#"{"state":{},"version":"1"}"#, 400, "Invalid version");
    check(r#"{"state":{},"version":-1}"#, 400, "Invalid version");
    check(r#"{"state":{},"version":1.5}"#, 400, "Invalid version");
    check(r#"{"state":{},"version":{}}"#, 400, "Invalid version");
    check(r#"{"state":{},"clientToken":5}"#, 400, "Invalid clientToken");
    check(r#"{"state":{},"clientToken":{}}"#, 400, "Invalid clientToken");
    check(&format!(r#"{{"state":{{}},"clientToken":"{}"}}"#, "x".repeat(65)), 400, "Invalid clientToken");
    check(r#"{"state":{"desired":{"a":[null]}}}"#, 400, "Arrays must not contain null values");
    check(r#"{"state":{"desired":{"a":{"b":[1,[null]]}}}}"#, 400, "Arrays must not contain null values");
    let encoding = UpdateRequest::parse(b"{\"state\":{\"desired\":{\"a\":\"\xff\"}}}", &Limits::default()).unwrap_err();
    assert_eq!((encoding.code(), encoding.client_token), (415, None));
}

#[test]
fn refusals_echo_the_token() {
    let check = |body: &str, expected: &str| assert_eq!(Script::new().refusal(body), expected);
    check(r#"{"clientToken":"tok"}"#, r#"{"code":400,"message":"Missing required node: state","clientToken":"tok"}"#);
    check(
        r#"{"state":1,"clientToken":"t"}"#,
        r#"{"code":400,"message":"State node must be an object","clientToken":"t"}"#,
    );
    let deep = format!(
        r#"{{"state":{{"desired":{}{}}},"clientToken":"t"}}"#,
        r#"{"a":"#.repeat(9),
        "1".to_owned() + &"}".repeat(9)
    );
    let message = "JSON contains too many levels of nesting; maximum is 8";
    check(&deep, &format!(r#"{{"code":400,"message":"{message}","clientToken":"t"}}"#));
}

#[test]
fn good_bodies() {
    for body in [
        r#"{"state":null}"#,
        r#"{"state":{}}"#,
        r#"{"state":{"desired":null,"reported":null}}"#,
        r#"{"state":{},"other":[null,{"a":[[[[[[[[[[[[]]]]]]]]]]]]}]}"#,
        r#"{"state":{},"version":null,"clientToken":null}"#,
        r#" { "state" : { "desired" : { "" : "\u0000" } } } "#,
    ] {
        assert!(Script::new().try_update(body, 1).is_ok(), "{body}");
    }
}

/// The section's own object is the first level, as in the quota's example; arrays are levels too.
#[test]
fn eight_levels_and_no_more() {
    let check = |open: &str, close: &str, depth: usize, good: bool| {
        let value = format!("{}1{}", open.repeat(depth - 1), close.repeat(depth - 1));
        let body = format!(r#"{{"state":{{"reported":{{"x":{value}}}}}}}"#);
        assert_eq!(Script::new().try_update(&body, 1).is_ok(), good, "{body}");
    };
    check(r#"{"a":"#, "}", 8, true);
    check(r#"{"a":"#, "}", 9, false);
    check("[", "]", 8, true);
    check("[", "]", 9, false);
    check("[", "]", 50_000, false);
    let limits = Limits { depth_max: usize::MAX / 2, ..Limits::default() };
    let deep = format!(r#"{{"state":{{"desired":{{"x":{}{}}}}}}}"#, "[".repeat(110), "]".repeat(110));
    let refused = UpdateRequest::parse(deep.as_bytes(), &limits).unwrap_err();
    assert_eq!(refused.problem, Problem::TooDeep(100), "what the reader can bear");
}

#[test]
fn eight_kilobytes_of_state_and_no_more() {
    // {"desired":{"a":"..."}} is 20 bytes around the text.
    let body = |bytes: usize| format!(r#"{{"state":{{"desired":{{"a":"{}"}}}}}}"#, "x".repeat(bytes - 20));
    let too_large = r#"{"code":413,"message":"The payload exceeds the maximum size allowed"}"#;
    assert!(Script::new().try_update(&body(8192), 1).is_ok());
    assert_eq!(Script::new().refusal(&body(8193)), too_large);

    // White space does not count, and what is merged does.
    let mut shadow = Script::after(&[&body(8192 - 30)]);
    let spaced = format!(r#"{{"state":{{"reported":{{{}"b":1}}}}}}"#, " ".repeat(9000));
    assert_eq!(shadow.update(&spaced, 1).shadow.state_bytes(), 8192 - 30 + r#","reported":{"b":1}"#.len());
    assert_eq!(shadow.refusal(r#"{"state":{"reported":{"c":"0123456789"}}}"#), too_large);
    assert_eq!(shadow.stored().unwrap().live().unwrap().version(), 2, "a refused update changes nothing");
    assert!(shadow.try_update(r#"{"state":{"desired":null,"reported":{"c":"0123456789"}}}"#, 1).is_ok());
}
