//! The soak: minutes of clients that come, go, come back and stop reading, and a server whose memory must stay flat.

mod actor;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use mqtt_load::{Endpoint, Fleet, Usage};

use crate::althing::Althing;
use crate::binaries::Binaries;
use actor::{Actor, Part, Tally};

/// Runs it and gives the line that tells the result.
///
/// # Errors
/// The server ends, drops a client that did nothing wrong, or grows.
pub fn run(binaries: &Binaries, time: Duration) -> anyhow::Result<String> {
    ensure!(time >= TIME_MIN, "a soak of less than {} s says nothing", TIME_MIN.as_secs());
    let folder = tempfile::tempdir()?;
    let althing = Althing::new(folder.path());
    let broker = althing.start(binaries, 1, "sync")?;
    let stop = AtomicBool::new(false);
    let endpoint = Endpoint::plain(broker.plain);
    let mut soak = Soak::new(Fleet::new(Arc::new(endpoint), &stop)?)?;
    let mut samples = Vec::new();
    let began = Instant::now();
    while began.elapsed() < time {
        soak.step()?;
        if began.elapsed() >= SAMPLE * u32::try_from(samples.len()).unwrap_or(u32::MAX) {
            samples.push(Usage::of(broker.pid()).context("the server has ended")?.resident_kib / 1024.0);
        }
    }
    judge(&samples, time, &soak.tally)
}

struct Soak<'a> {
    fleet: Fleet<'a>,
    actors: Vec<Actor>,
    tally: Tally,
    ready: Vec<usize>,
}

impl<'a> Soak<'a> {
    fn new(mut fleet: Fleet<'a>) -> anyhow::Result<Self> {
        let mut actors = Vec::new();
        for (part, count) in CAST {
            for _ in 0..*count {
                actors.push(Actor::enter(*part, actors.len(), &mut fleet)?);
            }
        }
        Ok(Self { fleet, actors, tally: Tally::default(), ready: Vec::new() })
    }

    fn step(&mut self) -> anyhow::Result<()> {
        self.fleet.step(Duration::from_millis(10), &mut self.ready)?;
        for number in &self.ready {
            let Some(link) = self.fleet.links.get_mut(*number) else { continue };
            link.receive(|arrival| self.tally.count(arrival));
            link.flush();
        }
        let now = Instant::now();
        for actor in &mut self.actors {
            actor.act(&mut self.fleet, now, &mut self.tally)?;
        }
        Ok(())
    }
}

/// Compares the mean of the third fifth of the samples with that of the last. Until then the store fills its write
/// buffers, which are bounded; that takes about two minutes at this load.
fn judge(samples: &[f64], time: Duration, tally: &Tally) -> anyhow::Result<String> {
    let fifth = |number: usize| {
        let length = samples.len() / 5;
        samples.get(number * length..(number + 1) * length).filter(|part| !part.is_empty())
    };
    let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
    let (Some(third), Some(last)) = (fifth(2).map(mean), fifth(4).map(mean)) else {
        bail!("{} samples are too few", samples.len());
    };
    let line = format!(
        "soak {} s: resident memory {third:.1} MiB in the third fifth, {last:.1} MiB in the last \
         (tolerance {:.0} % and {GROWTH_MIB_MAX} MiB); {tally}",
        time.as_secs(),
        GROWTH_MAX * 100.0,
    );
    ensure!(last <= third * (1.0 + GROWTH_MAX) + GROWTH_MIB_MAX, "memory is not flat: {line}");
    Ok(line)
}

/// Who takes part: about 2,000 messages and 50 connections a second.
const CAST: &[(Part, usize)] =
    &[(Part::Publisher, 20), (Part::Subscriber, 20), (Part::SlowReader, 10), (Part::Visitor, 10), (Part::Sleeper, 50)];
const SAMPLE: Duration = Duration::from_secs(1);
const TIME_MIN: Duration = Duration::from_secs(10);
const GROWTH_MAX: f64 = 0.05;
const GROWTH_MIB_MAX: f64 = 4.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_flat_or_not() {
        let check = |samples: Vec<f64>, expected: Result<&str, &str>| {
            let judged = judge(&samples, Duration::from_secs(10), &Tally::default());
            let text = judged.as_ref().map_or_else(|error| format!("{error}"), Clone::clone);
            assert_eq!(judged.is_ok(), expected.is_ok(), "{text}");
            let (Ok(part) | Err(part)) = expected;
            assert!(text.contains(part), "{text}");
        };
        let of = |fifths: [f64; 5]| fifths.iter().flat_map(|value| [*value; 4]).collect::<Vec<_>>();
        check(of([10.0, 30.0, 50.0, 50.0, 50.0]), Ok("50.0 MiB in the third fifth, 50.0 MiB in the last"));
        check(of([10.0, 30.0, 50.0, 90.0, 56.0]), Ok("56.0 MiB in the last"));
        check(of([10.0, 50.0, 50.0, 50.0, 57.0]), Err("memory is not flat"));
        check(vec![1.0; 4], Err("4 samples are too few"));
    }
}
