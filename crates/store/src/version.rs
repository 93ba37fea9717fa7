//! Versions of values: what a compare-and-set compares.

/// A value's version: the number of the commit that wrote it. Grows over the whole store; never 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(pub u64);

/// A value and the version it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versioned {
    /// The value's bytes.
    pub value: Vec<u8>,
    /// The commit that wrote them.
    pub version: Version,
}

/// A batch was applied; each key it put has this version. For a batch without changes: the store's last version.
pub type Committed = Version;
