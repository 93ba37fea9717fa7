//! Scenario connect: what it costs to connect. N clients are always on their way in, and leave when they are.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use crate::endpoint::Login;
use crate::error::Failure;
use crate::fleet::{Fleet, STEP};
use crate::histogram::Histogram;
use crate::run::{Run, elapsed_of};
use crate::{LoadError, Report};

pub(crate) fn run(run: &mut Run<'_>) -> Result<Report, LoadError> {
    let mut arriving = Arriving::new(run)?;
    arriving.drive(run, run.options.warm_up)?;
    if arriving.fleet.is_stopped() {
        return Err(LoadError::Stopped);
    }
    let (before, began) = (run.usage(), Instant::now());
    arriving.connects = 0;
    arriving.latencies.clear();
    arriving.drive(run, run.options.seconds)?;
    let (time, usage) = (began.elapsed(), before.zip(run.usage()));
    let mut report = run.report();
    report.measure("seconds", time.as_secs_f64());
    report.rate(["connects", "connects_per_second"], arriving.connects, time);
    report.latencies(&arriving.latencies);
    report.broker(usage, "broker_cpu_us_per_connect", arriving.connects);
    run.end(&mut report, &arriving.fleet);
    arriving.fleet.disconnect();
    Ok(report)
}

struct Arriving<'a> {
    fleet: Fleet<'a>,
    /// When each client began to connect.
    opened_at: Vec<Instant>,
    /// Clients that wait for a free port of this machine.
    waiting: Vec<usize>,
    serial: usize,
    connects: u64,
    /// From socket to CONNACK.
    latencies: Histogram,
}

impl<'a> Arriving<'a> {
    fn new(run: &Run<'a>) -> Result<Self, LoadError> {
        let mut fleet = run.fleet()?;
        let clients = run.options.clients();
        for number in 0..clients {
            fleet.open(Login { client_id: &run.options.client_id(number), is_clean: true })?;
        }
        let opened_at = vec![Instant::now(); clients];
        let (waiting, latencies) = (Vec::new(), Histogram::new());
        Ok(Self { fleet, opened_at, waiting, serial: clients, connects: 0, latencies })
    }

    /// Goes on for a time, and until the first client is in.
    fn drive(&mut self, run: &mut Run<'_>, time: Duration) -> Result<(), LoadError> {
        let began = Instant::now();
        let already = self.connects;
        let (mut arrived, mut arrived_at) = (already, began);
        let mut ready = Vec::new();
        while (began.elapsed() < time || arrived == already) && !self.fleet.is_stopped() {
            self.fleet.step(STEP, &mut ready)?;
            for number in std::mem::take(&mut self.waiting) {
                self.reopen(run, number)?;
            }
            for number in ready.iter().copied() {
                self.advance(run, number)?;
            }
            if self.connects != arrived {
                (arrived, arrived_at) = (self.connects, Instant::now());
            } else if arrived_at.elapsed() > run.options.connect.patience() {
                let missing = format!("{} clients are on their way in", self.fleet.links.len());
                let seconds = run.options.connect.patience().as_secs();
                return Err(LoadError::Stalled { awaited: "CONNACK", seconds, missing });
            }
            let connects = self.connects;
            run.progress.show(|| format!("{connects} connects, {}", elapsed_of(began.elapsed(), time)));
        }
        Ok(())
    }

    /// Takes a client one step on; one that is in makes room for the next.
    fn advance(&mut self, run: &Run<'_>, number: usize) -> Result<(), LoadError> {
        if self.waiting.contains(&number) {
            return Ok(());
        }
        let Some(link) = self.fleet.links.get_mut(number) else { return Ok(()) };
        link.receive(|_| {});
        link.flush();
        if let Some(error) = link.take_failure() {
            return Err(error);
        }
        if !link.is_accepted() {
            return Ok(());
        }
        link.disconnect();
        self.connects += 1;
        if let Some(opened_at) = self.opened_at.get(number) {
            self.latencies.record(opened_at.elapsed());
        }
        self.reopen(run, number)
    }

    /// Puts a new client into a place whose last one was in.
    fn reopen(&mut self, run: &Run<'_>, number: usize) -> Result<(), LoadError> {
        let began = Instant::now();
        self.serial += 1;
        match self.fleet.reopen(number, Login { client_id: &run.options.client_id(self.serial), is_clean: true }) {
            Ok(()) => {
                if let Some(opened_at) = self.opened_at.get_mut(number) {
                    *opened_at = began;
                }
            }
            Err(LoadError::Client { failure: Failure::Unreachable { source, .. }, .. })
                if source.kind() == ErrorKind::AddrNotAvailable =>
            {
                // All ports of this machine rest (TIME_WAIT); one will be free soon.
                self.waiting.push(number);
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }
}
