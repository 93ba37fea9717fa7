//! Roles as they are asked about: documents compiled, kept until the role's row changes.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::RwLock;

use names::{RoleName, limits};
use policy::{Document, PolicySet};
use store::Version;

/// A role's documents, compiled.
#[derive(Debug)]
pub(crate) struct CompiledRole {
    /// Of the role's row, which every change of its policies rewrites.
    pub(crate) version: Version,
    pub(crate) arn: String,
    pub(crate) trust: Document,
    pub(crate) policies: PolicySet,
}

/// The compiled roles, at most as many as an account may have.
#[derive(Debug, Default)]
pub(crate) struct Cache(RwLock<HashMap<RoleName, Arc<CompiledRole>>>);

impl Cache {
    /// The role, when it was compiled from this version of its row.
    pub(crate) fn get(&self, name: &RoleName, version: Version) -> Option<Arc<CompiledRole>> {
        self.0.read().get(name).filter(|role| role.version == version).cloned()
    }

    pub(crate) fn insert(&self, name: RoleName, role: Arc<CompiledRole>) {
        let mut roles = self.0.write();
        if roles.len() >= limits::ROLES_MAX && !roles.contains_key(&name) {
            roles.clear();
        }
        roles.insert(name, role);
    }

    pub(crate) fn remove(&self, name: &RoleName) {
        self.0.write().remove(name);
    }
}
