//! Scenario idle: what a connection costs that does nothing.

use std::time::Instant;

use crate::fleet::STEP;
use crate::run::{Run, elapsed_of};
use crate::{LoadError, Report};

pub(crate) fn run(run: &mut Run<'_>) -> Result<Report, LoadError> {
    let options = run.options;
    let (before, began) = (run.usage(), Instant::now());
    let mut fleet = run.fleet()?;
    run.connect(&mut fleet, options.clients(), true, |number| options.client_id(number))?;
    let connect_time = began.elapsed();
    let (held_since, mut ready) = (Instant::now(), Vec::new());
    while held_since.elapsed() < options.seconds && !fleet.is_stopped() {
        fleet.step(STEP, &mut ready)?;
        for number in &ready {
            let Some(link) = fleet.links.get_mut(*number) else { continue };
            link.receive(|_| {});
            if let Some(error) = link.take_failure() {
                return Err(error);
            }
        }
        let held = held_since.elapsed();
        run.progress.show(|| format!("holding {} clients: {}", options.clients(), elapsed_of(held, options.seconds)));
    }
    let usage = before.zip(run.usage());
    let clients = options.clients() as u64;
    let mut report = run.report();
    report.measure("seconds", held_since.elapsed().as_secs_f64());
    report.rate(["connects", "connects_per_second"], clients, connect_time);
    if let Some((before, after)) = usage {
        report.measure("broker_kib_per_connection", (after.resident_kib - before.resident_kib) / clients as f64);
    }
    report.broker(usage, "broker_cpu_us_per_connect", clients);
    run.end(&mut report, &fleet);
    fleet.disconnect();
    Ok(report)
}
