//! The registry over a store in memory. Expected answers and texts are AWS's: developer guide (thing-registry,
//! x509-client-certs, iot-policies) and the answers that its clients have recorded.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic")]

mod certificates;
mod concurrency;
mod policies;
mod principals;
mod rows;
mod things;
mod watching;

use std::sync::{Arc, LazyLock};

use names::{AccountId, ArnSpace, CertificateId, PolicyName, Region, ThingName, Timestamp};
use registry::{CertificateMode, CertificateStatus, NewCertificate, NewThing, Registry, RegistryError};
use store::{MemoryStore, Store};

const DOCUMENT: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:*","Resource":"*"}]}"#;

/// Certificates that differ, made once.
static PEMS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let make = |n| x509::Authority::generate(&format!("device {n}"), now(1_700_000_000_000)).unwrap();
    (0..12).map(|n| make(n).certificate_pem().to_owned()).collect()
});

fn new_registry() -> (Registry, Arc<MemoryStore>) {
    let store = MemoryStore::new();
    let arns = ArnSpace { region: Region::new("us-east-1").unwrap(), account: AccountId::new("123456789012").unwrap() };
    (Registry::new(Arc::clone(&store) as Arc<dyn Store>, arns), store)
}

fn now(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn thing_name(name: &str) -> ThingName {
    ThingName::new(name).unwrap()
}

fn policy_name(name: &str) -> PolicyName {
    PolicyName::new(name).unwrap()
}

fn add_thing(registry: &Registry, name: &str) -> ThingName {
    let name = thing_name(name);
    registry.create_thing(&name, NewThing::default(), "id", now(1)).unwrap();
    name
}

fn add_policy(registry: &Registry, name: &str) -> PolicyName {
    let name = policy_name(name);
    registry.create_policy(&name, DOCUMENT, now(1)).unwrap();
    name
}

fn register(
    registry: &Registry,
    n: usize,
    status: CertificateStatus,
    millis: u64,
) -> Result<CertificateId, RegistryError> {
    let new = NewCertificate { pem: PEMS[n].clone(), status, mode: CertificateMode::Default };
    registry.register_certificate(new, "generation", now(millis)).map(|record| record.id)
}

fn add_certificate(registry: &Registry, n: usize) -> CertificateId {
    register(registry, n, CertificateStatus::Active, 1).unwrap()
}

/// The variant's name and the text.
fn refusal<T: std::fmt::Debug>(answer: Result<T, RegistryError>) -> (&'static str, String) {
    let error = answer.unwrap_err();
    let kind = match error {
        RegistryError::NotFound { .. } => "NotFound",
        RegistryError::AlreadyExists { .. } => "AlreadyExists",
        RegistryError::VersionConflict(_) => "VersionConflict",
        RegistryError::DeleteConflict(_) => "DeleteConflict",
        RegistryError::CertificateState(_) => "CertificateState",
        RegistryError::CertificateValidation(_) => "CertificateValidation",
        RegistryError::MalformedPolicy(_) => "MalformedPolicy",
        RegistryError::InvalidRequest(_) => "InvalidRequest",
        RegistryError::LimitExceeded(_) => "LimitExceeded",
        RegistryError::InvalidToken => "InvalidToken",
        RegistryError::Store(_) => "Store",
    };
    (kind, error.to_string())
}
