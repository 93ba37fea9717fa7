//! Where the results of rules go: one file an action.
//!
//! An [`ActionSpec`] is an action as the API writes it, an [`Action`] is one that has been compiled for a rule. To
//! [`perform`](Action::perform) it, IAM is asked first whether the rule's role may do it. This is the only crate with
//! clients of AWS services; they are in [`Outside`], made on first use. Nothing here decides when an action runs.

mod action;
#[cfg(feature = "dynamodb")]
mod attribute_value;
#[cfg(feature = "dynamodb")]
mod aws;
mod config;
#[cfg(feature = "dynamodb")]
mod dynamodb_v2;
mod error;
mod field;
mod mqtt_headers;
mod outside;
mod republish;
mod spec;

pub use action::Action;
pub use config::OutsideConfig;
pub use error::ActionError;
pub use outside::Outside;
pub use spec::{ActionSpec, DynamoDbV2Spec, MqttHeadersSpec, PutItemSpec, RepublishSpec, UserPropertySpec};
