//! Which certificates are attached to which things (AWS IoT Core developer guide, thing-registry, exclusive-thing).

use names::{CertificateId, ThingName};
use store::{Batch, Direction};

use crate::page::list;
use crate::policy_attachments::put_attachments;
use crate::service::{retry, version};
use crate::table::{CertificateAttachmentsRow, ThingAttachmentsRow, ThingPrincipalRow};
use crate::{Page, PageRequest, Registry, RegistryError, table};

impl Registry {
    /// Attaches a certificate to a thing. `exclusive`: to this thing only (`EXCLUSIVE_THING`). Doing it twice does
    /// nothing more.
    ///
    /// # Errors
    /// [`RegistryError::NotFound`] for the thing or the certificate, [`RegistryError::InvalidRequest`] when it is
    /// attached to another thing and one of the two attachments is exclusive, or to this thing in the other way.
    pub fn attach_thing_principal(
        &self,
        name: &ThingName,
        id: &CertificateId,
        exclusive: bool,
    ) -> Result<(), RegistryError> {
        let (thing_key, thing_attachments_key) = (table::thing(name), table::thing_attachments(name));
        let (certificate_key, attachments_key) = (table::certificate(id), table::certificate_attachments(id));
        let attachment_key = table::thing_principal(name, id);
        retry(|| {
            let thing = self.thing_row(name)?;
            let certificate = self.certificate_row(id)?;
            let of_thing = self.read::<ThingAttachmentsRow>(&thing_attachments_key)?;
            let of_certificate = self.attachments(id)?;
            if let Some(attached) = self.read::<ThingPrincipalRow>(&attachment_key)? {
                return same_attachment(name, id, attached.value.exclusive, exclusive);
            }
            let mut of_certificate_new = of_certificate.as_ref().map(|row| row.value.clone()).unwrap_or_default();
            check_exclusive(id, &of_certificate_new, exclusive)?;
            of_certificate_new.things = of_certificate_new.things.saturating_add(1);
            of_certificate_new.exclusive_thing = exclusive.then(|| name.clone());
            let principals = of_thing.as_ref().map_or(0, |row| row.value.principals).saturating_add(1);
            let batch = Batch::new()
                .unchanged(&*thing_key, version(Some(&thing)))
                .unchanged(&*certificate_key, version(Some(&certificate)))
                .unchanged(&*thing_attachments_key, version(of_thing.as_ref()))
                .unchanged(&*attachments_key, version(of_certificate.as_ref()))
                .put(&*attachment_key, table::encode(&ThingPrincipalRow { exclusive })?)
                .put(table::certificate_thing(id, name), [])
                .put(&*thing_attachments_key, table::encode(&ThingAttachmentsRow { principals })?);
            self.commit(put_attachments(batch, &attachments_key, &of_certificate_new)?)?;
            Ok(())
        })
    }

    /// Detaches a certificate from a thing. One that is not attached counts as detached.
    ///
    /// # Errors
    /// [`RegistryError::NotFound`] for the thing or the certificate.
    pub fn detach_thing_principal(&self, name: &ThingName, id: &CertificateId) -> Result<(), RegistryError> {
        let (attachments_key, thing_attachments_key) =
            (table::certificate_attachments(id), table::thing_attachments(name));
        let attachment_key = table::thing_principal(name, id);
        retry(|| {
            self.thing_row(name)?;
            self.certificate_row(id)?;
            let of_thing = self.read::<ThingAttachmentsRow>(&thing_attachments_key)?;
            let of_certificate = self.attachments(id)?;
            let Some(attached) = self.read::<ThingPrincipalRow>(&attachment_key)? else {
                return Ok(());
            };
            let mut of_certificate_new = of_certificate.as_ref().map(|row| row.value.clone()).unwrap_or_default();
            of_certificate_new.things = of_certificate_new.things.saturating_sub(1);
            of_certificate_new.exclusive_thing = None;
            let principals = of_thing.as_ref().map_or(0, |row| row.value.principals).saturating_sub(1);
            let batch = Batch::new()
                .unchanged(&*attachment_key, version(Some(&attached)))
                .unchanged(&*thing_attachments_key, version(of_thing.as_ref()))
                .unchanged(&*attachments_key, version(of_certificate.as_ref()))
                .delete(&*attachment_key)
                .delete(table::certificate_thing(id, name));
            let batch = match principals {
                0 => batch.delete(&*thing_attachments_key),
                _ => batch.put(&*thing_attachments_key, table::encode(&ThingAttachmentsRow { principals })?),
            };
            self.commit(put_attachments(batch, &attachments_key, &of_certificate_new)?)?;
            Ok(())
        })
    }

