//! How the registry lies in the store. All keys start with `registry/`; values are JSON objects with `"v":1`.
//!
//! | key | value |
//! |---|---|
//! | `registry/thing/NAME` | a thing |
//! | `registry/thing-type/NAME` | a thing type (none can be made yet) |
//! | `registry/thing-by-attribute/ATTRIBUTE\0VALUE\0NAME` | index, empty |
//! | `registry/thing-by-type/TYPE\0NAME` | index, empty |
//! | `registry/thing-attachments/NAME` | how many principals the thing has; not there when none |
//! | `registry/thing-principal/NAME/CERTIFICATE` | whether the attachment is exclusive |
//! | `registry/certificate/CERTIFICATE` | a certificate |
//! | `registry/certificate-by-date/MILLISECONDS/CERTIFICATE` | index by registration (16 hex digits), empty |
//! | `registry/certificate-attachments/CERTIFICATE` | its policies, how many things, the exclusive one; not there when none |
//! | `registry/certificate-thing/CERTIFICATE/NAME` | index, empty |
//! | `registry/policy/NAME` | a policy |
//! | `registry/policy-target/NAME/CERTIFICATE` | index, empty |
//!
//! CERTIFICATE is 64 lower-case hex digits. The rows `thing-attachments` and `certificate-attachments` change with
//! each attachment, so whoever deletes a thing or a certificate finds them changed when somebody attached in between.
//! A policy may have very many targets, so it has no such row; see `delete_policy` for how that is done.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use names::{CertificateId, PolicyName, ThingName, ThingTypeName, Timestamp};
use store::StoreError;

use crate::{CertificateMode, CertificateStatus};

/// The start of all the registry's keys.
pub const ROOT: &[u8] = b"registry/";
/// The start of the things' keys.
pub const THING: &[u8] = b"registry/thing/";
/// The start of the certificates' keys.
pub const CERTIFICATE: &[u8] = b"registry/certificate/";
/// The start of the keys of what is attached to certificates.
pub const CERTIFICATE_ATTACHMENTS: &[u8] = b"registry/certificate-attachments/";
/// The start of the keys of the index of certificates by registration.
pub const CERTIFICATE_BY_DATE: &[u8] = b"registry/certificate-by-date/";
/// The start of the policies' keys.
pub const POLICY: &[u8] = b"registry/policy/";

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct ThingRow {
    pub(crate) id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) thing_type: Option<ThingTypeName>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) attributes: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) billing_group: Option<String>,
    pub(crate) version: u64,
    pub(crate) created_at: Timestamp,
}

#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct ThingAttachmentsRow {
    pub(crate) principals: u64,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct ThingPrincipalRow {
    pub(crate) exclusive: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct CertificateRow {
    pub(crate) pem: String,
    pub(crate) status: CertificateStatus,
    pub(crate) mode: CertificateMode,
    pub(crate) generation_id: String,
    pub(crate) customer_version: u64,
    pub(crate) not_before: Timestamp,
    pub(crate) not_after: Timestamp,
    pub(crate) created_at: Timestamp,
    pub(crate) modified_at: Timestamp,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct CertificateAttachmentsRow {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) policies: Vec<PolicyName>,
    #[serde(default)]
    pub(crate) things: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) exclusive_thing: Option<ThingName>,
}

