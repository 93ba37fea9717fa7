//! Being stopped: the first signal ends the server in order, the second one at once.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tracing::info;

/// SIGINT and SIGTERM, caught from the moment this is made.
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    pub(crate) fn catch() -> std::io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    /// Waits for the first signal and raises `stop`; a second one ends the process wherever it is.
    pub(crate) async fn wait(mut self, stop: &watch::Sender<bool>) {
        self.next().await;
        info!("stopping; a second signal ends at once");
        stop.send_replace(true);
        tokio::spawn(async move {
            self.next().await;
            std::process::exit(1);
        });
    }
}
