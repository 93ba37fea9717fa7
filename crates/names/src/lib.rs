//! Words and limits that every crate may use.
//!
//! Each name is a newtype that checks itself once, when it is made, and is trusted afterwards. Nothing here
//! does I/O, reads a clock or knows a wire format. [`limits`] is the one table of Althing's bounds.

mod account;
mod arn;
mod certificate_id;
mod dialect;
pub mod limits;
mod text_name;
mod timestamp;

pub use account::{AccountId, Region};
pub use arn::{ArnSpace, PARTITION};
pub use certificate_id::CertificateId;
pub use dialect::Dialect;
pub use text_name::{ClientId, InvalidName, PolicyName, RoleName, RuleName, ShadowName, ThingName, ThingTypeName};
pub use timestamp::Timestamp;
