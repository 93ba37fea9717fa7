//! What a run found out: figures with names, as a table for people and as JSON with the same names.

use std::fmt;
use std::time::Duration;

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::Usage;
use crate::histogram::Histogram;

/// The figures of one run, in the order in which they are printed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Report(Vec<(&'static str, Figure)>);

/// One figure.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[serde(untagged)]
pub enum Figure {
    /// A name or a setting.
    Text(String),
    /// A whole number.
    Count(u64),
    /// A measured value.
    Measure(f64),
}

impl Report {
    /// The figure of that name as a number.
    pub fn number(&self, name: &str) -> Option<f64> {
        match &self.0.iter().find(|(key, _)| *key == name)?.1 {
            Figure::Text(_) => None,
            Figure::Count(count) => Some(*count as f64),
            Figure::Measure(value) => Some(*value),
        }
    }

    pub(crate) fn text(&mut self, name: &'static str, text: impl Into<String>) {
        self.0.push((name, Figure::Text(text.into())));
    }

    pub(crate) fn count(&mut self, name: &'static str, count: u64) {
        self.0.push((name, Figure::Count(count)));
    }

    /// A value that is no number, as of a division by zero, is left out: JSON has none.
    pub(crate) fn measure(&mut self, name: &'static str, value: f64) {
        if value.is_finite() {
            self.0.push((name, Figure::Measure((value * 1000.0).round() / 1000.0)));
        }
    }

    /// A count and its rate.
    pub(crate) fn rate(&mut self, names: [&'static str; 2], count: u64, time: Duration) {
        let [count_name, rate_name] = names;
        self.count(count_name, count);
        self.measure(rate_name, (count as f64 / time.as_secs_f64()).round());
    }

    pub(crate) fn latencies(&mut self, histogram: &Histogram) {
        if histogram.is_empty() {
            return;
        }
        for (name, hundredths) in [("latency_p50_us", 50), ("latency_p95_us", 95), ("latency_p99_us", 99)] {
            self.count(name, histogram.percentile(hundredths));
        }
        self.count("latency_max_us", histogram.max());
    }

    /// What the broker's process used meanwhile; `each` names CPU time over the counted things.
    pub(crate) fn broker(&mut self, usage: Option<(Usage, Usage)>, each: &'static str, count: u64) {
        let Some((before, after)) = usage else { return };
        self.measure(each, after.cpu_micros_since(&before) / count as f64);
        self.measure("broker_cpu_seconds", after.cpu_seconds - before.cpu_seconds);
        self.measure("broker_rss_kib", after.resident_kib);
        self.measure("broker_rss_growth_kib", after.resident_kib - before.resident_kib);
    }
}

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        self.0.iter().try_for_each(|(name, figure)| map.serialize_entry(name, figure))?;
        map.end()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows: Vec<(&str, String)> = self.0.iter().map(|(name, figure)| (*name, figure.to_string())).collect();
        let left = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        let right = rows.iter().map(|(_, figure)| figure.chars().count()).max().unwrap_or(0);
        rows.iter().try_for_each(|(name, figure)| writeln!(f, "{name:left$}  {figure:>right$}"))
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Count(count) => f.write_str(&grouped(&count.to_string())),
            Self::Measure(value) if value.fract() == 0.0 => f.write_str(&grouped(&format!("{value:.0}"))),
            Self::Measure(value) => {
                let text = format!("{value:.3}");
                let (whole, fraction) = text.split_once('.').unwrap_or((&text, "0"));
                write!(f, "{}.{fraction}", grouped(whole))
            }
        }
    }
}

/// Digits in groups of three.
fn grouped(digits: &str) -> String {
    let mut out = String::with_capacity(digits.len() * 4 / 3);
    let count = digits.len();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (count - at).is_multiple_of(3) && !out.ends_with('-') {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_and_json_have_the_same_names() {
        let mut report = Report::default();
        report.text("scenario", "pair");
        report.rate(["messages", "messages_per_second"], 1_234_567, Duration::from_secs(2));
        report.measure("broker_cpu_us_per_message", 0.81249);
        report.measure("nothing", f64::NAN);
        assert_eq!(
            report.to_string(),
            "scenario                        pair\n\
             messages                   1,234,567\n\
             messages_per_second          617,284\n\
             broker_cpu_us_per_message      0.812\n"
        );
        assert_eq!(
            serde_json::to_value(&report).unwrap(),
            serde_json::json!({
                "scenario": "pair", "messages": 1_234_567, "messages_per_second": 617_284.0,
                "broker_cpu_us_per_message": 0.812
            })
        );
        assert_eq!(report.number("messages"), Some(1_234_567.0));
        assert_eq!(report.number("scenario"), None);
    }

    #[test]
    fn digits_are_grouped() {
        let check = |figure: Figure, expected: &str| assert_eq!(figure.to_string(), expected);
        check(Figure::Count(0), "0");
        check(Figure::Count(999), "999");
        check(Figure::Count(1000), "1,000");
        check(Figure::Measure(-123_456.0), "-123,456");
        check(Figure::Measure(1234.5), "1,234.500");
    }

    #[test]
    fn a_broker_that_is_not_watched_has_no_figures() {
        let mut report = Report::default();
        report.broker(None, "broker_cpu_us_per_message", 5);
        assert_eq!(report, Report::default());
        let (before, after) =
            (Usage { cpu_seconds: 1.0, resident_kib: 10.0 }, Usage { cpu_seconds: 1.5, resident_kib: 14.0 });
        report.broker(Some((before, after)), "broker_cpu_us_per_message", 250_000);
        assert_eq!(report.number("broker_cpu_us_per_message"), Some(2.0));
        assert_eq!(report.number("broker_rss_growth_kib"), Some(4.0));
    }
}
