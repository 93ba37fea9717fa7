//! Java's regular expressions in the words of the engine here. Java's `\d`, `\w`, `\s` and `\b` mean ASCII, `\Q...\E`
//! quotes, and POSIX classes have names of their own. What the engine cannot do is told, not guessed.

/// The pattern for the engine; the error says what is not served.
pub(super) fn translate(pattern: &str) -> Result<String, String> {
    if pattern.contains("(?>") {
        return Err("it has an atomic group".into());
    }
    let mut out = String::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some(index) = rest.find('\\') {
        let (plain, escape) = rest.split_at(index);
        out.push_str(plain);
        rest = escaped(escape.get(1..).unwrap_or_default(), &mut out)?;
    }
    out.push_str(rest);
    Ok(out)
}

/// Translates what stands behind a backslash and gives what stands behind that.
fn escaped<'p>(text: &'p str, out: &mut String) -> Result<&'p str, String> {
    let mut characters = text.chars();
    let Some(letter) = characters.next() else {
        out.push('\\');
        return Ok(text);
    };
    let behind = characters.as_str();
    if letter == 'Q' {
        let (quoted, behind) = behind.split_once("\\E").unwrap_or((behind, ""));
        out.push_str(&regex::escape(quoted));
        return Ok(behind);
    }
    if matches!(letter, 'p' | 'P') {
        return Ok(class(letter, behind, out));
    }
    if let Some((_, ascii)) = ASCII.iter().find(|(class, _)| *class == letter) {
        out.push_str(ascii);
        return Ok(behind);
    }
    if letter.is_ascii_digit() {
        return Err("it refers back".into());
    }
    if letter.is_ascii_alphabetic() && !SHARED.contains(letter) {
        return Err(format!("it has \\{letter}"));
    }
    out.push('\\');
    out.push(letter);
    Ok(behind)
}

/// `\p{Alpha}` and its like; other names are the same in both.
fn class<'p>(letter: char, text: &'p str, out: &mut String) -> &'p str {
    let posix = POSIX.iter().find_map(|(name, posix)| {
        let behind = text.strip_prefix('{')?.strip_prefix(name)?.strip_prefix('}')?;
        Some((*posix, behind))
    });
    let Some((posix, behind)) = posix else {
        out.push('\\');
        out.push(letter);
        return text;
    };
    out.push_str(if letter == 'P' { "[[:^" } else { "[[:" });
    out.push_str(posix);
    out.push_str(":]]");
    behind
}

/// A class within a class is a union in both.
const ASCII: [(char, &str); 7] = [
    ('d', "[0-9]"),
    ('D', "[^0-9]"),
    ('w', "[0-9A-Za-z_]"),
    ('W', "[^0-9A-Za-z_]"),
    ('s', "[ \\t\\n\\x0B\\f\\r]"),
    ('S', "[^ \\t\\n\\x0B\\f\\r]"),
    ('b', "(?-u:\\b)"),
];
/// Letters that mean the same in both.
const SHARED: &str = "tnrfaAzxu";
const POSIX: [(&str, &str); 13] = [
    ("Lower", "lower"),
    ("Upper", "upper"),
    ("ASCII", "ascii"),
    ("Alpha", "alpha"),
    ("Digit", "digit"),
    ("Alnum", "alnum"),
    ("Punct", "punct"),
    ("Graph", "graph"),
    ("Print", "print"),
    ("Blank", "blank"),
    ("Cntrl", "cntrl"),
    ("XDigit", "xdigit"),
    ("Space", "space"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_what_they_mean_in_java() {
        let check = |pattern: &str, text: &str, expected: bool| {
            let regex = regex::Regex::new(&translate(pattern).unwrap()).unwrap();
            assert_eq!(regex.is_match(text), expected, "{pattern}: {text}");
        };
        check(r"^\d+$", "123", true);
        check(r"^\d+$", "\u{661}\u{662}", false);
        check(r"^[\d.]+$", "1.5", true);
        check(r"^[^\d]+$", "1", false);
        check(r"^\w$", "\u{e9}", false);
        check(r"^\W$", "\u{e9}", true);
        check(r"^[\S]$", "\u{a0}", true);
        check(r"\bx\b", "a x b", true);
        check(r"\bx", "ax", false);
        check(r"^\Qa.b\E+$", "a.bbb", true);
        check(r"\Qa.b", "axb", false);
        check(r"^\p{Alpha}+\p{Digit}$", "abc1", true);
        check(r"^\P{Alpha}$", "a", false);
        check(r"^\p{L}$", "\u{e9}", true);
        check(r"^\.\\\x41$", r".\A", true);
    }

    #[test]
    fn what_the_engine_cannot_do_is_told() {
        for pattern in [r"(a)\1", r"\Ga", r"a\Z", r"\h", r"(?>a)", r"\R", r"\k<n>", r"\cA", r"\B"] {
            assert!(translate(pattern).is_err(), "{pattern}");
        }
    }
}
