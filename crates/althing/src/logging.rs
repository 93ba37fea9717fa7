//! The log: to standard error, as text for people or JSON for machines. `ALTHING_LOG` filters it (`info` by default).

use tracing_subscriber::EnvFilter;

use crate::config::LogFormat;

/// Starts the log; called once.
pub(crate) fn start(format: LogFormat) -> anyhow::Result<()> {
    let filter = match std::env::var("ALTHING_LOG") {
        Ok(text) => EnvFilter::try_new(&text).map_err(|error| anyhow::anyhow!("ALTHING_LOG={text:?}: {error}"))?,
        Err(_) => EnvFilter::new("info"),
    };
    // A log that cannot be written (a full disk, a reader that is gone) must not end the server.
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).log_internal_errors(false);
    let started = match format {
        LogFormat::Text => log.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).try_init(),
        LogFormat::Json => log.json().flatten_event(true).try_init(),
    };
    started.map_err(|error| anyhow::anyhow!("the log cannot be started: {error}"))
}
