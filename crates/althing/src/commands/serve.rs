//! `althing serve`: builds the house, opens its doors, and runs until it is stopped.

use std::time::Instant;

use anyhow::Context;
use tokio::sync::watch;

use crate::config::{Config, Flags};
use crate::logging;
use crate::shutdown::Signals;
use crate::wire_up::House;

/// Runs the server.
pub(crate) fn run(flags: Flags) -> anyhow::Result<()> {
    let began = Instant::now();
    let config = Config::load(flags)?;
    let _log = logging::start(config.log_format)?;
    // Outside the runtime: building reads and writes the store, which blocks.
    let house = House::build(&config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .thread_name("althing")
        .enable_all()
        .build()
        .context("the async runtime cannot be started")?;
    runtime.block_on(serve(&config, house, began))
}

async fn serve(config: &Config, house: House, began: Instant) -> anyhow::Result<()> {
    let signals = Signals::catch().context("signals cannot be caught")?;
    let (stop, stopped) = watch::channel(false);
    let doors = house.open(config, &stopped).await?;
    house.announce(config, &doors, began);
    house.ready();
    signals.wait(&stop).await;
    house.close(doors).await;
    Ok(())
}
