//! What `make bench` runs: the server against the floor and Mosquitto, row by row, and the soak.
//!
//! The load is `althing bench`, in a process and on a core of its own; here are the brokers, the rows and the table. Rates and
//! times on a shared machine are noise: the figures to quote are CPU times, as ratios to the floor's in the same run.

mod althing;
mod binaries;
mod broker;
mod certificates;
mod figures;
mod measure;
mod mosquitto;
mod rows;
mod signed_http;
pub mod soak;

pub use binaries::Binaries;
pub use figures::{Cell, Figures};
pub use measure::Bench;
pub use rows::{Contender, Row, with_bases};
