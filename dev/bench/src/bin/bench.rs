//! `make bench`: the server's CPU time a message against the floor's, in turn, on core 0, with the load on core 1.

use std::fs::File;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use bench::{field, median};
use clap::Parser;

/// Compares the server with the floor.
#[derive(Debug, Parser)]
#[command(name = "bench")]
struct Arguments {
    /// Rounds; each runs floor and server at QoS 0 and QoS 1.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    /// Seconds that each run is measured.
    #[arg(long, default_value_t = 4.0)]
    secs: f64,
    /// Take the binaries as they are.
    #[arg(long)]
    no_build: bool,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<()> {
    if !arguments.no_build {
        build()?;
    }
    let binaries = Binaries::find()?;
    let folder = tempfile::tempdir()?;
    let floor = Broker::start_floor(&binaries, folder.path())?;
    let althing = Broker::start_althing(&binaries, folder.path())?;
    let mut figures = Figures::default();
    for round in 1..=arguments.rounds {
        for qos in [0, 1] {
            for broker in [&floor, &althing] {
                let line = load(&binaries, broker, qos, arguments.secs)?;
                println!("round {round} {:8} {line}", broker.name);
                figures.add(broker.name, qos, &line)?;
            }
        }
    }
    figures.print();
    Ok(())
}

fn build() -> anyhow::Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo).args(["build", "--release", "-p", "althing", "-p", "bench"]).status()?;
    ensure!(status.success(), "the build failed");
    Ok(())
}

struct Binaries {
    althing: PathBuf,
    floor: PathBuf,
    loadgen: PathBuf,
    /// Whether there are two cores and `taskset` to part them.
    pins: bool,
}

impl Binaries {
    /// They stand beside this one.
    fn find() -> anyhow::Result<Self> {
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
        Ok(Self { althing: find("althing")?, floor: find("floor")?, loadgen: find("loadgen")?, pins })
    }

    /// A command on one core. taskset becomes the program, so the process id is the program's.
    fn on_core(&self, core: &str, program: &Path) -> Command {
        if !self.pins {
            return Command::new(program);
        }
        let mut command = Command::new("taskset");
        command.args(["-c", core]).arg(program);
        command
    }
}

/// A process under load. It is ended when this is dropped, on errors too.
struct Broker {
    name: &'static str,
    process: Child,
    address: SocketAddr,
}

impl Broker {
    fn start_floor(binaries: &Binaries, folder: &Path) -> anyhow::Result<Self> {
        let address = free_address()?;
        let mut command = binaries.on_core(BROKER_CORE, &binaries.floor);
        command.arg(address.to_string());
        Self::start("floor", command, address, folder)
    }

    fn start_althing(binaries: &Binaries, folder: &Path) -> anyhow::Result<Self> {
        let address = free_address()?;
        let mut command = binaries.on_core(BROKER_CORE, &binaries.althing);
        command.arg("serve").arg("--data-dir").arg(folder.join("data")).args(["--alpn", "off"]);
        command.args(["--mqtt", &address.to_string()]);
        for listener in ["--mqtts", "--https", "--http"] {
            command.args([listener, &free_address()?.to_string()]);
        }
        Self::start("althing", command, address, folder)
    }

    fn start(name: &'static str, mut command: Command, address: SocketAddr, folder: &Path) -> anyhow::Result<Self> {
        let log = folder.join(format!("{name}.log"));
        let output = File::create(&log)?;
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        let process = command.spawn().with_context(|| format!("cannot start {name}"))?;
        let mut broker = Self { name, process, address };
        let began = Instant::now();
        while TcpStream::connect(address).is_err() {
            if broker.process.try_wait()?.is_some() || began.elapsed() > START_PATIENCE {
                bail!("{name} did not start:\n{}", std::fs::read_to_string(&log).unwrap_or_default());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(broker)
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        if let Err(error) = self.process.kill().and_then(|()| self.process.wait()) {
            eprintln!("bench: {} (process {}) does not end: {error}", self.name, self.process.id());
        }
    }
}

/// One run of the load generator against one broker; gives its line of figures.
fn load(binaries: &Binaries, broker: &Broker, qos: u8, seconds: f64) -> anyhow::Result<String> {
    let mut command = binaries.on_core(LOAD_CORE, &binaries.loadgen);
    command.args(["pair", "--n", "50", "--payload", "256", "--window", "20", "--qos", &qos.to_string()]);
    command.args(["--secs", &seconds.to_string(), "--addr", &broker.address.to_string()]);
    let output = command.args(["--pid", &broker.process.id().to_string()]).stdin(Stdio::null()).output()?;
    ensure!(output.status.success(), "against {}: {}", broker.name, String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// CPU time a message, by broker and QoS.
#[derive(Default)]
struct Figures(Vec<(&'static str, u8, f64)>);

impl Figures {
    fn add(&mut self, name: &'static str, qos: u8, line: &str) -> anyhow::Result<()> {
        let micros = field(line, "broker_cpu_us_per_msg").with_context(|| format!("no figure in {line:?}"))?;
        self.0.push((name, qos, micros));
        Ok(())
    }

    fn median(&self, name: &str, qos: u8) -> f64 {
        let of = |(figure_name, figure_qos, _): &&(&str, u8, f64)| *figure_name == name && *figure_qos == qos;
        median(&self.0.iter().filter(of).map(|(_, _, micros)| *micros).collect::<Vec<_>>()).unwrap_or(f64::NAN)
    }

    fn print(&self) {
        println!("\nCPU time a delivered message, median (50 pairs, 256 bytes, window 20)");
        println!("{:>6} {:>10} {:>10} {:>8}", "", "floor", "althing", "ratio");
        for qos in [0, 1] {
            let (floor, althing) = (self.median("floor", qos), self.median("althing", qos));
            println!("QoS {qos:>2} {floor:>7.2} us {althing:>7.2} us {:>8.2}", althing / floor);
        }
    }
}

/// A port of loopback that was free a moment ago.
fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

const BROKER_CORE: &str = "0";
const LOAD_CORE: &str = "1";
const START_PATIENCE: Duration = Duration::from_secs(20);
