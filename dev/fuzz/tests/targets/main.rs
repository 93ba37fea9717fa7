//! The fuzz targets, one file a parser.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod mqtt;
mod policy_documents;
mod shadows;
mod sql_statements;
mod topics;
