//! The ordered, transactional key-value port, and the engines behind it. The only crate that knows disk.
//!
//! Keys are ordered bytes; each value has a version; a batch is applied whole or not at all, and only when its
//! preconditions hold. The shape is that of a distributed engine too, so no service may assume that it runs alone.
//! Layouts of keys belong to the services; docs/disk-format.md lists them all.

mod batch;
mod creation;
mod error;
mod fjall;
mod memory;
mod port;
mod queue;
mod range;
mod version;
mod watchers;
mod writer;

pub use self::fjall::{Durability, FjallStore, OpenError, Options};
pub use batch::{Batch, Precondition, Write};
pub use error::StoreError;
pub use memory::MemoryStore;
pub use port::{Change, Direction, Done, Entry, Store, Ticket, Watch};
pub use range::prefix_end;
pub use version::{Committed, Version, Versioned};
