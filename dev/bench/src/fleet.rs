//! All clients of a run and the one poll that drives them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use mio::{Events, Poll};
use rustls::ClientConfig;

use crate::link::Link;
use crate::{Options, tls};

/// The clients, by number.
pub(crate) struct Fleet {
    pub(crate) poll: Poll,
    pub(crate) links: Vec<Link>,
    pub(crate) tls: Option<Arc<ClientConfig>>,
    events: Events,
    scratch: Vec<u8>,
}

impl Fleet {
    pub(crate) fn new(options: &Options) -> anyhow::Result<Self> {
        Ok(Self {
            poll: Poll::new()?,
            links: Vec::new(),
            tls: tls::client_config(options)?,
            events: Events::with_capacity(4096),
            scratch: vec![0; 256 * 1024],
        })
    }

    /// Connects clients until there are `total`, some at a time, and waits until all are accepted.
    pub(crate) fn connect(&mut self, options: &Options, total: usize) -> anyhow::Result<()> {
        while self.links.len() < total {
            let wave_end = (self.links.len() + WAVE).min(total);
            for index in self.links.len()..wave_end {
                let client_id = format!("{}-{index}", options.client_prefix);
                self.links.push(Link::open(options, self.tls.as_ref(), &self.poll, index, &client_id)?);
            }
            self.wait_until("CONNACK", |links| links.iter().all(|link| link.is_accepted))?;
        }
        Ok(())
    }

    /// Waits for events and reads all clients that have some; gives their numbers.
    pub(crate) fn step(&mut self, wait: Duration, ready: &mut Vec<usize>) -> anyhow::Result<()> {
        ready.clear();
        self.poll.poll(&mut self.events, Some(wait))?;
        ready.extend(self.events.iter().map(|event| event.token().0));
        ready.dedup();
        for index in ready.iter() {
            if let Some(link) = self.links.get_mut(*index) {
                link.fill(&mut self.scratch);
            }
        }
        Ok(())
    }

    /// Drives the clients until something is true of them. Messages that arrive meanwhile are thrown away.
    pub(crate) fn wait_until(&mut self, what: &str, done: impl Fn(&[Link]) -> bool) -> anyhow::Result<()> {
        let began = Instant::now();
        let mut ready = Vec::new();
        while !done(&self.links) {
            ensure!(began.elapsed() < PATIENCE, "no {what} in {} s", PATIENCE.as_secs());
            self.step(Duration::from_millis(50), &mut ready)?;
            for index in &ready {
                let link = self.links.get_mut(*index).context("an event of no client")?;
                link.for_each_frame(|_, _| {});
                link.flush();
                if link.is_dead {
                    bail!("client {index} was refused or dropped while waiting for {what}");
                }
            }
        }
        Ok(())
    }
}

/// Clients that connect at a time, well below a listener's backlog.
const WAVE: usize = 200;
const PATIENCE: Duration = Duration::from_secs(60);
