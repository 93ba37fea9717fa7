//! The models' regular expressions are Java's; here they become this program's linear-time ones.
//!
//! None of them looks around or back. A pattern always stands for the whole value.

use std::sync::OnceLock;

use regex::Regex;

/// One pattern of the model, compiled when it is first asked.
#[derive(Debug)]
pub(crate) struct Pattern {
    java: String,
    compiled: OnceLock<Option<Regex>>,
}

impl Pattern {
    pub(crate) fn new(java: String) -> Self {
        Self { java, compiled: OnceLock::new() }
    }

    /// The pattern as the model writes it, for messages.
    pub(crate) fn as_str(&self) -> &str {
        &self.java
    }

    #[cfg(test)]
    pub(crate) fn compiles(&self) -> bool {
        Regex::new(&translate(&self.java)).is_ok()
    }

    /// Whether the whole of `text` matches. A test proves that every pattern of the models compiles.
    pub(crate) fn matches(&self, text: &str) -> bool {
        let compiled = self.compiled.get_or_init(|| Regex::new(&translate(&self.java)).ok());
        compiled.as_ref().is_some_and(|regex| regex.is_match(text))
    }
}

/// Java's syntax in the `regex` crate's: ASCII classes are spelled out, the dot excludes Java's line ends, and the
/// whole is anchored.
fn translate(java: &str) -> String {
    let mut out = String::from(r"\A(?:");
    let mut class_depth = 0_usize;
    let mut rest = java.chars();
    while let Some(c) = rest.next() {
        match c {
            '\\' => {
                let (text, consumed) = escape(rest.as_str());
                out.push_str(&text);
                rest = rest.as_str().get(consumed..).unwrap_or_default().chars();
            }
            '[' => {
                class_depth += 1;
                out.push('[');
            }
            ']' => {
                class_depth = class_depth.saturating_sub(1);
                out.push(']');
            }
            '.' if class_depth == 0 => out.push_str(r"[^\n\r\u{85}\u{2028}\u{2029}]"),
            other => out.push(other),
        }
    }
    out.push_str(r")\z");
    out
}

/// What to write for an escape, and how many bytes after the backslash it has.
fn escape(after_backslash: &str) -> (String, usize) {
    let other_in_java = ESCAPES.iter().find(|(java, _)| after_backslash.starts_with(java));
    if let Some((java, ours)) = other_in_java {
        return ((*ours).to_owned(), java.len());
    }
    let escaped = after_backslash.chars().next();
    let same = escaped.map(|c| (format!("\\{c}"), c.len_utf8()));
    same.unwrap_or_else(|| ("\\".to_owned(), 0))
}

/// Java's predefined classes are ASCII (java.util.regex.Pattern); a bracketed class may stand inside another.
const ESCAPES: [(&str, &str); 10] = [
    ("w", "[0-9A-Za-z_]"),
    ("W", "[^0-9A-Za-z_]"),
    ("d", "[0-9]"),
    ("D", "[^0-9]"),
    ("s", r"[ \t\n\x0B\x0C\r]"),
    ("S", r"[^ \t\n\x0B\x0C\r]"),
    ("p{Graph}", "[!-~]"),
    ("p{Upper}", "[A-Z]"),
    ("p{Digit}", "[0-9]"),
    ("p{Cntrl}", r"[\x00-\x1F\x7F]"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn java_patterns_match_as_in_java() {
        let check = |java: &str, text: &str, expected: bool| {
            assert_eq!(Pattern::new(java.to_owned()).matches(text), expected, "{java} on {text:?}");
        };
        check("[a-zA-Z0-9:_-]+", "lamp-1", true);
        check("[a-zA-Z0-9:_-]+", "a b", false);
        check("[a-zA-Z0-9:_-]+", "a\n", false);
        check("^[a-zA-Z0-9_]+$", "a\n", false);
        check("[\\p{Graph}\\x20]*", "a b!", true);
        check("[\\p{Graph}\\x20]*", "a\tb", false);
        check("[\\p{Upper}\\p{Digit}_]+", "A_9", true);
        check("[\\p{Upper}\\p{Digit}_]+", "a", false);
        check("[^\\p{Cntrl}]*", "a\u{7f}", false);
        check("[^\\p{C}]*", "text", true);
        check("[^\\p{C}]*", "\u{0}", false);
        check("[\\s\\S]*", "any\n\u{2028}thing", true);
        check("[\\w+=,.@-]+", "a+b", true);
        check("[\\w+=,.@-]+", "\u{e9}", false);
        check("\\S{36,64}", &"x".repeat(36), true);
        check("\\S{36,64}", &"x".repeat(35), false);
        check("^[^$].*", "$aws", false);
        check("^[^$].*", "abc", true);
        check("^[^$].*", "a\rb", false);
        check("^([1-9]|[12][0-9]|3[01])$|^LAST$", "31", true);
        check("^([1-9]|[12][0-9]|3[01])$|^LAST$", "32", false);
        check("([\\n\\t])|(\\r\\n)|(,)", "\r\n", true);
        check("[a-zA-Z0-9_-]+|^\\$next", "$next", true);
        check("[a-zA-Z0-9_.,@/:#=\\[\\]-]*", "a[1]=b", true);
        check("^([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*)$", "\u{e9} 1", true);
        check("[a-zA-Z0-9!_.*'()-\\/]+", "a/b", true);
    }

    #[test]
    fn a_broken_pattern_matches_nothing_and_does_not_panic() {
        for broken in ["[", "(", "a\\", "\\p{"] {
            assert!(!Pattern::new(broken.to_owned()).matches("a"), "{broken}");
        }
    }
}
