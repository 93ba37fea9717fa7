//! From the fields of a text to a point in time, as Java's resolver style SMART does it.

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

/// What has been read. Each field is there once, a later one takes the place of an earlier one.
#[derive(Debug, Default)]
pub(super) struct Fields {
    pub(super) year: Option<i64>,
    pub(super) year_of_era: Option<i64>,
    pub(super) is_before_christ: Option<bool>,
    pub(super) month: Option<i64>,
    pub(super) day: Option<i64>,
    pub(super) day_of_year: Option<i64>,
    pub(super) weekday: Option<i64>,
    /// From 0 to 23.
    pub(super) hour: Option<i64>,
    /// From 0 to 11.
    pub(super) hour_of_half: Option<i64>,
    pub(super) is_afternoon: Option<bool>,
    pub(super) minute: Option<i64>,
    pub(super) second: Option<i64>,
    pub(super) nanosecond: Option<i64>,
    pub(super) millisecond_of_day: Option<i64>,
    pub(super) zone: Option<TimeZone>,
}

impl Fields {
    /// Keeps a number; None if it is out of the letter's range.
    pub(super) fn set(&mut self, letter: char, number: i64) -> Option<()> {
        let (field, number, range) = match letter {
            'u' => (&mut self.year, number, -9999..=9999),
            'y' => (&mut self.year_of_era, number, 1..=9999),
            'M' | 'L' => (&mut self.month, number, 1..=12),
            'd' => (&mut self.day, number, 1..=31),
            'D' => (&mut self.day_of_year, number, 1..=366),
            'H' => (&mut self.hour, number, 0..=23),
            'k' => (&mut self.hour, if number == 24 { 0 } else { number }, if number == 0 { 1..=23 } else { 0..=23 }),
            'h' => (&mut self.hour_of_half, if number == 12 { 0 } else { number }, i64::from(number == 0)..=11),
            'K' => (&mut self.hour_of_half, number, 0..=11),
            'm' => (&mut self.minute, number, 0..=59),
            's' => (&mut self.second, number, 0..=59),
            'A' => (&mut self.millisecond_of_day, number, 0..=86_399_999),
            _ => return None,
        };
        *field = range.contains(&number).then_some(number);
        field.map(|_| ())
    }
}

/// Milliseconds since 1970; without a time midnight, without a zone UTC. None without a whole date.
pub(super) fn milliseconds(fields: &Fields) -> Option<i64> {
    let date = date(fields)?;
    if fields.weekday.is_some_and(|weekday| weekday != date.weekday().to_monday_one_offset().into()) {
        return None;
    }
    let local = date.to_datetime(time(fields)?);
    let zone = fields.zone.clone().unwrap_or(TimeZone::UTC);
    zone.to_timestamp(local).ok().map(|timestamp| timestamp.as_millisecond())
}

fn date(fields: &Fields) -> Option<Date> {
    let year = match (fields.year, fields.year_of_era, fields.is_before_christ) {
        (Some(year), ..) => year,
        (None, Some(year), Some(true)) => 1 - year,
        (None, year, _) => year?,
    };
    let first = Date::new(year.try_into().ok()?, 1, 1).ok()?;
    if let Some(day) = fields.day_of_year {
        return first.with().day_of_year(day.try_into().ok()?).build().ok();
    }
    let month = first.with().month(fields.month?.try_into().ok()?).build().ok()?;
    let day = i8::try_from(fields.day?).ok()?;
    month.with().day(day.min(month.days_in_month())).build().ok()
}

fn time(fields: &Fields) -> Option<Time> {
    if let Some(milliseconds) = fields.millisecond_of_day {
        let span = jiff::SignedDuration::from_millis(milliseconds);
        return Time::midnight().checked_add(span).ok();
    }
    let hour = match (fields.hour, fields.hour_of_half, fields.is_afternoon) {
        (Some(hour), ..) => hour,
        (None, Some(hour), Some(is_afternoon)) => hour + if is_afternoon { 12 } else { 0 },
        // Half a day without AM or PM is no time.
        (None, Some(_), None) => return None,
        (None, None, _) => 0,
    };
    let small = |number: Option<i64>| i8::try_from(number.unwrap_or_default()).ok();
    let nanosecond = i32::try_from(fields.nanosecond.unwrap_or_default()).ok()?;
    Time::new(small(Some(hour))?, small(fields.minute)?, small(fields.second)?, nanosecond).ok()
}
