//! Policies: documents with a name (AWS IoT Core developer guide, iot-policies). Each has one version so far.

use names::{PolicyName, Timestamp, limits};
use store::{Batch, Direction};

use crate::page::list;
use crate::service::{Row, retry, version};
use crate::table::PolicyRow;
use crate::{Page, PageRequest, Registry, RegistryError, table};

/// A policy of the registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyRecord {
    /// Its name.
    pub name: PolicyName,
    /// Its document, as it was given.
    pub document: String,
    /// The version that counts.
    pub default_version_id: String,
    /// Tells this policy from an earlier one of the same name.
    pub generation_id: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub modified_at: Timestamp,
}

impl Registry {
    /// Makes a policy.
    ///
    /// # Errors
    /// [`RegistryError::MalformedPolicy`] for a text that is no policy document or is too long,
    /// [`RegistryError::AlreadyExists`] when the name is taken.
    pub fn create_policy(
        &self,
        name: &PolicyName,
        document: &str,
        now: Timestamp,
    ) -> Result<PolicyRecord, RegistryError> {
        check_document(document)?;
        let key = table::policy(name);
        let row = PolicyRow {
            document: document.to_owned(),
            default_version_id: "1".to_owned(),
            generation_id: format!("{:x}", now.as_millis()),
            created_at: now,
            modified_at: now,
            deleting: false,
        };
        retry(|| {
            if self.store.get(&key)?.is_some() {
                return Err(RegistryError::AlreadyExists {
                    message: format!("Policy cannot be created - name already exists (name={name})"),
                    resource_id: name.to_string(),
                    resource_arn: self.arns.policy(name),
                });
            }
            self.commit(Batch::new().absent(&*key).put(&*key, table::encode(&row)?))?;
            Ok(to_record(name, row.clone()))
        })
    }

    /// The policy of that name.
    ///
    /// # Errors
    /// [`RegistryError::NotFound`].
    pub fn policy(&self, name: &PolicyName) -> Result<PolicyRecord, RegistryError> {
        Ok(to_record(name, self.policy_row(name)?.value))
    }

    /// A page of all policies by name.
    ///
    /// # Errors
    /// [`RegistryError::InvalidToken`] for a token of another list.
    pub fn list_policies(&self, page: &PageRequest) -> Result<Page<PolicyRecord>, RegistryError> {
        list(&*self.store, table::POLICY, Direction::Forward, page, |row| {
            let name = row.key.strip_prefix(table::POLICY).and_then(|name| std::str::from_utf8(name).ok());
            let Some(name) = name.and_then(|name| PolicyName::new(name).ok()) else {
                return Ok(None);
            };
            Ok(Some(to_record(&name, table::decode(&row.key, &row.value)?)))
        })
    }

    /// Deletes a policy that is attached to nothing.
    ///
    /// First the policy is marked, then its targets are looked for, then it goes. Who attaches it after the mark takes
    /// the mark away, so that the last step finds the policy changed; who attached it before is found by the look.
    ///
    /// # Errors
    /// [`RegistryError::NotFound`], [`RegistryError::DeleteConflict`] while it is attached.
    pub fn delete_policy(&self, name: &PolicyName) -> Result<(), RegistryError> {
        let key = table::policy(name);
        retry(|| {
            let mut row = self.policy_row(name)?;
            self.check_unattached(name)?;
            row.value.deleting = true;
            let batch = Batch::new().unchanged(&*key, version(Some(&row)));
            let marked = self.commit(batch.put(&*key, table::encode(&row.value)?))?;
            self.check_unattached(name)?;
            self.commit(Batch::new().unchanged(&*key, Some(marked)).delete(&*key))?;
            Ok(())
        })
    }

    pub(crate) fn policy_row(&self, name: &PolicyName) -> Result<Row<PolicyRow>, RegistryError> {
        let row = self.read(&table::policy(name))?;
        row.ok_or_else(|| RegistryError::not_found(format!("Policy {name} does not exist in your account")))
    }

    fn check_unattached(&self, name: &PolicyName) -> Result<(), RegistryError> {
        let prefix = table::policy_targets(name);
        if self.store.range(&prefix, &store::prefix_end(&prefix), 1, Direction::Forward)?.is_empty() {
            return Ok(());
        }
        Err(RegistryError::DeleteConflict(format!(
            "The policy cannot be deleted as the policy is attached to one or more principals (name={name})"
        )))
    }
}

pub(crate) fn to_record(name: &PolicyName, row: PolicyRow) -> PolicyRecord {
    let PolicyRow { document, default_version_id, generation_id, created_at, modified_at, deleting: _ } = row;
    PolicyRecord { name: name.clone(), document, default_version_id, generation_id, created_at, modified_at }
}

fn check_document(document: &str) -> Result<(), RegistryError> {
    if document.len() > DOCUMENT_BYTES_MAX {
        let bytes = document.len();
        let problem = format!("The policy document has {bytes} bytes, over the limit of {DOCUMENT_BYTES_MAX}.");
        return Err(RegistryError::MalformedPolicy(problem));
    }
    let (characters, max) = (policy::characters_without_white_space(document), limits::POLICY_DOCUMENT_CHARACTERS_MAX);
    if characters > max {
        let problem =
            format!("The policy document has {characters} characters without white space, over the limit of {max}.");
        return Err(RegistryError::MalformedPolicy(problem));
    }
    policy::Document::parse(document).map_err(|error| RegistryError::MalformedPolicy(error.to_string()))?;
    Ok(())
}

/// A document with all its white space (ours: written as JSON text it still fits into one value of the store).
const DOCUMENT_BYTES_MAX: usize = 49_152;
