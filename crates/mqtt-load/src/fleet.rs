//! All clients of a run and the one poll that drives them.

use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use mio::{Events, Poll};

use crate::endpoint::{Endpoint, Login};
use crate::error::{Failure, LoadError};
use crate::link::Link;

/// The clients, by number.
pub struct Fleet<'a> {
    /// In the order in which they were opened.
    pub links: Vec<Link>,
    endpoint: Arc<Endpoint>,
    stop: &'a AtomicBool,
    poll: Poll,
    events: Events,
    scratch: Vec<u8>,
    pinged_at: Instant,
}

impl<'a> Fleet<'a> {
    /// No clients yet. `stop` ends every wait.
    ///
    /// # Errors
    /// [`LoadError::Poll`]: the operating system gives no poll.
    pub fn new(endpoint: Arc<Endpoint>, stop: &'a AtomicBool) -> Result<Self, LoadError> {
        Ok(Self {
            links: Vec::new(),
            endpoint,
            stop,
            poll: Poll::new()?,
            events: Events::with_capacity(EVENTS_A_STEP),
            scratch: vec![0; SCRATCH_BYTES],
            pinged_at: Instant::now(),
        })
    }

    /// Whether the run is to end.
    pub fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Opens one more client.
    ///
    /// # Errors
    /// [`LoadError::Client`]: the operating system refuses the socket.
    pub fn open(&mut self, login: Login<'_>) -> Result<(), LoadError> {
        let link = Link::open(&self.endpoint, self.poll.registry(), self.links.len(), login);
        self.links.push(link.map_err(|failure| failed(login, failure))?);
        Ok(())
    }

    /// Puts a new connection into a client's place; the old one is closed.
    ///
    /// # Errors
    /// [`LoadError::Client`]: the operating system refuses the socket.
    pub fn reopen(&mut self, number: usize, login: Login<'_>) -> Result<(), LoadError> {
        let link = Link::open(&self.endpoint, self.poll.registry(), number, login);
        let link = link.map_err(|failure| failed(login, failure))?;
        if let Some(place) = self.links.get_mut(number) {
            *place = link;
        }
        Ok(())
    }

    /// Waits for events and reads all clients that have some; gives their numbers.
    ///
    /// # Errors
    /// [`LoadError::Poll`].
    pub fn step(&mut self, wait: Duration, ready: &mut Vec<usize>) -> Result<(), LoadError> {
        ready.clear();
        match self.poll.poll(&mut self.events, Some(wait)) {
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(()),
            polled => polled?,
        }
        ready.extend(self.events.iter().map(|event| event.token().0));
        ready.dedup();
        for number in ready.iter() {
            if let Some(link) = self.links.get_mut(*number) {
                link.fill(&mut self.scratch);
            }
        }
        self.keep_alive();
        Ok(())
    }

    /// Drives the clients until nothing is missing. Messages that arrive meanwhile are thrown away.
    ///
    /// # Errors
    /// [`LoadError`]: a client failed, nothing more came, or the run is stopped.
    pub fn wait_for(&mut self, awaited: &'static str, missing: impl Fn(&[Link]) -> usize) -> Result<(), LoadError> {
        let mut ready = Vec::new();
        let (mut left, mut since) = (missing(&self.links), Instant::now());
        while left > 0 {
            self.step(STEP, &mut ready)?;
            for number in &ready {
                let Some(link) = self.links.get_mut(*number) else { continue };
                link.receive(|_| {});
                link.flush();
                if let Some(error) = link.take_failure() {
                    return Err(error);
                }
            }
            let now_left = missing(&self.links);
            if now_left != left {
                (left, since) = (now_left, Instant::now());
            }
            if self.is_stopped() {
                return Err(LoadError::Stopped);
            }
            if since.elapsed() > self.endpoint.patience {
                let seconds = self.endpoint.patience.as_secs();
                let missing = format!("{left} of {} clients wait", self.links.len());
                return Err(LoadError::Stalled { awaited, seconds, missing });
            }
        }
        Ok(())
    }

    /// Takes leave of the broker, as far as the sockets take it.
    pub fn disconnect(&mut self) {
        self.links.iter_mut().for_each(Link::disconnect);
    }

    /// Takes leave of the broker, and waits until it has noticed: it closes a connection after DISCONNECT (MQTT 3.1.1,
    /// 3.14.4). A broker that does not is left after a second.
    ///
    /// # Errors
    /// [`LoadError::Poll`].
    pub fn leave(mut self) -> Result<(), LoadError> {
        self.disconnect();
        let (began, mut ready) = (Instant::now(), Vec::new());
        while began.elapsed() < LEAVE_PATIENCE && !self.is_stopped() && !self.links.iter().all(Link::has_failed) {
            self.step(STEP, &mut ready)?;
        }
        Ok(())
    }

    /// Pings for all clients, long before the broker would miss one.
    fn keep_alive(&mut self) {
        let keep_alive = Duration::from_secs(u64::from(self.endpoint.keep_alive_seconds));
        if keep_alive.is_zero() || self.pinged_at.elapsed() < keep_alive / 2 {
            return;
        }
        self.pinged_at = Instant::now();
        for link in self.links.iter_mut().filter(|link| link.is_accepted()) {
            link.ping();
            link.flush();
        }
    }
}

fn failed(login: Login<'_>, failure: Failure) -> LoadError {
    LoadError::Client { client: login.client_id.to_owned(), failure }
}

pub(crate) const STEP: Duration = Duration::from_millis(20);
const LEAVE_PATIENCE: Duration = Duration::from_secs(1);
const EVENTS_A_STEP: usize = 4096;
const SCRATCH_BYTES: usize = 256 * 1024;
