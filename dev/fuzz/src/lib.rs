//! Fuzz targets for everything that reads a peer's bytes, as ordinary tests in `tests/targets`.
//!
//! `cargo test` runs each for a second with random input; `make fuzz` for FUZZ_SECONDS. A target states what must hold for
//! any input: no panic first, and then what the parts promise each other. Each target has two kinds of input: raw bytes, and
//! texts that a grammar makes of the bytes, because random bytes alone hardly ever get past a parser's first word.

mod choices;
mod json;

pub use choices::Choices;
pub use json::json;
