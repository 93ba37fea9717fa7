//! Points in time as conditions write them: ISO 8601 in the W3C's profile, or seconds since the epoch (IAM
//! reference, date condition operators).

/// Milliseconds since 1970-01-01T00:00:00Z; none when the text is no date between the years 1 and 9999.
pub(crate) fn parse(text: &str) -> Option<i64> {
    if !text.is_empty() && text.len() <= 12 && text.bytes().all(|b| b.is_ascii_digit()) {
        return text.parse::<i64>().ok()?.checked_mul(1000);
    }
    let (date, time) = match text.split_once('T') {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let day = days_since_epoch(date)?;
    let millis_of_day = time.map_or(Some(0), time_of_day)?;
    day.checked_mul(86_400_000)?.checked_add(millis_of_day)
}

fn days_since_epoch(date: &str) -> Option<i64> {
    let mut parts = date.split('-');
    let year = digits(parts.next()?, 4)?;
    let month = digits(parts.next()?, 2)?;
    let day = parts.next().map_or(Some(1), |part| digits(part, 2))?;
    if parts.next().is_some() || year == 0 || !(1..=12).contains(&month) || !(1..=days_in(month, year)).contains(&day) {
        return None;
    }
    // Days from the civil calendar, with years that begin in March so that the leap day comes last.
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    Some(era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468)
}

fn days_in(month: i64, year: i64) -> i64 {
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// `hh:mm`, `hh:mm:ss` or `hh:mm:ss.fff`, then `Z` or `+hh:mm` or `-hh:mm`.
fn time_of_day(text: &str) -> Option<i64> {
    let (clock, offset_minutes) = split_zone(text)?;
    let (clock, fraction) = clock.split_once('.').map_or((clock, None), |(clock, fraction)| (clock, Some(fraction)));
    let mut parts = clock.split(':');
    let hours = digits(parts.next()?, 2).filter(|&hours| hours < 24)?;
    let minutes = digits(parts.next()?, 2).filter(|&minutes| minutes < 60)?;
    let seconds = match parts.next() {
        Some(part) => digits(part, 2).filter(|&seconds| seconds <= 60)?,
        None if fraction.is_some() => return None,
        None => 0,
    };
    let millis = fraction.map_or(Some(0), millis)?;
    let minutes = hours * 60 + minutes - offset_minutes;
    parts.next().is_none().then_some((minutes * 60 + seconds) * 1000 + millis)
}

fn split_zone(text: &str) -> Option<(&str, i64)> {
    if let Some(clock) = text.strip_suffix('Z') {
        return Some((clock, 0));
    }
    let (clock, zone) = text.split_at_checked(text.len().checked_sub(6)?)?;
    let (hours, minutes) = zone.get(1..)?.split_once(':')?;
    let minutes = digits(hours, 2)? * 60 + digits(minutes, 2)?;
    match zone.get(..1)? {
        "+" => Some((clock, minutes)),
        "-" => Some((clock, -minutes)),
        _ => None,
    }
}

fn millis(fraction: &str) -> Option<i64> {
    if fraction.is_empty() || fraction.len() > 9 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    format!("{fraction}00").get(..3)?.parse().ok()
}

fn digits(text: &str, count: usize) -> Option<i64> {
    let all_digits = text.len() == count && text.bytes().all(|b| b.is_ascii_digit());
    all_digits.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_in_the_w3cs_profile() {
        // Expected values from `date -u -d ... +%s`.
        let check = |text: &str, expected: Option<i64>| assert_eq!(parse(text), expected, "{text}");
        check("1970-01-01", Some(0));
        check("2020-04-01T00:00:00Z", Some(1_585_699_200_000));
        check("2020-04-01T00:00Z", Some(1_585_699_200_000));
        check("2020-04", Some(1_585_699_200_000));
        check("1585699200", Some(1_585_699_200_000));
        check("2024-02-29T23:59:59.5+02:00", Some(1_709_243_999_500));
        check("1969-12-31T23:59:59-00:30", Some(1_799_000));
        check("0001-01-01", Some(-62_135_596_800_000));
        check("9999-12-31T23:59:59Z", Some(253_402_300_799_000));
    }

    #[test]
    fn other_texts_are_no_dates() {
        for bad in [
            "",
            "x",
            "2020-13-01",
            "2020-02-30",
            "2021-02-29",
            "0000-01-01",
            "2020-1-1",
            "2020-04-01T",
            "2020-04-01T00:00:00",
            "2020-04-01T24:00Z",
            "2020-04-01T00:00.5Z",
            "2020-04-01T00:00:00.Z",
            "2020-04-01T00:00:00:00Z",
            "2020-04-01-01",
            "1234567890123",
            "\u{e4}\u{e4}\u{e4}-00:00",
            "2020-04-01T\u{e4}+00:00",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
