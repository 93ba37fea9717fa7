//! Reading a text by a pattern of Java's DateTimeFormatter. Text is compared with its case, as Java does.

use jiff::tz::TimeZone;

use super::resolve::{Fields, milliseconds};
use super::zone::{self, find as find_zone};
use super::{MONTHS, PATTERN_BYTES_MAX, Part, SHORT_NAME, WEEKDAYS, parts};
use crate::EvaluateError;

/// Milliseconds since 1970; UTC unless the text names a zone. None if the pattern is wrong or the text does not fit.
///
/// # Errors
/// The pattern is right, but has letters that are not served.
pub(crate) fn read(pattern: &str, text: &str) -> Result<Option<i64>, EvaluateError> {
    let Some(parts) = parts(pattern, RESERVED).filter(|_| pattern.len() <= PATTERN_BYTES_MAX) else { return Ok(None) };
    let mut reader = Reader { rest: text, fields: Fields::default() };
    let mut remaining = parts.as_slice();
    while let [part, behind @ ..] = remaining {
        let fits = match part {
            Part::Literal(literal) => reader.literal(literal),
            Part::Field(letter, count) => reader.field(*letter, *count, behind)?,
        };
        if fits.is_none() {
            return Ok(None);
        }
        remaining = behind;
    }
    Ok(if reader.rest.is_empty() { milliseconds(&reader.fields) } else { None })
}

struct Reader<'t> {
    rest: &'t str,
    fields: Fields,
}

impl Reader<'_> {
    fn literal(&mut self, literal: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(literal)?;
        Some(())
    }

    fn field(&mut self, letter: char, count: usize, behind: &[Part]) -> Result<Option<()>, EvaluateError> {
        if let Some(width) = width(letter, count) {
            return Ok(self.number(letter, count, width, reserved(behind)));
        }
        Ok(match letter {
            'M' | 'L' if count <= 4 => self.name(&MONTHS, count).map(|month| self.fields.month = Some(month)),
            'E' if count <= 4 => self.name(&WEEKDAYS, count).map(|day| self.fields.weekday = Some(day)),
            'a' if count == 1 => self.one_of(&["AM", "PM"]).map(|half| self.fields.is_afternoon = Some(half == 1)),
            'G' if count <= 3 => self.one_of(&["BC", "AD"]).map(|era| self.fields.is_before_christ = Some(era == 0)),
            'S' if count <= 9 => self.fraction(count),
            'V' if count == 2 => self.zone(),
            'z' if count <= 3 => self.zone(),
            'X' | 'x' | 'Z' if count <= 3 || (count == 5 && letter == 'Z') => self.offset(letter, count),
            _ => return Err(EvaluateError::DatePattern(letter.to_string().repeat(count.min(5)))),
        })
    }

    /// Digits; of a field of any width as many as the fixed fields right behind it leave.
    fn number(&mut self, letter: char, count: usize, width: Width, reserved: usize) -> Option<()> {
        let is_negative = width == Width::Any && self.rest.starts_with('-');
        let digits = self.rest.get(usize::from(is_negative)..)?;
        let available = digits.bytes().take_while(u8::is_ascii_digit).count();
        let length = match width {
            Width::Fixed(digits) => digits,
            Width::Any => available.saturating_sub(reserved).clamp(count, DIGITS_MAX.max(count)),
        };
        if length > available {
            return None;
        }
        let (number, rest) = digits.split_at_checked(length)?;
        let number: i64 = number.parse().ok()?;
        self.rest = rest;
        // Two digits of a year are one from 2000 to 2099.
        let is_short_year = count == 2 && matches!(letter, 'y' | 'u');
        let number = if is_short_year { number + 2000 } else { number };
        self.fields.set(letter, if is_negative { -number } else { number })
    }

    fn name(&mut self, names: &[&str], count: usize) -> Option<i64> {
        let index = names.iter().position(|name| {
            let name = if count > SHORT_NAME { name } else { name.get(..SHORT_NAME).unwrap_or(name) };
            self.literal(name).is_some()
        })?;
        i64::try_from(index + 1).ok()
    }

    fn one_of(&mut self, texts: &[&str]) -> Option<usize> {
        texts.iter().position(|text| self.literal(text).is_some())
    }

    fn fraction(&mut self, count: usize) -> Option<()> {
        let (digits, rest) = self.rest.split_at_checked(count)?;
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        self.rest = rest;
        self.fields.nanosecond = format!("{digits:0<9}").parse().ok();
        Some(())
    }

    fn zone(&mut self) -> Option<()> {
        let is_part = |character: char| character.is_ascii_alphanumeric() || "/_+-:".contains(character);
        let name = self.take(|character| !is_part(character));
        self.fields.zone = Some(find_zone(name)?);
        Some(())
    }

    fn offset(&mut self, letter: char, count: usize) -> Option<()> {
        let takes_z = letter == 'X' || count == 5;
        if takes_z && self.literal("Z").is_some() {
            self.fields.zone = Some(TimeZone::UTC);
            return Some(());
        }
        let has_colon = count == 5 || (count == 3 && letter != 'Z');
        let has_minutes = letter == 'Z' || count > 1;
        let first_digits = self.rest.bytes().skip(1).take_while(u8::is_ascii_digit).count();
        let length = match (has_colon, has_minutes) {
            (true, _) => 6,
            (false, true) => 5,
            // One letter: minutes where there are any.
            (false, false) => {
                if first_digits >= 4 {
                    5
                } else {
                    3
                }
            }
        };
        let (text, rest) = self.rest.split_at_checked(length)?;
        if text.contains(':') != has_colon {
            return None;
        }
        self.fields.zone = Some(TimeZone::fixed(zone::offset(text)?));
        self.rest = rest;
        Some(())
    }

    fn take(&mut self, ends: impl Fn(char) -> bool) -> &str {
        let length = self.rest.find(ends).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
    }
}

