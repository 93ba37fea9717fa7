//! Things: making, reading, changing and deleting them (AWS IoT Core developer guide, thing-registry).

use std::collections::{BTreeMap, BTreeSet};

use names::{ThingName, ThingTypeName, Timestamp};
use store::Batch;

use crate::service::{Row, retry, version};
use crate::table::{ThingAttachmentsRow, ThingRow};
use crate::{Registry, RegistryError, attributes, table};

/// A thing of the registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thing {
    /// Its name, which is also its default client id.
    pub name: ThingName,
    /// Its id, which a later thing of the same name does not have.
    pub id: String,
    /// Its type, if it has one.
    pub thing_type: Option<ThingTypeName>,
    /// Its attributes; none has an empty value.
    pub attributes: BTreeMap<String, String>,
    /// Its billing group, if it has one.
    pub billing_group: Option<String>,
    /// 1 when it is made, one more with each update.
    pub version: u64,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What a new thing is to be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewThing {
    /// An existing type.
    pub thing_type: Option<ThingTypeName>,
    /// Attributes; one with an empty value counts as not there.
    pub attributes: BTreeMap<String, String>,
    /// An existing billing group.
    pub billing_group: Option<String>,
}

/// What is to change of a thing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ThingUpdate {
    /// New attributes; none leaves them as they are. One with an empty value is removed.
    pub attributes: Option<BTreeMap<String, String>>,
    /// Whether attributes that are not named stay.
    pub merge: bool,
    /// A new type; none leaves it as it is.
    pub thing_type: Option<ThingTypeName>,
    /// Whether the type is taken away.
    pub remove_thing_type: bool,
    /// The version that the thing must have.
    pub expected_version: Option<u64>,
}

impl Registry {
    /// Makes a thing, or answers the one that is there when it is the same.
    ///
    /// # Errors
    /// [`RegistryError::AlreadyExists`] for another thing of that name, [`RegistryError::NotFound`] for a type or
    /// billing group that does not exist, [`RegistryError::InvalidRequest`] for attributes over AWS's limits.
    pub fn create_thing(
        &self,
        name: &ThingName,
        new: NewThing,
        thing_id: &str,
        now: Timestamp,
    ) -> Result<Thing, RegistryError> {
        let NewThing { thing_type, attributes, billing_group } = new;
        let attributes = attributes::without_empty(attributes);
        attributes::check(&attributes, thing_type.is_some())?;
        let row =
            ThingRow { id: thing_id.to_owned(), thing_type, attributes, billing_group, version: 1, created_at: now };
        let key = table::thing(name);
        retry(|| {
            if let Some(found) = self.read::<ThingRow>(&key)? {
                return self.same_thing(name, found.value, &row);
            }
            self.check_references(&row)?;
            let batch = Batch::new().absent(&*key).put(&*key, table::encode(&row)?);
            self.commit(change_indexes(batch, name, None, Some(&row)))?;
            Ok(to_thing(name, row.clone()))
        })
    }

    /// The thing of that name.
    ///
    /// # Errors
    /// [`RegistryError::NotFound`].
    pub fn thing(&self, name: &ThingName) -> Result<Thing, RegistryError> {
        Ok(to_thing(name, self.thing_row(name)?.value))
    }

    /// Changes a thing; its version grows by one.
    ///
    /// # Errors
    /// [`RegistryError::NotFound`], [`RegistryError::VersionConflict`] when it has another version than expected,
    /// [`RegistryError::InvalidRequest`] for an update that contradicts itself or attributes over AWS's limits.
    pub fn update_thing(&self, name: &ThingName, update: ThingUpdate) -> Result<Thing, RegistryError> {
        if update.remove_thing_type && update.thing_type.is_some() {
            return Err(RegistryError::invalid("removeThingType and thingTypeName cannot be used together."));
        }
        let key = table::thing(name);
        retry(|| {
            let Row { value: old, version } = self.thing_row(name)?;
            check_version(name, old.version, update.expected_version)?;
            let mut new = changed(&old, &update)?;
            new.version = old.version.saturating_add(1);
            if new.thing_type != old.thing_type {
                self.check_references(&new)?;
            }
            let batch = Batch::new().unchanged(&*key, Some(version)).put(&*key, table::encode(&new)?);
            self.commit(change_indexes(batch, name, Some(&old), Some(&new)))?;
            Ok(to_thing(name, new))
        })
    }

