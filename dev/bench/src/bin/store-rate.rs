//! How many rows a second the bare store keeps: `store-rate FOLDER SECONDS`. One row a commit, each durable, 1,000 under way,
//! as 50 publishers with 20 messages each would have it.

use std::collections::VecDeque;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context;
use store::{Batch, FjallStore, Options, Store};

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (Some(folder), Some(seconds)) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: store-rate FOLDER SECONDS");
        return ExitCode::from(2);
    };
    match measure(Path::new(&folder), &seconds) {
        Ok(rate) => {
            println!("{rate:.0}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("store-rate: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn measure(folder: &Path, seconds: &str) -> anyhow::Result<f64> {
    let time = seconds.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let time = time.with_context(|| format!("{seconds:?} is no time in seconds"))?;
    let store = FjallStore::open(folder, Options::default())?;
    let mut under_way = VecDeque::with_capacity(UNDER_WAY);
    let (mut rows, began) = (0_u64, Instant::now());
    while began.elapsed() < time {
        if under_way.len() == UNDER_WAY {
            under_way.pop_front().map_or(Ok(()), |ticket: store::Ticket| ticket.wait().map(drop))?;
            rows += 1;
        }
        let number = rows + under_way.len() as u64;
        under_way.push_back(store.commit(Batch::new().put(format!("bench/{number:016}"), [7; ROW_BYTES])));
    }
    Ok(rows as f64 / began.elapsed().as_secs_f64())
}

const UNDER_WAY: usize = 1000;
/// A message of 256 bytes, its topic and its properties.
const ROW_BYTES: usize = 300;
