//! Althing: a self-hosted server that does what AWS IoT Core does.
//!
//! The roof of the house: reads the configuration, builds the services, opens the doors, and waits to be stopped.

mod alpn;
mod clock;
mod commands;
mod config;
mod data_dir;
mod endpoints;
mod identity;
mod logging;
mod metrics;
mod random;
mod shutdown;
mod wire_up;

use std::process::ExitCode;

use clap::Parser;

use crate::commands::{Command, env, serve};

/// A self-hosted server that does what AWS IoT Core does.
#[derive(Parser)]
#[command(version, about, args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: config::Flags,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match arguments.command {
        None => serve::run(arguments.serve),
        Some(Command::Serve(flags)) => serve::run(*flags),
        Some(Command::Env(flags)) => env::run(&flags),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("althing: {error:#}");
            ExitCode::FAILURE
        }
    }
}
