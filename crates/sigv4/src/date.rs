//! The two ways a request says when it was signed, and the one that goes into the signature.

/// Seconds since 1970 of `YYYYMMDD'T'HHMMSS'Z'` (ISO 8601 basic), as in `x-amz-date`.
pub(crate) fn parse_basic(text: &str) -> Option<u64> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    if date.len() != 8 || time.len() != 6 {
        return None;
    }
    seconds(
        [digits(date.get(..4)?)?, digits(date.get(4..6)?)?, digits(date.get(6..)?)?],
        [digits(time.get(..2)?)?, digits(time.get(2..4)?)?, digits(time.get(4..)?)?],
    )
}

/// Seconds since 1970 of an HTTP date such as `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, 5.6.7).
pub(crate) fn parse_http(text: &str) -> Option<u64> {
    let mut words = text.split_once(", ")?.1.split(' ');
    let mut next = || words.next();
    let (day, month, year, time, zone) = (next()?, next()?, next()?, next()?, next()?);
    let month = MONTHS.iter().position(|name| *name == month).and_then(|at| u64::try_from(at + 1).ok())?;
    let mut time = time.split(':');
    let mut part = || time.next().and_then(digits);
    let clock = [part()?, part()?, part()?];
    (zone == "GMT").then(|| seconds([digits(year)?, month, digits(day)?], clock))?
}

/// `YYYYMMDD'T'HHMMSS'Z'` of seconds since 1970.
pub(crate) fn format_basic(seconds: u64) -> String {
    let (year, month, day) = civil_from_days(seconds / 86_400);
    let clock = seconds % 86_400;
    format!("{year:04}{month:02}{day:02}T{:02}{:02}{:02}Z", clock / 3600, clock / 60 % 60, clock % 60)
}

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

fn digits(text: &str) -> Option<u64> {
    (text.len() <= 4 && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

fn seconds([year, month, day]: [u64; 3], [hour, minute, second]: [u64; 3]) -> Option<u64> {
    let days = (1970..=9999).contains(&year).then(|| days_from_civil(year, month, day))?;
    let real = civil_from_days(days) == (year, month, day) && (1..=12).contains(&month);
    // A leap second is taken as the second before it.
    let clock = (hour < 24 && minute < 60 && second <= 60).then(|| hour * 3600 + minute * 60 + second.min(59))?;
    real.then_some(days * 86_400 + clock)
}

/// Days since 1970-01-01 of the proleptic Gregorian calendar, years counted from March so that the leap day is last.
fn days_from_civil(year: u64, month: u64, day: u64) -> u64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let before_year = year * 365 + year / 4 - year / 100 + year / 400;
    before_year + (month * 153 + 2) / 5 + day.saturating_sub(1) - DAYS_TO_1970
}

fn civil_from_days(days: u64) -> (u64, u64, u64) {
    let days = days + DAYS_TO_1970;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

/// From 0000-03-01 to 1970-01-01.
const DAYS_TO_1970: u64 = 719_468;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_go_both_ways() {
        // Epoch seconds by `date -u -d ... +%s`.
        for (text, expected) in [
            ("19700101T000000Z", 0),
            ("20150830T123600Z", 1_440_938_160),
            ("20000229T235959Z", 951_868_799),
            ("20240301T000000Z", 1_709_251_200),
            ("20491231T235959Z", 2_524_607_999),
        ] {
            assert_eq!(parse_basic(text), Some(expected), "{text}");
            assert_eq!(format_basic(expected), text);
        }
        assert_eq!(parse_http("Sun, 06 Nov 1994 08:49:37 GMT"), Some(784_111_777));
    }

    #[test]
    fn what_is_no_date_is_none() {
        for bad in ["", "Z", "T", "20150830T123600", "2015-08-30T12:36:00Z", "20150230T000000Z", "20151301T000000Z"] {
            assert_eq!(parse_basic(bad), None, "{bad}");
        }
        for bad in ["20150830T240000Z", "20150830T126000Z", "20150800T000000Z", "19691231T000000Z", "+0150830T123600Z"]
        {
            assert_eq!(parse_basic(bad), None, "{bad}");
        }
        assert_eq!(parse_basic("2015083\u{e9}T12360Z"), None);
        for bad in ["", "Sun, ", "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 06 Foo 1994 08:49:37 GMT", "x, 1 Jan 1 1:1 GMT"]
        {
            assert_eq!(parse_http(bad), None, "{bad}");
        }
    }
}
