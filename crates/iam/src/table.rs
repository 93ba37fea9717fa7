//! The rows in the store. Values are JSON with a layout number `v`, which is 1.
//!
//! | key | value |
//! |---|---|
//! | `iam/key/ID` | access key: `secret` (in plain: signatures are checked with it), `principal_arn`, `user_id`, `created_at` (ms) |
//! | `iam/role/NAME` | role: `path`, `role_id`, `trust_policy` (text), `description`, `max_session_seconds`, `created_at` (ms) |
//! | `iam/role-policy/NAME/POLICY` | a role's inline policy: `document` (text) |
//!
//! Names of roles and of their policies have no `/`. Every write of a role's policy rewrites the role's own row too,
//! so the version of that one row stands for everything that decides about the role.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use names::{RoleName, Timestamp};
use store::{StoreError, Versioned};

/// The layout that this code writes and reads.
pub(crate) const LAYOUT: u32 = 1;

pub(crate) const ACCESS_KEYS: &str = "iam/key/";
pub(crate) const ROLES: &str = "iam/role/";

pub(crate) fn access_key(id: &str) -> String {
    format!("{ACCESS_KEYS}{id}")
}

pub(crate) fn role(name: &RoleName) -> String {
    format!("{ROLES}{name}")
}

pub(crate) fn role_policies(role: &RoleName) -> String {
    format!("iam/role-policy/{role}/")
}

pub(crate) fn role_policy(role: &RoleName, policy: &str) -> String {
    format!("{}{policy}", role_policies(role))
}

/// No `Debug`: it holds the secret.
#[derive(Serialize, Deserialize)]
pub(crate) struct AccessKeyRow {
    pub(crate) v: u32,
    pub(crate) secret: String,
    pub(crate) principal_arn: String,
    pub(crate) user_id: String,
    pub(crate) created_at: Timestamp,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct RoleRow {
    pub(crate) v: u32,
    pub(crate) path: String,
    pub(crate) role_id: String,
    pub(crate) trust_policy: String,
    pub(crate) description: Option<String>,
    pub(crate) max_session_seconds: u32,
    pub(crate) created_at: Timestamp,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RolePolicyRow {
    pub(crate) v: u32,
    pub(crate) document: String,
    pub(crate) modified_at: Timestamp,
}

/// A row's value as bytes.
pub(crate) fn encode(row: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(row).expect("rows are structs of strings and numbers, which always are JSON")
}

/// A row from its bytes. The message names the key and never the value, which may be a secret.
pub(crate) fn decode<T: DeserializeOwned>(key: &[u8], value: &[u8]) -> Result<T, StoreError> {
    #[derive(Deserialize)]
    struct Layout {
        v: u32,
    }
    let key = String::from_utf8_lossy(key);
    let unreadable = |_| StoreError::Failed(format!("the record {key} can't be read"));
    let Layout { v } = serde_json::from_slice(value).map_err(unreadable)?;
    if v != LAYOUT {
        return Err(StoreError::Failed(format!("the record {key} has the unknown layout {v}")));
    }
    serde_json::from_slice(value).map_err(unreadable)
}

pub(crate) fn decode_versioned<T: DeserializeOwned>(key: &str, row: &Versioned) -> Result<T, StoreError> {
    decode(key.as_bytes(), &row.value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_other_layouts_and_broken_rows_are_refused() {
        let check = |value: &str, expected: &str| {
            let answer = decode::<RolePolicyRow>(b"iam/role-policy/r/p", value.as_bytes());
            assert_eq!(answer.unwrap_err().to_string(), expected);
        };
        let unreadable = "the store failed: the record iam/role-policy/r/p can't be read";
        check("", unreadable);
        check(r#"{"document": "secret"}"#, unreadable);
        check(r#"{"v": 1}"#, unreadable);
        check(r#"{"v": 2}"#, "the store failed: the record iam/role-policy/r/p has the unknown layout 2");
    }

    #[test]
    fn the_layout_on_disk_does_not_change_by_accident() {
        let created_at = Timestamp::from_millis(5);
        let row = AccessKeyRow {
            v: LAYOUT,
            secret: "s".to_owned(),
            principal_arn: "a".to_owned(),
            user_id: "u".to_owned(),
            created_at,
        };
        let text = String::from_utf8(encode(&row)).unwrap();
        assert_eq!(text, r#"{"v":1,"secret":"s","principal_arn":"a","user_id":"u","created_at":5}"#);
        let role = RoleName::new("r").unwrap();
        assert_eq!((access_key("K"), super::role(&role)), ("iam/key/K".to_owned(), "iam/role/r".to_owned()));
        assert_eq!(role_policy(&role, "p"), "iam/role-policy/r/p");
    }
}
