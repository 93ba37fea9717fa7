//! Certificates: registering, reading, activating and deleting them (AWS IoT Core developer guide,
//! x509-client-certs). Whether a certificate's chain is to be trusted is not asked: what counts is that it is registered.

use names::{CertificateId, Timestamp};
use store::{Batch, Direction};

use crate::page::list;
use crate::service::{Row, retry, version};
use crate::table::{CertificateAttachmentsRow, CertificateRow};
use crate::{CertificateMode, CertificateStatus, Page, PageRequest, Registry, RegistryError, table};

/// A certificate to register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCertificate {
    /// The certificate as PEM text.
    pub pem: String,
    /// Active, inactive or revoked.
    pub status: CertificateStatus,
    /// How it is registered.
    pub mode: CertificateMode,
}

/// A registered certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateRecord {
    /// The SHA-256 of its DER bytes.
    pub id: CertificateId,
    /// The certificate as PEM text, without what stood around it when it was registered.
    pub pem: String,
    /// What it may do.
    pub status: CertificateStatus,
    /// How it was registered.
    pub mode: CertificateMode,
    /// An id of this registration.
    pub generation_id: String,
    /// 1 when it is registered, one more with each change of status.
    pub customer_version: u64,
    /// Not valid before this time.
    pub not_before: Timestamp,
    /// Not valid after this time.
    pub not_after: Timestamp,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When its status last changed.
    pub modified_at: Timestamp,
}

impl Registry {
    /// Registers a certificate.
    ///
    /// # Errors
    /// [`RegistryError::CertificateValidation`] for a text that is no certificate,
    /// [`RegistryError::CertificateState`] for a status that cannot be registered,
    /// [`RegistryError::AlreadyExists`] for one that is registered.
    pub fn register_certificate(
        &self,
        new: NewCertificate,
        generation_id: &str,
        now: Timestamp,
    ) -> Result<CertificateRecord, RegistryError> {
        let NewCertificate { pem, status, mode } = new;
        if !status.is_settable() {
            let problem = format!("Not allowed to register certificate with {} status", status.as_str());
            return Err(RegistryError::CertificateState(problem));
        }
        let parsed = x509::Certificate::from_pem(&pem)
            .map_err(|error| RegistryError::CertificateValidation(error.to_string()))?;
        let (id, key) = (parsed.id, table::certificate(&parsed.id));
        let row = CertificateRow {
            pem: parsed.pem(),
            status,
            mode,
            generation_id: generation_id.to_owned(),
            customer_version: 1,
            not_before: parsed.not_before,
            not_after: parsed.not_after,
            created_at: now,
            modified_at: now,
        };
        retry(|| {
            if self.store.get(&key)?.is_some() {
                return Err(RegistryError::AlreadyExists {
                    message: "The certificate is already provisioned or registered".to_owned(),
                    resource_id: id.to_string(),
                    resource_arn: self.arns.certificate(&id),
                });
            }
            let batch = Batch::new().absent(&*key).put(&*key, table::encode(&row)?);
            self.commit(batch.put(table::certificate_by_date(now, &id), []))?;
            Ok(to_record(&id, row.clone()))
        })
    }

    /// The certificate with that id.
    ///
    /// # Errors
    /// [`RegistryError::NotFound`].
    pub fn certificate(&self, id: &CertificateId) -> Result<CertificateRecord, RegistryError> {
        Ok(to_record(id, self.certificate_row(id)?.value))
    }

