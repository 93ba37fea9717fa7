//! Mosquitto on free ports, with the least configuration that makes it comparable.

use std::path::Path;

use anyhow::Context;

use crate::Binaries;
use crate::binaries::BROKER_CORE;
use crate::broker::{Broker, free_address};
use crate::certificates::Certificates;

/// Starts it: no limit on queues, no delay of small packets, anonymous clients on one port and certificates on the other.
pub(crate) fn start(binaries: &Binaries, certificates: &Certificates, folder: &Path) -> anyhow::Result<Broker> {
    let program = binaries.mosquitto.as_deref().context("mosquitto is not installed")?;
    let (plain, tls) = (free_address()?, free_address()?);
    // `user root` keeps it from giving up the right to read the keys; only root is asked.
    let configuration = format!(
        "user root\nallow_anonymous true\nmax_queued_messages 0\nset_tcp_nodelay true\n\
         listener {} 127.0.0.1\n\
         listener {} 127.0.0.1\ncafile {}\ncertfile {}\nkeyfile {}\nrequire_certificate true\n",
        plain.port(),
        tls.port(),
        certificates.ca.display(),
        certificates.server.display(),
        certificates.server_key.display(),
    );
    let path = folder.join("mosquitto.conf");
    std::fs::write(&path, configuration)?;
    let mut command = binaries.on_cores(BROKER_CORE, program);
    command.arg("-c").arg(path);
    Broker::start("mosquitto", command, plain, Some(tls), folder)
}
