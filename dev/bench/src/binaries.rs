//! The programs that take part, and the cores that they run on.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context;

/// Where the programs are.
#[derive(Debug)]
pub struct Binaries {
    pub(crate) althing: PathBuf,
    pub(crate) floor: PathBuf,
    pub(crate) store_rate: PathBuf,
    /// Not everybody has it.
    pub(crate) mosquitto: Option<PathBuf>,
    /// Whether there are two cores and `taskset` to part them.
    pins: bool,
}

impl Binaries {
    /// Ours stand beside this one, Mosquitto in the search path or where Debian has it.
    ///
    /// # Errors
    /// One of ours is not built.
    pub fn find() -> anyhow::Result<Self> {
        let this = std::env::current_exe()?;
        let folder = this.parent().context("no folder")?;
        let find = |name: &str| {
            let path = folder.join(name);
            path.is_file().then_some(path).with_context(|| format!("{name} is not in {}", folder.display()))
        };
        let cores = std::thread::available_parallelism()?.get();
        let pins = cores >= 2 && Command::new("taskset").arg("--version").stdout(Stdio::null()).status().is_ok();
        if !pins {
            eprintln!("bench: no second core or no taskset: nothing is pinned, and the figures are worth less");
        }
        let mosquitto = mosquitto();
        if mosquitto.is_none() {
            eprintln!("bench: mosquitto is not installed: its column stays empty");
        }
        Ok(Self { althing: find("althing")?, floor: find("floor")?, store_rate: find("store-rate")?, mosquitto, pins })
    }

    /// A command on some cores. taskset becomes the program, so the process id is the program's.
    pub(crate) fn on_cores(&self, cores: &str, program: &Path) -> Command {
        if !self.pins {
            return Command::new(program);
        }
        let mut command = Command::new("taskset");
        command.args(["-c", cores]).arg(program);
        command
    }
}

fn mosquitto() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    folders.map(|folder| folder.join("mosquitto")).find(|program| program.is_file())
}

/// The broker's core.
pub(crate) const BROKER_CORE: &str = "0";
/// The load's core.
pub(crate) const LOAD_CORE: &str = "1";
/// All cores of the machine that the figures are for.
pub(crate) const BOTH_CORES: &str = "0,1";
