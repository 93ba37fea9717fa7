//! Roles: an identity that services take on, with a policy that says who may.

use names::{RoleName, Timestamp, limits};
use policy::{Document, characters_without_white_space};
use store::{Batch, Versioned};

use crate::error::Missing;
use crate::table::{self, LAYOUT, RoleRow};
use crate::{Iam, IamError};

/// What `CreateRole` is given.
#[derive(Debug, Clone)]
pub struct NewRole {
    /// The role's name, unique in the account.
    pub name: RoleName,
    /// `/`, or a path such as `/service/`, at most 512 bytes.
    pub path: String,
    /// Who may take on the role: a policy document with a `Principal`.
    pub trust_policy: String,
    /// At most 1000 characters.
    pub description: Option<String>,
    /// The longest session, 3600 to 43200 seconds.
    pub max_session_seconds: u32,
    /// The role's unique id, such as `AROA...`; the caller draws it.
    pub role_id: String,
}

/// A role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// The role's name.
    pub name: RoleName,
    /// The role's ARN, with its path.
    pub arn: String,
    /// The path, `/` or `/.../`.
    pub path: String,
    /// The role's unique id.
    pub role_id: String,
    /// The trust policy, as it was given.
    pub trust_policy: String,
    /// The description, when there is one.
    pub description: Option<String>,
    /// The longest session, in seconds.
    pub max_session_seconds: u32,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Iam {
    /// Makes a role without permissions.
    ///
    /// # Errors
    /// [`IamError::EntityAlreadyExists`], [`IamError::MalformedPolicyDocument`], [`IamError::InvalidInput`],
    /// [`IamError::LimitExceeded`] above 1000 roles or 2048 characters of trust policy, [`IamError::Store`].
    pub fn create_role(&self, new: NewRole, now: Timestamp) -> Result<Role, IamError> {
        let NewRole { name, path, trust_policy, description, max_session_seconds, role_id } = new;
        check_path(&path)?;
        check_details(description.as_deref(), max_session_seconds, &role_id)?;
        check_trust_policy(&trust_policy)?;
        let row = RoleRow { v: LAYOUT, path, role_id, trust_policy, description, max_session_seconds, created_at: now };
        let key = table::role(&name);
        self.change(|| {
            if self.store.get(key.as_bytes())?.is_some() {
                return Err(IamError::EntityAlreadyExists(name.clone()));
            }
            if self.rows(table::ROLES, "", limits::ROLES_MAX)?.len() >= limits::ROLES_MAX {
                let problem = format!("Cannot exceed quota for RolesPerAccount: {}", limits::ROLES_MAX);
                return Err(IamError::LimitExceeded(problem));
            }
            let batch = Batch::new().absent(key.as_str()).put(key.as_str(), table::encode(&row));
            Ok((batch, ()))
        })?;
        Ok(self.role_from(name, row))
    }

    /// The role of this name.
    ///
    /// # Errors
    /// [`IamError::NoSuchEntity`], [`IamError::Store`].
    pub fn role(&self, name: &RoleName) -> Result<Role, IamError> {
        let (row, _) = self.role_row(name)?;
        Ok(self.role_from(name.clone(), row))
    }

    /// At most `limit` roles, ordered by name, those after the name `after` only.
    ///
    /// # Errors
    /// [`IamError::Store`].
    pub fn roles(&self, after: Option<&str>, limit: usize) -> Result<Vec<Role>, IamError> {
        // A name that ends with U+0000 comes right after the same name without it.
        let from = after.map_or_else(String::new, |name| format!("{}{name}\0", table::ROLES));
        let mut roles = Vec::new();
        for entry in self.rows(table::ROLES, &from, limit.min(limits::ROLES_MAX))? {
            let name = entry.key.get(table::ROLES.len()..).unwrap_or_default();
            let name = RoleName::new(String::from_utf8_lossy(name)).map_err(|_| unreadable(&entry.key))?;
            roles.push(self.role_from(name, table::decode(&entry.key, &entry.value)?));
        }
        Ok(roles)
    }

    /// Replaces a role's trust policy (`UpdateAssumeRolePolicy`).
    ///
    /// # Errors
    /// [`IamError::NoSuchEntity`], [`IamError::MalformedPolicyDocument`], [`IamError::LimitExceeded`],
    /// [`IamError::Store`].
    pub fn update_trust_policy(&self, name: &RoleName, trust_policy: &str) -> Result<(), IamError> {
        check_trust_policy(trust_policy)?;
        self.change(|| {
            let (row, stored) = self.role_row(name)?;
            let row = RoleRow { trust_policy: trust_policy.to_owned(), ..row };
            let key = table::role(name);
            let batch = Batch::new().unchanged(key.as_str(), Some(stored.version)).put(key, table::encode(&row));
            Ok((batch, ()))
        })
    }

    /// Deletes a role that has no policies left.
    ///
    /// # Errors
    /// [`IamError::NoSuchEntity`], [`IamError::DeleteConflict`], [`IamError::Store`].
    pub fn delete_role(&self, name: &RoleName) -> Result<(), IamError> {
        self.change(|| {
            let (_, stored) = self.role_row(name)?;
            if !self.rows(&table::role_policies(name), "", 1)?.is_empty() {
                return Err(IamError::DeleteConflict);
            }
            // A policy put meanwhile rewrites the role's row, so it can't be left behind.
            let key = table::role(name);
            Ok((Batch::new().unchanged(key.as_str(), Some(stored.version)).delete(key), ()))
        })?;
        self.cache.remove(name);
        Ok(())
    }

    pub(crate) fn role_row(&self, name: &RoleName) -> Result<(RoleRow, Versioned), IamError> {
        let key = table::role(name);
        let stored = self.store.get(key.as_bytes())?;
        let stored = stored.ok_or_else(|| IamError::NoSuchEntity(Missing::Role(name.clone())))?;
        Ok((table::decode_versioned(&key, &stored)?, stored))
    }

    fn role_from(&self, name: RoleName, row: RoleRow) -> Role {
        let RoleRow { v: _, path, role_id, trust_policy, description, max_session_seconds, created_at } = row;
        let arn = self.arns.role(&path, &name);
        Role { name, arn, path, role_id, trust_policy, description, max_session_seconds, created_at }
    }
}

