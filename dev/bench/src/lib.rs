//! An MQTT 3.1.1 load generator on one thread, in a closed loop, and what it is compared with.
//!
//! Closed loop: each publisher has a window of messages in flight and sends the next one when one has arrived. So every
//! message that is counted was delivered, and nothing is dropped by design. Rates and times on a shared machine are noise;
//! the figure to quote is the broker's CPU time a message, as a ratio to the floor's in the same run.

mod churn;
mod fleet;
mod frame;
mod idle;
mod link;
mod options;
mod report;
mod tls;
mod traffic;
mod usage;

use std::process::ExitCode;

use clap::Parser;

pub use frame::{Frame, next_frame, topic_of};
pub use options::{Options, Scenario};
pub use report::{field, median};
pub use usage::Usage;

/// Runs the scenario of the command line and prints one line of figures.
pub fn main() -> ExitCode {
    let options = Options::parse();
    match run(&options) {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("loadgen: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs one scenario; the figures come as one line of `name value` pairs.
///
/// # Errors
/// The broker cannot be reached, refuses a client, or drops one under load.
pub fn run(options: &Options) -> anyhow::Result<String> {
    match options.scenario {
        Scenario::Churn => churn::run(options),
        Scenario::Idle => idle::run(options),
        Scenario::Pair | Scenario::Fanout | Scenario::Fanin | Scenario::Echo => traffic::run(options),
    }
}
