//! May the service take on the role at all? The role's trust policy answers.

use names::ArnSpace;
use policy::{Document, MapContext};

/// What a service does to take on a role.
pub(crate) const ASSUME_ROLE: &str = "sts:AssumeRole";

/// Whether `trust` lets `service` take on the role, on behalf of `source_arn` in this account (IAM user guide,
/// confused deputy: `aws:SourceArn`, `aws:SourceAccount`).
pub(crate) fn trusts(trust: &Document, service: &str, source_arn: Option<&str>, arns: &ArnSpace) -> bool {
    let mut context = MapContext::new().with("aws:SourceAccount", arns.account.as_str());
    if let Some(arn) = source_arn {
        context = context.with("aws:SourceArn", arn);
    }
    trust.trusts_service(service, ASSUME_ROLE, &context)
}
