//! Things, certificates, policies and what is attached to what.
//!
//! All functions block until what they did is durable. No state is kept but in the store: two processes over one
//! store see the same registry. Clocks and random ids are the caller's. [`table`] says how the rows lie in the store.
//!
//! ```
//! use std::collections::BTreeMap;
//! use names::{AccountId, ArnSpace, Region, ThingName, Timestamp};
//! use registry::{NewThing, Registry};
//!
//! let arns = ArnSpace { region: Region::new("us-east-1")?, account: AccountId::new("123456789012")? };
//! let registry = Registry::new(store::MemoryStore::new(), arns);
//! let lamp = ThingName::new("lamp")?;
//! let attributes = BTreeMap::from([("colour".to_owned(), "red".to_owned())]);
//! let new = NewThing { attributes, ..NewThing::default() };
//! registry.create_thing(&lamp, new, "0e1c7c4a-4f5e-4f0b-8b0a-2d8d6f1a2b3c", Timestamp::from_millis(0))?;
//! assert_eq!(registry.thing(&lamp)?.version, 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod attributes;
mod certificate_status;
mod certificates;
mod error;
mod page;
mod policies;
mod policy_attachments;
mod service;
pub mod table;
mod thing_listing;
mod thing_principals;
mod things;

pub use certificate_status::{CertificateMode, CertificateStatus};
pub use certificates::{CertificateRecord, NewCertificate};
pub use error::RegistryError;
pub use page::{Page, PageRequest};
pub use policies::PolicyRecord;
pub use policy_attachments::PolicyTarget;
pub use service::{Affected, Registry};
pub use thing_listing::ThingQuery;
pub use things::{NewThing, Thing, ThingUpdate};
