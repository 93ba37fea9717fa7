//! One client of the soak and the part that it plays.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::Context;
use mqtt_load::{Arrival, Fleet, Link, Login};

/// What a client does all the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// Publishes at a steady rate, at QoS 0 and 1 in turn.
    Publisher,
    /// Reads what one publisher sends.
    Subscriber,
    /// Subscribes to everything and stops reading; starts anew after a while.
    SlowReader,
    /// Connects, subscribes and leaves at once.
    Visitor,
    /// Has a persistent session: leaves it, comes back for what was kept, and now and then gives it up.
    Sleeper,
}

/// Where a client stands. Each state ends at a time, or by what the broker sends.
#[derive(Debug, Clone, Copy)]
enum State {
    Connecting,
    Subscribing,
    /// Until then.
    Here(Instant),
    /// Until then.
    Away(Instant),
}

/// A client.
#[derive(Debug)]
pub(super) struct Actor {
    part: Part,
    /// Its number in the fleet.
    number: usize,
    state: State,
    since: Instant,
    /// How often it has connected.
    visits: usize,
    published: u64,
}

/// What all have done together.
#[derive(Debug, Default)]
pub(super) struct Tally {
    published: u64,
    delivered: u64,
    connects: u64,
    resumed: u64,
    slow_readers: u64,
}

impl Tally {
    pub(super) fn count(&mut self, arrival: Arrival<'_>) {
        self.delivered += u64::from(matches!(arrival, Arrival::Message { .. }));
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { published, delivered, connects, resumed, slow_readers } = self;
        write!(
            f,
            "{published} messages published, {delivered} delivered, {connects} connects, {resumed} sessions resumed, \
             {slow_readers} slow readers"
        )
    }
}

impl Actor {
    /// Comes in for the first time.
    pub(super) fn enter(part: Part, number: usize, fleet: &mut Fleet<'_>) -> anyhow::Result<Self> {
        let actor = Self { part, number, state: State::Connecting, since: Instant::now(), visits: 0, published: 0 };
        fleet.open(Login { client_id: &actor.client_id(), is_clean: actor.is_clean() })?;
        Ok(actor)
    }

    /// Does what is due.
    pub(super) fn act(&mut self, fleet: &mut Fleet<'_>, now: Instant, tally: &mut Tally) -> anyhow::Result<()> {
        if let State::Away(until) = self.state {
            if now >= until {
                self.visits += 1;
                fleet.reopen(self.number, Login { client_id: &self.client_id(), is_clean: self.is_clean() })?;
                self.enter_state(State::Connecting, now);
            }
            return Ok(());
        }
        let link = fleet.links.get_mut(self.number).context("each actor has a client")?;
        if let Some(failure) = link.take_failure() {
            if self.part == Part::SlowReader && link.is_accepted() {
                // The server gives up those who do not read; that is what they are here for.
                self.enter_state(State::Away(now + SHORT_PAUSE), now);
                return Ok(());
            }
            return Err(failure).context("a client that did nothing wrong");
        }
        match self.state {
            State::Connecting if link.is_accepted() => self.has_connected(link, now, tally),
            State::Subscribing if link.subacks() > 0 => self.has_subscribed(link, now, tally),
            State::Here(until) if now >= until => {
                link.disconnect();
                self.enter_state(State::Away(now + self.pause()), now);
            }
            State::Here(_) if self.part == Part::Publisher => self.publish(link, now, tally),
            State::Connecting | State::Subscribing => {
                anyhow::ensure!(now - self.since < PATIENCE, "{} has no answer in {PATIENCE:?}", self.client_id());
            }
            _ => {}
        }
        Ok(())
    }

    fn has_connected(&mut self, link: &mut Link, now: Instant, tally: &mut Tally) {
        tally.connects += 1;
        match self.part {
            Part::Publisher => self.enter_state(State::Here(now + FOREVER), now),
            // Its session has its subscription.
            Part::Sleeper if !self.is_clean() && self.visits % SLEEPER_CYCLE > 1 => {
                tally.resumed += 1;
                self.enter_state(State::Here(now + self.stay()), now);
            }
            _ => {
                link.subscribe(&[self.filter()], 1);
                link.flush();
                self.enter_state(State::Subscribing, now);
            }
        }
    }

    fn has_subscribed(&mut self, link: &mut Link, now: Instant, tally: &mut Tally) {
        if self.part == Part::SlowReader {
            tally.slow_readers += 1;
            link.pause();
        }
        self.enter_state(State::Here(now + self.stay()), now);
    }

    /// As many as are due at the rate.
    fn publish(&mut self, link: &mut Link, now: Instant, tally: &mut Tally) {
        let due = u64::try_from((now - self.since).as_millis()).unwrap_or(u64::MAX / MESSAGES_A_SECOND)
            * MESSAGES_A_SECOND
            / 1000;
        let topic = format!("soak/{}", self.number % TOPICS);
        while self.published < due && link.unsent_bytes() < UNSENT_BYTES_MAX {
            link.publish(u8::from(self.published % 2 == 1), topic.as_bytes(), &[b'x'; 256]);
            self.published += 1;
            tally.published += 1;
        }
        link.flush();
    }

    fn enter_state(&mut self, state: State, now: Instant) {
        (self.state, self.since) = (state, now);
    }

    /// Visitors are somebody else each time, within limits; the others stay who they are.
    fn client_id(&self) -> String {
        match self.part {
            Part::Visitor => format!("visitor-{}-{}", self.number, self.visits % VISITOR_NAMES),
            _ => format!("actor-{}", self.number),
        }
    }

    /// A sleeper's session begins and ends with a clean one.
    fn is_clean(&self) -> bool {
        self.part != Part::Sleeper || self.visits.is_multiple_of(SLEEPER_CYCLE)
    }

    fn filter(&self) -> String {
        if self.part == Part::SlowReader { "soak/#".to_owned() } else { format!("soak/{}", self.number % TOPICS) }
    }

    fn stay(&self) -> Duration {
        match self.part {
            Part::Publisher | Part::Subscriber => FOREVER,
            Part::SlowReader => Duration::from_secs(20),
            Part::Visitor => Duration::ZERO,
            Part::Sleeper => Duration::from_secs(1),
        }
    }

    fn pause(&self) -> Duration {
        if self.part == Part::Sleeper { Duration::from_secs(4) } else { SHORT_PAUSE }
    }
}

const FOREVER: Duration = Duration::from_secs(86_400 * 7);
const SHORT_PAUSE: Duration = Duration::from_millis(180);
const PATIENCE: Duration = Duration::from_secs(10);
const MESSAGES_A_SECOND: u64 = 100;
const TOPICS: usize = 20;
const VISITOR_NAMES: usize = 500;
/// A clean visit, one that subscribes, and three that come back for what was kept.
const SLEEPER_CYCLE: usize = 5;
const UNSENT_BYTES_MAX: usize = 1 << 20;
