//! The service over the store in memory, as the doors and the rule actions use it.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that panics has failed")]

mod access_keys;
mod may;
mod roles;

use std::sync::Arc;

use iam::{Iam, NewRole};
use names::{AccountId, ArnSpace, Region, RoleName, Timestamp};
use store::MemoryStore;

const TRUSTS_IOT: &str = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
    "Principal": {"Service": "iot.amazonaws.com"}, "Action": "sts:AssumeRole"}]}"#;

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

fn over<S: store::Store>(store: &Arc<S>) -> Iam {
    let arns = ArnSpace { region: Region::new("us-east-1").unwrap(), account: AccountId::new("123456789012").unwrap() };
    Iam::new(Arc::clone(store) as Arc<dyn store::Store>, arns)
}

fn iam() -> Iam {
    over(&MemoryStore::new())
}

fn name(text: &str) -> RoleName {
    RoleName::new(text).unwrap()
}

fn new_role(text: &str) -> NewRole {
    NewRole {
        name: name(text),
        path: "/".to_owned(),
        trust_policy: TRUSTS_IOT.to_owned(),
        description: None,
        max_session_seconds: 3600,
        role_id: "AROAEXAMPLE".to_owned(),
    }
}

fn document(statements: &str) -> String {
    format!(r#"{{"Version": "2012-10-17", "Statement": [{statements}]}}"#)
}

fn allow(action: &str, resource: &str) -> String {
    document(&format!(r#"{{"Effect": "Allow", "Action": "{action}", "Resource": "{resource}"}}"#))
}
