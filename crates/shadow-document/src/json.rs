//! Compact JSON, as all answers and records are written.

use std::io::{self, Write};

use bytes::Bytes;
use serde::Serialize;

/// The body's bytes, without spaces.
pub(crate) fn to_bytes<T: Serialize>(body: &T) -> Bytes {
    serde_json::to_vec(body).map(Bytes::from).expect("keys are strings and writing to memory does not fail")
}

/// How long [`to_bytes`] would be.
pub(crate) fn count_bytes<T: Serialize>(body: &T) -> usize {
    let mut counter = Counter(0);
    serde_json::to_writer(&mut counter, body).expect("keys are strings and counting does not fail");
    counter.0
}

struct Counter(usize);

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
