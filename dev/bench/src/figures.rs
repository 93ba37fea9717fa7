//! What the rounds gave, as a table for people and as JSON.

use serde_json::{Value, json};

use crate::rows::{Contender, Goal, Row};

/// One measurement.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// A figure in the row's unit.
    Figure(f64),
    /// Why there is none.
    Missing(String),
}

/// All measurements of a run.
#[derive(Debug, Default)]
pub struct Figures {
    cells: Vec<(&'static str, Contender, Cell)>,
    store_rows_per_second: Option<f64>,
}

impl Figures {
    /// Notes one measurement.
    pub fn add(&mut self, row: &'static Row, contender: Contender, cell: Cell) {
        self.cells.push((row.name, contender, cell));
    }

    /// Notes what the bare store does.
    pub fn set_store_rate(&mut self, rows_per_second: f64) {
        self.store_rows_per_second = Some(rows_per_second);
    }

    /// The median of the rounds.
    pub fn figure(&self, row: &str, contender: Contender) -> Option<f64> {
        let values: Vec<f64> = self
            .of(row, contender)
            .filter_map(|cell| if let Cell::Figure(value) = cell { Some(*value) } else { None })
            .collect();
        median(&values)
    }

    fn of(&self, row: &str, contender: Contender) -> impl Iterator<Item = &Cell> {
        let is_it = move |(name, who, _): &&(&str, Contender, Cell)| *name == row && *who == contender;
        self.cells.iter().filter(is_it).map(|(_, _, cell)| cell)
    }

    /// The ratio that the goal is about, or the figure itself, and whether it is as it should be.
    fn judged(&self, row: &Row) -> Option<(f64, bool)> {
        let own = self.figure(row.name, Contender::Althing)?;
        let ratio_to = |row: &str, contender| Some(own / self.figure(row, contender)?);
        match row.goal {
            Goal::OfFloor(most, base) => {
                ratio_to(base.unwrap_or(row.name), Contender::Floor).map(|ratio| (ratio, ratio <= most))
            }
            Goal::OfRow(most, base) => ratio_to(base, Contender::Althing).map(|ratio| (ratio, ratio <= most)),
            Goal::AtMost(most) => Some((own, own <= most)),
            Goal::OfStore(least) => Some((own, own >= least)),
        }
    }

    /// The ratio that is printed.
    fn ratio(&self, row: &Row) -> Option<f64> {
        match row.goal {
            Goal::OfFloor(..) | Goal::OfRow(..) => self.judged(row).map(|(ratio, _)| ratio),
            Goal::OfStore(_) => Some(self.figure(row.name, Contender::Althing)? / self.store_rows_per_second?),
            Goal::AtMost(_) => None,
        }
    }

    /// The table, and a line for each figure that is missing.
    pub fn table(&self, rows: &[&Row]) -> String {
        let mut out = format!(
            "{:38} {:18} {:>9} {:>9} {:>9} {:>6}  goal\n",
            "", "unit", "floor", "althing", "mosquitto", "ratio"
        );
        for row in rows {
            let cell = |contender| self.figure(row.name, contender).map_or_else(|| "-".to_owned(), short);
            let ratio = self.ratio(row).map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}"));
            let verdict = match self.judged(row) {
                Some((_, true)) => "met",
                Some((_, false)) => "MISSED",
                None => "not measured",
            };
            out += &format!(
                "{:38} {:18} {:>9} {:>9} {:>9} {ratio:>6}  {}: {verdict}\n",
                row.title,
                row.unit,
                cell(Contender::Floor),
                cell(Contender::Althing),
                cell(Contender::Mosquitto),
                goal_text(row.goal),
            );
        }
        if let Some(rate) = self.store_rows_per_second {
            out += &format!("the bare store keeps {} rows/s, fsync, 1,000 commits under way\n", short(rate));
        }
        for (name, contender, cell) in &self.cells {
            if let Cell::Missing(why) = cell {
                out += &format!("{name}, {}: {why}\n", contender.name());
            }
        }
        out
    }

