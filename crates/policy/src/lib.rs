//! May X do Y on Z, and why: policy documents in IAM's JSON, as AWS IoT Core reads them.
//!
//! [`Document::parse`] reads and compiles a document once; a [`PolicySet`] joins those of one principal and answers
//! each [`Question`]: [`PolicySet::allows`] on the hot path, [`PolicySet::decide`] where a person wants to know why.
//! Nothing is allowed that no statement allows, and an explicit Deny always wins.
//!
//! The crate is pure. It doesn't know certificates, things or connections: the caller's [`Context`] answers for the
//! keys that conditions and variables name. A variable without a value makes its statement match nothing.
//!
//! ```
//! use std::sync::Arc;
//! use policy::{Document, MapContext, PolicySet, Question};
//!
//! let document = Document::parse(r#"{"Version": "2012-10-17", "Statement": [{
//!     "Effect": "Allow", "Action": "iot:Publish",
//!     "Resource": "arn:aws:iot:us-east-1:123456789012:topic/lamps/${iot:ClientId}/*"}]}"#)?;
//! let policies = PolicySet::new([(Arc::from("lamps"), Arc::new(document))]);
//! let context = MapContext::new().with("iot:ClientId", "lamp-1");
//! let resource = "arn:aws:iot:us-east-1:123456789012:topic/lamps/lamp-1/state";
//! assert!(policies.allows(&Question { action: "iot:Publish", resource, context: &context }));
//! # Ok::<(), policy::MalformedPolicy>(())
//! ```

mod arn_pattern;
mod comparand;
mod conditions;
mod dates;
mod document;
mod evaluate;
mod explain;
mod glob;
mod json;
mod keys;
mod malformed;
mod principal;
mod question;
mod statement;
mod variables;

pub use document::{Document, characters_without_white_space};
pub use evaluate::PolicySet;
pub use explain::{By, Decision, Miss, NearMiss};
pub use malformed::MalformedPolicy;
pub use question::{Context, MapContext, Question, Values};
pub use statement::Effect;