    /// A page of the certificates attached to a thing, by id.
    ///
    /// # Errors
    /// [`RegistryError::NotFound`] for the thing, [`RegistryError::InvalidToken`].
    pub fn thing_principals(&self, name: &ThingName, page: &PageRequest) -> Result<Page<CertificateId>, RegistryError> {
        if self.store.get(&table::thing(name))?.is_none() {
            return Err(RegistryError::not_found(format!(
                "Failed to list principals for thing {name} because the thing does not exist in your account"
            )));
        }
        list(&*self.store, &table::thing_principals(name), Direction::Forward, page, |row| {
            Ok(table::certificate_id_at_end(&row.key))
        })
    }

    /// A page of the things that a certificate is attached to, by name.
    ///
    /// # Errors
    /// [`RegistryError::NotFound`] for the certificate, [`RegistryError::InvalidToken`].
    pub fn principal_things(&self, id: &CertificateId, page: &PageRequest) -> Result<Page<ThingName>, RegistryError> {
        self.certificate_row(id)?;
        list(&*self.store, &table::certificate_things(id), Direction::Forward, page, |row| {
            Ok(table::thing_name_at_end(&row.key))
        })
    }

    /// Whether a certificate is attached to a thing.
    ///
    /// # Errors
    /// [`RegistryError::Store`].
    pub fn is_attached(&self, name: &ThingName, id: &CertificateId) -> Result<bool, RegistryError> {
        Ok(self.store.get(&table::thing_principal(name, id))?.is_some())
    }

    /// Whether an attachment is exclusive; none when there is no attachment.
    ///
    /// # Errors
    /// [`RegistryError::Store`].
    pub fn is_attached_exclusively(&self, name: &ThingName, id: &CertificateId) -> Result<Option<bool>, RegistryError> {
        let row = self.read::<ThingPrincipalRow>(&table::thing_principal(name, id))?;
        Ok(row.map(|row| row.value.exclusive))
    }

    /// The thing that a certificate is exclusively attached to: a connection with it is that thing's, whatever its
    /// client id.
    ///
    /// # Errors
    /// [`RegistryError::Store`].
    pub fn exclusive_thing(&self, id: &CertificateId) -> Result<Option<ThingName>, RegistryError> {
        Ok(self.attachments(id)?.and_then(|row| row.value.exclusive_thing))
    }
}

fn same_attachment(name: &ThingName, id: &CertificateId, found: bool, wanted: bool) -> Result<(), RegistryError> {
    if found == wanted {
        return Ok(());
    }
    let how = if found { "exclusively" } else { "non-exclusively" };
    let problem = format!("The principal {id} is already attached {how} to thing {name}; detach it first");
    Err(RegistryError::InvalidRequest(problem))
}

fn check_exclusive(
    id: &CertificateId,
    attached: &CertificateAttachmentsRow,
    exclusive: bool,
) -> Result<(), RegistryError> {
    if let Some(other) = &attached.exclusive_thing {
        let problem = format!("The principal {id} is already attached exclusively to thing {other}");
        return Err(RegistryError::InvalidRequest(problem));
    }
    if exclusive && attached.things > 0 {
        let problem = format!("The principal {id} is already attached to another thing, so it cannot be exclusive");
        return Err(RegistryError::InvalidRequest(problem));
    }
    Ok(())
}
