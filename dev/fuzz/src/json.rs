//! JSON of every kind, out of choices.

use crate::Choices;

/// A JSON value of at most `depth` levels.
pub fn json(choices: &mut Choices<'_>, depth: usize) -> String {
    match choices.below(if depth == 0 { 4 } else { 8 }) {
        0 => choices.word(&["null", "true", "false"]).to_owned(),
        1 | 2 => choices.word(&NUMBERS).to_owned(),
        3 => choices.word(&STRINGS).to_owned(),
        4 => format!("[{}]", choices.list(3, |choices| json(choices, depth - 1))),
        _ => {
            let field = |choices: &mut Choices<'_>| format!("{}:{}", choices.word(&KEYS), json(choices, depth - 1));
            format!("{{{}}}", choices.list(4, field))
        }
    }
}

const KEYS: [&str; 5] = ["\"a\"", "\"b\"", "\"temp\"", "\"\"", "\"\\u00e4 .\""];
const STRINGS: [&str; 8] =
    ["\"\"", "\"text\"", "\"12\"", "\"-1.5e3\"", "\"true\"", "\"\\u0000\"", "\"\\ud83d\\ude00\"", "\"2020-01-01\""];
const NUMBERS: [&str; 12] = [
    "0",
    "1",
    "-1",
    "12.5",
    "1.0",
    "-0.0",
    "1e9",
    "1e308",
    "1e-308",
    "9223372036854775807",
    "99999999999999999999999",
    "0.1234567890123456789012345678901234",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_follows_the_bytes() {
        let check = |bytes: &[u8], expected: &str| assert_eq!(json(&mut Choices::new(bytes), 3), expected);
        check(&[], "null");
        check(&[1, 3], "12.5");
        check(&[4, 2, 3, 1], "[\"text\",null]");
        check(&[7, 1, 1, 4, 1, 1, 1], "{\"b\":[1]}");
    }
}
