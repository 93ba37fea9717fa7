//! Shadows in words and colours. A document is written like YAML, with the delta in comments.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};
use serde_json::{Map, Value};
use shadow_document::{Limits, UpdateRequest, update};
use shadows::ShadowId;

/// A shadow as it is: its sections, and beside each desired field that is not reported so what is reported.
pub(super) fn document(id: &ShadowId, document: &Value) -> String {
    let state = &document["state"];
    let delta = state["delta"].as_object();
    let mut text = heading(id, document);
    let _ = writeln!(text, "{}", differing(count_leaves(delta)));
    for name in ["desired", "reported"] {
        let Some(section) = state[name].as_object() else { continue };
        let _ = writeln!(text, "{SECTION}{name}:{SECTION:#}");
        let delta = delta.filter(|_| name == "desired");
        write_fields(&mut text, 1, section, delta, state["reported"].as_object());
    }
    text
}

/// An accepted update: what was sent.
pub(super) fn updated(id: &ShadowId, accepted: &Value) -> String {
    let mut text = heading(id, accepted) + "updated\n";
    for name in ["desired", "reported"] {
        match accepted.get("state").and_then(|state| state.get(name)) {
            Some(Value::Object(section)) => {
                let _ = writeln!(text, "{SECTION}{name}:{SECTION:#}");
                write_fields(&mut text, 1, section, None, None);
            }
            Some(_) => _ = writeln!(text, "{SECTION}{name}:{SECTION:#} null"),
            None => {}
        }
    }
    text
}

/// A deletion.
pub(super) fn deleted(id: &ShadowId, accepted: &Value) -> String {
    heading(id, accepted) + "deleted\n"
}

/// What one update changed, by the body of `documents`.
pub(super) fn change(documents: &Value) -> String {
    let current = &documents["current"];
    let nothing = Value::Null;
    let previous = documents.get("previous").and_then(|previous| previous.get("state")).unwrap_or(&nothing);
    let mut text = time(documents);
    let _ = write!(text, "{HEADING}version {}{HEADING:#}, ", current["version"]);
    let state = &current["state"];
    let left = delta(state);
    let _ = writeln!(text, "{}", differing(count_leaves(left.as_ref().and_then(Value::as_object))));
    write_changes(&mut text, "", previous, state);
    if let Some(Value::Object(left)) = &left {
        write_left(&mut text, "", left, &state["reported"]);
    }
    text
}

/// A deletion that somebody else made.
pub(super) fn gone(accepted: &Value) -> String {
    format!("{}{HEADING}version {}{HEADING:#}, {REMOVED}deleted{REMOVED:#}\n", time(accepted), accepted["version"])
}

/// A shadow that is not there yet.
pub(super) fn absent(id: &ShadowId) -> String {
    format!("{HEADING}{}{HEADING:#}: there is no such shadow yet\n", title(id))
}

fn heading(id: &ShadowId, document: &Value) -> String {
    format!("{HEADING}{}{HEADING:#}, version {}, ", title(id), document["version"])
}

fn title(id: &ShadowId) -> String {
    match &id.name {
        None => id.thing.to_string(),
        Some(name) => format!("{}, shadow {name}", id.thing),
    }
}

fn time(body: &Value) -> String {
    let seconds = body["timestamp"].as_i64().and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    seconds.map_or_else(String::new, |at| format!("{QUIET}{at}{QUIET:#} "))
}

fn differing(count: usize) -> String {
    match count {
        0 => format!("{SAME}nothing differs{SAME:#}"),
        1 => format!("{DELTA}1 field differs{DELTA:#}"),
        many => format!("{DELTA}{many} fields differ{DELTA:#}"),
    }
}

/// Fields a line each; those in `delta` are marked, with what `reported` has instead.
fn write_fields(
    text: &mut String,
    depth: usize,
    fields: &Map<String, Value>,
    delta: Option<&Map<String, Value>>,
    reported: Option<&Map<String, Value>>,
) {
    for (key, value) in fields {
        let indent = "  ".repeat(depth);
        let (differs, is) = (delta.and_then(|delta| delta.get(key)), reported.and_then(|reported| reported.get(key)));
        let key = quoted(key);
        let is_section = is.is_none_or(Value::is_object);
        match (value, differs) {
            (Value::Object(fields), _) if !fields.is_empty() && (differs.is_none() || is_section) => {
                let _ = writeln!(text, "{indent}{key}:");
                write_fields(
                    text,
                    depth + 1,
                    fields,
                    differs.and_then(Value::as_object),
                    is.and_then(Value::as_object),
                );
            }
            (value, Some(_)) => {
                let _ = writeln!(text, "{indent}{DELTA}{key}: {}  {}{DELTA:#}", json(value), reported_note(is));
            }
            (value, None) => _ = writeln!(text, "{indent}{key}: {}", json(value)),
        }
    }
}

