//! Scenario offline: persistent sessions subscribe and leave, publishers fill their queues, and the sessions come back for
//! what is theirs. What counts is how fast publishes are acknowledged while their receivers are away.

use std::time::{Duration, Instant};

use crate::endpoint::Login;
use crate::fleet::{Fleet, STEP};
use crate::histogram::Histogram;
use crate::link::{Arrival, Link};
use crate::publisher::{Message, Publisher};
use crate::run::{Run, elapsed_of};
use crate::template::Template;
use crate::{LoadError, Report};

pub(crate) fn run(run: &mut Run<'_>) -> Result<Report, LoadError> {
    leave_sessions(run)?;
    let mut filling = Filling::connect(run)?;
    filling.drive(run, run.options.warm_up)?;
    if filling.fleet.is_stopped() {
        return Err(LoadError::Stopped);
    }
    let (before, began, warm_up) = (run.usage(), Instant::now(), filling.acknowledged);
    filling.latencies.clear();
    filling.drive(run, run.options.seconds)?;
    let (time, messages) = (began.elapsed(), filling.acknowledged - warm_up);
    let usage = before.zip(run.usage());
    filling.settle(run)?;
    let mut report = run.report();
    report.measure("seconds", time.as_secs_f64());
    report.rate(["messages", "messages_per_second"], messages, time);
    report.rate(["bytes", "bytes_per_second"], messages * filling.message.payload.len() as u64, time);
    report.latencies(&filling.latencies);
    report.broker(usage, "broker_cpu_us_per_message", messages);
    if !filling.fleet.is_stopped() {
        collect(run, filling.acknowledged, &mut report)?;
    }
    run.end(&mut report, &filling.fleet);
    filling.fleet.leave()?;
    clear_sessions(run)?;
    Ok(report)
}

/// Makes the sessions, each with its subscription, and leaves them.
fn leave_sessions(run: &mut Run<'_>) -> Result<(), LoadError> {
    clear_sessions(run)?;
    let options = run.options;
    let mut fleet = run.fleet()?;
    run.connect(&mut fleet, options.clients(), false, |i| options.session_id(i))?;
    for (i, link) in fleet.links.iter_mut().enumerate() {
        link.subscribe(&[options.topic(i)], options.qos());
        link.flush();
    }
    fleet.wait_for("SUBACK", |links| links.iter().filter(|link| link.subacks() == 0).count())?;
    fleet.leave()
}

/// Ends the sessions: a clean one takes the place of each (MQTT 3.1.1, 3.1.2.4).
fn clear_sessions(run: &mut Run<'_>) -> Result<(), LoadError> {
    let options = run.options;
    let mut fleet = run.fleet()?;
    run.connect(&mut fleet, options.clients(), true, |i| options.session_id(i))?;
    fleet.leave()
}

/// The sessions come back and take what was kept for them.
fn collect(run: &mut Run<'_>, acknowledged: u64, report: &mut Report) -> Result<(), LoadError> {
    let mut fleet = run.fleet()?;
    let began = Instant::now();
    let mut collected = 0_u64;
    for i in 0..run.options.clients() {
        fleet.open(Login { client_id: &run.options.session_id(i), is_clean: false })?;
    }
    let (mut arrived_at, mut ready) = (began, Vec::new());
    while collected < acknowledged && arrived_at.elapsed() < run.options.connect.patience() && !fleet.is_stopped() {
        fleet.step(STEP, &mut ready)?;
        let before = collected;
        for number in &ready {
            let Some(link) = fleet.links.get_mut(*number) else { continue };
            link.receive(|arrival| collected += u64::from(matches!(arrival, Arrival::Message { .. })));
            link.flush();
            if let Some(error) = link.take_failure() {
                return Err(error);
            }
        }
        if collected != before {
            arrived_at = Instant::now();
        }
        run.progress.show(|| format!("collecting: {collected} of {acknowledged} messages"));
    }
    report.rate(["collected", "collected_per_second"], collected, arrived_at.duration_since(began));
    report.count("lost", acknowledged.saturating_sub(collected));
    fleet.leave()
}

