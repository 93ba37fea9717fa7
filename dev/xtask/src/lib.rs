//! The repository's own checks: `cargo xtask tidy`.
//!
//! A house stays tidy when the rules are checked by a machine and not by memory. Each check is one file in `checks/`;
//! it reads a [`Repository`] and gives [`Finding`]s, one line each: where, what, and what to do.

mod checks;
mod finding;
mod module_tree;
mod package;
mod repository;
mod rules;
mod source_file;

pub use checks::tidy;
pub use finding::Finding;
pub use repository::{Repository, RepositoryError};
