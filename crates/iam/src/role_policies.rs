//! A role's inline policies: what the role may do.

use names::{RoleName, Timestamp, limits};
use policy::{Document, characters_without_white_space};
use store::{Batch, StoreError};

use crate::error::Missing;
use crate::table::{self, LAYOUT, RolePolicyRow};
use crate::{Iam, IamError};

impl Iam {
    /// Adds or replaces a role's policy of this name.
    ///
    /// # Errors
    /// [`IamError::NoSuchEntity`], [`IamError::MalformedPolicyDocument`], [`IamError::InvalidInput`] for a name that
    /// isn't one, [`IamError::LimitExceeded`] when the role's policies together have more than 10,240 characters
    /// without white space, [`IamError::Store`].
    pub fn put_role_policy(
        &self,
        role: &RoleName,
        policy_name: &str,
        document: &str,
        now: Timestamp,
    ) -> Result<(), IamError> {
        check_name(policy_name)?;
        Document::parse(document)?;
        let row = RolePolicyRow { v: LAYOUT, document: document.to_owned(), modified_at: now };
        let key = table::role_policy(role, policy_name);
        self.change(|| {
            let batch = self.touch_role(role)?;
            let others = self.documents(role)?.into_iter().filter(|(name, _)| name != policy_name);
            let characters = others.map(|(_, other)| characters_without_white_space(&other)).sum::<usize>();
            if characters + characters_without_white_space(document) > limits::ROLE_POLICY_CHARACTERS_MAX {
                let bytes_max = limits::ROLE_POLICY_CHARACTERS_MAX;
                let problem = format!("Maximum policy size of {bytes_max} bytes exceeded for role {role}");
                return Err(IamError::LimitExceeded(problem));
            }
            Ok((batch.put(key.as_str(), table::encode(&row)), ()))
        })
    }

    /// The document of a role's policy, as it was given.
    ///
    /// # Errors
    /// [`IamError::NoSuchEntity`] for the role or the policy, [`IamError::Store`].
    pub fn role_policy(&self, role: &RoleName, policy_name: &str) -> Result<String, IamError> {
        self.role_row(role)?;
        let key = table::role_policy(role, policy_name);
        let stored = self.store.get(key.as_bytes())?.ok_or_else(|| no_such_policy(policy_name))?;
        Ok(table::decode_versioned::<RolePolicyRow>(&key, &stored)?.document)
    }

    /// The names of a role's policies, in order.
    ///
    /// # Errors
    /// [`IamError::NoSuchEntity`] for the role, [`IamError::Store`].
    pub fn role_policies(&self, role: &RoleName) -> Result<Vec<String>, IamError> {
        self.role_row(role)?;
        let prefix = table::role_policies(role);
        let rows = self.all_rows(&prefix)?;
        Ok(rows.iter().map(|entry| policy_name(&entry.key, &prefix)).collect())
    }

    /// Deletes a role's policy.
    ///
    /// # Errors
    /// [`IamError::NoSuchEntity`] for the role or the policy, [`IamError::Store`].
    pub fn delete_role_policy(&self, role: &RoleName, policy_name: &str) -> Result<(), IamError> {
        let key = table::role_policy(role, policy_name);
        self.change(|| {
            let batch = self.touch_role(role)?;
            if self.store.get(key.as_bytes())?.is_none() {
                return Err(no_such_policy(policy_name));
            }
            Ok((batch.delete(key.as_str()), ()))
        })
    }

    /// The role's policies: names and documents.
    pub(crate) fn documents(&self, role: &RoleName) -> Result<Vec<(String, String)>, StoreError> {
        let prefix = table::role_policies(role);
        let read = |entry: store::Entry| {
            let row: RolePolicyRow = table::decode(&entry.key, &entry.value)?;
            Ok((policy_name(&entry.key, &prefix), row.document))
        };
        self.all_rows(&prefix)?.into_iter().map(read).collect()
    }

    /// A batch that gives the role's row a new version, provided that nobody else does first.
    fn touch_role(&self, role: &RoleName) -> Result<Batch, IamError> {
        let (_, stored) = self.role_row(role)?;
        let key = table::role(role);
        Ok(Batch::new().unchanged(key.as_str(), Some(stored.version)).put(key, stored.value))
    }
}

fn policy_name(key: &[u8], prefix: &str) -> String {
    String::from_utf8_lossy(key.get(prefix.len()..).unwrap_or_default()).into_owned()
}

fn no_such_policy(name: &str) -> IamError {
    IamError::NoSuchEntity(Missing::RolePolicy(name.chars().take(limits::ROLE_POLICY_NAME_BYTES_MAX).collect()))
}

/// IAM API, `PutRolePolicy`: `[\w+=,.@-]+`, at most 128.
fn check_name(name: &str) -> Result<(), IamError> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b);
    if (1..=limits::ROLE_POLICY_NAME_BYTES_MAX).contains(&name.len()) && name.bytes().all(allowed) {
        return Ok(());
    }
    let problem = "The specified value for policyName is invalid. It must contain only alphanumeric characters \
        and/or the following: +=,.@_- and be 1 to 128 characters long.";
    Err(IamError::InvalidInput(problem.to_owned()))
}
