//! Access keys: whose signature is whose.

use std::fmt;

use names::{Timestamp, limits};
use store::Batch;

use crate::table::{self, AccessKeyRow, LAYOUT};
use crate::{Iam, IamError};

/// An access key and whom it stands for.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessKey {
    /// The access key's id, as it stands in a signed request's credential.
    pub id: String,
    /// The secret that signs. Never printed by `Debug`.
    pub secret: String,
    /// The caller's ARN, such as `arn:aws:iam::123456789012:user/admin`.
    pub principal_arn: String,
    /// The caller's unique id, as `GetCallerIdentity` tells it.
    pub user_id: String,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Iam {
    /// Keeps an access key; one of the same id is replaced.
    ///
    /// # Errors
    /// [`IamError::InvalidInput`] unless the id is 1 to 128 letters, digits and underscores and the secret is neither
    /// empty nor longer than 1024 bytes; [`IamError::Store`].
    pub fn put_access_key(&self, key: AccessKey) -> Result<(), IamError> {
        check(&key)?;
        let AccessKey { id, secret, principal_arn, user_id, created_at } = key;
        let row = AccessKeyRow { v: LAYOUT, secret, principal_arn, user_id, created_at };
        let batch = Batch::new().put(table::access_key(&id), table::encode(&row));
        self.store.commit(batch).wait()?;
        Ok(())
    }

    /// The access key of this id, for the check of a signature.
    ///
    /// # Errors
    /// [`IamError::Store`].
    pub fn access_key(&self, id: &str) -> Result<Option<AccessKey>, IamError> {
        if !is_id(id) {
            return Ok(None);
        }
        let key = table::access_key(id);
        let Some(row) = self.store.get(key.as_bytes())? else {
            return Ok(None);
        };
        Ok(Some(access_key(id, table::decode_versioned(&key, &row)?)))
    }

    /// All access keys, ordered by id.
    ///
    /// # Errors
    /// [`IamError::Store`].
    pub fn access_keys(&self) -> Result<Vec<AccessKey>, IamError> {
        let read = |entry: store::Entry| {
            let row = table::decode(&entry.key, &entry.value)?;
            let id = entry.key.get(table::ACCESS_KEYS.len()..).unwrap_or_default();
            Ok(access_key(&String::from_utf8_lossy(id), row))
        };
        self.all_rows(table::ACCESS_KEYS)?.into_iter().map(read).collect()
    }

    /// Forgets an access key; nothing happens when there is none of this id.
    ///
    /// # Errors
    /// [`IamError::Store`].
    pub fn delete_access_key(&self, id: &str) -> Result<(), IamError> {
        if is_id(id) {
            self.store.commit(Batch::new().delete(table::access_key(id))).wait()?;
        }
        Ok(())
    }
}

impl fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessKey")
            .field("id", &self.id)
            .field("principal_arn", &self.principal_arn)
            .field("user_id", &self.user_id)
            .field("created_at", &self.created_at)
            .finish_non_exhaustive()
    }
}

fn access_key(id: &str, row: AccessKeyRow) -> AccessKey {
    let AccessKeyRow { v: _, secret, principal_arn, user_id, created_at } = row;
    AccessKey { id: id.to_owned(), secret, principal_arn, user_id, created_at }
}

fn check(key: &AccessKey) -> Result<(), IamError> {
    if !is_id(&key.id) {
        let bytes_max = limits::ACCESS_KEY_ID_BYTES_MAX;
        let problem = format!("An access key id is 1 to {bytes_max} letters, digits and underscores.");
        return Err(IamError::InvalidInput(problem));
    }
    for (name, value) in [("secret", &key.secret), ("principal ARN", &key.principal_arn), ("user id", &key.user_id)] {
        if value.is_empty() || value.len() > TEXT_BYTES_MAX {
            let problem = format!("An access key's {name} is 1 to {TEXT_BYTES_MAX} bytes long.");
            return Err(IamError::InvalidInput(problem));
        }
    }
    Ok(())
}

fn is_id(id: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    (1..=limits::ACCESS_KEY_ID_BYTES_MAX).contains(&id.len()) && id.bytes().all(allowed)
}

/// Ours; IAM's secrets are 40 characters and its ARNs and user ids far shorter than this.
const TEXT_BYTES_MAX: usize = 1024;
