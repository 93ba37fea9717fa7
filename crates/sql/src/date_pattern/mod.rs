//! Date patterns: Joda-Time's for writing (`parse_time`), Java's DateTimeFormatter's for reading (`time_to_epoch`), in
//! English. Time zones come with the program, none is read from the machine.

mod read;
mod resolve;
mod write;
mod zone;

pub(crate) use read::read;
pub(crate) use write::write;
pub(crate) use zone::find as find_zone;

/// One part of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    /// A letter and how often it stands there.
    Field(char, usize),
    /// Text as it is.
    Literal(String),
}

/// Cuts a pattern into its parts, in which letters and `reserved` characters are fields; None if a quote is not closed.
fn parts(pattern: &str, reserved: &str) -> Option<Vec<Part>> {
    let mut parts: Vec<Part> = Vec::new();
    let mut characters = pattern.chars().peekable();
    while let Some(character) = characters.next() {
        if character.is_ascii_alphabetic() || reserved.contains(character) {
            let mut count = 1;
            while characters.next_if_eq(&character).is_some() {
                count += 1;
            }
            parts.push(Part::Field(character, count));
            continue;
        }
        let literal = if character == '\'' { quoted(&mut characters)? } else { character.to_string() };
        match parts.last_mut() {
            Some(Part::Literal(text)) => text.push_str(&literal),
            _ => parts.push(Part::Literal(literal)),
        }
    }
    Some(parts)
}

/// The text up to the closing quote; two quotes are one, inside and outside of quotes.
fn quoted(characters: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<String> {
    if characters.next_if_eq(&'\'').is_some() {
        return Some("'".into());
    }
    let mut text = String::new();
    loop {
        match characters.next()? {
            '\'' if characters.next_if_eq(&'\'').is_none() => return Some(text),
            character => text.push(character),
        }
    }
}

/// A pattern's length (ours).
const PATTERN_BYTES_MAX: usize = 1024;
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
/// Letters of a month's or weekday's short name.
const SHORT_NAME: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_cut() {
        let field = Part::Field;
        let literal = |text: &str| Part::Literal(text.into());
        let check = |pattern: &str, expected: Option<Vec<Part>>| assert_eq!(parts(pattern, "["), expected, "{pattern}");
        check("yyyy-MM", Some(vec![field('y', 4), literal("-"), field('M', 2)]));
        check("d 'o''clock' H", Some(vec![field('d', 1), literal(" o'clock "), field('H', 1)]));
        check("''", Some(vec![literal("'")]));
        check("H[m]", Some(vec![field('H', 1), field('[', 1), field('m', 1), literal("]")]));
        check("", Some(vec![]));
        check("'a", None);
    }
}