impl CertificateAttachmentsRow {
    pub(crate) fn is_empty(&self) -> bool {
        self.policies.is_empty() && self.things == 0
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct PolicyRow {
    pub(crate) document: String,
    pub(crate) default_version_id: String,
    pub(crate) generation_id: String,
    pub(crate) created_at: Timestamp,
    pub(crate) modified_at: Timestamp,
    /// Somebody is about to delete it; who attaches it now takes this away again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) deleting: bool,
}

/// A row with the number of its shape.
#[derive(Serialize, Deserialize)]
struct Shaped<T> {
    v: u32,
    #[serde(flatten)]
    row: T,
}

pub(crate) fn encode<T: Serialize>(row: &T) -> Result<Vec<u8>, StoreError> {
    serde_json::to_vec(&Shaped { v: SHAPE, row }).map_err(|error| StoreError::Failed(error.to_string()))
}

pub(crate) fn decode<T: DeserializeOwned>(key: &[u8], value: &[u8]) -> Result<T, StoreError> {
    let key = || String::from_utf8_lossy(key);
    let damaged = |error| StoreError::Failed(format!("the row {:?} cannot be read: {error}", key()));
    let shaped: Shaped<T> = serde_json::from_slice(value).map_err(damaged)?;
    if shaped.v != SHAPE {
        return Err(StoreError::Failed(format!("the row {:?} has shape {}, not {SHAPE}", key(), shaped.v)));
    }
    Ok(shaped.row)
}

pub(crate) fn thing(name: &ThingName) -> Vec<u8> {
    [THING, name.as_str().as_bytes()].concat()
}

pub(crate) fn thing_type(name: &ThingTypeName) -> Vec<u8> {
    format!("registry/thing-type/{name}").into_bytes()
}

/// The index rows under an attribute: all of them, those of a value, or those of values with a start.
pub(crate) fn things_by_attribute(attribute: &str, value: Option<&str>, is_start: bool) -> Vec<u8> {
    let mut key = format!("registry/thing-by-attribute/{attribute}\0").into_bytes();
    if let Some(value) = value {
        key.extend_from_slice(value.as_bytes());
        if !is_start {
            key.push(0);
        }
    }
    key
}

pub(crate) fn thing_by_attribute(attribute: &str, value: &str, name: &ThingName) -> Vec<u8> {
    format!("registry/thing-by-attribute/{attribute}\0{value}\0{name}").into_bytes()
}

pub(crate) fn things_by_type(thing_type: &str) -> Vec<u8> {
    format!("registry/thing-by-type/{thing_type}\0").into_bytes()
}

pub(crate) fn thing_by_type(thing_type: &ThingTypeName, name: &ThingName) -> Vec<u8> {
    format!("registry/thing-by-type/{thing_type}\0{name}").into_bytes()
}

/// The thing's name at the end of a key: after the last `/` or `\0`, neither of which a name can have.
pub(crate) fn thing_name_at_end(key: &[u8]) -> Option<ThingName> {
    ThingName::new(std::str::from_utf8(last_part(key)).ok()?).ok()
}

/// The certificate's id at the end of a key.
pub(crate) fn certificate_id_at_end(key: &[u8]) -> Option<CertificateId> {
    CertificateId::from_hex(std::str::from_utf8(last_part(key)).ok()?).ok()
}

fn last_part(key: &[u8]) -> &[u8] {
    key.rsplit(|byte| matches!(byte, b'/' | 0)).next().unwrap_or_default()
}

pub(crate) fn thing_attachments(name: &ThingName) -> Vec<u8> {
    format!("registry/thing-attachments/{name}").into_bytes()
}

pub(crate) fn thing_principals(name: &ThingName) -> Vec<u8> {
    format!("registry/thing-principal/{name}/").into_bytes()
}

pub(crate) fn thing_principal(name: &ThingName, id: &CertificateId) -> Vec<u8> {
    format!("registry/thing-principal/{name}/{id}").into_bytes()
}

pub(crate) fn certificate(id: &CertificateId) -> Vec<u8> {
    format!("registry/certificate/{id}").into_bytes()
}

pub(crate) fn certificate_by_date(created_at: Timestamp, id: &CertificateId) -> Vec<u8> {
    format!("registry/certificate-by-date/{:016x}/{id}", created_at.as_millis()).into_bytes()
}

pub(crate) fn certificate_attachments(id: &CertificateId) -> Vec<u8> {
    format!("registry/certificate-attachments/{id}").into_bytes()
}

pub(crate) fn certificate_things(id: &CertificateId) -> Vec<u8> {
    format!("registry/certificate-thing/{id}/").into_bytes()
}

pub(crate) fn certificate_thing(id: &CertificateId, name: &ThingName) -> Vec<u8> {
    format!("registry/certificate-thing/{id}/{name}").into_bytes()
}

pub(crate) fn policy(name: &PolicyName) -> Vec<u8> {
    format!("registry/policy/{name}").into_bytes()
}

pub(crate) fn policy_targets(name: &PolicyName) -> Vec<u8> {
    format!("registry/policy-target/{name}/").into_bytes()
}

pub(crate) fn policy_target(name: &PolicyName, id: &CertificateId) -> Vec<u8> {
    format!("registry/policy-target/{name}/{id}").into_bytes()
}

/// The shape of rows that this release writes and reads.
const SHAPE: u32 = 1;