struct Filling<'a> {
    fleet: Fleet<'a>,
    publishers: Vec<Publisher>,
    message: Message,
    acknowledged: u64,
    /// From publish to acknowledgement.
    latencies: Histogram,
}

impl<'a> Filling<'a> {
    fn connect(run: &mut Run<'a>) -> Result<Self, LoadError> {
        let options = run.options;
        let mut fleet = run.fleet()?;
        run.connect(&mut fleet, options.clients(), true, |number| options.client_id(number))?;
        // A message is in flight until it is acknowledged: one arrival.
        let publisher = |i| Publisher::new(i, options.topic(i), options.window(), 1);
        Ok(Self {
            publishers: (0..options.clients()).map(publisher).collect(),
            fleet,
            message: Message {
                qos: options.qos(),
                body: options.body.as_deref().map(Template::new),
                payload: vec![b'x'; options.payload],
            },
            acknowledged: 0,
            latencies: Histogram::new(),
        })
    }

    /// Keeps all windows full for a time, and until the first publish is acknowledged.
    fn drive(&mut self, run: &mut Run<'_>, time: Duration) -> Result<(), LoadError> {
        let (began, already) = (Instant::now(), self.acknowledged);
        for (publisher, link) in self.publishers.iter_mut().zip(&mut self.fleet.links) {
            publisher.top_up(link, &mut self.message);
        }
        let mut arrived_at = began;
        while (began.elapsed() < time || self.acknowledged == already) && !self.fleet.is_stopped() {
            if self.step(true)? {
                arrived_at = Instant::now();
            } else if arrived_at.elapsed() > run.options.connect.patience() {
                return Err(self.stalled(run.options.connect.patience()));
            }
            let acknowledged = self.acknowledged - already;
            let elapsed = began.elapsed();
            run.progress.show(|| {
                let rate = acknowledged as f64 / elapsed.as_secs_f64();
                format!("filling: {}, {rate:.0} acknowledged/s", elapsed_of(elapsed, time))
            });
        }
        Ok(())
    }

    /// Waits for the acknowledgements that are on their way.
    fn settle(&mut self, run: &Run<'_>) -> Result<(), LoadError> {
        let mut arrived_at = Instant::now();
        while self.publishers.iter().any(|publisher| publisher.missing() != (0, 0)) {
            if self.step(false)? {
                arrived_at = Instant::now();
            } else if arrived_at.elapsed() > run.options.connect.patience() {
                return Err(self.stalled(run.options.connect.patience()));
            }
        }
        Ok(())
    }

    /// Takes the acknowledgements that came; publishers go on if they may. Says whether there were any.
    fn step(&mut self, goes_on: bool) -> Result<bool, LoadError> {
        let (mut ready, before) = (Vec::new(), self.acknowledged);
        self.fleet.step(STEP, &mut ready)?;
        let now = Instant::now();
        for number in &ready {
            let (Some(publisher), Some(link)) = (self.publishers.get_mut(*number), self.fleet.links.get_mut(*number))
            else {
                continue;
            };
            let acknowledged = acknowledgements(link);
            for age in (0..acknowledged).filter_map(|_| publisher.acknowledged_oldest(now)) {
                self.latencies.record(age);
            }
            self.acknowledged += acknowledged;
            if goes_on && acknowledged > 0 {
                publisher.top_up(link, &mut self.message);
            }
            link.flush();
            if let Some(error) = link.take_failure() {
                return Err(error);
            }
        }
        Ok(self.acknowledged != before)
    }

    fn stalled(&self, patience: Duration) -> LoadError {
        let missing: usize = self.publishers.iter().map(|publisher| publisher.missing().1).sum();
        let missing = format!("{missing} publishes wait for it");
        LoadError::Stalled { awaited: "acknowledgement", seconds: patience.as_secs(), missing }
    }
}

fn acknowledgements(link: &mut Link) -> u64 {
    let mut count = 0;
    link.receive(|arrival| count += u64::from(arrival == Arrival::Acknowledged));
    count
}