/// How many digits a number has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Width {
    Fixed(usize),
    Any,
}

/// The width of a field that is a number; None for all others.
fn width(letter: char, count: usize) -> Option<Width> {
    match (letter, count) {
        ('y' | 'u', 2 | 4) => Some(Width::Fixed(count)),
        ('y' | 'u', _) | ('A', _) => Some(Width::Any),
        ('M' | 'L' | 'd' | 'h' | 'H' | 'k' | 'K' | 'm' | 's' | 'D', 1) => Some(Width::Any),
        ('M' | 'L' | 'd' | 'h' | 'H' | 'k' | 'K' | 'm' | 's', 2) | ('D', 3) => Some(Width::Fixed(count)),
        _ => None,
    }
}

/// The digits of the fixed numbers that stand right behind.
fn reserved(behind: &[Part]) -> usize {
    let widths = behind.iter().map_while(|part| match part {
        Part::Field(letter, count) => match width(*letter, *count) {
            Some(Width::Fixed(digits)) => Some(digits),
            _ => None,
        },
        Part::Literal(_) => None,
    });
    widths.sum()
}

/// Optional sections and what Java keeps for later.
const RESERVED: &str = "[]{}#";
/// Digits of a number that fit any field.
const DIGITS_MAX: usize = 18;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read() {
        let check = |pattern: &str, text: &str, expected: Option<i64>| {
            assert_eq!(read(pattern, text).unwrap(), expected, "{pattern}: {text}");
        };
        // Developer guide, iot-sql-functions, time_to_epoch.
        check("yyyy-MM-dd HH:mm:ss VV", "2020-04-03 09:45:18 UTC+01:00", Some(1_585_903_518_000));
        check("dd MMMM yyyy", "18 December 2015", Some(1_450_396_800_000));
        check("yyyy-MM-dd HH:mm:ss.SSS z", "2007-12-03 10:15:30.592 America/Los_Angeles", Some(1_196_705_730_592));
        // The same instants in other forms.
        check("uuuuMMddHHmmssX", "20200403084518Z", Some(1_585_903_518_000));
        check("uuuuMMddHHmmssX", "20200403094518+01", Some(1_585_903_518_000));
        check("yyyy-MM-dd'T'HH:mm:ssXXX", "2020-04-03T09:45:18+01:00", Some(1_585_903_518_000));
        check("yyyy-MM-dd'T'HH:mm:ssZ", "2020-04-03T09:45:18+0100", Some(1_585_903_518_000));
        check("EEE, d MMM yyyy h:mm:ss a", "Fri, 3 Apr 2020 8:45:18 AM", Some(1_585_903_518_000));
        check("yyyyDDD", "2015352", Some(1_450_396_800_000));
        check("d/M/yy", "18/12/15", Some(1_450_396_800_000));
        check("yMMdd", "20151218", Some(1_450_396_800_000));
        check("yyyy-MM-dd HH:mm z", "2007-12-03 10:15 PST", Some(1_196_705_700_000));
        // In June a day more than there is becomes the last one (Java's resolver style SMART).
        check("yyyy-MM-dd", "1970-06-31", Some(180 * 86_400_000));
        check("yyyy-MM-dd", "1970-01-01", Some(0));
    }

    #[test]
    fn what_does_not_fit_is_undefined() {
        for (pattern, text) in [
            ("yyyy-MM-dd", "2020-4-03"),
            ("yyyy-MM-dd", "2020-13-03"),
            ("yyyy-MM-dd", "2020-04-32"),
            ("yyyy-MM-dd", "2020-04-03x"),
            ("yyyy-MM-dd", ""),
            ("yyyy", "2020"),
            ("HH:mm", "10:15"),
            ("EEE yyyy-MM-dd", "Mon 2020-04-03"),
            ("dd MMMM yyyy", "18 december 2015"),
            ("yyyy-MM-dd HH", "2020-04-03 24"),
            ("yyyy-MM-dd hh", "2020-04-03 10"),
            ("yyyy-MM-dd VV", "2020-04-03 Mars/Olympus"),
            ("yyyy-MM-ddXXX", "2020-04-03+0100"),
            ("yyyy-MM-dd SSS", "2020-04-03 5\u{e9}"),
            ("yyyy-MM-dd 'x", "2020-04-03 x"),
            ("y-MM-dd", "99999999999999999999-01-01"),
        ] {
            assert_eq!(read(pattern, text), Ok(None), "{pattern}: {text}");
        }
        assert_eq!(read("QQQ", "Q1"), Err(EvaluateError::DatePattern("QQQ".into())));
        assert_eq!(read("yyyy[-MM]", "2020-01"), Err(EvaluateError::DatePattern("[".into())));
    }
}
