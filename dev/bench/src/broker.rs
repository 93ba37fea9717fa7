//! A process under load: started, waited for, ended by its process id.

use std::fs::File;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

/// A broker. It is ended when this is dropped, on errors too.
pub(crate) struct Broker {
    name: &'static str,
    process: Child,
    /// MQTT over TCP.
    pub(crate) plain: SocketAddr,
    /// MQTT over TLS with client certificates, where there is one.
    pub(crate) tls: Option<SocketAddr>,
}

impl Broker {
    /// Starts the command and waits until it listens.
    pub(crate) fn start(
        name: &'static str,
        mut command: Command,
        plain: SocketAddr,
        tls: Option<SocketAddr>,
        folder: &Path,
    ) -> anyhow::Result<Self> {
        let log = folder.join(format!("{name}.log"));
        let output = File::create(&log)?;
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        let process = command.spawn().with_context(|| format!("cannot start {name}"))?;
        let mut broker = Self { name, process, plain, tls };
        let began = Instant::now();
        for address in [Some(plain), tls].into_iter().flatten() {
            while TcpStream::connect(address).is_err() {
                if broker.process.try_wait()?.is_some() || began.elapsed() > START_PATIENCE {
                    bail!("{name} did not start:\n{}", std::fs::read_to_string(&log).unwrap_or_default());
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        Ok(broker)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.id()
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        if let Err(error) = self.process.kill().and_then(|()| self.process.wait()) {
            eprintln!("bench: {} (process {}) does not end: {error}", self.name, self.process.id());
        }
    }
}

/// A port of loopback that was free a moment ago.
pub(crate) fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

const START_PATIENCE: Duration = Duration::from_secs(20);
