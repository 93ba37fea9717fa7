//! Writing a point in time by a Joda-Time pattern (DateTimeFormat).

use std::fmt::Write;

use jiff::civil::{DateTime, Era};
use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, Zoned};

use super::{MONTHS, PATTERN_BYTES_MAX, Part, SHORT_NAME, WEEKDAYS, parts};
use crate::EvaluateError;

/// The text of a time in milliseconds since 1970; None if the pattern or the time is wrong.
///
/// # Errors
/// The pattern is right, but asks for what is not served.
pub(crate) fn write(pattern: &str, milliseconds: i64, zone: TimeZone) -> Result<Option<String>, EvaluateError> {
    let Ok(timestamp) = Timestamp::from_millisecond(milliseconds) else { return Ok(None) };
    let Some(parts) = parts(pattern, "").filter(|_| pattern.len() <= PATTERN_BYTES_MAX) else { return Ok(None) };
    let time = timestamp.to_zoned(zone);
    let mut out = String::new();
    for part in parts {
        match part {
            Part::Literal(text) => out.push_str(&text),
            Part::Field(letter, count) => match field(letter, count, &time)? {
                Some(text) => out.push_str(&text),
                None => return Ok(None),
            },
        }
    }
    Ok(Some(out))
}

fn field(letter: char, count: usize, time: &Zoned) -> Result<Option<String>, EvaluateError> {
    let local = time.datetime();
    if let Some(number) = number(letter, &local) {
        let is_short_year = count == 2 && matches!(letter, 'y' | 'Y' | 'x');
        let number = if is_short_year { number.rem_euclid(100) } else { number };
        return Ok(Some(padded(number, count)));
    }
    let name = |name: &str| if count > SHORT_NAME { name.to_owned() } else { name.chars().take(SHORT_NAME).collect() };
    let named = |names: &[&str], number: i8| {
        let index = usize::try_from(number - 1).ok();
        index.and_then(|index| names.get(index).copied()).map(name)
    };
    Ok(match letter {
        'G' => Some(if local.date().era_year().1 == Era::CE { "AD" } else { "BC" }.into()),
        'M' if count < SHORT_NAME => Some(padded(local.month().into(), count)),
        'M' => named(&MONTHS, local.month()),
        'E' => named(&WEEKDAYS, local.weekday().to_monday_one_offset()),
        'a' => Some(if local.hour() < 12 { "AM" } else { "PM" }.into()),
        'S' => Some(fraction(local.subsec_nanosecond(), count)),
        'z' if count <= SHORT_NAME => Some(time.time_zone().to_offset_info(time.timestamp()).abbreviation().to_owned()),
        'z' => return Err(EvaluateError::DatePattern("zzzz".into())),
        'Z' if count >= SHORT_NAME => Some(zone_name(time)),
        'Z' => Some(offset(time.offset(), count == 2)),
        _ => None,
    })
}

/// The letters whose fields are always numbers.
fn number(letter: char, local: &DateTime) -> Option<i32> {
    let hour = i32::from(local.hour());
    Some(match letter {
        'C' => i32::from(local.date().era_year().0) / 100,
        'Y' => local.date().era_year().0.into(),
        'y' => local.year().into(),
        'x' => local.date().iso_week_date().year().into(),
        'w' => local.date().iso_week_date().week().into(),
        'e' => local.weekday().to_monday_one_offset().into(),
        'D' => local.day_of_year().into(),
        'd' => local.day().into(),
        'K' => hour % 12,
        'h' => (hour + 11) % 12 + 1,
        'H' => hour,
        'k' => (hour + 23) % 24 + 1,
        'm' => local.minute().into(),
        's' => local.second().into(),
        _ => return None,
    })
}

fn padded(number: i32, count: usize) -> String {
    let sign = if number < 0 { "-" } else { "" };
    format!("{sign}{:0count$}", number.unsigned_abs())
}

/// The first digits of the second's fraction.
fn fraction(nanoseconds: i32, count: usize) -> String {
    let mut digits = format!("{nanoseconds:09}");
    digits.extend(std::iter::repeat_n('0', count.saturating_sub(9)));
    digits.chars().take(count).collect()
}

fn offset(offset: Offset, with_colon: bool) -> String {
    let seconds = offset.seconds();
    let sign = if seconds < 0 { '-' } else { '+' };
    let minutes = seconds.abs() / 60;
    let colon = if with_colon { ":" } else { "" };
    let mut out = String::new();
    write!(out, "{sign}{:02}{colon}{:02}", minutes / 60, minutes % 60).expect("writing to a String does not fail");
    out
}

fn zone_name(time: &Zoned) -> String {
    time.time_zone().iana_name().map_or_else(|| offset(time.offset(), true), ToOwned::to_owned)
}

#[cfg(test)]
mod tests {
    use super::super::find_zone;
    use super::*;

    /// 2007-12-03T10:15:30.592-08:00, a Monday (developer guide, iot-sql-functions, time_to_epoch).
    const TIME: i64 = 1_196_705_730_592;

    #[test]
    fn times_are_written() {
        let check = |pattern: &str, zone: &str, expected: &str| {
            let written = write(pattern, TIME, find_zone(zone).unwrap());
            assert_eq!(written.unwrap().unwrap_or_default(), expected, "{pattern}");
        };
        let zone = "America/Los_Angeles";
        check("yyyy-MM-dd'T'HH:mm:ss.SSSZZ", zone, "2007-12-03T10:15:30.592-08:00");
        check("yy M d H:m:s S", zone, "07 12 3 10:15:30 5");
        check("EEE EEEE MMM MMMM", zone, "Mon Monday Dec December");
        check("h a K k", zone, "10 AM 10 10");
        check("C Y x w e D", zone, "20 2007 2007 49 1 337");
        check("z Z ZZ ZZZ", zone, "PST -0800 -08:00 America/Los_Angeles");
        check("z Z ZZ ZZZ", "UTC", "UTC +0000 +00:00 UTC");
        check("ZZZ", "+05:30", "+05:30");
        check("yyyyMMddHHmmss", "UTC", "20071203181530");
        check("hh a k SSSSSSSSSSSS", "UTC", "06 PM 18 592000000000");
        check("Q", "UTC", "");
        check("'open", "UTC", "");
    }

    #[test]
    fn what_cannot_be_written_is_told() {
        assert_eq!(write("yyyy", i64::MAX, TimeZone::UTC), Ok(None));
        assert_eq!(write(&"y".repeat(PATTERN_BYTES_MAX + 1), 0, TimeZone::UTC), Ok(None));
        assert_eq!(write("zzzz", 0, TimeZone::UTC), Err(EvaluateError::DatePattern("zzzz".into())));
    }
}
