//! What all scenarios share: the broker, the user's wish to stop, and the way in.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use crate::endpoint::{Endpoint, Login};
use crate::fleet::Fleet;
use crate::{LoadError, Options, Progress, Report, Scenario, Usage};

/// One run.
pub(crate) struct Run<'a> {
    pub(crate) options: &'a Options,
    pub(crate) progress: Progress,
    endpoint: Arc<Endpoint>,
    stop: &'a AtomicBool,
}

impl<'a> Run<'a> {
    pub(crate) fn new(options: &'a Options, stop: &'a AtomicBool, progress: Progress) -> Result<Self, LoadError> {
        if let Some(pid) = options.pid.filter(|pid| Usage::of(*pid).is_none()) {
            return Err(LoadError::Setting(format!("--pid {pid}: there is no such process here")));
        }
        Ok(Self { options, progress, endpoint: Arc::new(Endpoint::new(&options.connect)?), stop })
    }

    pub(crate) fn fleet(&self) -> Result<Fleet<'a>, LoadError> {
        Fleet::new(Arc::clone(&self.endpoint), self.stop)
    }

    /// Connects `total` clients more, some at a time; `client_id` gives the identifiers by number.
    pub(crate) fn connect(
        &mut self,
        fleet: &mut Fleet<'_>,
        total: usize,
        is_clean: bool,
        client_id: impl Fn(usize) -> String,
    ) -> Result<(), LoadError> {
        let first = fleet.links.len();
        let end = first + total;
        while fleet.links.len() < end {
            let begin = fleet.links.len();
            for number in begin..(begin + WAVE).min(end) {
                fleet.open(Login { client_id: &client_id(number - first), is_clean })?;
            }
            fleet.wait_for("CONNACK", |links| links.iter().skip(begin).filter(|link| !link.is_accepted()).count())?;
            self.progress.show(|| format!("connecting: {} of {end} clients", fleet.links.len()));
        }
        Ok(())
    }

    /// What the broker has used, when it is watched.
    pub(crate) fn usage(&self) -> Option<Usage> {
        self.options.pid.and_then(Usage::of)
    }

    /// A report that begins with what was asked for.
    pub(crate) fn report(&self) -> Report {
        let options = self.options;
        let mut report = Report::default();
        let scenario = clap::ValueEnum::to_possible_value(&options.scenario);
        report.text("scenario", scenario.map(|value| value.get_name().to_owned()).unwrap_or_default());
        report.text("address", options.connect.host_and_port());
        report.text(
            "transport",
            match (options.connect.tls, options.connect.websocket.is_some()) {
                (false, false) => "tcp",
                (true, false) => "tls",
                (false, true) => "websocket",
                (true, true) => "websocket over tls",
            },
        );
        report.text("mqtt", options.connect.mqtt.name());
        report.count("clients", options.clients() as u64);
        if !matches!(options.scenario, Scenario::Idle | Scenario::Connect) {
            report.count("qos", options.qos().into());
            report.count("window", options.window() as u64);
            if options.body.is_none() {
                report.count("payload_bytes", options.payload as u64);
            }
        }
        report
    }

    /// Ends a report with whether the time was over.
    pub(crate) fn end(&self, report: &mut Report, fleet: &Fleet<'_>) {
        if fleet.is_stopped() {
            report.text("ended", "stopped before its time");
        }
    }
}

/// How far a run is, for the line of progress.
pub(crate) fn elapsed_of(elapsed: Duration, total: Duration) -> String {
    format!("{:.0} of {:.0} s", elapsed.as_secs_f64(), total.as_secs_f64())
}

/// Clients that connect at a time, well below a listener's backlog.
const WAVE: usize = 200;
