//! ISO 8601 dates in query strings, as seconds since the epoch.

/// `2024-01-02T03:04:05Z`, with an optional fraction and offset; or a number of seconds.
pub(super) fn seconds(text: &str) -> Option<f64> {
    if let Ok(seconds) = text.parse::<f64>() {
        return seconds.is_finite().then_some(seconds);
    }
    let (date, time) = text.split_once('T')?;
    let mut date_parts = date.splitn(3, '-').map(digits);
    let (year, month, day) = (date_parts.next()??, date_parts.next()??, date_parts.next()??);
    let zone_at = time.find(['Z', '+', '-'])?;
    let (clock, zone) = time.split_at_checked(zone_at)?;
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let mut clock_parts = clock.splitn(3, ':').map(digits);
    let (hour, minute, second) = (clock_parts.next()??, clock_parts.next()??, clock_parts.next()??);
    digits(fraction)?;
    let in_range = (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second < 61;
    if !in_range || year > 9999 {
        return None;
    }
    let whole = days_from_civil(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset(zone)?;
    let fraction: f64 = format!("0.{fraction}").parse().ok()?;
    i32::try_from(whole / 1000).ok()?;
    #[expect(clippy::cast_precision_loss, reason = "below 2^42")]
    Some(whole as f64 + fraction)
}

fn digits(text: &str) -> Option<i64> {
    let plain = !text.is_empty() && text.len() <= 9 && text.bytes().all(|b| b.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

fn offset(zone: &str) -> Option<i64> {
    if zone == "Z" {
        return Some(0);
    }
    let (sign, rest) = zone.split_at_checked(1)?;
    let (hours, minutes) = rest.split_once(':')?;
    let seconds = digits(hours)? * 3600 + digits(minutes)? * 60;
    Some(if sign == "-" { -seconds } else { seconds })
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar; the year begins in March, so that the leap day is last.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seconds by `date -u +%s`.
    #[test]
    fn dates_become_seconds() {
        let check = |text: &str, expected: Option<f64>| assert_eq!(seconds(text), expected, "{text}");
        check("1970-01-01T00:00:00Z", Some(0.0));
        check("2024-01-02T03:04:05Z", Some(1_704_164_645.0));
        check("2024-02-29T00:00:00.500Z", Some(1_709_164_800.5));
        check("2024-01-02T03:04:05+01:00", Some(1_704_161_045.0));
        check("1700000000", Some(1_700_000_000.0));
        for bad in
            ["", "x", "2024-01-02", "2024-13-02T00:00:00Z", "2024-01-02T25:00:00Z", "2024-01-02T00:00:00", "T-Z", "inf"]
        {
            check(bad, None);
        }
    }
}
