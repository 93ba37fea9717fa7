//! Writing JSON without white space. Undefined members and items are left out.

use std::fmt::Write;

use crate::Value;

/// The value as JSON; Undefined is the empty text.
pub(crate) fn write(value: &Value) -> String {
    let mut out = String::new();
    write_value(value, &mut out);
    out
}

fn write_value(value: &Value, out: &mut String) {
    match value {
        Value::Undefined => {}
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Int(number) => write_display(number, out),
        Value::Decimal(number) => write_display(number, out),
        Value::String(text) => write_string(text, out),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().filter(|item| **item != Value::Undefined).enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_value(item, out);
            }
            out.push(']');
        }
        Value::Object(members) => {
            out.push('{');
            let defined = members.iter().filter(|(_, value)| **value != Value::Undefined);
            for (index, (name, value)) in defined.enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_string(name, out);
                out.push(':');
                write_value(value, out);
            }
            out.push('}');
        }
    }
}

fn write_display(number: &impl std::fmt::Display, out: &mut String) {
    write!(out, "{number}").expect("writing to a String does not fail");
}

fn write_string(text: &str, out: &mut String) {
    out.push('"');
    let mut rest = text;
    while let Some((index, character)) = rest.char_indices().find(|(_, character)| must_escape(*character)) {
        let (plain, tail) = rest.split_at(index);
        out.push_str(plain);
        write_escaped(character, out);
        rest = tail.get(character.len_utf8()..).unwrap_or_default();
    }
    out.push_str(rest);
    out.push('"');
}

fn must_escape(character: char) -> bool {
    matches!(character, '"' | '\\') || character < ' '
}

fn write_escaped(character: char, out: &mut String) {
    match character {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\u{8}' => out.push_str("\\b"),
        '\u{c}' => out.push_str("\\f"),
        other => {
            write!(out, "\\u{:04x}", u32::from(other)).expect("writing to a String does not fail");
        }
    }
}
