//! The line that tells a person at a terminal how far the run is: one line on standard error, rewritten.

use std::io::Write;
use std::time::{Duration, Instant};

/// Where progress is told.
#[derive(Debug)]
pub struct Progress {
    is_shown: bool,
    last: Option<Instant>,
}

impl Progress {
    /// Nowhere: standard error is no terminal, or the user wants quiet.
    pub fn silent() -> Self {
        Self { is_shown: false, last: None }
    }

    /// On standard error, which is a terminal.
    pub fn on_terminal() -> Self {
        Self { is_shown: true, last: None }
    }

    /// Shows a text instead of the last one, unless that is too young to have been read.
    pub(crate) fn show(&mut self, text: impl FnOnce() -> String) {
        if !self.is_shown || self.last.is_some_and(|last| last.elapsed() < INTERVAL) {
            return;
        }
        self.last = Some(Instant::now());
        write_line(&text());
    }

    /// Takes the line away.
    pub(crate) fn clear(&mut self) {
        if self.last.take().is_some() {
            write_line("");
        }
    }
}

fn write_line(text: &str) {
    let mut terminal = std::io::stderr();
    // A terminal that is gone is no reason to end a measurement.
    drop(write!(terminal, "\r\x1b[K{text}").and_then(|()| terminal.flush()));
}

const INTERVAL: Duration = Duration::from_millis(250);