/// A value as JSON that does nothing to a terminal.
fn json(value: &Value) -> String {
    printable(&value.to_string())
}

/// A key as it is if it is plain, else as a JSON text.
fn quoted(key: &str) -> String {
    let is_plain = !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || "_-$@ ".contains(c));
    if is_plain { key.to_owned() } else { json(&Value::from(key)) }
}

/// Text that somebody else wrote, with what would move a cursor, ring a bell or turn the direction of writing escaped.
pub(super) fn printable(text: &str) -> String {
    let is_harmful = |c: char| {
        c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let escaped = |c: char| if is_harmful(c) { format!("\\u{{{:x}}}", u32::from(c)) } else { c.to_string() };
    text.chars().map(escaped).collect()
}

fn reported_note(is: Option<&Value>) -> String {
    is.map_or_else(|| "# not reported".to_owned(), |is| format!("# reported: {}", json(is)))
}

/// Fields that came, went or changed, by their paths.
fn write_changes(text: &mut String, path: &str, before: &Value, after: &Value) {
    let (old, new) = (before.as_object(), after.as_object());
    let empty = Map::new();
    if old.is_none() && new.is_none() {
        return;
    }
    let (old, new) = (old.unwrap_or(&empty), new.unwrap_or(&empty));
    for (key, value) in old.iter().filter(|(key, _)| !new.contains_key(*key)) {
        leaves(&join(path, key), value, &mut |path, value| {
            let _ = writeln!(text, "  {REMOVED}- {path}: {}{REMOVED:#}", json(value));
        });
    }
    for (key, value) in new {
        let path = join(path, key);
        match old.get(key) {
            Some(before) if before == value => {}
            Some(before @ Value::Object(_)) if value.is_object() => write_changes(text, &path, before, value),
            Some(before) => _ = writeln!(text, "  {ADDED}~ {path}: {} -> {}{ADDED:#}", json(before), json(value)),
            None => leaves(&path, value, &mut |path, value| {
                let _ = writeln!(text, "  {ADDED}+ {path}: {}{ADDED:#}", json(value));
            }),
        }
    }
}

/// What is still to be done.
fn write_left(text: &mut String, path: &str, left: &Map<String, Value>, reported: &Value) {
    for (key, wanted) in left {
        let (path, is) = (join(path, key), reported.get(key));
        match (wanted, is) {
            (Value::Object(wanted), Some(is @ Value::Object(_))) => write_left(text, &path, wanted, is),
            _ => _ = writeln!(text, "  {DELTA}! {path}: {}  {}{DELTA:#}", json(wanted), reported_note(is)),
        }
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { quoted(key) } else { format!("{path}.{}", quoted(key)) }
}

fn leaves(path: &str, value: &Value, each: &mut impl FnMut(&str, &Value)) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            fields.iter().for_each(|(key, value)| leaves(&join(path, key), value, each));
        }
        leaf => each(path, leaf),
    }
}

/// What of `desired` is not in `reported`, as the shadow service finds it: the messages of `documents` leave it out.
fn delta(state: &Value) -> Option<Value> {
    let unbounded = Limits { state_bytes_max: usize::MAX, depth_max: usize::MAX };
    let request =
        UpdateRequest::parse(serde_json::json!({ "state": state }).to_string().as_bytes(), &unbounded).ok()?;
    let told = update(None, request, 0, &unbounded).ok()?.delta()?;
    serde_json::from_slice::<Value>(&told).ok()?.get_mut("state").map(Value::take)
}

fn count_leaves(fields: Option<&Map<String, Value>>) -> usize {
    let mut count = 0;
    fields.into_iter().flatten().for_each(|(key, value)| leaves(key, value, &mut |_, _| count += 1));
    count
}

const HEADING: Style = Style::new().bold();
const SECTION: Style = AnsiColor::Cyan.on_default();
const DELTA: Style = AnsiColor::Yellow.on_default();
const ADDED: Style = AnsiColor::Green.on_default();
const REMOVED: Style = AnsiColor::Red.on_default();
const SAME: Style = AnsiColor::Green.on_default();
const QUIET: Style = Style::new().dimmed();

#[cfg(test)]
mod tests {
    use names::{ShadowName, ThingName};
    use serde_json::json;

    use super::*;

    fn plain(text: &str) -> String {
        anstream::adapter::strip_str(text).to_string()
    }

    fn lamp() -> ShadowId {
        ShadowId::classic(ThingName::new("lamp").unwrap())
    }