    /// Sets a certificate's status to active, inactive or revoked. A revoked one stays revoked, and one that is being
    /// transferred stays so (AWS IoT Core developer guide, activate-or-deactivate-device-cert).
    ///
    /// # Errors
    /// [`RegistryError::NotFound`], [`RegistryError::CertificateState`] for a change that is not allowed.
    pub fn update_certificate_status(
        &self,
        id: &CertificateId,
        status: CertificateStatus,
        now: Timestamp,
    ) -> Result<CertificateRecord, RegistryError> {
        let key = table::certificate(id);
        retry(|| {
            let mut row = self.certificate_row(id)?;
            let old = row.value.status;
            let is_final = matches!(old, CertificateStatus::Revoked | CertificateStatus::PendingTransfer);
            if !status.is_settable() || (is_final && status != old) {
                let (old, new) = (old.as_str(), status.as_str());
                let problem = format!("The status of the certificate cannot change from {old} to {new}. Id: {id}");
                return Err(RegistryError::CertificateState(problem));
            }
            if status != old {
                row.value.status = status;
                row.value.customer_version = row.value.customer_version.saturating_add(1);
                row.value.modified_at = now;
                let batch = Batch::new().unchanged(&*key, version(Some(&row)));
                self.commit(batch.put(&*key, table::encode(&row.value)?))?;
            }
            Ok(to_record(id, row.value))
        })
    }

    /// A page of all certificates by the time of their registration.
    ///
    /// # Errors
    /// [`RegistryError::InvalidToken`] for a token of another list.
    pub fn list_certificates(
        &self,
        page: &PageRequest,
        ascending: bool,
    ) -> Result<Page<CertificateRecord>, RegistryError> {
        let direction = if ascending { Direction::Forward } else { Direction::Backward };
        list(&*self.store, table::CERTIFICATE_BY_DATE, direction, page, |row| {
            let Some(id) = table::certificate_id_at_end(&row.key) else {
                return Ok(None);
            };
            Ok(self.read(&table::certificate(&id))?.map(|row| to_record(&id, row.value)))
        })
    }

    /// Deletes a certificate that is not active and not attached to anything; with `force` its policies do not matter.
    ///
    /// # Errors
    /// [`RegistryError::NotFound`], [`RegistryError::CertificateState`] while it is active,
    /// [`RegistryError::DeleteConflict`] while something is attached.
    pub fn delete_certificate(&self, id: &CertificateId, force: bool) -> Result<(), RegistryError> {
        let (key, attachments_key) = (table::certificate(id), table::certificate_attachments(id));
        retry(|| {
            let row = self.certificate_row(id)?;
            if row.value.status == CertificateStatus::Active {
                let problem = format!("Certificate must be deactivated (not ACTIVE) before deletion. Id: {id}");
                return Err(RegistryError::CertificateState(problem));
            }
            let attachments = self.read::<CertificateAttachmentsRow>(&attachments_key)?;
            let attached = attachments.as_ref().map(|row| row.value.clone()).unwrap_or_default();
            if let Some(problem) = self.still_attached(id, &attached, force) {
                return Err(RegistryError::DeleteConflict(problem));
            }
            let batch = Batch::new()
                .unchanged(&*key, version(Some(&row)))
                .unchanged(&*attachments_key, version(attachments.as_ref()))
                .delete(&*key)
                .delete(&*attachments_key)
                .delete(table::certificate_by_date(row.value.created_at, id));
            let policies = attached.policies.iter();
            self.commit(policies.fold(batch, |batch, name| batch.delete(table::policy_target(name, id))))?;
            Ok(())
        })
    }

    pub(crate) fn certificate_row(&self, id: &CertificateId) -> Result<Row<CertificateRow>, RegistryError> {
        let row = self.read(&table::certificate(id))?;
        row.ok_or_else(|| RegistryError::not_found(format!("Certificate {id} does not exist in your account")))
    }

    fn still_attached(&self, id: &CertificateId, row: &CertificateAttachmentsRow, force: bool) -> Option<String> {
        let arn = self.arns.certificate(id);
        if row.things > 0 {
            return Some(format!("Things must be detached before deletion (arn: {arn})"));
        }
        let has_policies = !row.policies.is_empty() && !force;
        has_policies.then(|| format!("Certificate policies must be detached before deletion (arn: {arn})"))
    }
}

fn to_record(id: &CertificateId, row: CertificateRow) -> CertificateRecord {
    CertificateRecord {
        id: *id,
        pem: row.pem,
        status: row.status,
        mode: row.mode,
        generation_id: row.generation_id,
        customer_version: row.customer_version,
        not_before: row.not_before,
        not_after: row.not_after,
        created_at: row.created_at,
        modified_at: row.modified_at,
    }
}