    /// The same as JSON.
    pub fn json(&self, rows: &[&Row]) -> Value {
        let row = |row: &&Row| {
            json!({
                "row": row.name,
                "unit": row.unit,
                "floor": self.figure(row.name, Contender::Floor),
                "althing": self.figure(row.name, Contender::Althing),
                "mosquitto": self.figure(row.name, Contender::Mosquitto),
                "ratio": self.ratio(row),
                "goal": goal_text(row.goal),
                "met": self.judged(row).map(|(_, is_met)| is_met),
            })
        };
        let rows: Vec<Value> = rows.iter().map(row).collect();
        json!({ "rows": rows, "store_rows_per_second": self.store_rows_per_second })
    }
}

fn goal_text(goal: Goal) -> String {
    match goal {
        Goal::OfFloor(most, None) => format!("{most} x floor"),
        Goal::OfFloor(most, Some(base)) => format!("{most} x floor's {base}"),
        Goal::OfRow(most, base) => format!("{most} x {base}"),
        Goal::AtMost(most) => format!("at most {most}"),
        Goal::OfStore(least) => format!("at least {least}"),
    }
}

/// Three figures, more or less.
fn short(value: f64) -> String {
    if value.abs() >= 100.0 { format!("{value:.0}") } else { format!("{value:.2}") }
}

/// The middle of the values, in any order; the mean of the two middle ones of an even count. None of none.
pub(crate) fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = sorted.get(sorted.len() / 2)?;
    let lower = sorted.get(sorted.len().checked_sub(1)? / 2)?;
    Some(f64::midpoint(*upper, *lower))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::{ROWS, with_bases};

    fn row(name: &str) -> &'static Row {
        ROWS.iter().find(|row| row.name == name).unwrap()
    }

    #[test]
    fn the_median_is_the_middle() {
        let check = |values: &[f64], expected| assert_eq!(median(values), expected, "{values:?}");
        check(&[], None);
        check(&[3.0], Some(3.0));
        check(&[9.0, 1.0, 2.0], Some(2.0));
        check(&[4.0, 1.0, 2.0, 9.0], Some(3.0));
    }

    #[test]
    fn goals_are_judged_by_medians() {
        let mut figures = Figures::default();
        for value in [0.5, 9.0, 0.4] {
            figures.add(row("pair-0"), Contender::Floor, Cell::Figure(value));
        }
        figures.add(row("pair-0"), Contender::Althing, Cell::Figure(0.9));
        figures.add(row("fan-in"), Contender::Althing, Cell::Figure(1.0));
        figures.add(row("filters"), Contender::Althing, Cell::Figure(1.0));
        figures.add(row("idle"), Contender::Althing, Cell::Figure(3.9));
        figures.add(row("offline"), Contender::Althing, Cell::Figure(30_000.0));
        figures.set_store_rate(60_000.0);
        let check = |name, expected| {
            let judged = figures.judged(row(name)).map(|(value, is_met)| ((value * 100.0).round() / 100.0, is_met));
            assert_eq!(judged, expected, "{name}");
        };
        check("pair-0", Some((1.8, true)));
        check("fan-in", Some((2.0, false)));
        check("filters", Some((1.11, false)));
        check("idle", Some((3.9, true)));
        check("offline", Some((30_000.0, false)));
        check("pair-1", None);
        assert_eq!(figures.ratio(row("offline")), Some(0.5));
    }

    #[test]
    fn what_is_missing_is_told() {
        let mut figures = Figures::default();
        figures.add(row("offline"), Contender::Althing, Cell::Missing("5 of 9 messages were lost".to_owned()));
        let rows = with_bases(&["offline".to_owned()]).unwrap();
        let table = figures.table(&rows);
        assert!(table.contains("at least 40000: not measured\n"), "{table}");
        assert!(table.ends_with("offline, althing: 5 of 9 messages were lost\n"), "{table}");
        assert_eq!(figures.json(&rows)["rows"][0]["met"], Value::Null);
    }
}
