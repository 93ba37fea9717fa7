//! Which policies are attached to what (AWS IoT Core developer guide, iot-policies; API reference, AttachPolicy).

use names::{CertificateId, PolicyName, limits};
use store::{Batch, Direction};

use crate::page::list;
use crate::policies::to_record;
use crate::service::{Row, retry, version};
use crate::table::{CertificateAttachmentsRow, PolicyRow};
use crate::{Page, PageRequest, PolicyRecord, Registry, RegistryError, table};

/// What a policy can be attached to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PolicyTarget {
    /// A registered certificate.
    Certificate(CertificateId),
}

impl Registry {
    /// Attaches a policy. Doing it twice does nothing more.
    ///
    /// # Errors
    /// [`RegistryError::NotFound`] for the policy or the target, [`RegistryError::LimitExceeded`] above ten policies.
    pub fn attach_policy(&self, name: &PolicyName, target: &PolicyTarget) -> Result<(), RegistryError> {
        let PolicyTarget::Certificate(id) = target;
        let (policy_key, certificate_key) = (table::policy(name), table::certificate(id));
        let attachments_key = table::certificate_attachments(id);
        retry(|| {
            let policy = self.policy_row(name)?;
            let certificate = self.certificate_row(id)?;
            let old = self.attachments(id)?;
            let mut new = old.as_ref().map(|row| row.value.clone()).unwrap_or_default();
            let Err(position) = new.policies.binary_search(name) else {
                return Ok(());
            };
            if new.policies.len() >= limits::POLICIES_PER_PRINCIPAL_MAX {
                let max = limits::POLICIES_PER_PRINCIPAL_MAX;
                let problem = format!("The certificate {id} already has the maximum number of policies ({max})");
                return Err(RegistryError::LimitExceeded(problem));
            }
            new.policies.insert(position, name.clone());
            let mut batch = Batch::new()
                .unchanged(&*policy_key, version(Some(&policy)))
                .unchanged(&*certificate_key, version(Some(&certificate)))
                .unchanged(&*attachments_key, version(old.as_ref()))
                .put(&*attachments_key, table::encode(&new)?)
                .put(table::policy_target(name, id), []);
            if policy.value.deleting {
                let kept = PolicyRow { deleting: false, ..policy.value };
                batch = batch.put(&*policy_key, table::encode(&kept)?);
            }
            self.commit(batch)?;
            Ok(())
        })
    }

    /// Detaches a policy. One that is not attached counts as detached.
    ///
    /// # Errors
    /// [`RegistryError::NotFound`] for a policy that does not exist.
    pub fn detach_policy(&self, name: &PolicyName, target: &PolicyTarget) -> Result<(), RegistryError> {
        let PolicyTarget::Certificate(id) = target;
        let attachments_key = table::certificate_attachments(id);
        retry(|| {
            self.policy_row(name)?;
            let Some(old) = self.attachments(id)? else {
                return Ok(());
            };
            let mut new = old.value.clone();
            let Ok(position) = new.policies.binary_search(name) else {
                return Ok(());
            };
            new.policies.remove(position);
            let batch =
                Batch::new().unchanged(&*attachments_key, version(Some(&old))).delete(table::policy_target(name, id));
            self.commit(put_attachments(batch, &attachments_key, &new)?)?;
            Ok(())
        })
    }

    /// A page of the policies attached to a target, by name.
    ///
    /// # Errors
    /// [`RegistryError::NotFound`] for the target, [`RegistryError::InvalidToken`].
    pub fn attached_policies(
        &self,
        target: &PolicyTarget,
        page: &PageRequest,
    ) -> Result<Page<PolicyName>, RegistryError> {
        let PolicyTarget::Certificate(id) = target;
        self.certificate_row(id)?;
        let after = page.after.as_deref().map(PolicyName::new).transpose();
        let after = after.map_err(|_| RegistryError::InvalidToken)?;
        let policies = self.attachments(id)?.map(|row| row.value.policies).unwrap_or_default();
        let mut rest = policies.into_iter().filter(|name| after.as_ref().is_none_or(|after| name > after));
        let items: Vec<_> = rest.by_ref().take(page.limit.clamp(1, limits::PAGE_SIZE_MAX)).collect();
        let has_more = rest.next().is_some();
        let next = items.last().filter(|_| has_more).map(ToString::to_string);
        Ok(Page { items, next })
    }

    /// A page of what a policy is attached to, by certificate id.
    ///
    /// # Errors
    /// [`RegistryError::NotFound`] for the policy, [`RegistryError::InvalidToken`].
    pub fn policy_targets(&self, name: &PolicyName, page: &PageRequest) -> Result<Page<PolicyTarget>, RegistryError> {
        if self.store.get(&table::policy(name))?.is_none() {
            return Err(RegistryError::not_found("Policy not found"));
        }
        list(&*self.store, &table::policy_targets(name), Direction::Forward, page, |row| {
            Ok(table::certificate_id_at_end(&row.key).map(PolicyTarget::Certificate))
        })
    }

    /// All policies attached to a certificate, by name: what a connection with it is judged by. A certificate that is
    /// not registered has none.
    ///
    /// # Errors
    /// [`RegistryError::Store`].
    pub fn policies_of(&self, id: &CertificateId) -> Result<Vec<PolicyRecord>, RegistryError> {
        let mut policies = Vec::new();
        for name in self.attachments(id)?.map(|row| row.value.policies).unwrap_or_default() {
            // Gone when it was detached and deleted since the list was read.
            if let Some(row) = self.read::<PolicyRow>(&table::policy(&name))? {
                policies.push(to_record(&name, row.value));
            }
        }
        Ok(policies)
    }

    pub(crate) fn attachments(
        &self,
        id: &CertificateId,
    ) -> Result<Option<Row<CertificateAttachmentsRow>>, RegistryError> {
        self.read(&table::certificate_attachments(id))
    }
}

/// Writes what is attached to a certificate; nothing attached is no row.
pub(crate) fn put_attachments(
    batch: Batch,
    key: &[u8],
    row: &CertificateAttachmentsRow,
) -> Result<Batch, RegistryError> {
    Ok(if row.is_empty() { batch.delete(key) } else { batch.put(key, table::encode(row)?) })
}
