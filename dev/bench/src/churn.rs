//! Scenario churn: what it costs to connect. N clients are always on their way in.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use crate::fleet::Fleet;
use crate::link::Link;
use crate::report::percentile;
use crate::{Options, Usage};

#[expect(clippy::cast_precision_loss, reason = "counts of connects are small")]
pub(crate) fn run(options: &Options) -> anyhow::Result<String> {
    let mut churn =
        Churn { options, fleet: Fleet::new(options)?, opened_at: Vec::new(), serial: 0, micros: Vec::new() };
    let before = Usage::of(options.pid);
    let began = Instant::now();
    for slot in 0..options.n {
        let link = churn.open(slot)?;
        churn.fleet.links.push(link);
        churn.opened_at.push(Instant::now());
    }
    let mut ready = Vec::new();
    while began.elapsed() < options.measured() {
        churn.fleet.step(Duration::from_millis(50), &mut ready)?;
        for slot in &ready {
            churn.advance(*slot)?;
        }
    }
    let (seconds, used) = (began.elapsed().as_secs_f64(), Usage::of(options.pid).cpu_micros_since(&before));
    let mut micros = churn.micros;
    micros.sort_unstable();
    let connects = micros.len() as f64;
    Ok(format!(
        "churn n {} connects/s {:.0} p50_us {} p99_us {} broker_cpu_us_per_connect {:.1}",
        options.n,
        connects / seconds,
        percentile(&micros, 50),
        percentile(&micros, 99),
        used / connects.max(1.0),
    ))
}

struct Churn<'a> {
    options: &'a Options,
    fleet: Fleet,
    opened_at: Vec<Instant>,
    serial: usize,
    /// How long each connect took.
    micros: Vec<u32>,
}

impl Churn<'_> {
    fn open(&mut self, slot: usize) -> anyhow::Result<Link> {
        let client_id = format!("{}-{}", self.options.client_prefix, self.serial);
        self.serial += 1;
        Link::open(self.options, self.fleet.tls.as_ref(), &self.fleet.poll, slot, &client_id)
    }

    /// Takes a client one step on; an accepted one makes room for the next.
    fn advance(&mut self, slot: usize) -> anyhow::Result<()> {
        let link = self.fleet.links.get_mut(slot).context("an event of no client")?;
        link.for_each_frame(|_, _| {});
        link.flush();
        ensure!(!link.is_dead, "client {slot} was refused or dropped");
        if !link.is_accepted {
            return Ok(());
        }
        let next = self.open(slot)?;
        if let (Some(link), Some(opened_at)) = (self.fleet.links.get_mut(slot), self.opened_at.get_mut(slot)) {
            self.micros.push(u32::try_from(opened_at.elapsed().as_micros()).unwrap_or(u32::MAX));
            *opened_at = Instant::now();
            *link = next;
        }
        Ok(())
    }
}
