//! The registry itself: what all its parts share, and what a watcher of it needs.

use std::sync::Arc;

use serde::de::DeserializeOwned;

use names::{ArnSpace, CertificateId, PolicyName, ThingName};
use store::{Batch, Change, Committed, Store, StoreError, Version, Watch};

use crate::{RegistryError, table};

/// Who exists: things, certificates, policies and what is attached to what, over a store.
pub struct Registry {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) arns: ArnSpace,
}

/// Whom a change of the registry concerns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Affected {
    /// A certificate's record, its policies, or the things it is attached to.
    Certificate(CertificateId),
    /// A policy's document; whoever it is attached to is concerned.
    Policy(PolicyName),
    /// A thing's attributes or type.
    Thing(ThingName),
    /// Changes were missed: all that is cached is stale.
    Everything,
}

/// A row as it was read, with the version that a change of it must find unchanged.
#[derive(Debug, Clone)]
pub(crate) struct Row<T> {
    pub(crate) value: T,
    pub(crate) version: Version,
}

impl Registry {
    /// A registry over `store`, whose ARNs live in `arns`.
    pub fn new(store: Arc<dyn Store>, arns: ArnSpace) -> Self {
        Self { store, arns }
    }

    /// The account and region that its ARNs name.
    pub fn arns(&self) -> &ArnSpace {
        &self.arns
    }

    /// Every change of the registry from now on; [`Registry::affected`] says what one means.
    pub fn watch(&self) -> Watch {
        self.store.watch(table::ROOT)
    }

    /// Whom a change concerns; none for index rows, which change together with a row that tells.
    pub fn affected(change: &Change) -> Option<Affected> {
        let (Change::Put { key, .. } | Change::Deleted { key }) = change else {
            return Some(Affected::Everything);
        };
        let name_in = |prefix: &[u8]| std::str::from_utf8(key.strip_prefix(prefix)?).ok();
        let certificate = name_in(table::CERTIFICATE).or_else(|| name_in(table::CERTIFICATE_ATTACHMENTS));
        if let Some(id) = certificate {
            return CertificateId::from_hex(id).ok().map(Affected::Certificate);
        }
        if let Some(name) = name_in(table::POLICY) {
            return PolicyName::new(name).ok().map(Affected::Policy);
        }
        ThingName::new(name_in(table::THING)?).ok().map(Affected::Thing)
    }

    /// The row at `key`, if it is there.
    pub(crate) fn read<T: DeserializeOwned>(&self, key: &[u8]) -> Result<Option<Row<T>>, RegistryError> {
        let Some(found) = self.store.get(key)? else {
            return Ok(None);
        };
        Ok(Some(Row { value: table::decode(key, &found.value)?, version: found.version }))
    }

    /// Commits and waits until it is durable.
    pub(crate) fn commit(&self, batch: Batch) -> Result<Committed, RegistryError> {
        Ok(self.store.commit(batch).wait()?)
    }
}

/// Does it again when somebody else wrote in between, a bounded number of times.
pub(crate) fn retry<T>(mut attempt: impl FnMut() -> Result<T, RegistryError>) -> Result<T, RegistryError> {
    for _ in 1..ATTEMPTS_MAX {
        match attempt() {
            Err(RegistryError::Store(StoreError::Conflict)) => {}
            answer => return answer,
        }
    }
    attempt()
}

/// The version to find unchanged; none when the row was not there.
pub(crate) fn version<T>(row: Option<&Row<T>>) -> Option<Version> {
    row.map(|row| row.version)
}

/// As many as may meet at one row at once without one of them giving up (ours).
const ATTEMPTS_MAX: usize = 100;
