//! One measurement: a fresh broker, the load against it, and the figure of its report.

use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, ensure};
use serde_json::Value;

use crate::althing::Althing;
use crate::binaries::{BROKER_CORE, Binaries, LOAD_CORE};
use crate::broker::{Broker, free_address};
use crate::certificates::Certificates;
use crate::figures::Cell;
use crate::mosquitto;
use crate::rows::{Contender, Row};

/// What all measurements of a run share.
pub struct Bench<'a> {
    binaries: &'a Binaries,
    folder: &'a Path,
    certificates: Certificates,
    althing: Althing,
    /// Seconds that each is measured, where the row does not say.
    seconds: f64,
}

impl<'a> Bench<'a> {
    /// Makes the certificates, and the server's data directory.
    ///
    /// # Errors
    /// The server does not start or does not take the device.
    pub fn new(binaries: &'a Binaries, folder: &'a Path, seconds: f64) -> anyhow::Result<Self> {
        let certificates = Certificates::make(folder)?;
        let althing = Althing::new(folder);
        althing.register(binaries, &certificates).context("cannot prepare althing")?;
        Ok(Self { binaries, folder, certificates, althing, seconds })
    }

    /// Whether the contender is here.
    pub fn has(&self, contender: Contender) -> bool {
        contender != Contender::Mosquitto || self.binaries.mosquitto.is_some()
    }

    /// Measures a row for a contender. A broker that fails under the load leaves the cell empty, with the reason.
    ///
    /// # Errors
    /// The broker does not start.
    pub fn measure(&self, row: &Row, contender: Contender) -> anyhow::Result<Cell> {
        let broker = match contender {
            Contender::Floor => self.start_floor()?,
            Contender::Althing => self.althing.start(self.binaries, row.workers, row.durability)?,
            Contender::Mosquitto => mosquitto::start(self.binaries, &self.certificates, self.folder)?,
        };
        Ok(match self.load(row, contender, &broker) {
            Ok(report) => cell(row, &report),
            Err(error) => Cell::Missing(format!("{error:#}")),
        })
    }

    /// Rows a second that the bare store keeps.
    ///
    /// # Errors
    /// The disk does not take them.
    pub fn store_rate(&self) -> anyhow::Result<f64> {
        let mut command = self.binaries.on_cores(BROKER_CORE, &self.binaries.store_rate);
        let output = command.arg(self.folder.join("store")).arg(self.seconds.to_string()).output()?;
        let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        ensure!(output.status.success(), "store-rate: {}", said(&output.stderr));
        said(&output.stdout).parse().context("store-rate gives no number")
    }

    fn start_floor(&self) -> anyhow::Result<Broker> {
        let address = free_address()?;
        let mut command = self.binaries.on_cores(BROKER_CORE, &self.binaries.floor);
        command.arg(address.to_string());
        Broker::start("floor", command, address, None, self.folder)
    }

    /// Runs `althing bench` against a broker and gives its report.
    fn load(&self, row: &Row, contender: Contender, broker: &Broker) -> anyhow::Result<Value> {
        let mut command = self.binaries.on_cores(LOAD_CORE, &self.binaries.althing);
        command.arg("bench").args(row.load).args(["--json", "--quiet", "--pid", &broker.pid().to_string()]);
        if !row.load.contains(&"--seconds") {
            command.args(["--seconds", &self.seconds.to_string()]);
        }
        let address = if row.is_tls { broker.tls.context("no TLS")? } else { broker.plain };
        command.args(["--address", &address.to_string()]);
        if row.is_tls {
            let ca = if contender == Contender::Althing { self.althing.ca() } else { self.certificates.ca.clone() };
            command.args(["--tls", "--server-name", "localhost", "--ca"]).arg(ca);
            command.arg("--cert").arg(&self.certificates.device).arg("--key").arg(&self.certificates.device_key);
        }
        let output = command.stdin(Stdio::null()).output()?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr).trim());
        Ok(serde_json::from_slice(&output.stdout)?)
    }
}

/// The row's figure in a report. One of a run that lost messages does not count.
fn cell(row: &Row, report: &Value) -> Cell {
    let number = |name: &str| report.get(name).and_then(Value::as_f64);
    if let Some(lost) = number("lost").filter(|lost| *lost > 0.0) {
        return Cell::Missing(format!("{lost} messages that were acknowledged were not kept"));
    }
    let (name, factor) = row.figure;
    number(name)
        .map_or_else(|| Cell::Missing(format!("the report has no {name}")), |value| Cell::Figure(value * factor))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::rows::ROWS;

    #[test]
    fn a_cell_is_the_rows_figure_in_its_unit() {
        let check = |name: &str, report: Value, expected: Cell| {
            let row = ROWS.iter().find(|row| row.name == name).unwrap();
            assert_eq!(cell(row, &report), expected);
        };
        check("pair-0", json!({ "broker_cpu_us_per_message": 0.5 }), Cell::Figure(0.5));
        check("connect-tls", json!({ "broker_cpu_us_per_connect": 500.0 }), Cell::Figure(0.5));
        check("pair-0", json!({}), Cell::Missing("the report has no broker_cpu_us_per_message".to_owned()));
        check("offline", json!({ "messages_per_second": 9.0, "lost": 0 }), Cell::Figure(9.0));
        let lost = Cell::Missing("2 messages that were acknowledged were not kept".to_owned());
        check("offline", json!({ "messages_per_second": 9.0, "lost": 2 }), lost);
    }
}
