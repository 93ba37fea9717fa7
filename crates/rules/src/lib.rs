//! SQL rules: which messages a rule sees, what it makes of them, and where that goes.
//!
//! [`Rules`] keeps the rules in the store and one subscriber a rule at the router, so that a slow rule delays no other.
//! A message goes through `sql` and, when its WHERE is true, to each of the rule's `actions`; an action that fails is
//! told to the rule's error action. Rules publish and receive through the router like everybody else. Nothing here
//! knows a wire format or an AWS service.

mod compile;
mod dispatch;
mod error;
mod error_action;
mod evaluation;
mod metrics;
mod payload;
mod service;
mod slots;
mod table;
mod topics;

pub use error::RuleError;
pub use metrics::RuleMetrics;
pub use payload::{Rule, RuleFilter, RulePayload};
pub use service::Rules;