/// IAM API, `CreateRole`: `/`, or visible ASCII characters between two slashes.
fn check_path(path: &str) -> Result<(), IamError> {
    let is_long = path.len() > 2 && path.starts_with('/') && path.ends_with('/');
    let is_visible = path.bytes().all(|b| b.is_ascii_graphic());
    if path == "/" || (is_long && is_visible && path.len() <= limits::ROLE_PATH_BYTES_MAX) {
        return Ok(());
    }
    let problem = "The specified value for path is invalid. It must begin and end with / and contain only visible \
        ASCII characters, and be at most 512 characters long.";
    Err(IamError::InvalidInput(problem.to_owned()))
}

fn check_details(description: Option<&str>, max_session_seconds: u32, role_id: &str) -> Result<(), IamError> {
    let refuse = |problem: &str| Err(IamError::InvalidInput(problem.to_owned()));
    if description.is_some_and(|text| text.chars().count() > limits::ROLE_DESCRIPTION_CHARACTERS_MAX) {
        return refuse("The specified value for description is invalid. It must be at most 1000 characters long.");
    }
    let seconds = limits::ROLE_SESSION_SECONDS_MIN..=limits::ROLE_SESSION_SECONDS_MAX;
    if !seconds.contains(&max_session_seconds) {
        return refuse("The specified value for maxSessionDuration is invalid. It must be between 3600 and 43200.");
    }
    if role_id.is_empty() || role_id.len() > limits::ACCESS_KEY_ID_BYTES_MAX {
        return refuse("A role id is 1 to 128 bytes long.");
    }
    Ok(())
}

fn check_trust_policy(document: &str) -> Result<(), IamError> {
    Document::parse_trust(document)?;
    let characters_max = limits::ROLE_TRUST_POLICY_CHARACTERS_MAX;
    if characters_without_white_space(document) > characters_max {
        return Err(IamError::LimitExceeded(format!("Cannot exceed quota for ACLSizePerRole: {characters_max}")));
    }
    Ok(())
}

fn unreadable(key: &[u8]) -> store::StoreError {
    store::StoreError::Failed(format!("the record {} can't be read", String::from_utf8_lossy(key)))
}
