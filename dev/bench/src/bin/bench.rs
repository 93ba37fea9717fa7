//! `make bench`: the server, the floor and Mosquitto, row by row, in turn, on core 0, with the load on core 1; then the soak.

use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{anyhow, ensure};
use bench::{Bench, Binaries, Cell, Contender, Figures, Row, soak, with_bases};
use clap::Parser;

/// Compares the server with the floor and with Mosquitto
#[derive(Debug, Parser)]
#[command(name = "bench")]
struct Arguments {
    /// Rounds; the table has their medians
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Seconds that each run is measured
    #[arg(long, default_value_t = 4.0)]
    seconds: f64,
    /// One round of a second each, and no soak: shows that it works
    #[arg(long)]
    quick: bool,
    /// Only this row and what it is compared with; may be given again
    #[arg(long, value_name = "ROW")]
    only: Vec<String>,
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
    /// Only the soak
    #[arg(long, conflicts_with = "only")]
    soak: bool,
    /// Seconds of the soak
    #[arg(long, default_value_t = 300)]
    soak_seconds: u64,
    /// Take the binaries as they are
    #[arg(long)]
    no_build: bool,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let rows = with_bases(&arguments.only).map_err(|error| anyhow!(error))?;
    if !arguments.no_build {
        build()?;
    }
    let binaries = Binaries::find()?;
    if !arguments.soak {
        compare(arguments, &binaries, &rows)?;
    }
    let is_whole = !arguments.quick && arguments.only.is_empty();
    if arguments.soak || is_whole {
        let line = soak::run(&binaries, Duration::from_secs(arguments.soak_seconds))?;
        // Standard output is JSON's alone.
        if arguments.json { eprintln!("{line}") } else { println!("{line}") }
    }
    Ok(())
}

fn compare(arguments: &Arguments, binaries: &Binaries, rows: &[&'static Row]) -> anyhow::Result<()> {
    let (rounds, seconds) = if arguments.quick { (1, 1.0) } else { (arguments.rounds, arguments.seconds) };
    let folder = tempfile::tempdir()?;
    let bench = Bench::new(binaries, folder.path(), seconds)?;
    let mut figures = Figures::default();
    for round in 1..=rounds {
        for row in rows {
            for contender in row.contenders.iter().filter(|contender| bench.has(**contender)) {
                let cell = bench.measure(row, *contender)?;
                tell(round, row, *contender, &cell);
                figures.add(row, *contender, cell);
            }
        }
    }
    if rows.iter().any(|row| row.name == "offline") {
        figures.set_store_rate(bench.store_rate()?);
    }
    if arguments.json {
        println!("{:#}", figures.json(rows));
    } else {
        println!(
            "\nmedians of {rounds} rounds of {seconds} s; 50 pairs, 256 bytes, window 20 where nothing else is said"
        );
        print!("{}", figures.table(rows));
    }
    Ok(())
}

fn tell(round: usize, row: &Row, contender: Contender, cell: &Cell) {
    let contender = contender.name();
    match cell {
        Cell::Figure(value) => eprintln!("round {round} {:12} {contender:10} {value:.3} {}", row.name, row.unit),
        Cell::Missing(why) => eprintln!("round {round} {:12} {contender:10} {why}", row.name),
    }
}

fn build() -> anyhow::Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo).args(["build", "--release", "-p", "althing", "-p", "bench"]).status()?;
    ensure!(status.success(), "the build failed");
    Ok(())
}
