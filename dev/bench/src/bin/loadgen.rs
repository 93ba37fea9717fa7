//! The load generator: `loadgen pair --n 50 --qos 1 --addr 127.0.0.1:1883 --pid PID`.

use std::process::ExitCode;

fn main() -> ExitCode {
    bench::main()
}
