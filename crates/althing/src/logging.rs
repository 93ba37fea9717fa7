//! The log: to standard error, as text for people or JSON for machines. `ALTHING_LOG` filters it (`info` by default).
//!
//! A thread of its own writes it, many lines at a time when there are many: whoever reads it slowly holds up nobody, and
//! a connection's two lines cost less than a tenth of its CPU time. When more than
//! [`names::limits::LOG_LINES_WAITING_MAX`] lines wait, further ones are dropped.

use std::borrow::Cow;
use std::io::{self, BufWriter, IsTerminal, Write};

use names::limits;
use tracing_appender::non_blocking::{NonBlocking, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;

use crate::config::LogFormat;

/// Writes what waits when it is dropped: keep it to the end.
#[must_use = "what waits is written when this is dropped"]
pub(crate) struct LogGuard(#[expect(dead_code, reason = "held for its drop")] WorkerGuard);

/// Starts the log; called once.
pub(crate) fn start(format: LogFormat) -> anyhow::Result<LogGuard> {
    let filter = match std::env::var("ALTHING_LOG") {
        Ok(text) => EnvFilter::try_new(&text).map_err(|error| anyhow::anyhow!("ALTHING_LOG={text:?}: {error}"))?,
        Err(_) => EnvFilter::new("info"),
    };
    // A log that cannot be written (a full disk, a reader that is gone) must not end the server.
    let log = tracing_subscriber::fmt().with_env_filter(filter).log_internal_errors(false);
    let is_terminal = io::stderr().is_terminal();
    let (out, guard) = NonBlockingBuilder::default()
        .buffered_lines_limit(limits::LOG_LINES_WAITING_MAX)
        .thread_name("log")
        .finish(BufWriter::new(io::stderr()));
    let started = match format {
        LogFormat::Text => {
            let writer = move || OneLine { out: out.clone(), is_terminal };
            log.with_ansi(is_terminal).with_writer(writer).try_init()
        }
        LogFormat::Json => log.json().flatten_event(true).with_writer(out).try_init(),
    };
    started.map_err(|error| anyhow::anyhow!("the log cannot be started: {error}"))?;
    Ok(LogGuard(guard))
}

/// Keeps each event on one line, whatever a client put into its id or topic: nobody writes lines of his own into the log.
struct OneLine {
    out: NonBlocking,
    /// Colours are made of escape characters; those in values are escaped before they come here.
    is_terminal: bool,
}

impl Write for OneLine {
    /// One call is one event.
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        self.out.write_all(&one_line(event, self.is_terminal))?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn one_line(event: &[u8], is_terminal: bool) -> Cow<'_, [u8]> {
    let body = event.strip_suffix(b"\n").unwrap_or(event);
    let is_plain = |byte: &u8| !byte.is_ascii_control() || (is_terminal && *byte == 0x1b);
    if body.iter().all(is_plain) {
        return Cow::Borrowed(event);
    }
    let mut line = Vec::with_capacity(event.len() + 16);
    for byte in body {
        if is_plain(byte) { line.push(*byte) } else { line.extend(byte.escape_ascii()) }
    }
    line.push(b'\n');
    Cow::Owned(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line() {
        let check = |event: &str, expected: &str| {
            assert_eq!(String::from_utf8_lossy(&one_line(event.as_bytes(), false)), expected);
        };
        check("connected client_id=\u{e4}\n", "connected client_id=\u{e4}\n");
        check("client_id=x\n2026 INFO forged\r\n", "client_id=x\\n2026 INFO forged\\r\n");
        check("a\tb\x1b[31m\n", "a\\tb\\x1b[31m\n");
        assert_eq!(&*one_line(b"\x1b[31mred\n", true), b"\x1b[31mred\n");
    }
}