    /// Deletes a thing that has no principals. One that is not there counts as deleted.
    ///
    /// # Errors
    /// [`RegistryError::InvalidRequest`] while principals are attached, [`RegistryError::VersionConflict`] when it
    /// has another version than expected.
    pub fn delete_thing(&self, name: &ThingName, expected_version: Option<u64>) -> Result<(), RegistryError> {
        let (key, attachments_key) = (table::thing(name), table::thing_attachments(name));
        retry(|| {
            let Some(row) = self.read::<ThingRow>(&key)? else {
                return Ok(());
            };
            check_version(name, row.value.version, expected_version)?;
            if self.read::<ThingAttachmentsRow>(&attachments_key)?.is_some() {
                let problem = format!("Cannot delete. Thing {name} is still attached to one or more principals");
                return Err(RegistryError::InvalidRequest(problem));
            }
            let batch = Batch::new().unchanged(&*key, version(Some(&row))).absent(&*attachments_key).delete(&*key);
            self.commit(change_indexes(batch, name, Some(&row.value), None))?;
            Ok(())
        })
    }

    pub(crate) fn thing_row(&self, name: &ThingName) -> Result<Row<ThingRow>, RegistryError> {
        let row = self.read(&table::thing(name))?;
        row.ok_or_else(|| RegistryError::not_found(format!("Thing {name} does not exist in your account")))
    }

    fn same_thing(&self, name: &ThingName, found: ThingRow, wanted: &ThingRow) -> Result<Thing, RegistryError> {
        let is_same = found.thing_type == wanted.thing_type
            && found.attributes == wanted.attributes
            && found.billing_group == wanted.billing_group;
        if is_same {
            return Ok(to_thing(name, found));
        }
        Err(RegistryError::AlreadyExists {
            message: format!("Thing {name} already exists in account with different attributes"),
            resource_id: name.to_string(),
            resource_arn: self.arns.thing(name),
        })
    }

    /// What a thing names must exist. Types and billing groups cannot be made yet, so none does.
    fn check_references(&self, row: &ThingRow) -> Result<(), RegistryError> {
        if let Some(thing_type) = &row.thing_type
            && self.store.get(&table::thing_type(thing_type))?.is_none()
        {
            let problem = format!("Thing type {thing_type} does not exist in your account");
            return Err(RegistryError::not_found(problem));
        }
        match &row.billing_group {
            Some(group) => {
                Err(RegistryError::not_found(format!("Billing group {group} does not exist in your account")))
            }
            None => Ok(()),
        }
    }
}

/// The thing that a row is.
pub(crate) fn to_thing(name: &ThingName, row: ThingRow) -> Thing {
    let ThingRow { id, thing_type, attributes, billing_group, version, created_at } = row;
    Thing { name: name.clone(), id, thing_type, attributes, billing_group, version, created_at }
}

fn changed(old: &ThingRow, update: &ThingUpdate) -> Result<ThingRow, RegistryError> {
    let mut new = old.clone();
    if update.remove_thing_type {
        new.thing_type = None;
    } else if let Some(thing_type) = &update.thing_type {
        new.thing_type = Some(thing_type.clone());
    }
    if let Some(attributes) = &update.attributes {
        let mut merged = if update.merge { old.attributes.clone() } else { BTreeMap::new() };
        merged.extend(attributes.clone());
        new.attributes = attributes::without_empty(merged);
    }
    attributes::check(&new.attributes, new.thing_type.is_some())?;
    Ok(new)
}

fn check_version(name: &ThingName, found: u64, expected: Option<u64>) -> Result<(), RegistryError> {
    match expected {
        Some(expected) if expected != found => Err(RegistryError::VersionConflict(format!(
            "The version for thing {name} does not match the expected version."
        ))),
        _ => Ok(()),
    }
}

/// Adds the changes of the indexes when a thing goes from `old` to `new`.
fn change_indexes(batch: Batch, name: &ThingName, old: Option<&ThingRow>, new: Option<&ThingRow>) -> Batch {
    let keys = |row: Option<&ThingRow>| row.map(|row| index_keys(name, row)).unwrap_or_default();
    let (old, new) = (keys(old), keys(new));
    let batch = old.difference(&new).fold(batch, |batch, key| batch.delete(key.as_slice()));
    new.difference(&old).fold(batch, |batch, key| batch.put(key.as_slice(), []))
}

fn index_keys(name: &ThingName, row: &ThingRow) -> BTreeSet<Vec<u8>> {
    let by_attribute = row.attributes.iter().map(|(key, value)| table::thing_by_attribute(key, value, name));
    by_attribute.chain(row.thing_type.iter().map(|thing_type| table::thing_by_type(thing_type, name))).collect()
}
