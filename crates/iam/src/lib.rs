//! Access keys, roles and what they allow: who may call the APIs, and what a rule may touch.
//!
//! [`Iam`] keeps its records in the [store](store::Store) and nowhere else. The HTTP door asks it for an access key's
//! secret; rule actions ask [`Iam::may`] whether the service may use a role, and whether the role allows the act.
//! Permissions are documents of crate `policy`; an explicit Deny wins and nothing is allowed by default.
//!
//! All functions block until the store answers. Async doors call them where blocking is allowed.

mod access_keys;
mod compiled;
mod error;
mod evaluate;
mod role_policies;
mod roles;
mod service;
mod table;
mod trust;

pub use access_keys::AccessKey;
pub use error::{IamError, Missing};
pub use evaluate::{RoleRefusal, RoleRequest};
pub use roles::{NewRole, Role};
pub use service::Iam;
