//! Althing: a self-hosted server that does what AWS IoT Core does.
//!
//! The roof of the house: reads the configuration, builds the services, opens the doors, and waits to be stopped.

mod alpn;
mod clock;
mod commands;
mod config;
mod data_dir;
mod doors;
mod endpoints;
mod identity;
mod logging;
mod metrics;
mod random;
mod shell;
mod shutdown;
mod wire_up;

use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

use crate::commands::{Command, bench, env, hash_password, serve, shadow};

/// A self-hosted server that does what AWS IoT Core does.
#[derive(Parser)]
#[command(
    version,
    about = "A self-hosted server that does what AWS IoT Core does",
    args_conflicts_with_subcommands = true
)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: config::Flags,
}

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return refuse(&error),
    };
    let done = match arguments.command {
        None => serve::run(arguments.serve),
        Some(Command::Serve(flags)) => serve::run(*flags),
        Some(Command::Env(flags)) => env::run(&flags),
        Some(Command::HashPassword) => hash_password::run(),
        Some(Command::Shadow(flags)) => return shadow::run(&flags),
        Some(Command::Bench(flags)) => return bench::run(&flags),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("althing: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// A wrong value, from a flag or from the environment, is told like any other wrong configuration; a wrong command line
/// is told with the usage, in clap's way.
fn refuse(error: &clap::Error) -> ExitCode {
    if !matches!(error.kind(), ErrorKind::InvalidValue | ErrorKind::ValueValidation) {
        error.exit();
    }
    eprintln!("althing: {}", one_line(&error.to_string()));
    ExitCode::FAILURE
}

/// What clap says, without its hint at `--help`.
fn one_line(text: &str) -> String {
    let problem = text.split("\n\n").next().unwrap_or_default();
    let lines: Vec<&str> = problem.lines().map(str::trim).collect();
    lines.join(" ").trim_start_matches("error: ").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_value_is_told_in_one_line() {
        let check = |flag: &str, value: &str, expected: &str| {
            let error = Arguments::try_parse_from(["althing", "serve", flag, value]).err().unwrap();
            assert_eq!(one_line(&error.to_string()), expected);
        };
        check(
            "--mqtt",
            "here",
            "invalid value 'here' for '--mqtt <ADDRESS|off>': \"here\" is neither IP:PORT nor `off`",
        );
        check(
            "--log-format",
            "xml",
            "invalid value 'xml' for '--log-format <LOG_FORMAT>' [possible values: text, json]",
        );
    }
}
