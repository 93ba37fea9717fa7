//! Scenario idle: what a connection costs that does nothing.

use std::time::Instant;

use crate::fleet::Fleet;
use crate::{Options, Usage};

#[expect(clippy::cast_precision_loss, reason = "counts of clients are small")]
pub(crate) fn run(options: &Options) -> anyhow::Result<String> {
    let before = Usage::of(options.pid);
    let began = Instant::now();
    let mut fleet = Fleet::new(options)?;
    fleet.connect(options, options.n)?;
    let seconds = began.elapsed().as_secs_f64();
    std::thread::sleep(options.measured());
    let after = Usage::of(options.pid);
    let clients = options.n as f64;
    Ok(format!(
        "idle n {} connects/s {:.0} rss_kib {:.0} kib_per_conn {:.2} broker_cpu_us_per_connect {:.1}",
        options.n,
        clients / seconds,
        after.resident_kib,
        (after.resident_kib - before.resident_kib) / clients,
        after.cpu_micros_since(&before) / clients,
    ))
}
