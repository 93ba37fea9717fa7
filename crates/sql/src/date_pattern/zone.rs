//! Time zones by their names: regions, offsets, and the abbreviations that Java knows.

use std::sync::LazyLock;

use jiff::tz::{Offset, TimeZone, TimeZoneDatabase};

/// The zone of `Europe/Berlin`, `UTC`, `+01:00`, `UTC+01:00`, `PST` and the like.
pub(crate) fn find(name: &str) -> Option<TimeZone> {
    if matches!(name, "Z" | "UTC" | "GMT" | "UT") {
        return Some(TimeZone::UTC);
    }
    let offset = ["UTC", "GMT", "UT"].iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name);
    if offset.starts_with(['+', '-']) {
        return self::offset(offset).map(TimeZone::fixed);
    }
    let region = ABBREVIATIONS.iter().find(|(short, _)| *short == name).map_or(name, |(_, region)| region);
    // Only the tables that are compiled in: the result must not depend on the machine.
    DATABASE.get(region).ok()
}

/// An offset in any of Java's forms: `+1`, `+01`, `+0130`, `+01:30`, `+01:30:15`.
pub(super) fn offset(text: &str) -> Option<Offset> {
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let rest = text.get(1..)?;
    let digits: String = rest.chars().filter(|character| *character != ':').collect();
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) || !matches!(digits.len(), 1 | 2 | 4 | 6) {
        return None;
    }
    let split = digits.len().min(2);
    let number = |range: std::ops::Range<usize>| digits.get(range).map_or(Some(0), |text| text.parse::<i32>().ok());
    let (hours, minutes, seconds) = (number(0..split)?, number(2..4)?, number(4..6)?);
    if hours > 18 || minutes > 59 || seconds > 59 {
        return None;
    }
    Offset::from_seconds(sign * (hours * 3600 + minutes * 60 + seconds)).ok()
}

static DATABASE: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

const ABBREVIATIONS: [(&str, &str); 18] = [
    ("ACST", "Australia/Darwin"),
    ("AEST", "Australia/Sydney"),
    ("AKST", "America/Anchorage"),
    ("BST", "Europe/London"),
    ("CDT", "America/Chicago"),
    ("CEST", "Europe/Paris"),
    ("CET", "Europe/Paris"),
    ("CST", "America/Chicago"),
    ("EDT", "America/New_York"),
    ("EEST", "Europe/Helsinki"),
    ("EST", "America/New_York"),
    ("HST", "Pacific/Honolulu"),
    ("IST", "Asia/Kolkata"),
    ("JST", "Asia/Tokyo"),
    ("MDT", "America/Denver"),
    ("MST", "America/Denver"),
    ("PDT", "America/Los_Angeles"),
    ("PST", "America/Los_Angeles"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_found() {
        let summer = jiff::Timestamp::from_second(1_720_000_000).unwrap();
        let check = |name: &str, expected: Option<i32>| {
            assert_eq!(find(name).map(|zone| zone.to_offset(summer).seconds()), expected, "{name}");
        };
        check("UTC", Some(0));
        check("Z", Some(0));
        check("Europe/Berlin", Some(7200));
        check("America/Belize", Some(-21_600));
        check("PST", Some(-25_200));
        check("+01:30", Some(5400));
        check("-0800", Some(-28_800));
        check("UTC+01:00", Some(3600));
        check("GMT-3", Some(-10_800));
        for name in ["", "Mars/Olympus", "+", "+123", "+19:00", "+01:60", "UTC+x", "../etc/passwd", "+\u{e9}"] {
            check(name, None);
        }
    }
}
