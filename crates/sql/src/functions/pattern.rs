//! Functions with regular expressions. The engine here is linear in the text's length, so it has neither look-around
//! nor back references; a pattern with them is refused, while a pattern that is wrong makes Undefined as on AWS.

use std::borrow::Cow;

use regex::{Captures, Regex, RegexBuilder};

use super::function::{Arguments, Function};
use super::java_regex;
use crate::error::RESULT_BYTES_MAX;
use crate::{EvaluateError, Problem, Value};

pub(super) static FUNCTIONS: &[Function] = &[
    Function::new("regexp_matches", 2..=2, matches).with_regex(),
    Function::new("regexp_replace", 3..=3, replace).with_regex(),
    Function::new("regexp_substr", 2..=2, substr).with_regex(),
];

/// Compiles a pattern that is known before the message; None if it is wrong.
pub(crate) fn compile(pattern: &str) -> Result<Option<Regex>, Problem> {
    build(pattern).map_err(|reason| Problem::Unsupported(format!("the regular expression ({reason})")))
}

fn matches(call: &Arguments<'_>) -> Result<Option<Value>, EvaluateError> {
    with_match(call, |text, regex| Ok(Some(Value::Bool(regex.is_match(text)))))
}

/// The first match; Undefined where there is none, of which AWS documents nothing.
fn substr(call: &Arguments<'_>) -> Result<Option<Value>, EvaluateError> {
    with_match(call, |text, regex| Ok(regex.find(text).map(|found| Value::String(found.as_str().to_owned()))))
}

fn replace(call: &Arguments<'_>) -> Result<Option<Value>, EvaluateError> {
    let Some(replacement) = call.text(2) else { return Ok(None) };
    with_match(call, |text, regex| {
        let mut replaced = String::new();
        let mut end = 0;
        for captures in regex.captures_iter(text) {
            let Some(found) = captures.get(0) else { continue };
            replaced.push_str(text.get(end..found.start()).unwrap_or_default());
            if !expand(&captures, &replacement, &mut replaced) {
                return Ok(None);
            }
            if replaced.len() > RESULT_BYTES_MAX {
                return Err(EvaluateError::ResultTooLong("regexp_replace"));
            }
            end = found.end();
        }
        replaced.push_str(text.get(end..).unwrap_or_default());
        Ok(Some(Value::String(replaced)))
    })
}

/// Calls with the first argument's text and the second's regular expression.
fn with_match(
    call: &Arguments<'_>,
    run: impl FnOnce(&str, &Regex) -> Result<Option<Value>, EvaluateError>,
) -> Result<Option<Value>, EvaluateError> {
    let Some((text, pattern)) = call.text(0).zip(call.text(1)) else { return Ok(None) };
    let regex = match call.regex {
        Some(regex) => Some(Cow::Borrowed(regex)),
        None => build(&pattern).map_err(EvaluateError::Regex)?.map(Cow::Owned),
    };
    regex.map_or(Ok(None), |regex| run(&text, &regex))
}

/// None if the pattern is wrong; an error if only this engine cannot serve it.
fn build(pattern: &str) -> Result<Option<Regex>, String> {
    if pattern.len() > PATTERN_BYTES_MAX {
        return Err(format!("longer than {PATTERN_BYTES_MAX} bytes"));
    }
    let translated = java_regex::translate(pattern)?;
    match RegexBuilder::new(&translated).size_limit(REGEX_BYTES_MAX).dfa_size_limit(REGEX_BYTES_MAX).build() {
        Ok(regex) => Ok(Some(regex)),
        Err(regex::Error::CompiledTooBig(_)) => Err("too large when compiled".into()),
        Err(error) if error.to_string().contains("look-around") => Err("it looks around".into()),
        Err(_) => Ok(None),
    }
}

/// Java's replacement: `$1` is a group, a backslash takes the next character as it is. False if it is wrong.
fn expand(captures: &Captures<'_>, replacement: &str, out: &mut String) -> bool {
    let mut characters = replacement.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some(next) => out.push(next),
                None => return false,
            },
            '$' => {
                let Some(mut group) = characters.next().and_then(digit) else { return false };
                // More digits belong to the group's number as long as there is such a group.
                while let Some(longer) = characters.peek().copied().and_then(digit).map(|next| group * 10 + next) {
                    if longer >= captures.len() {
                        break;
                    }
                    group = longer;
                    characters.next();
                }
                if group >= captures.len() {
                    return false;
                }
                out.push_str(captures.get(group).map_or("", |found| found.as_str()));
            }
            other => out.push(other),
        }
    }
    true
}

fn digit(character: char) -> Option<usize> {
    character.to_digit(10).and_then(|digit| usize::try_from(digit).ok())
}

/// A pattern's length (ours).
const PATTERN_BYTES_MAX: usize = 4096;
/// A compiled pattern's size (ours): bounds the states that a search may walk for each byte of text.
const REGEX_BYTES_MAX: usize = 65_536;
