//! The device shadow's JSON algebra: requests, merge, metadata, delta, versions, and the bodies of all answers.
//!
//! Pure: bytes and a time go in, a document and bytes come out. Who may ask, where shadows are kept and on which
//! topics answers go is the business of the crate `shadows`. Source of the rules: AWS IoT Core developer guide,
//! device-shadow-document, device-shadow-mqtt, device-shadow-data-flow and device-shadow-error-messages.
//!
//! Objects keep their keys in the order in which the senders first named them. Of a key that a request holds
//! twice, the last value counts.
//!
//! ```
//! use shadow_document::{Limits, UpdateRequest, update};
//!
//! let limits = Limits::default();
//! let request = UpdateRequest::parse(br#"{"state":{"desired":{"light":"on"}}}"#, &limits)?;
//! let updated = update(None, request, 1_700_000_000, &limits)?;
//! assert_eq!(updated.shadow.version(), 1);
//! assert!(updated.delta().is_some());
//! # Ok::<(), shadow_document::ShadowError>(())
//! ```

mod delta;
mod document;
mod error;
mod json;
mod limits;
mod merge;
mod metadata;
mod reply;
mod request;
mod section;
mod stored;
mod update;
mod value;
mod version;

pub use document::Shadow;
pub use error::{Problem, ShadowError};
pub use limits::Limits;
pub use reply::{delete, get};
pub use request::{UpdateRequest, read_client_token};
pub use stored::{CorruptShadow, Stored};
pub use update::{Updated, update};
