//! `althing bench`: puts load on this broker or any other, and tells what that cost.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use mqtt_load::{LoadError, Options, Progress, Report};

/// The flags of `althing bench`.
#[derive(clap::Args)]
pub(crate) struct Flags {
    #[command(flatten)]
    options: Options,
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
    /// Show no progress on the terminal
    #[arg(short, long)]
    quiet: bool,
}

/// Runs the scenario and prints its figures. A run that is stopped with Ctrl-C prints what it has, and ends as a shell
/// expects of an interrupted program.
pub(crate) fn run(flags: &Flags) -> ExitCode {
    let stop = Arc::new(AtomicBool::new(false));
    match measure(flags, &stop) {
        Ok(()) if stop.load(Ordering::Relaxed) => ExitCode::from(INTERRUPTED),
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("althing bench: {error:#}");
            let was_stopped = matches!(error.downcast_ref(), Some(LoadError::Stopped));
            if was_stopped { ExitCode::from(INTERRUPTED) } else { ExitCode::FAILURE }
        }
    }
}

fn measure(flags: &Flags, stop: &Arc<AtomicBool>) -> anyhow::Result<()> {
    stop_on_interrupt(Arc::clone(stop))?;
    let shows = !flags.quiet && std::io::stderr().is_terminal();
    let progress = if shows { Progress::on_terminal() } else { Progress::silent() };
    let report = mqtt_load::run(&flags.options, stop, progress)?;
    print(&report, flags.json)
}

fn print(report: &Report, is_json: bool) -> anyhow::Result<()> {
    let text = if is_json { serde_json::to_string_pretty(report)? + "\n" } else { report.to_string() };
    let mut out = std::io::stdout();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("cannot write to standard output")
}

/// The first Ctrl-C ends the run in order, the second one at once. A thread of its own waits for them: the load has its
/// thread for itself.
fn stop_on_interrupt(stop: Arc<AtomicBool>) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let wait = move || {
        runtime.block_on(async {
            for _ in 0..2 {
                if tokio::signal::ctrl_c().await.is_err() {
                    return;
                }
                if stop.swap(true, Ordering::Relaxed) {
                    std::process::exit(INTERRUPTED.into());
                }
            }
        });
    };
    std::thread::Builder::new().name("signals".to_owned()).spawn(wait).context("no thread for signals")?;
    Ok(())
}

/// 128 and the number of SIGINT, as shells have it.
const INTERRUPTED: u8 = 130;
