//! Persistent sessions over a store in memory, over one that is held up, and over one on disk.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::cast_possible_truncation, reason = "a test may panic")]

mod house;
mod index;
mod life;
mod model;
mod opening;
mod queue;
mod removal;
