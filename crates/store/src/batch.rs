//! A batch: preconditions, puts and deletes that happen together or not at all.

use crate::Version;

/// What must be true of a key for the batch to be applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Precondition {
    /// No such key.
    Absent(Vec<u8>),
    /// The key is there, at exactly this version.
    Exactly(Vec<u8>, Version),
}

/// One change of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Write {
    /// Sets a key's value.
    Put(Vec<u8>, Vec<u8>),
    /// Removes a key, whether or not it is there.
    Delete(Vec<u8>),
}

/// Preconditions and changes, in the order given; a later change of the same key wins. A batch without changes only
/// asks whether its preconditions hold.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// All must hold when the batch is applied.
    pub preconditions: Vec<Precondition>,
    /// Applied together.
    pub writes: Vec<Write>,
}

impl Batch {
    /// An empty batch.
    pub fn new() -> Self {
        Self::default()
    }

    /// Demands that `key` is not there.
    #[must_use]
    pub fn absent(mut self, key: impl Into<Vec<u8>>) -> Self {
        self.preconditions.push(Precondition::Absent(key.into()));
        self
    }

    /// Demands that `key` is at `version`, or absent when that is none: the usual read-modify-write.
    #[must_use]
    pub fn unchanged(mut self, key: impl Into<Vec<u8>>, version: Option<Version>) -> Self {
        let key = key.into();
        self.preconditions.push(match version {
            Some(version) => Precondition::Exactly(key, version),
            None => Precondition::Absent(key),
        });
        self
    }

    /// Sets `key` to `value`.
    #[must_use]
    pub fn put(mut self, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) -> Self {
        self.writes.push(Write::Put(key.into(), value.into()));
        self
    }

    /// Removes `key`.
    #[must_use]
    pub fn delete(mut self, key: impl Into<Vec<u8>>) -> Self {
        self.writes.push(Write::Delete(key.into()));
        self
    }

    /// Bytes of all keys and values to write.
    pub fn bytes(&self) -> usize {
        let size = |write: &Write| match write {
            Write::Put(key, value) => key.len() + value.len(),
            Write::Delete(key) => key.len(),
        };
        self.writes.iter().map(size).sum()
    }
}