    #[test]
    fn a_document_marks_its_delta() {
        let document = json!({"state": {
            "desired": {"colour": "red", "level": 3, "pos": {"x": 1, "y": 5}},
            "reported": {"colour": "green", "level": 3, "pos": {"x": 1}},
            "delta": {"colour": "red", "pos": {"y": 5}},
        }, "version": 12, "timestamp": 0});
        let expected = "lamp, version 12, 2 fields differ\n\
            desired:\n  colour: \"red\"  # reported: \"green\"\n  level: 3\n  pos:\n    x: 1\n    y: 5  # not reported\n\
            reported:\n  colour: \"green\"\n  level: 3\n  pos:\n    x: 1\n";
        let text = super::document(&lamp(), &document);
        assert_eq!(plain(&text), expected);
        assert!(text.contains("\u{1b}[33mcolour: \"red\"  # reported: \"green\"\u{1b}[0m\n"), "{text}");
        let other = json!({"state": {"desired": {"a": {"x": 1}}, "reported": {"a": 5}, "delta": {"a": {"x": 1}}}, "version": 1});
        assert!(plain(&super::document(&lamp(), &other)).contains("  a: {\"x\":1}  # reported: 5\n"));
        let named = ShadowId::named(ThingName::new("lamp").unwrap(), ShadowName::new("cfg").unwrap());
        let empty = super::document(&named, &json!({"state": {}, "version": 1}));
        assert_eq!(plain(&empty), "lamp, shadow cfg, version 1, nothing differs\n");
    }

    /// A device says what it likes; a terminal must not do it.
    #[test]
    fn what_others_wrote_does_nothing_to_a_terminal() {
        let check = |text: &str, expected: &str| assert_eq!(printable(text), expected);
        check("plain \u{e9}", "plain \u{e9}");
        check("\u{1b}]0;x\u{7}\n\u{9b}2J\u{7f}\u{202e}", "\\u{1b}]0;x\\u{7}\\u{a}\\u{9b}2J\\u{7f}\\u{202e}");
        let document =
            json!({"state": {"reported": {"\u{1b}[2J": "\u{9b}31m", "a.b": 1, "": {"x\ny": 2}}}, "version": 1});
        let text = plain(&super::document(&lamp(), &document));
        assert!(!text.contains('\u{1b}') && !text.contains('\u{9b}'), "{text:?}");
        assert!(text.contains("\"a.b\": 1\n") && text.contains("  \"x\\ny\": 2\n"), "{text}");
    }

    #[test]
    fn the_delta_is_the_shadow_services() {
        let check = |desired: Value, reported: Value, expected: Option<Value>| {
            assert_eq!(delta(&json!({"desired": desired, "reported": reported})), expected, "{desired} {reported}");
        };
        check(json!({"a": [1]}), json!({"a": [1.0]}), None);
        check(json!({"a": 1}), json!({"a": 1.0, "b": 2}), None);
        let large = json!({"a": 9_007_199_254_740_993_u64});
        check(large.clone(), json!({"a": 9_007_199_254_740_992_u64}), Some(large));
        check(json!({"a": {"x": 1}}), json!({"a": 5}), Some(json!({"a": {"x": 1}})));
        check(Value::Null, json!({}), None);
    }

    #[test]
    fn an_update_shows_what_was_sent() {
        let accepted = json!({"state": {"desired": {"a": {"b": null}}, "reported": null}, "version": 2});
        let expected = "lamp, version 2, updated\ndesired:\n  a:\n    b: null\nreported: null\n";
        assert_eq!(plain(&updated(&lamp(), &accepted)), expected);
        assert_eq!(plain(&deleted(&lamp(), &json!({"version": 9}))), "lamp, version 9, deleted\n");
    }

    #[test]
    fn a_change_shows_what_came_went_and_is_left() {
        let check = |previous: Value, current: Value, expected: &str| {
            let documents = json!({"previous": previous, "current": current, "timestamp": 1_700_000_000});
            assert_eq!(plain(&change(&documents)), format!("2023-11-14T22:13:20Z {expected}"));
        };
        check(
            json!({"state": {"desired": {"a": 1, "o": {"x": 1}}, "reported": {"old": [1]}}, "version": 1}),
            json!({"state": {"desired": {"a": 2, "o": {"x": 1, "y": {"z": true}}}, "reported": {"o": {"x": 1.0}}}, "version": 2}),
            "version 2, 2 fields differ\n  ~ desired.a: 1 -> 2\n  + desired.o.y.z: true\n  - reported.old: [1]\n  \
             + reported.o.x: 1.0\n  ! a: 2  # not reported\n  ! o.y: {\"z\":true}  # not reported\n",
        );
        check(
            Value::Null,
            json!({"state": {"reported": {"on": false}}, "version": 1}),
            "version 1, nothing differs\n  + reported.on: false\n",
        );
    }
}
