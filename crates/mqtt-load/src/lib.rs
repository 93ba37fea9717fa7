//! A closed-loop MQTT load generator on one thread, for any broker.
//!
//! Closed loop: each publisher has a window of messages in flight and sends the next one when one has arrived. So every
//! message that is counted was delivered, nothing is dropped by design, and a broker that loses one is found out: the run
//! stalls and says what is missing. Lenient in what it reads: it measures brokers and does not judge their packets.

#![forbid(unsafe_code)]

mod connect;
mod connect_options;
mod endpoint;
mod error;
mod fleet;
mod histogram;
mod idle;
mod inbound;
mod link;
mod offline;
mod options;
mod outbound;
mod progress;
mod publisher;
mod reason;
mod report;
mod run;
mod socket;
mod template;
mod tls;
mod traffic;
mod usage;
mod version;
mod websocket;

use std::sync::atomic::AtomicBool;

pub use connect_options::ConnectOptions;
pub use endpoint::{Endpoint, Login};
pub use error::{Failure, LoadError};
pub use fleet::Fleet;
pub use inbound::{Frame, Malformed, next_frame, topic_of};
pub use link::{Arrival, Link};
pub use options::{Options, Scenario};
pub use progress::Progress;
pub use report::{Figure, Report};
pub use usage::Usage;
pub use version::Version;

use run::Run;

/// Runs the scenario that the options name, until its time is over or `stop` is true. A run that is stopped reports what
/// it has measured so far.
///
/// # Errors
/// [`LoadError`]: the options contradict each other, or the broker cannot be reached, refuses a client, drops one, or
/// stops delivering.
pub fn run(options: &Options, stop: &AtomicBool, progress: Progress) -> Result<Report, LoadError> {
    options.check()?;
    let mut run = Run::new(options, stop, progress)?;
    let report = match options.scenario {
        Scenario::Connect => connect::run(&mut run),
        Scenario::Idle => idle::run(&mut run),
        Scenario::Offline => offline::run(&mut run),
        Scenario::Pair | Scenario::FanOut | Scenario::FanIn | Scenario::Echo => traffic::run(&mut run),
    };
    run.progress.clear();
    report
}
