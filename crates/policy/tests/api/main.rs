//! What the crate promises, seen from outside: tables from AWS's guides, and a second evaluator that is too simple
//! to be wrong in the same way.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that panics has failed")]

mod against_naive;
mod tables;
